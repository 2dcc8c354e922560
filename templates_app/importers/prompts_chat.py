"""prompts.chat (formerly awesome-chatgpt-prompts): a CSV of act, prompt, for_devs, type, contributor."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from templates_app.importers import tables
from templates_app.importers.placeholders import convert_placeholders
from templates_app.importers.records import BadRecord, TemplateRecord, clean_text, make_record
from templates_app.importers.shelves import shelf_for_title

NAME = "prompts-chat"
SOURCE = "prompts.chat"
REQUIRED_COLUMNS = ("act", "prompt")
COLUMNS = ("act", "prompt", "for_devs", "type", "contributor")


def sniff(name: str, head: str) -> bool:
    columns = tables.columns_of(head)
    return all(column in columns for column in REQUIRED_COLUMNS)


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return tables.read_table(text, REQUIRED_COLUMNS, _record)


def _record(place: str, row: dict[str, str]) -> TemplateRecord | BadRecord:
    entry = dict(row)
    act, prompt = entry.pop("act"), entry.pop("prompt")
    if not act.strip():
        return BadRecord(place, _("“%(key)s” is missing or is not text.") % {"key": "act"})
    converted = convert_placeholders(clean_text(prompt))
    for_developers = entry.get("for_devs", "").upper() == "TRUE"
    kind = entry.get("type", "").upper()
    metadata: dict[str, object] = {key: value for key, value in entry.items() if value}
    if "for_devs" in entry:
        metadata["for_devs"] = for_developers
    if converted.defaults:
        metadata["defaults"] = converted.defaults
    return make_record(
        place=place,
        source=SOURCE,
        source_id=act,
        title=act,
        body=converted.text,
        category=_category(act, kind, for_developers=for_developers),
        tags=_tags(kind, for_developers=for_developers),
        variables=converted.variables,
        literal_names=True,
        metadata=metadata,
    )


def _category(act: str, kind: str, *, for_developers: bool) -> str:
    if for_developers:
        return "engineering"
    return shelf_for_title(act) or ("design" if kind == "IMAGE" else "")


def _tags(kind: str, *, for_developers: bool) -> list[str]:
    tags = ["developers"] if for_developers else []
    return [*tags, kind.lower()] if kind in {"STRUCTURED", "IMAGE"} else tags
