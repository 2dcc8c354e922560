"""What a search of the library looks through."""

from promptlib.core.search.index import Index
from promptlib.core.sql import Trigger, distinct, joined

_TAGS = "FROM template_tags JOIN tags ON tags.id = template_tags.tag_id WHERE template_tags.template_id = {row}.id"


def _tags(vendor: str) -> str:
    """A template's tags; on MySQL as JSON, because GROUP_CONCAT stops at group_concat_max_len."""
    names = "CAST(JSON_ARRAYAGG(tags.name) AS CHAR)" if vendor == "mysql" else "GROUP_CONCAT(tags.name, ' | ')"
    return f"COALESCE((SELECT {names} {_TAGS}), '')"


def _body(vendor: str) -> str:
    text = joined(vendor, "system_prompt", "' '", "body")
    return f"COALESCE((SELECT {text} FROM template_versions WHERE id = {{row}}.current_version_id), '')"


TEMPLATES = Index(
    table="template_search",
    source="templates",
    key="template_id",
    columns={"title": "{row}.title", "summary": "{row}.summary", "tags": _tags, "body": _body},
    watch={"title": ["title", "summary"], "summary": ["title", "summary"], "body": ["current_version_id"]},
    weights={"title": 8, "summary": 3, "tags": 3},
    when="{row}.current_version_id IS NOT NULL",
)

INDEXES = [TEMPLATES]


def _retag(vendor: str, row: str) -> str:
    key = f"{row}.template_id"
    tags = TEMPLATES.text(vendor, "tags", "template").replace("template.id", key)
    return f"UPDATE template_search SET tags = {tags} WHERE template_id = {key}"


def _rename(vendor: str) -> str:
    tags = TEMPLATES.text(vendor, "tags", "template").replace("template.id", "template_search.template_id")
    return (
        f"UPDATE template_search SET tags = {tags}"
        " WHERE template_id IN (SELECT template_id FROM template_tags WHERE tag_id = NEW.id)"
    )


TRIGGERS = [
    *TEMPLATES.triggers(),
    *(
        Trigger(
            name=f"template_search_tags_{event.lower()}",
            table="template_tags",
            event=event,  # type: ignore[arg-type]
            body=lambda vendor, rows=rows: [_retag(vendor, row) for row in rows],  # type: ignore[misc]
            serves="search: template_search",
        )
        for event, rows in (("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"]))
    ),
    Trigger(
        name="template_search_tag_renamed",
        table="tags",
        event="UPDATE",
        when=lambda vendor: distinct(vendor, "OLD.name", "NEW.name"),
        body=lambda vendor: [_rename(vendor)],
        serves="search: template_search",
    ),
]
