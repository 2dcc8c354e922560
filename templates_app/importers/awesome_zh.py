"""awesome-chatgpt-prompts-zh: a JSON array of {act, prompt}."""

import re
from collections.abc import Iterator
from typing import Any

from templates_app.importers.reading import read_list, text_of
from templates_app.importers.records import BadRecord, TemplateRecord, make_record, storable
from templates_app.importers.shelves import shelf_for_title

NAME = "awesome-zh"
SOURCE = "awesome-chatgpt-prompts-zh"

_START = re.compile(r'\s*\[\s*\{\s*"(act|prompt)"\s*:')

_HAN = re.compile(r"[\u3400-\u9fff]")


def sniff(name: str, head: str) -> bool:
    return _START.match(head) is not None


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return read_list(text, _record)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    act = text_of(entry, "act", required=True)
    return make_record(
        place=place,
        source=SOURCE,
        source_id=act,
        title=act,
        body=text_of(entry, "prompt", required=True),
        # Some prompts quote a whole English essay: the title says for whom they are.
        language="zh-CN" if _HAN.search(act) else "",
        category=shelf_for_title(act),
        literal_names=True,
        metadata={key: storable(value) for key, value in entry.items() if key not in {"act", "prompt"}},
    )
