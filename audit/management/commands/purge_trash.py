"""`manage.py purge_trash`: delete for good what has lain in the trash for as long as its rule says."""

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit.retention import purging, rules

SECONDS_BETWEEN_WORDS = 5


class Command(BaseCommand):
    help = (
        "Delete for good what has lain in the trash for as long as its rule says, and move to the trash what nobody has"
        " touched for as long as a rule says. May be stopped at any moment and run again. Ends with 1 if something"
        " could not be deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")

    def handle(self, *args: Any, dry_run: bool, verbosity: int, **options: Any) -> None:
        self.verbosity, self.spoke_at = verbosity, time.monotonic()
        held, in_use = 0, 0
        outcome, tally = purging.Outcome(), rules.Tally()
        failed: list[str] = []
        for chunk in rules.due():
            held, in_use = held + len(chunk.held), in_use + len(chunk.in_use)
            if dry_run:
                tally.add(chunk.go)
            else:
                failed += self._purge(chunk.go, outcome)
        gone = tally.rows if dry_run else outcome.rows
        self._tell("Would be deleted for good" if dry_run else "Deleted for good", self._by_kind(gone))
        self._tell("Would be moved to the trash" if dry_run else "Moved to the trash", self._put_away(dry_run))
        held, in_use = held + len(outcome.held), in_use + len(outcome.in_use)
        if held:
            self.stdout.write(f"Kept by a legal hold: {held:,} deletions.")
        if in_use:
            self.stdout.write(f"Kept because others need it: {in_use:,} deletions, of people whose work is still here.")
        if failed:
            raise CommandError(f"{len(failed):,} deletions are not done:\n" + "\n".join(failed))

    def _purge(self, deletion_ids: Collection[Any], outcome: purging.Outcome) -> list[str]:
        """One that fails leaves the others to go; why it failed is returned."""
        failed = []
        for deletion_id in deletion_ids:
            try:
                done = purging.purge([deletion_id], reason="Its time in the trash was over.", progress=self._progress)
            except DatabaseError as error:
                failed.append(f"{deletion_id}: {error}")
            else:
                outcome.rows += done.rows
                outcome.held += done.held
                outcome.in_use += done.in_use
        return failed

    def _put_away(self, dry_run: bool) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for kind, things in rules.idle():
            found[kind] += len(things)
            if not dry_run:
                rules.put_away(things)
        return found

    def _by_kind(self, rows: Counter[str]) -> Counter[Any]:
        return Counter({kind: rows[kind._meta.label] for kind in rules.kinds()})

    def _tell(self, what: str, numbers: Counter[Any]) -> None:
        words = [
            f"{number:,} {kind._meta.verbose_name if number == 1 else kind._meta.verbose_name_plural}"
            for kind, number in numbers.items()
            if number
        ]
        self.stdout.write(f"{what}: {', '.join(words) or 'nothing'}.")

    def _progress(self, outcome: purging.Outcome) -> None:
        if self.verbosity and time.monotonic() - self.spoke_at > SECONDS_BETWEEN_WORDS:
            self.spoke_at = time.monotonic()
            self.stderr.write(f"… {outcome.rows.total():,} rows of this deletion so far")
