"""`manage.py seed_demo`: the demonstration content."""

import os
import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from promptlib.site.demo import Planted, plant


class Command(BaseCommand):
    help = (
        "Add the demonstration: people who can sign in, templates, conversations, weeks of use. Run again it adds what"
        " is missing and changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there is anybody in the database")
        parser.add_argument("--password", help="the new accounts' password ($DEMO_PASSWORD, else a random one)")

    def handle(self, *args: Any, if_empty: bool, password: str | None, verbosity: int, **options: Any) -> None:
        if if_empty and get_user_model().all_objects.exists():
            return
        password = password or os.environ.get("DEMO_PASSWORD") or _random_password()
        planted = plant(password)
        if verbosity:
            self._tell(planted, password)

    def _tell(self, planted: Planted, password: str) -> None:
        if not any(planted.counts.values()):
            self.stdout.write(_("The demonstration is here already; nothing was changed."))
            return
        added = ", ".join(f"{count:,} {kind}" for kind, count in planted.counts.items())
        self.stdout.write(_("Added %(added)s.") % {"added": added})
        if not planted.people:
            return
        self.stdout.write(_("\nSign in at %(url)s/accounts/login/ as one of these:") % {"url": settings.BASE_URL})
        for user in planted.people:
            self.stdout.write(f"    {user.email:<24}{password}{'   (staff)' if user.is_staff else ''}")


def _random_password() -> str:
    """Three groups of letters and digits that nobody confuses."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _letter in range(4)) for _group in range(3))
