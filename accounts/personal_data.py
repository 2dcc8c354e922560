"""Everything about a person, as a ZIP: each app says what it keeps of people, and writes it.

`register` is called when the apps are ready; the order of the files is that of the apps. A few hundred rows are in
memory, whatever somebody has.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.context import acting, current_origin
from audit.models import AuditLog
from audit.services import record
from promptlib.core.transactions import release_connection
from promptlib.core.zips import stream_zip

CHUNK = 500


@dataclass(frozen=True)
class File:
    """One file of the ZIP. `about` says what is in it; `write` gives its text, piece by piece.

    `write` is told whose data it is to write and who asked for it.
    """

    name: str
    about: Promise | str
    write: Callable[[User, Any], Iterable[str]]


FILES: list[File] = []


def register(*files: File) -> None:
    FILES.extend(each for each in files if each not in FILES)


def download(person: User, *, by: Any, reason: str = "") -> Iterator[bytes]:
    """The ZIP. That it was asked for is in the audit log before the first byte is sent."""
    changes = {"format": [None, _("everything about a person")]}
    record(AuditLog.Action.EXPORT, person, changes=changes, actor=by, reason=reason)
    origin = current_origin()

    def written(each: File) -> Iterator[bytes]:
        """The stream outlives the request: what is logged for it is still the act of who asked."""
        with acting(by, ip=origin.ip, user_agent=origin.user_agent, request_id=origin.request_id):
            texts = iter(each.write(person, by))
            first = next(texts, "")
        yield first.encode()
        yield from (text.encode() for text in texts)

    readme = File("README.txt", gettext_lazy("This file."), read_me)
    return stream_zip((each.name, written(each)) for each in (readme, *FILES))


def read_me(person: User, _by: Any) -> Iterator[str]:
    now = timezone.localtime()
    yield _("What promptlib at %(place)s keeps of %(person)s.") % {"place": settings.BASE_URL, "person": person}
    yield "\n" + _("Made on %(day)s.") % {"day": f"{now:%Y-%m-%d %H:%M %Z}"} + "\n\n"
    for each in FILES:
        yield f"{each.name}\n    {each.about}\n\n"
    yield _(
        "Files that end with .json hold one JSON document, those that end with .jsonl one JSON object a line; all are"
        " UTF-8. Times are UTC unless they say otherwise."
    )
    yield "\n"


def as_lines(rows: "QuerySet[Any]", *fields: str, **renamed: Any) -> Iterator[str]:
    """Rows as JSON lines, oldest first; read by their keys, so that no cursor is held while the reader is slow."""
    last = None
    while chunk := list(
        (rows.filter(pk__gt=last) if last else rows).order_by("pk").values("pk", *fields, **renamed)[:CHUNK]
    ):
        for row in chunk:
            last = row.pop("pk")
            yield as_json({"id": last, **row}) + "\n"
        release_connection()


def lines_of(
    rows: "Callable[[User], QuerySet[Any]]", *fields: str, **renamed: Any
) -> Callable[[User, Any], Iterator[str]]:
    """What writes a file of such lines."""
    return lambda person, _by: as_lines(rows(person), *fields, **renamed)


def as_json(value: Any, **options: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, **options)
