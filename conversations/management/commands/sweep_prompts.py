"""`manage.py sweep_prompts`: end the interactions that a stopped server left unfinished."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations.services import sweep_orphans


class Command(BaseCommand):
    help = "Mark as interrupted the interactions that a stopped server left waiting or half written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            metavar="SECONDS",
            help="unchanged for so long; 0 where no server runs. By default: longer than any call may take.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seconds = options["older_than"]
        count = sweep_orphans(None if seconds is None else timedelta(seconds=seconds))
        if count or options["verbosity"] > 1:
            self.stdout.write(f"Interrupted: {count}")
