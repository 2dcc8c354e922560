"""Which conversations the list shows."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, ConversationTag, Participant, Prompt
from templates_app.models import PromptTemplate, Tag

ROLES = [
    ("owner", _("Mine")),
    ("shared", _("Shared with me")),
    ("editor", _("Where I may ask")),
    ("commenter", _("Where I may remark")),
    ("viewer", _("Where I only read")),
]
STATES = [
    ("unread", _("Unread")),
    ("pinned", _("Pinned")),
    ("followed", _("Followed")),
    ("unfollowed", _("Not followed")),
]
PLACES = [("archived", _("Archived")), ("all", _("Everything"))]


class ConversationFilter(django_filters.FilterSet):
    """Filters over the person's seats, by one index: the conversation hangs on the seat."""

    role = django_filters.ChoiceFilter(label=_("Whose"), choices=ROLES, empty_label=_("Anyone’s"), method="by_role")
    place = django_filters.ChoiceFilter(
        label=_("Where"), choices=PLACES, empty_label=_("Not archived"), method="by_place"
    )
    state = django_filters.ChoiceFilter(
        label=_("State"), choices=STATES, empty_label=_("Read or not"), method="by_state"
    )
    tag = django_filters.CharFilter(label=_("Tag"), method="by_tag")
    person = django_filters.CharFilter(label=_("With (@handle)"), method="by_person")
    model = django_filters.CharFilter(label=_("Answered by (model)"), method="by_model")
    since = django_filters.DateFilter(
        label=_("Active since"),
        field_name="last_activity_at",
        lookup_expr="date__gte",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = django_filters.DateFilter(
        label=_("Active until"),
        field_name="last_activity_at",
        lookup_expr="date__lte",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    template = django_filters.UUIDFilter(label=_("Template"), widget=forms.HiddenInput, method="by_template")

    class Meta:
        model = Participant
        fields = ("role", "place", "state")
        form = forms.Form

    def filter_queryset(self, queryset: QuerySet[Participant]) -> QuerySet[Participant]:
        queryset = super().filter_queryset(queryset)
        conversations = Conversation.objects.filter(pk=OuterRef("conversation"))
        if self.form.cleaned_data["place"] != "all":
            is_here = self.form.cleaned_data["place"] != "archived"
            conversations = conversations.filter(archived_at__isnull=is_here)
        # A value, not a join: MySQL would begin a join at all conversations there are. So it walks the seats' index.
        return queryset.alias(shown=Subquery(conversations.values("alive")[:1])).filter(shown=1)

    @property
    def choices(self) -> list[Any]:
        return [self.form[name] for name in ("role", "place", "state")]

    @property
    def details(self) -> list[Any]:
        return [self.form[name] for name in ("tag", "person", "model", "since", "until")]

    @property
    def has_details(self) -> bool:
        return any(field.value() for field in self.details)

    @property
    def chips(self) -> list[dict[str, str]]:
        """What is chosen in the menu, or by a number on a template's page, each with this list without it."""
        chosen: list[tuple[str, Any]] = [
            (field.name, f"{field.label}: {field.value()}") for field in self.details if field.value()
        ]
        if self.form["template"].value():
            chosen.append(("template", _("With runs of one template")))
        return [{"text": str(text), "url": self._without(name)} for name, text in chosen]

    def _without(self, name: str) -> str:
        query = self.data.copy()
        for each in (name, "cursor"):
            query.pop(each, None)
        return f"?{query.urlencode()}"

    def by_role(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        return queryset.exclude(role=Participant.Role.OWNER) if value == "shared" else queryset.filter(role=value)

    def by_place(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        return queryset  # all that is asked of the conversation is asked at once, above

    def by_template(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        """Conversations in which any version of one template was run, of one that the person sees: where the runs on
        its page lead."""
        template = PromptTemplate.objects.visible_to(self.request.user).filter(pk=value)
        runs = Prompt.objects.filter(conversation=OuterRef("conversation"), template_version__template__in=template)
        return queryset.filter(Exists(runs))

    def by_state(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        if value == "pinned":
            return queryset.filter(pinned_at__isnull=False)
        if value in ("followed", "unfollowed"):
            return queryset.filter(unfollowed_at__isnull=value == "followed")
        return queryset.filter(Q(last_read_at__isnull=True) | Q(last_read_at__lt=F("last_activity_at")))

    def by_tag(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        tagged = ConversationTag.objects.filter(conversation=OuterRef("conversation"), tag__slug=Tag.slug_of(value))
        return queryset.filter(Exists(tagged))

    def by_person(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        handle = value.strip().removeprefix("@").lower()
        others = Participant.objects.living().filter(conversation=OuterRef("conversation"), user__handle=handle)
        return queryset.filter(Exists(others))

    def by_model(self, queryset: QuerySet[Participant], name: str, value: Any) -> QuerySet[Participant]:
        answers = Prompt.objects.filter(conversation=OuterRef("conversation"), model=value.strip())
        return queryset.filter(Exists(answers))
