"""Which conversations the list shows."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from conversations.models import Participant, Prompt

ROLES = [("owner", _("Mine")), ("shared", _("Shared with me"))]
PLACES = [("archived", _("Archived")), ("all", _("Everything"))]


class ConversationFilter(django_filters.FilterSet):
    """Filters over the person's seats, by one index: the conversation hangs on the seat."""

    role = django_filters.ChoiceFilter(label=_("Whose"), choices=ROLES, empty_label=_("Anyone’s"), method="by_role")
    place = django_filters.ChoiceFilter(
        label=_("Where"), choices=PLACES, empty_label=_("Not archived"), method="by_place"
    )
    template = django_filters.UUIDFilter(label=_("Template"), widget=forms.HiddenInput, method="by_template")

    class Meta:
        model = Participant
        fields = ("role", "place")
        form = forms.Form

    def filter_queryset(self, queryset: QuerySet[Participant]) -> QuerySet[Participant]:
        queryset = super().filter_queryset(queryset)
        if not self.form.cleaned_data["place"]:
            queryset = queryset.filter(conversation__archived_at__isnull=True)
        return queryset

    def by_role(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        mine = Participant.Role.OWNER
        return queryset.filter(role=mine) if value == "owner" else queryset.exclude(role=mine)

    def by_place(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        return queryset.filter(conversation__archived_at__isnull=False) if value == "archived" else queryset

    def by_template(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        """Conversations in which any version of one template was run: where the runs on its page lead."""
        runs = Prompt.objects.filter(conversation=OuterRef("conversation"), template_version__template=value)
        return queryset.filter(Exists(runs))
