"""`manage.py export_conversations`: conversations into a file, in any of the formats."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.management.people import person_by_email
from audit.context import acting
from conversations.exporters import FORMATS, export
from conversations.models import Conversation
from templates_app.management.commands.export_templates import write_whole


class Command(BaseCommand):
    help = (
        "Write a person's conversations into a file. It is whole or not there: what stood there is replaced at the end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="whose conversations")
        parser.add_argument("--format", default="json", choices=tuple(FORMATS), help="what the file is to be (json)")
        parser.add_argument("--visible", action="store_true", help="all that the person may see, not only their own")

    def handle(self, *args: Any, **options: Any) -> None:
        owner, format_, target = person_by_email(options["owner"]), FORMATS[options["format"]], Path(options["file"])
        visible = Conversation.objects.visible_to(owner)
        wanted = visible if options["visible"] else visible.owned_by(owner)
        pks = list(wanted.order_by("pk").values_list("pk", flat=True))
        with acting(owner):
            try:
                write_whole(export(pks, format_, reader=owner).chunks, target)
            except OSError as error:
                told = {"file": str(target), "reason": str(error.strerror)}
                raise CommandError(_("%(file)s cannot be written: %(reason)s.") % told, returncode=2) from None
        told = {"count": f"{len(pks):,}", "file": str(target), "format": str(format_.title)}
        self.stdout.write(_("%(file)s: %(count)s conversations as %(format)s.") % told)
