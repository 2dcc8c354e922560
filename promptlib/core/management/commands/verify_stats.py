"""`manage.py verify_stats`: every statistic that triggers keep, recomputed from its rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from promptlib.core import statistics


class Command(BaseCommand):
    help = "Recompute every statistic in batches and print what differs. Exit code 1 if anything does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write the right values")
        parser.add_argument("--batch", type=int, default=1000, metavar="N", help="rows at a time (1000)")

    def handle(self, *args: Any, repair: bool, batch: int, **options: Any) -> None:
        count = 0
        for statistic in statistics.declared():
            for key, column, have, want in statistic.differences(batch):
                count += 1
                self.stdout.write(f"{statistic.target} {_readable(key)} {column}: {have} → {want}")
                if repair:
                    with transaction.atomic():
                        statistic.repair(key, column, want)
        if not count:
            self.stdout.write(_("Every statistic is right."))
            return
        found = ngettext("%(count)d statistic was wrong.", "%(count)d statistics were wrong.", count) % {"count": count}
        self.stdout.write(f"{found} {_('Repaired.') if repair else _('Run again with --repair to mend it.')}")
        if not repair:
            raise SystemExit(1)


def _readable(key: tuple[Any, ...]) -> str:
    return "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)
