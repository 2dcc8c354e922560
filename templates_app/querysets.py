"""What a person may see and change of the library."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from promptlib.core.querysets import LoggedQuerySet, SoftDeleteQuerySet
from promptlib.core.search import search
from templates_app.search import TEMPLATES

if TYPE_CHECKING:
    from templates_app.models import PromptTemplate, Rating


class TemplateQuerySet(SoftDeleteQuerySet):
    """Templates. Every page starts at `visible_to` or `editable_by`; both leave out what is in the trash."""

    def visible_to(self, user: Any) -> Self:
        """Own ones, public ones that are not drafts, and those shared with the person or one of their teams.

        Visitors see nothing; with PUBLIC_LIBRARY, what is public and published.
        """
        if not user.is_authenticated:
            return self.alive().filter(visibility="public").published() if settings.PUBLIC_LIBRARY else self.none()
        public = Q(visibility="public") & ~Q(status="draft")
        shared = Q(visibility__in=["shared", "public"]) & Exists(self._grants(user))
        return self.alive().filter(public | Q(owner=user) | shared)

    def editable_by(self, user: Any) -> Self:
        """Own ones and those on which the person or one of their teams is an editor."""
        if not user.is_authenticated:
            return self.none()
        shared = Q(visibility__in=["shared", "public"]) & Exists(self._grants(user).filter(role="editor"))
        return self.alive().filter(Q(owner=user) | shared)

    def owned_by(self, user: Any) -> Self:
        """Those that the person may delete, share and restore."""
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def restorable_by(self, user: Any) -> Self:
        return self.owned_by(user)

    def untouched_since(self, moment: datetime) -> Self:
        """Nobody changed or ran them since, and nobody has them among their favourites."""
        return self.filter(updated_at__lt=moment, favorite_count=0).exclude(last_used_at__gte=moment)

    def published(self) -> Self:
        return self.filter(status="published")

    def search(self, text: str) -> Self:
        """Those whose title, summary, tags or current prompt hold what `text` asks for; see `promptlib.core.search`."""
        return search(self, text, TEMPLATES)

    def _grants(self, user: Any) -> models.QuerySet:
        teams = apps.get_model("accounts", "TeamMembership").objects.filter(user=user).values("team")
        grants = apps.get_model("templates_app", "Grant").objects.filter(template=OuterRef("pk"))
        return grants.filter(Q(user=user) | Q(team__in=teams))


class TemplateManager(models.Manager.from_queryset(TemplateQuerySet)):  # type: ignore[misc]  # a class made at run time
    """Templates that are not in the trash."""

    def get_queryset(self) -> "models.QuerySet[PromptTemplate]":
        return super().get_queryset().filter(deleted_at__isnull=True)


class RatingQuerySet(SoftDeleteQuerySet):
    """Ratings."""

    def restorable_by(self, user: Any) -> Self:
        """What the person withdrew, of templates they may see. What a curator removed is for curators to bring back."""
        templates = apps.get_model("templates_app", "PromptTemplate").objects.visible_to(user)
        return self.filter(Exists(templates.filter(pk=OuterRef("template_id"))), user=user.pk, deleted_by=user.pk)

    def search_trash(self, text: str) -> Self:
        return self.filter(Q(review__icontains=text) | Q(task__icontains=text) | Q(template__title__icontains=text))


class RatingManager(models.Manager.from_queryset(RatingQuerySet)):  # type: ignore[misc]  # a class made at run time
    """Ratings that are not in the trash."""

    def get_queryset(self) -> "models.QuerySet[Rating]":
        return super().get_queryset().filter(deleted_at__isnull=True)


class GrantQuerySet(LoggedQuerySet):
    """Rights of people and teams on templates."""

    def living(self) -> Self:
        """Without those of people in the trash, which count again when they come back."""
        return self.filter(Q(user__isnull=True) | Q(user__deleted_at__isnull=True))


class VersionQuerySet(LoggedQuerySet):
    """Versions, readable by whoever may see their template."""

    def visible_to(self, user: Any) -> Self:
        templates = apps.get_model("templates_app", "PromptTemplate").objects.visible_to(user)
        return self.filter(template__in=templates)
