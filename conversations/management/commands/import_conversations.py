"""`manage.py import_conversations`: an export of another service into the conversations of one person."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.management.people import person_by_email
from audit.context import acting
from conversations.importers import FORMATS, BadThread, ConversationRecord, ImportFileError, read_file
from conversations.importing import Kind, Outcome, import_conversations


class Command(BaseCommand):
    help = (
        "Import conversations that another service exported. A repeated import adds only what has come since. Exit code"
        " 1 if a conversation was bad, 2 if nothing could be imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="whose conversations they become")
        parser.add_argument("--format", default="auto", choices=("auto", *FORMATS), help="what the file is (auto)")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        name = Path(options["file"]).name
        owner = person_by_email(options["owner"])
        try:
            records = self.read(options)
        except ImportFileError as error:
            raise CommandError(str(error), returncode=2) from None
        note = _("Imported from %(file)s") % {"file": name}
        with acting(owner):
            outcomes = import_conversations(records, owner=owner, note=note, dry_run=options["dry_run"])
            counts, added = self._tell(outcomes, options["verbosity"])
        parts = [f"{counts[kind]:,} {words}" for kind, words in _words().items()]
        line = f"{name}: {', '.join(parts)}; {_('interactions added')}: {added:,}."
        dry = _("Nothing was written. It would be: %(line)s") % {"line": line}
        self.stdout.write(dry if options["dry_run"] else line)
        if counts[Kind.BAD]:
            raise SystemExit(1)

    def read(self, options: dict[str, Any]) -> Iterable[ConversationRecord | BadThread]:
        return read_file(options["file"], format=options["format"])

    def _tell(self, outcomes: Iterable[Outcome], verbosity: int) -> tuple[Counter[Kind], int]:
        """Bad ones go to stderr; what is told of the others depends on the verbosity."""
        counts: Counter[Kind] = Counter()
        added = 0
        for outcome in outcomes:
            counts[outcome.kind] += 1
            added += outcome.added
            if outcome.kind is Kind.BAD:
                self.stderr.write(f"{outcome.place}: {' '.join(filter(None, [outcome.title, outcome.reason]))}")
            elif verbosity >= 2:
                self.stdout.write(f"{outcome.place}: “{outcome.title}”: {_words()[outcome.kind]}, +{outcome.added}")
        return counts, added


def _words() -> dict[Kind, str]:
    return {
        Kind.CREATED: _("new"),
        Kind.EXTENDED: _("extended"),
        Kind.SAME: _("the same"),
        Kind.TRASHED: _("left in the trash"),
        Kind.BAD: _("bad"),
    }
