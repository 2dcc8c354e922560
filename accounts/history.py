"""What the history needs to know of people and teams."""

from django.contrib.auth.models import Group

from accounts.models import Invitation, Team, TeamMembership, User
from audit import kinds


def register() -> None:
    kinds.register(User, is_subject=True)
    kinds.register(Team)
    kinds.register(TeamMembership)
    kinds.register(Invitation)
    kinds.register(Group)
