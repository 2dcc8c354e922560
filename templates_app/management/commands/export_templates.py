"""`manage.py export_templates`: templates into a file, in any of the formats."""

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.management.people import person_by_email
from audit.context import acting
from templates_app.exporters import FORMATS, export
from templates_app.models import PromptTemplate


class Command(BaseCommand):
    help = "Write a person's templates into a file. It is whole or not there: what stood there is replaced at the end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="whose templates")
        parser.add_argument("--format", default="json", choices=tuple(FORMATS), help="what the file is to be (json)")
        parser.add_argument("--visible", action="store_true", help="all that the person may see, not only their own")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = person_by_email(options["owner"])
        format_ = FORMATS[options["format"]]
        visible = PromptTemplate.objects.visible_to(owner)
        templates = visible if options["visible"] else visible.filter(owner=owner)
        pks = list(templates.order_by("id").values_list("pk", flat=True))
        target = Path(options["file"])
        with acting(owner):
            exported = export(pks, format_, reader=owner)
            try:
                write_whole(exported.chunks, target)
            except OSError as error:
                told = {"file": str(target), "reason": str(error.strerror)}
                raise CommandError(_("%(file)s cannot be written: %(reason)s.") % told, returncode=2) from None
        told = {"count": f"{len(pks):,}", "file": str(target), "format": str(format_.title)}
        self.stdout.write(_("%(file)s: %(count)s templates as %(format)s.") % told)


def write_whole(chunks: Iterable[bytes], target: Path) -> None:
    """Put the file in its place once all of it is written. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        for chunk in chunks:
            file.write(chunk)
    Path(file.name).chmod(0o666 & ~_umask())
    Path(file.name).replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
