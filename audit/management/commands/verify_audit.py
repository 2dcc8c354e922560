"""`manage.py verify_audit`: say whether the audit log is still what was sealed, and if not, which rows."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.proof import sealing
from audit.proof.archiving import Folder


class Command(BaseCommand):
    help = "Name every sealed row that was edited, deleted, inserted or moved. Ends with 1 if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", default=settings.AUDIT_SEAL_FILE, help="the file that the seals were appended to")

        parser.add_argument(
            "--archives", default=settings.AUDIT_ARCHIVE_DIR, help="the folder of archive_audit's files"
        )

    def handle(self, *args: Any, file: str, archives: str, **options: Any) -> None:
        try:
            outside = sealing.read_file(file) if file else []
        except (OSError, ValueError) as error:
            raise CommandError(f"The seals in {file} cannot be read: {error}") from error
        if any(not each.is_valid for each in outside):
            self.stderr.write(f"Some seals in {file} were not made with the key; they are left out.")
        folder = Folder(archives)
        verdict = sealing.verify(outside, folder)
        for kind, pk in verdict.findings:
            self.stdout.write(f"{pk}  {kind}")
        if not file:
            self.stdout.write("Without AUDIT_SEAL_FILE nobody can tell whether the end of the log was cut off.")
        if folder.unread_rows:
            self.stdout.write(f"Rows in files that were not read (--archives): {folder.unread_rows:,}.")
        self.stdout.write(f"Rows that wait for a seal: {verdict.waiting:,}.")
        if verdict.findings:
            raise CommandError(f"{len(verdict.findings):,} findings among {verdict.rows:,} sealed rows.")
        self.stdout.write(f"{verdict.rows:,} rows in {verdict.seals:,} seals are as they were sealed.")
