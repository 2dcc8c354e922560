"""Source code with its keywords, strings and comments marked: Pygments' lexers, our own few classes (`code.css`)."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from time import thread_time

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String, _TokenType

# Lexers are regular expressions that nobody proved to be linear, and some take minutes for a page of blank lines. The
# time is looked at between two tokens; one token of a block this long takes half a second at worst, in these languages.
MAX_CHARS = 10_000
SECONDS = 0.5

# What people and models call a language, and Pygments' name for it. Only these: it keeps the odd lexers out.
_SAME = (
    "awk bash c cmake clojure coffeescript cpp csharp css dart diff django docker elixir elm erlang fortran fsharp go "
    "graphql groovy haskell html http ini java javascript json julia kotlin latex lua make mysql nginx nix "
    "objective-c perl php powershell prolog protobuf python r rust sass scala scheme scss sql swift terraform "
    "toml typescript vim xml yaml zig"
)
_OTHER = {
    "c#": "csharp",
    "c++": "cpp",
    "cjs": "javascript",
    "console": "console",
    "cs": "csharp",
    "dockerfile": "docker",
    "ex": "elixir",
    "golang": "go",
    "h": "c",
    "hcl": "terraform",
    "hpp": "cpp",
    "hs": "haskell",
    "jinja": "django",
    "jinja2": "django",
    "js": "javascript",
    "jsonc": "json",
    "json5": "json",
    "jsonl": "json",
    "jsx": "javascript",
    "kt": "kotlin",
    "makefile": "make",
    "mariadb": "mysql",
    "mjs": "javascript",
    "objc": "objective-c",
    "patch": "diff",
    "pgsql": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "proto": "protobuf",
    "ps1": "powershell",
    "pwsh": "powershell",
    "py": "python",
    "python3": "python",
    "rb": "ruby",
    "rs": "rust",
    "ruby": "ruby",
    "sh": "bash",
    "shell": "bash",
    "shell-session": "console",
    "sqlite": "sql",
    "svg": "xml",
    "tex": "latex",
    "tf": "terraform",
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
    "zsh": "bash",
}
LANGUAGES = {name: name for name in _SAME.split()} | _OTHER

_CLASSES: dict[_TokenType, str] = {
    Keyword: "code__key",
    Keyword.Constant: "code__num",
    Name.Builtin: "code__key",
    Name.Builtin.Pseudo: "code__num",
    Name.Tag: "code__key",
    Operator.Word: "code__key",
    Name.Class: "code__name",
    Name.Function: "code__name",
    Name.Decorator: "code__name",
    Name.Attribute: "code__name",
    String: "code__text",
    Number: "code__num",
    Literal: "code__num",
    Comment: "code__note",
    Generic.Prompt: "code__note",
    Generic.Output: "code__note",
    Generic.Heading: "code__key",
    Generic.Subheading: "code__key",
    Generic.Inserted: "code__ins",
    Generic.Deleted: "code__del",
}


class Highlighter:
    """Marks the blocks of one text, and stops when they have taken half a second of the processor's time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._left = seconds

    def __call__(self, code: str, language: str) -> SafeString:
        """The inside of a `code` element. Plain if we do not know the language, or the code takes too long."""
        name = LANGUAGES.get(language.lower())
        if name is None or len(code) > MAX_CHARS or self._left <= 0:
            return escape(code)
        started = thread_time()
        try:
            marked = "".join(_marked(_tokens(code, name, started + self._left)))
        except _TooSlowError:
            marked = escape(code)
        self._left -= thread_time() - started
        return mark_safe(marked)


class _TooSlowError(Exception):
    pass


def _tokens(code: str, name: str, until: float) -> Iterator[tuple[str, str]]:
    lexer = get_lexer_by_name(name, startinline=True) if name == "php" else get_lexer_by_name(name)
    for _, kind, text in lexer.get_tokens_unprocessed(code):
        if thread_time() > until:
            raise _TooSlowError
        yield _class_of(kind), text


def _marked(tokens: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Neighbours of one class in one element: a string is not five spans."""
    for kind, group in groupby(tokens, key=itemgetter(0)):
        text = escape("".join(text for _, text in group))
        yield f'<span class="{kind}">{text}</span>' if kind else text


def _class_of(token: _TokenType) -> str:
    while token:
        if token in _CLASSES:
            return _CLASSES[token]
        token = token.parent
    return ""
