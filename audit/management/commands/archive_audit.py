"""`manage.py archive_audit`: move old rows of the audit log to signed files."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.proof import archiving


class Command(BaseCommand):
    help = (
        "Move rows of the audit log that are sealed and older than so many days to signed files, which verify_audit"
        " still checks. May be stopped at any moment and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", default=settings.AUDIT_ARCHIVE_DIR, help="where the files go and stay")
        parser.add_argument(
            "--older-than", type=float, metavar="DAYS", default=settings.AUDIT_ARCHIVE_DAYS, help="(%(default)s)"
        )

    def handle(self, *args: Any, folder: str, older_than: float, **options: Any) -> None:
        if not folder:
            raise CommandError("Where to? Set AUDIT_ARCHIVE_DIR or give --folder.")
        count = 0
        try:
            for each in archiving.archive(Path(folder), older_than=timedelta(days=older_than)):
                count += each.row_count
                self.stdout.write(f"{each.name}: {each.row_count:,} rows")
        except (archiving.NotArchived, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Rows moved to {folder}: {count:,}.")
