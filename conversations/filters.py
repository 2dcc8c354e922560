"""Which conversations the list shows."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Participant, Prompt

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
        conversations = Conversation.objects.filter(pk=OuterRef("conversation"))
        if self.form.cleaned_data["place"] != "all":
            is_here = self.form.cleaned_data["place"] != "archived"
            conversations = conversations.filter(archived_at__isnull=is_here)
        # A value, not a join: MySQL would begin a join at all conversations there are. So it walks the seats' index.
        return queryset.alias(shown=Subquery(conversations.values("alive")[:1])).filter(shown=1)

    def by_role(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        mine = Participant.Role.OWNER
        return queryset.filter(role=mine) if value == "owner" else queryset.exclude(role=mine)

    def by_place(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        return queryset  # all that is asked of the conversation is asked at once, above

    def by_template(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        """Conversations in which any version of one template was run: where the runs on its page lead."""
        runs = Prompt.objects.filter(conversation=OuterRef("conversation"), template_version__template=value)
        return queryset.filter(Exists(runs))
