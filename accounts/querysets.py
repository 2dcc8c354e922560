"""What a person may see and change of teams."""

from typing import Any, Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from promptlib.core.querysets import LoggedQuerySet, SoftDeleteQuerySet


class UserQuerySet(SoftDeleteQuerySet):
    """People."""

    def search_trash(self, text: str) -> Self:
        return self.filter(Q(display_name__icontains=text) | Q(handle__icontains=text) | Q(email__icontains=text))


class TeamQuerySet(LoggedQuerySet):
    """Teams. Members see their teams; for others they do not exist."""

    def visible_to(self, user: Any) -> Self:
        return self.filter(Exists(self._seats(user)))

    def owned_by(self, user: Any) -> Self:
        """Those that the person may rename, and to which they admit people."""
        return self.filter(Exists(self._seats(user).filter(role="owner")))

    def with_counts(self) -> Self:
        """`member_count`: living people."""
        alive = Q(memberships__user__deleted_at__isnull=True)
        return self.annotate(member_count=Count("memberships", filter=alive))

    def _seats(self, user: Any) -> models.QuerySet:
        seats: models.QuerySet = self.model._meta.get_field("memberships").related_model.objects.all()  # type: ignore[union-attr]
        return seats.filter(team=OuterRef("pk"), user=user.pk)
