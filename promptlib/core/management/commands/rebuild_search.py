"""`manage.py rebuild_search`: the words of every template, conversation and interaction, cut and indexed anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from promptlib.core.search import indexes


class Command(BaseCommand):
    help = (
        "Make the full-text index anew. Triggers keep it, so this is for a database that was written to without them, "
        "and on MySQL for one whose texts changed some hundred thousand times. With --check print what is not in step; "
        "exit code 1 if anything is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing")
        parser.add_argument("--batch", type=int, default=500, metavar="N", help="rows at a time (500)")

    def handle(self, *args: Any, check: bool, batch: int, **options: Any) -> None:
        if check:
            self._check(batch)
            return
        for index in indexes():
            count = index.rebuild(batch)
            self.stdout.write(
                ngettext("%(table)s: %(count)d row", "%(table)s: %(count)d rows", count)
                % {"table": index.table, "count": count}
            )

    def _check(self, batch: int) -> None:
        count = 0
        for index in indexes():
            for key, column in index.differences(batch):
                count += 1
                name = key.hex() if isinstance(key, bytes) else key
                self.stdout.write(f"{index.table} {name} {column}".rstrip())
        if count:
            self.stdout.write(_("Run again without --check to mend it."))
            raise SystemExit(1)
        self.stdout.write(_("The search is in step."))
