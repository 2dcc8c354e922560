"""What the history needs to know of people and teams: how their rows read, and who may take back what."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Team, TeamMembership, User
from audit.history import kinds

RIGHTS = frozenset({"is_active", "is_staff", "is_superuser"})
PROFILE = frozenset({"display_name", "handle", "bio", "timezone", "locale", "preferences"})


def register() -> None:
    kinds.register(
        User,
        is_subject=True,
        right=_oneself,
        fields=PROFILE | RIGHTS,
        entitling=RIGHTS,
        keeps_creation=_("An account is closed, not taken back."),
    )
    kinds.register(Team, fields=frozenset({"name", "description"}), keeps_creation=_("A team is left, not taken back."))
    kinds.register(TeamMembership, never=_("Seats are given and taken on the team’s page."))
    kinds.register(Invitation, fields=frozenset(), keeps_creation=_("Invitations are removed in the admin."))
    kinds.register(Group, never=_("Groups give rights: change them in the admin."))


def _oneself(user: Any) -> "QuerySet[User]":
    return User.objects.filter(pk=user.pk)
