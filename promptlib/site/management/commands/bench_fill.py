"""`manage.py bench_fill`: a database full of rows to measure with."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.models import User


class Command(BaseCommand):
    help = (
        "Fill a database of its own with N templates, N conversations and N interactions, past the audit log and past"
        " the triggers, whose statistics are recomputed. For measuring only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int, metavar="N")
        parser.add_argument("--seed", type=int, default=1, help="another number gives other texts (1)")
        parser.add_argument(
            "--texts", type=Path, metavar="DIR", help="a folder of texts to draw sentences from as well"
        )

    def handle(self, *args: Any, count: int, seed: int, texts: Path | None, verbosity: int, **options: Any) -> None:
        # The benchmark is not part of what is installed: it stands beside manage.py.
        from bench.filling import DOMAIN, Filling
        from bench.texts import read_sentences

        if count < 1:
            raise CommandError(_("N is a number from 1 on."))
        if texts is not None and not texts.is_dir():
            raise CommandError(_("There is no folder %(folder)s.") % {"folder": texts})
        if User.all_objects.exclude(email__endswith=f"@{DOMAIN}").exists():
            raise CommandError(_("There are people in this database. bench_fill takes only a database of its own."))
        started = time.monotonic()
        filling = Filling(count, read_sentences(texts), seed)
        filling.run()
        if verbosity:
            seconds = time.monotonic() - started
            line = _("%(count)s templates, conversations and interactions in %(seconds).0f s.")
            self.stdout.write(line % {"count": f"{count:,}", "seconds": seconds})
            self.stdout.write(_("Words to search for: %(words)s") % {"words": " ".join(filling.words)})
