"""`manage.py close_accounts`: do what people have asked for, once their days of grace are over."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.closing import due, finish
from accounts.erasing import Held, NoHeir
from accounts.models import Closure


class Command(BaseCommand):
    help = (
        "Close the accounts, and erase the people, whose day has come. Run it daily. It works in small steps: killed at"
        " any moment, it goes on where it was when it is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        waiting = 0
        for closure in due():
            what = "erase" if closure.is_erasure else "close"
            if dry_run:
                self.stdout.write(f"{closure.user_id}: would {what}.")
                continue
            try:
                for _step in finish(closure):
                    pass
            except Closure.DoesNotExist:  # kept after all, or done by another run
                continue
            except Held:
                waiting += 1
                self.stderr.write(f"{closure.user_id}: a legal hold keeps something; not erased.")
                continue
            except NoHeir:
                waiting += 1
                self.stderr.write(f"{closure.user_id}: nobody is there to hand things over to; not erased.")
                continue
            self.stdout.write(f"{closure.user_id}: {what}d.")
        if waiting:
            raise CommandError(f"{waiting} wait: lift the hold, or ask anew on the person's account page.")
