"""`manage.py er_diagram`: the entity-relationship diagram of the schema."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from promptlib.core.er_diagram import draw

PATH = settings.BASE_DIR / "docs" / "database" / "ER_DIAGRAM.md"


class Command(BaseCommand):
    help = "Print the entity-relationship diagram in Mermaid, or write it to docs/database/ER_DIAGRAM.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the file in place of printing")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        if write:
            PATH.write_text(draw())
            self.stdout.write(str(PATH.relative_to(settings.BASE_DIR)))
        else:
            self.stdout.write(draw())
