"""`manage.py invite EMAIL`: let somebody make an account where registration is by invitation."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services import invitation_url, invite_person
from promptlib.core.fields import normalize_key


class Command(BaseCommand):
    help = "Invites a person by e-mail to make an account, and prints the address of the page for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whom to invite")
        parser.add_argument("--by", metavar="EMAIL", help="in whose name")

    def handle(self, *args: Any, email: str, by: str | None, **options: Any) -> None:
        inviter = None
        if by:
            inviter = User.objects.filter(email_key=normalize_key(by)).first()
            if inviter is None:
                raise CommandError(f"Nobody here has the address {by}.")
        try:
            invitation = invite_person(email=email, invited_by=inviter)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Invited {invitation.email}: {invitation_url(invitation)}")
        if settings.REGISTRATION == "closed":
            self.stderr.write("REGISTRATION is closed: set it to invite, or nobody can sign up.")
