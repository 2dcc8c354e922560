"""What promptlib itself wrote into a file: every field of a template, checked, and taken as it is.

Where another tool's format has no place for a field, our export adds it as a block named ``promptlib`` wherever that
format allows what it does not know. The block holds only what reading the rest of the file would not give. Its `digest`
is of the texts as the rest of the file gave them: who changes the text in the file has their text imported, not ours.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers.reading import text_of
from templates_app.importers.records import TITLE_MAX_LENGTH, BadRecord, TemplateRecord, clean_text, storable
from templates_app.variables import complete_contract, contract_to_json, parse_contract

SOURCE = "promptlib"
BLOCK = "promptlib"
LOCAL_METADATA = ("imported", "brought")
"""Keys of a template's metadata that are about this installation: what a collection said, what came with a file."""
DETAILS = (
    "title",
    "summary",
    "language",
    "category",
    "tags",
    "status",
    "visibility",
    "source",
    "source_id",
    "metadata",
)
TEXTS = ("system_prompt", "body", "examples")
CONTENT = (*TEXTS, "variables", "parameters")

STATUSES = ("draft", "published", "archived")
VISIBILITIES = ("private", "shared", "public")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LIMITS = {"title": TITLE_MAX_LENGTH, "summary": 500, "category": 120, "source": 64, "source_id": 255}
TAG_MAX_LENGTH = 80


def fields_of(record: TemplateRecord) -> dict[str, Any]:
    """The record's fields as JSON has them, under the names that `own_record` reads."""
    return {
        **{name: getattr(record, name) for name in DETAILS if name != "tags"},
        "tags": list(record.tags),
        **content_of(record),
    }


def content_of(record: TemplateRecord) -> dict[str, Any]:
    return {
        "system_prompt": record.system_prompt,
        "body": record.body,
        "examples": [dict(example) for example in record.examples],
        "variables": contract_to_json(record.variables),
        "parameters": record.parameters,
    }


# ---- the block ---------------------------------------------------------------


def block_for(record: TemplateRecord, native: TemplateRecord | None) -> dict[str, Any]:
    """What `native`, the file read without its block, does not say of the record. None: it says nothing at all."""
    wanted = fields_of(record)
    told = fields_of(native) if native else {}
    block = {name: value for name, value in wanted.items() if name not in told or told[name] != value}
    texts = {} if native is None else {"digest": _digest(native)}
    return {"id": record.origin_id, **texts, **block}


def restore(native: TemplateRecord | BadRecord, block: object) -> TemplateRecord | BadRecord:
    """The record as it was exported; raises ValueError with a sentence when the block is damaged.

    A text that the format takes for something else than a prompt stands whole in the block, which then has no digest.
    """
    if not isinstance(block, dict):
        return native
    if isinstance(native, BadRecord):
        return native if "digest" in block else own_record(native.place, block)
    told = {name: value for name, value in block.items() if name in {*DETAILS, *CONTENT}}
    if block.get("digest") != _digest(native):
        told = {name: value for name, value in told.items() if name not in TEXTS}
    fields = {**fields_of(native), **told, "id": block.get("id", "")}
    return own_record(native.place, fields)


def _digest(record: TemplateRecord) -> str:
    return hashlib.sha256(f"{record.system_prompt}\0{record.body}".encode()).hexdigest()[:16]


# ---- fields ------------------------------------------------------------------


def own_record(place: str, fields: Mapping[str, Any]) -> TemplateRecord:
    """A record of exactly these fields; raises ValueError (or ContractError) with a sentence for what does not do."""
    content = read_content(fields)
    language = _short(fields, "language") or "en"
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(_("“%(value)s” is not the code of a language.") % {"value": language[:40]})
    origin_id = _short(fields, "id")[:36]
    return TemplateRecord(
        place=place,
        source=_short(fields, "source") or SOURCE,
        source_id=_short(fields, "source_id") or origin_id or _nameless(fields),
        title=_short(fields, "title", required=True),
        summary=_short(fields, "summary"),
        language=language,
        category=_short(fields, "category"),
        tags=_tags(fields.get("tags")),
        status=_one_of(fields, "status", STATUSES) or "published",
        visibility=_one_of(fields, "visibility", VISIBILITIES),
        system_prompt=content["system_prompt"],
        body=content["body"],
        examples=tuple(content["examples"]),
        variables=parse_contract(content["variables"]),
        parameters=content["parameters"],
        metadata={key: value for key, value in _object(fields, "metadata").items() if key not in LOCAL_METADATA},
        origin_id=origin_id,
    )


def read_content(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A version's columns, checked: the contract names exactly what the texts use."""
    system_prompt, body = (clean_text(text_of(fields, name)) for name in ("system_prompt", "body"))
    if not body.strip() and not system_prompt.strip():
        raise ValueError(_("There is no prompt text in it."))
    examples = [_example(example) for example in _list(fields, "examples")]
    contract = parse_contract(storable(_list(fields, "variables")))
    texts = (system_prompt, body, *(example["content"] for example in examples))
    return {
        "system_prompt": system_prompt,
        "body": body,
        "examples": examples,
        "variables": contract_to_json(parse_contract(contract_to_json(complete_contract(contract, *texts)))),
        "parameters": _object(fields, "parameters"),
    }


def moment_of(value: object) -> dt.datetime | None:
    """A point in time as JSON has it; None for what is none, or has no zone."""
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo and dt.MINYEAR + 1 < moment.year < dt.MAXYEAR else None


def _short(fields: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    text = clean_text(text_of(fields, name, required=required)).replace("\n", " ").strip()
    limit = _LIMITS.get(name, 60)
    if len(text) > limit:
        raise ValueError(_("“%(key)s” is longer than %(limit)d characters.") % {"key": name, "limit": limit})
    return text


def _one_of(fields: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = _short(fields, name)
    if value and value not in known:
        raise ValueError(_("“%(key)s” must be one of %(known)s.") % {"key": name, "known": ", ".join(known)})
    return value


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple, type(None))) or not all(isinstance(tag, str) for tag in value or ()):
        raise ValueError(_("“%(key)s” must be a list of texts.") % {"key": "tags"})
    tags = (" ".join(clean_text(tag).split())[:TAG_MAX_LENGTH].strip() for tag in value or ())
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, (list, tuple, type(None))):
        raise ValueError(_("“%(key)s” must be a list.") % {"key": name})
    return list(value or ())


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if not isinstance(value, (dict, type(None))):
        raise ValueError(_("“%(key)s” must be an object with named fields.") % {"key": name})
    stored: dict[str, Any] = storable(value or {})
    return stored


def _example(value: object) -> dict[str, str]:
    entry = value if isinstance(value, dict) else {}
    if not all(isinstance(entry.get(key), str) for key in ("role", "content")):
        raise ValueError(_("An example needs a role and a content."))
    return {str(key): clean_text(text) for key, text in entry.items() if isinstance(text, str)}


def _nameless(fields: Mapping[str, Any]) -> str:
    """Who has no id is known by the title: the same file imported again then finds the same templates."""
    return _short(fields, "title", required=True)
