"""What an importer gives for each entry, with every text and number made fit to be stored."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from promptlib.core.placeholders import PLACEHOLDER, find_placeholders, label_for
from templates_app.importers.language import detect_language
from templates_app.variables import (
    ContractError,
    Variable,
    VariableType,
    complete_contract,
    contract_to_json,
    parse_contract,
)

TITLE_MAX_LENGTH = 200
SUMMARY_MAX_LENGTH = 300
SOURCE_ID_MAX_LENGTH = 200
TAG_MAX_LENGTH = 60
# MySQL refuses JSON deeper than 100 levels.
METADATA_MAX_DEPTH = 32

_SECRET_KEY = re.compile(r"(api[_-]?key|secret|password|token|authorization|credential)$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")
# "Act as a lawyer." says less than the sentence after it: a summary goes on to this length.
_SENTENCE_LENGTH = 60
_NOT_PROSE = re.compile(r"[#>|<{\[`~\-*=_\d]|v\d|\w+:\s*$|[\w .]{1,30}:\*\*")


class ImportFileError(Exception):
    """The file as a whole cannot be imported; the message says why, in plain words."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """An entry that cannot be imported: where it stands in the file, and a sentence that says why.

    `raw` is the entry as it stood in the file, to be given back.
    """

    place: str
    reason: str
    raw: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One version of a template that comes with its history. `content` holds the columns, checked."""

    number: int
    content: dict[str, Any]
    change_note: str = ""
    author: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What a template brings beside its current text.

    `labels` are name, number of the version, and whether protected. `forked_from` names the original and its version.
    `people` is what others did (owner, ratings, moves of labels): it is believed only when an operator says so.
    """

    versions: tuple[VersionRecord, ...] = ()
    current: int = 0
    labels: tuple[tuple[str, int, bool], ...] = ()
    forked_from: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """One entry of a collection, ready to become a template with its first version.

    `source` and `source_id` name it for good, so that a repeated import recognises it; `origin_id` is the id it had
    in the promptlib that exported it. `metadata` holds all that has no field of its own, and can be stored as JSON.
    """

    place: str
    source: str
    source_id: str
    title: str
    body: str
    system_prompt: str = ""
    summary: str = ""
    language: str = "en"
    category: str = ""
    tags: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    examples: tuple[dict[str, str], ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    status: str = "published"
    visibility: str = ""
    origin_id: str = ""
    history: History | None = None
    raw: str = field(default="", compare=False, repr=False)


def make_record(
    *,
    place: str,
    source: str,
    source_id: str,
    title: str,
    body: str,
    system_prompt: str = "",
    summary: str = "",
    language: str = "",
    category: str = "",
    tags: Iterable[str] = (),
    variables: Iterable[Variable] = (),
    literal_names: bool = False,
    parameters: Mapping[str, Any] | None = None,
    examples: Iterable[dict[str, str]] = (),
    metadata: Mapping[str, Any] | None = None,
) -> TemplateRecord | BadRecord:
    """A record within all limits. Entries of a system prompt alone get a body that is the person's message.

    With `literal_names`, braces around a name that the collection does not declare are part of the text: the variable
    made of them has the very text as its default, so that nothing changes unless somebody fills it in.
    """
    body, system_prompt, full_title = clean_text(body), clean_text(system_prompt), clean_text(title).strip()
    if not body.strip() and not system_prompt.strip():
        return BadRecord(place, _("There is no prompt text in it."))
    declared = list(variables)
    if not body.strip():
        body = "{{ message }}"
        declared.append(message_variable())
    if literal_names:
        declared += _literal_variables({variable.name for variable in declared}, system_prompt, body)
    try:
        contract = parse_contract(contract_to_json(complete_contract(declared, system_prompt, body)))
    except ContractError as error:
        return BadRecord(place, _("Its variables cannot be used. %(reason)s") % {"reason": error})
    facts = dict(metadata or {})
    shown_title = cut(full_title, TITLE_MAX_LENGTH) or _("Untitled")
    if shown_title != full_title:
        facts["full_title"] = full_title
    return TemplateRecord(
        place=place,
        source=source,
        source_id=_short_id(clean_text(source_id).strip() or full_title or short_hash(system_prompt + body)),
        title=shown_title,
        body=body,
        system_prompt=system_prompt,
        summary=cut(clean_text(summary), SUMMARY_MAX_LENGTH) or first_sentence(body, contract),
        language=language or detect_language(f"{full_title}\n{system_prompt}\n{body}"),
        category=category,
        tags=_clean_tags(tags),
        variables=contract,
        parameters=storable(dict(parameters or {})),
        examples=tuple({key: clean_text(value) for key, value in example.items()} for example in examples),
        metadata=storable(facts),
    )


def message_variable(example: str = "") -> Variable:
    return Variable("message", VariableType.LONG_TEXT, label=_("Message"), required=True, example=example[:2000])


def has_other_braces(*texts: str) -> bool:
    """Whether a text holds double braces that are not plain variables, as code and other template languages do."""
    return any(text.count("{{") > sum(1 for _match in find_placeholders(text)) for text in texts)


def _literal_variables(declared: set[str], *texts: str) -> list[Variable]:
    typed: dict[str, str] = {}
    for text in texts:
        for match in find_placeholders(text):
            typed.setdefault(match[1], match[0])
    return [
        Variable(name, VariableType.LONG_TEXT, label=label_for(name), default=text)
        for name, text in typed.items()
        if name not in declared
    ]


# ---- texts -----------------------------------------------------------------


def clean_text(text: str) -> str:
    """The text as it can be stored: CRLF is LF, what no database takes (NUL, half a surrogate pair) is U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n")


