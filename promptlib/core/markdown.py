"""What models write, made safe to show.

Markdown is parsed without any HTML of its own (a tag in an answer is shown as text), what comes out goes through an
allow-list all the same, and only then do the parts that are ours come in: code with its bar, the frames of tables.
Nothing that is shown loads anything, and no text is lost: what is too deep or too long to parse is shown as written.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import nh3
from django.utils.html import format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from promptlib.core.highlight import Highlighter
from promptlib.core.templatetags.interface import icon

MAX_CHARS = 500_000
MAX_LINES = 20_000
MAX_NESTING = 100
# Finding the ends of links takes the square of the brackets in a paragraph: so much of it for one text, about 2 s.
MAX_BRACKET_PAIRS = 10_000_000
# Beyond these, blocks of code have no bar.
MAX_BARS = 200
TOP_HEADING, LAST_HEADING = 3, 6

_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"https?://[^/\\?#]|mailto:.", re.IGNORECASE)
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_URL = re.compile(r"(?<![A-Za-z0-9])https?://(?![/?#])[^\s<>\"'`\\|\u3000-\u303f\uff00-\uffef]{1,2000}")
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_ALIGNED = {"text-align:right": "number", "text-align:center": "center"}

_cleaner = nh3.Cleaner(
    tags=set("a blockquote br code em h3 h4 h5 h6 hr input li ol p pre s strong table tbody td th thead tr ul".split()),
    clean_content_tags=set(),
    attributes={"a": {"href"}, "ol": {"start"}, "th": {"scope"}},
    tag_attribute_values={"input": {"type": {"checkbox"}, "checked": {""}, "disabled": {""}}},
    allowed_classes={
        "input": {"task-list-item-checkbox"},
        "li": {"task-list-item"},
        "td": set(_ALIGNED.values()),
        "th": set(_ALIGNED.values()),
        "ul": {"contains-task-list"},
    },
    link_rel="nofollow noopener noreferrer",
    url_schemes=_SCHEMES,
    url_relative="deny",
)


def render_markdown(text: str) -> SafeString:
    """HTML for the inside of an element of class `md`. The worst 500,000 characters take about 5 seconds."""
    text = text.encode("utf-8", "replace").decode()
    if len(text) > MAX_CHARS or text.count("\n") > MAX_LINES:
        return _plain(text)
    env: dict[str, Any] = {"code": [], "tables": [], "bracket_pairs": 0}
    tokens = _parser.parse(text, env)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return _plain(text)
    html = _cleaner.clean(_parser.renderer.render(tokens, _parser.options, env))
    return mark_safe(_finish(html, env))


def _plain(text: str) -> SafeString:
    return mark_safe(linebreaks(text, autoescape=True))


# Parsing


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802, the parser's own name
        """Only whole addresses: a relative one, `https:/logout` included, would lead into this site."""
        return bool(_ADDRESS.match(url))


def _make_parser() -> _Parser:
    parser = _Parser("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING, "tasklists": True})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.at("inline", _parse_inline)
    parser.core.ruler.push("shape", _shape)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.inline.ruler.before("autolink", "line_break_tag", _line_break_tag)
    parser.add_render_rule("fence", _render_code)
    parser.add_render_rule("code_block", _render_code)
    parser.add_render_rule("checkbox", _render_checkbox)
    return parser


def _parse_inline(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "inline":
            continue
        state.env["bracket_pairs"] += token.content.count("[") ** 2
        if state.env["bracket_pairs"] > MAX_BRACKET_PAIRS:
            token.children = [_text(token.content)]
        else:
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Chinese and Japanese put no spaces round `**「…」**`; CommonMark takes such stars for text."""
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    before, after = state.src[start - 1 : start], state.src[state.pos : state.pos + 1]
    if state.src[start] == "*":
        for delimiter in state.delimiters[known:]:
            delimiter.open |= bool(_CJK.match(before)) and not (after or " ").isspace()
            delimiter.close |= bool(_CJK.match(after)) and not (before or " ").isspace()
    return True


def _line_break_tag(state: StateInline, silent: bool) -> bool:
    """`<br>`, the one tag that models write in tables because Markdown has no other way to say it."""
    found = _BREAK.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _shape(state: StateCore) -> None:
    """Headings below ours, pictures and bare addresses as links, tables and tasks as a screen reader wants them."""
    headings: list[tuple[int, int]] = []
    tokens = state.tokens
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.tag = tokens[at + 2].tag = _heading(headings, int(token.tag[1]))
        elif token.type in ("th_open", "td_open"):
            _shape_cell(tokens, at)
        elif token.type == "table_open":
            state.env["tables"].append(_table_name(tokens, at))
        elif token.type == "list_item_open" and "checked" in token.meta and tokens[at + 1].type == "paragraph_open":
            checkbox = Token("checkbox", "input", 0, meta={"checked": token.meta.pop("checked")})
            tokens[at + 2].children = [checkbox, *(tokens[at + 2].children or [])]
        elif token.type == "inline":
            token.children = list(_with_links(token.children or [], state.md))


