"""`manage.py import_templates`: a collection of prompts into the library."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.management.people import person_by_email
from audit.context import acting
from templates_app.importers import FORMATS, ImportFileError, read_file
from templates_app.importing import AS_IN_FILE, Choice, Kind, Outcome, import_records, words
from templates_app.models import Category, PromptTemplate


class Command(BaseCommand):
    help = (
        "Import a collection of prompts. A repeated import changes only what changed in the file. Exit code 1 if an"
        " entry was bad, 2 if nothing could be imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="whose templates they become")
        parser.add_argument("--format", default="auto", choices=("auto", *FORMATS), help="what the file is (auto)")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would happen")
        parser.add_argument(
            "--visibility",
            default=PromptTemplate.Visibility.PRIVATE.value,
            choices=(*PromptTemplate.Visibility.values, AS_IN_FILE),
            help="who sees the new ones (private); file: whoever the file says",
        )
        parser.add_argument("--category", metavar="SLUG", help="put the new ones on this shelf")
        parser.add_argument(
            "--conflicts",
            default=Choice.KEEP.value,
            choices=[choice.value for choice in Choice],
            help="what was changed both here and in the file: keep ours, or take the file's as a new version (keep)",
        )
        parser.add_argument(
            "--people",
            action="store_true",
            help="believe the file: authors and ratings become those it names, as far as their handles have an account",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = Path(options["file"]).name
        owner = person_by_email(options["owner"])
        category = self._category(options["category"])
        try:
            records = read_file(options["file"], format=options["format"])
        except ImportFileError as error:
            raise CommandError(str(error), returncode=2) from None
        with acting(owner):
            outcomes = import_records(
                records,
                owner=owner,
                visibility=options["visibility"],
                category=category,
                note=_("Imported from %(file)s") % {"file": name},
                dry_run=options["dry_run"],
                conflicts=Choice(options["conflicts"]),
                believes_people=options["people"],
            )
            counts = self._counted(outcomes, options["verbosity"])
        self._sum_up(name, counts, dry_run=options["dry_run"])
        if counts[Kind.BAD]:
            raise SystemExit(1)

    def _category(self, slug: str | None) -> Category | None:
        if slug is None:
            return None
        category = Category.objects.filter(slug=slug).first()
        if category is None:
            known = ", ".join(Category.objects.values_list("slug", flat=True))
            message = _("There is no shelf %(slug)s. The shelves are %(known)s.") % {"slug": slug, "known": known}
            raise CommandError(message, returncode=2)
        return category

    def _counted(self, outcomes: Iterable[Outcome], verbosity: int) -> Counter[Kind]:
        try:
            return self._tell(outcomes, verbosity)
        except ImportFileError as error:
            raise CommandError(str(error), returncode=2) from None

    def _tell(self, outcomes: Iterable[Outcome], verbosity: int) -> Counter[Kind]:
        """Bad ones go to stderr; what is told of the others depends on the verbosity."""
        counts: Counter[Kind] = Counter()
        for outcome in outcomes:
            counts[outcome.kind] += 1
            if outcome.kind is Kind.BAD:
                self.stderr.write(f"{outcome.place}: {' '.join(filter(None, [outcome.title, outcome.reason]))}")
            elif verbosity >= 2 or (verbosity and outcome.kind not in (Kind.CREATED, Kind.SAME)):
                parts = f" ({', '.join(outcome.differs)})" if outcome.kind in (Kind.CONFLICT, Kind.KEPT) else ""
                self.stdout.write(f"{outcome.place}: “{outcome.title}”: {words()[outcome.kind]}{parts}")
        return counts

    def _sum_up(self, name: str, counts: Counter[Kind], *, dry_run: bool) -> None:
        always = (Kind.CREATED, Kind.CHANGED, Kind.SAME, Kind.TRASHED, Kind.BAD)
        parts = [f"{counts[kind]:,} {word}" for kind, word in words().items() if counts[kind] or kind in always]
        line = f"{name}: {', '.join(parts)}."
        self.stdout.write(_("Nothing was written. It would be: %(line)s") % {"line": line} if dry_run else line)