def cut(text: str, limit: int) -> str:
    """The text on one line, cut before a word when it is too long."""
    text = " ".join(text[: limit * 20].split())
    if len(text) <= limit:
        return text
    text = text[: limit - 1]
    space = text.rfind(" ")
    return (text[:space] if space > limit * 0.6 else text).rstrip(" ,.;:-–—") + "…"


def first_sentence(body: str, contract: Iterable[Variable]) -> str:
    """The first sentence of a text in prose, its variables shown by default or label; "" for code and data."""
    shown = {v.name: v.default if isinstance(v.default, str) else v.title for v in contract}
    body, description = _skip_front_matter(body[:8000])
    for line in [description, *body.splitlines()]:
        line = PLACEHOLDER.sub(lambda match: cut(shown.get(match[1], ""), 60) or match[0], line).strip().strip("*_ ")
        if line.startswith(("{", "[", "<", "```")):
            return ""
        if len(line) < 12 or _NOT_PROSE.match(line):
            continue
        end = next(
            (match.end() for match in _SENTENCE_END.finditer(line) if match.end() >= _SENTENCE_LENGTH), len(line)
        )
        return cut(line[:end], SUMMARY_MAX_LENGTH)
    return ""


def _skip_front_matter(body: str) -> tuple[str, str]:
    """What follows the front matter that a body may quote at its start, and the description in it."""
    head, end, rest = body.lstrip().removeprefix("---").partition("\n---")
    if not body.lstrip().startswith("---") or not end:
        return body, ""
    description = re.search(r"^description:[ \t]*[\"']?([^\n>|]*)", head, re.MULTILINE)
    return rest.partition("\n")[2], description[1].strip("\"' ") if description else ""


def humanise(name: str) -> str:
    """ "agility_story" and "01-agility-story" become "Agility story"; a name with spaces is a title already."""
    if " " in name:
        return name
    words = re.sub(r"^\d+[-_]", "", name).replace("-", " ").replace("_", " ").split()
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    cleaned = (" ".join(clean_text(tag).split()).lower()[:TAG_MAX_LENGTH].strip() for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))


# ---- ids -------------------------------------------------------------------


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def collation_key(text: str) -> str:
    """Equal for texts that a database may call equal: without case, accents and trailing spaces."""
    decomposed = unicodedata.normalize("NFKD", text.strip()).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _short_id(text: str) -> str:
    if len(text) <= SOURCE_ID_MAX_LENGTH:
        return text
    return f"{text[: SOURCE_ID_MAX_LENGTH - 12].rstrip()} #{short_hash(text)}"


# ---- data ------------------------------------------------------------------


def storable(value: Any, depth: int = METADATA_MAX_DEPTH) -> Any:
    """The value as JSON that both databases take: cleaned texts, finite numbers, no endless nesting, no secret."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, (bool, int)):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        if depth == 0:
            return "…"
        return {clean_text(str(key)): _redact(str(key), storable(item, depth - 1)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return "…" if depth == 0 else [storable(item, depth - 1) for item in value]
    return clean_text(str(value))


def _redact(key: str, value: Any) -> Any:
    """A key or password that somebody left in a file does not belong in a library; ``${env:NAME}`` is only a name."""
    if isinstance(value, str) and value and _SECRET_KEY.search(key) and not value.startswith("${"):
        return _("(removed)")
    return value
