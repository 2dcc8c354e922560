"""`manage.py seal_audit`: sign what the audit log says, so that `verify_audit` can tell whether it still does."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from audit.proof import sealing


class Command(BaseCommand):
    help = "Seal the rows of the audit log that have come since the last seal. Nobody who writes has to wait."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", default=settings.AUDIT_SEAL_FILE, help="append the seals to this file as well")
        parser.add_argument(
            "--settle",
            type=float,
            metavar="SECONDS",
            default=sealing.SETTLE.total_seconds(),
            help="leave out rows younger than this; longer than any transaction may take (default: %(default)s)",
        )

    def handle(self, *args: Any, file: str, settle: float, **options: Any) -> None:
        try:
            made = sealing.seal(settle=timedelta(seconds=settle))
        except IntegrityError as error:
            raise CommandError("Another seal_audit is at work; nothing is lost, run it again.") from error
        self.stdout.write(f"Rows sealed: {sum(each.row_count for each in made):,}, in {len(made)} seals.")
        if file:
            try:
                self.stdout.write(f"Seals appended to {file}: {sealing.append_to(file)}.")
            except (OSError, ValueError) as error:
                raise CommandError(
                    f"The seals are made, but could not be appended to {file}: {error}. Mend that and run this again;"
                    " the file catches up."
                ) from error