def _heading(above: list[tuple[int, int]], level: int) -> str:
    """The tag for a heading: the first is h3, and none lies more than one step below the heading it stands under."""
    while above and above[-1][0] >= level:
        above.pop()
    shown = min(above[-1][1] + 1 if above else TOP_HEADING, LAST_HEADING)
    above.append((level, shown))
    return f"h{shown}"


def _shape_cell(tokens: Sequence[Token], at: int) -> None:
    cell, empty = tokens[at], not tokens[at + 1].content
    align = _ALIGNED.get(str(cell.attrs.pop("style", "")))
    if align:
        cell.attrSet("class", align)
    if cell.tag == "th" and empty:
        cell.tag = tokens[at + 2].tag = "td"  # A header without words names nothing.
    elif cell.tag == "th":
        cell.attrSet("scope", "col")


def _table_name(tokens: Sequence[Token], at: int) -> str:
    names: list[str] = []
    while tokens[at].type != "thead_close":
        token, at = tokens[at], at + 1
        if token.type == "inline" and token.content:
            names.append(
                "".join(child.content for child in token.children or [] if child.type in ("text", "code_inline"))
            )
    return Truncator(", ".join(names)).chars(80)


def _with_links(children: Sequence[Token], parser: MarkdownIt) -> Iterator[Token]:
    depth = 0
    for child in children:
        depth += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type == "image":
            source = str(child.attrs["src"])
            label = _alt(child) or source
            yield from [_text(label)] if depth else _link(source, label)
        elif child.type == "text" and not depth and "://" in child.content:
            yield from _linkify(child.content, parser)
        else:
            if child.type == "link_open":
                child.attrs.pop("title", None)
            yield child


def _alt(image: Token) -> str:
    return "".join(part.content if part.type != "image" else _alt(part) for part in image.children or [])


def _linkify(text: str, parser: MarkdownIt) -> Iterator[Token]:
    at = 0
    for found in _URL.finditer(text):
        url = found[0]
        while url[-1] in ".,:;!?*_~)]}" and not (url[-1] == ")" and url.count("(") >= url.count(")")):
            url = url[:-1]
        if not url.endswith("/") or url.count("/") > 2:
            yield _text(text[at : found.start()])
            yield from _link(parser.normalizeLink(url), url)
            at = found.start() + len(url)
    yield _text(text[at:])


def _link(href: str, label: str) -> tuple[Token, Token, Token]:
    return Token("link_open", "a", 1, attrs={"href": href}), _text(label), Token("link_close", "a", -1)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


# Rendering


def _render_code(self: object, tokens: Sequence[Token], at: int, options: OptionsDict, env: dict[str, Any]) -> str:
    """A place for the code, which never goes through the cleaner. Text cannot forge one: its `<` is escaped."""
    language = tokens[at].info.split(maxsplit=1)[0] if tokens[at].info.strip() else ""
    env["code"].append((language[:30], tokens[at].content.removesuffix("\n")))
    return f"<pre>{len(env['code']) - 1}</pre>\n"


def _render_checkbox(self: object, tokens: Sequence[Token], at: int, options: OptionsDict, env: dict[str, Any]) -> str:
    checked = ' checked=""' if tokens[at].meta["checked"] else ""
    return f'<input class="task-list-item-checkbox" type="checkbox" disabled=""{checked}> '


def _finish(html: str, env: dict[str, Any]) -> str:
    if env["code"]:
        blocks = list(_code_blocks(env["code"]))
        html = re.sub(r"<pre>(\d+)</pre>", lambda found: blocks[int(found[1])], html)
    if env["tables"]:
        names = iter(env["tables"])
        html = re.sub("<table>", lambda _found: _frame(next(names)) + "<table>", html)
        html = html.replace("</table>", "</table></div>")
    if "<input " in html:
        html = html.replace("<input ", format_html('<input aria-label="{}" ', _("Task")))
    return html


def _frame(name: str) -> str:
    label = _("Table: %(columns)s") % {"columns": name} if name else _("Table")
    return format_html('<div class="table-wrap" tabindex="0" role="group" aria-label="{}">', label)


def _code_blocks(blocks: Sequence[tuple[str, str]]) -> Iterator[str]:
    highlight = Highlighter()
    for number, (language, code) in enumerate(blocks):
        bar = _bar(language) if number < MAX_BARS else ""
        label = _("Code: %(language)s") % {"language": language} if language else _("Code")
        yield format_html(
            '<div class="code" data-copy-scope>{}'
            '<pre tabindex="0" role="group" aria-label="{}"><code>{}</code></pre></div>',
            bar,
            label,
            highlight(code, language),
        )


def _bar(language: str) -> SafeString:
    return format_html(
        '<div class="code__bar"><span>{}</span><button class="button button--quiet button--small" type="button" '
        'data-copy-from="code">{}{}</button></div>',
        language,
        icon("copy"),
        _("Copy"),
    )


_parser = _make_parser()
