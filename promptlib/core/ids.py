"""Keys as people's browsers, files and JSON columns name them: text, which may be anything."""

from collections.abc import Iterable
from uuid import UUID


def as_uuid(value: object) -> UUID | None:
    """The key that the text is; None for what is none."""
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def read_ids(texts: Iterable[str], limit: int | None = None) -> list[UUID]:
    """`ids=a,b&ids=c`, each once, of the first `limit`; what is no key names nothing."""
    found = (as_uuid(text.strip()) for text in ",".join(texts).split(",")[:limit])
    return list(dict.fromkeys(pk for pk in found if pk))
