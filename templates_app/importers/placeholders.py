"""``${name}`` and ``${name:default}``, as prompts.chat writes variables, to ``{{ name }}`` and a typed contract.

What only looks like one stays as it is: JavaScript and shell expressions (``${user.name}``, ``${i + 1}``,
``${HOME:-/root}``), every ``${name}`` of a text that holds such expressions, and a ``${name}`` that occurs in a block
of program code and nowhere else. A name may hold spaces: the identifier is made of it and the label keeps it. One name
with several defaults becomes one variable for each default, so that the defaults together give the original text;
without a default it means the first of them.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from templates_app.variables import (
    NAME_MAX_LENGTH,
    Variable,
    VariableType,
    find_names,
    guess_type,
    is_name,
    label_for,
)

# ${${name}} is ${name} that somebody wrapped twice.
_PLACEHOLDER = re.compile(r"\$\{(?:\$\{([^{}\n]{1,2000})\}|([^{}\n]{1,2000}))\}")
_NAME_CHARACTERS = re.compile(r"[\w\s'’&/\u0300-\u036f-]{1,100}")
_EXPRESSION = re.compile(r"[\w\])]\s*[.(\[]\s*[\w)'\"]|\s[?+*/<>=!&|-]{1,3}\s|^\s*[!(\[]")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+#-]*)")
_CODE_LANGUAGES = frozenset(
    {
        *("bash", "sh", "shell", "zsh", "js", "javascript", "jsx", "mjs", "ts", "typescript", "tsx", "php", "perl"),
        *("groovy", "gradle", "kotlin", "dart", "scala", "java", "hcl", "terraform", "makefile", "dockerfile", "yaml"),
    }
)
_LONG_DEFAULT = 120
_MAX_OPTIONS = 20


@dataclass
class Converted:
    text: str
    variables: list[Variable] = field(default_factory=list)
    # Defaults that are not the variable's default as they stood: the choices of "a | b | c".
    defaults: dict[str, str] = field(default_factory=dict)


@dataclass
class _Use:
    start: int
    end: int
    identifier: str
    label: str
    default: str
    is_code: bool


def convert_placeholders(text: str) -> Converted:
    uses, has_expressions = _find(text)
    certain = {use.identifier for use in uses if use.default or not (use.is_code or has_expressions)}
    uses = [use for use in uses if use.identifier in certain]
    names = _names(uses, taken=set(find_names(text)))
    converted = Converted("")
    variables: dict[str, Variable] = {}
    pieces, end = [], 0
    for use in uses:
        name = names[use.identifier, use.default]
        pieces += [text[end : use.start], f"{{{{ {name} }}}}"]
        end = use.end
        if name not in variables:
            default = use.default or _first_default(uses, use.identifier)
            suffix = "" if name == use.identifier else f" {name.rpartition('_')[2]}"
            variables[name] = _variable(name, use.label + suffix, default)
            if variables[name].options:
                converted.defaults[name] = default
    converted.text = "".join([*pieces, text[end:]])
    converted.variables = list(variables.values())
    return converted


def to_identifier(name: str) -> str:
    """ "Brand's core product" becomes "brands_core_product"; "" when nothing of the name can stand in one."""
    name = unicodedata.normalize("NFC", name.strip()).replace("'", "").replace("’", "")
    if is_name(name):
        return name
    kept = "".join(character if f"a{character}".isidentifier() else " " for character in name)
    identifier = "_".join(kept.replace("_", " ").split()).lower()
    if identifier[:1].isdigit():
        identifier = f"_{identifier}"
    identifier = identifier[:NAME_MAX_LENGTH].rstrip("_")
    return identifier if is_name(identifier) else ""


def _find(text: str) -> tuple[list[_Use], bool]:
    uses: list[_Use] = []
    has_expressions = "${`" in text
    code = _code_spans(text) if "${" in text else []
    for match in _PLACEHOLDER.finditer(text):
        name, colon, default = (match[1] or match[2]).partition(":")
        identifier = to_identifier(name) if _NAME_CHARACTERS.fullmatch(name) else ""
        if _EXPRESSION.search(name):
            has_expressions = True
        elif identifier and not (colon and default[:1] in {"-", "=", "+", "?"}):
            is_code = any(start <= match.start() < end for start, end in code)
            uses.append(_Use(match.start(), match.end(), identifier, _label(name), _clean_default(default), is_code))
    return uses, has_expressions


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Where fenced blocks of program code are."""
    spans: list[tuple[int, int]] = []
    opened, is_code, position = -1, False, 0
    for line in text.splitlines(keepends=True):
        if fence := _FENCE.match(line):
            if opened < 0:
                opened, is_code = position, fence[1].lower() in _CODE_LANGUAGES
            else:
                if is_code:
                    spans.append((opened, position))
                opened = -1
        position += len(line)
    return spans


def _names(uses: list[_Use], *, taken: set[str]) -> dict[tuple[str, str], str]:
    """The variable for each identifier and default; the first default and no default share the plain name."""
    names: dict[tuple[str, str], str] = {}
    taken = taken | {use.identifier for use in uses}
    for use in uses:
        key = (use.identifier, use.default)
        if key in names:
            continue
        first = _first_default(uses, use.identifier)
        if not use.default or use.default == first:
            names[use.identifier, ""] = names[use.identifier, first] = use.identifier
            continue
        number = 2
        while f"{use.identifier[:60]}_{number}" in taken:
            number += 1
        names[key] = f"{use.identifier[:60]}_{number}"
        taken.add(names[key])
    return names


def _first_default(uses: list[_Use], identifier: str) -> str:
    return next((use.default for use in uses if use.identifier == identifier and use.default), "")


def _label(name: str) -> str:
    name = " ".join(name.split())
    return name[:1].upper() + name[1:] if " " in name else label_for(name)


def _clean_default(default: str) -> str:
    default = default.strip()
    return "" if default in {'""', "''"} else default


def _variable(name: str, label: str, default: str) -> Variable:
    options = tuple(part.strip() for part in default.split("|"))
    if 2 <= len(options) <= _MAX_OPTIONS and all(0 < len(option) <= 80 for option in options) and _differ(options):
        return Variable(name, VariableType.CHOICE, label=label, default=options[0], options=options)
    if len(default) > _LONG_DEFAULT:
        return Variable(name, VariableType.LONG_TEXT, label=label, default=default)
    if default:
        return Variable(name, VariableType.TEXT, label=label, default=default)
    return Variable(name, guess_type(name), label=label, required=True)


def _differ(options: tuple[str, ...]) -> bool:
    return len(set(options)) == len(options)
