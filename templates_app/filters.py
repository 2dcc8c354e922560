"""What narrows the library: every choice stands in the query string, and each can be taken back."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promptlib.core.fields import normalize_key
from templates_app.models import Category, Follow, Grant, Label, PromptTemplate, Tag, TemplateTag
from templates_app.models.template import PRIOR_COUNT, PRIOR_SUM
from templates_app.shelving import ShelfTree, read_tree
from templates_app.words import language_name

TAGS_MAX_COUNT = 8

SORTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "relevance": (gettext_lazy("Best match"), ("-relevance", "-id")),
    "rating": (gettext_lazy("Highest rated"), ("-rank_score", "-id")),
    "usage": (gettext_lazy("Most run"), ("-usage_count", "-id")),
    "newest": (gettext_lazy("Newest"), ("-id",)),
    "used": (gettext_lazy("Recently used"), ("-last_used_at", "-id")),
    "own": (gettext_lazy("My own order"), ("favorite_position", "-favorite_id")),
}
DEFAULT_SORT = "rating"

SCOPES = {
    "mine": gettext_lazy("Mine"),
    "favorites": gettext_lazy("Favourites"),
    "followed": gettext_lazy("Followed"),
    "shared": gettext_lazy("Shared with me"),
}
RATINGS = {
    "4": gettext_lazy("4 and up"),
    "3": gettext_lazy("3 and up"),
    "2": gettext_lazy("2 and up"),
    "unrated": gettext_lazy("Unrated"),
}
VISIBILITIES = {
    "public": gettext_lazy("Public"),
    "shared": gettext_lazy("Shared"),
    "private": gettext_lazy("Private"),
}
STATUSES = {"draft": gettext_lazy("Drafts"), "archived": gettext_lazy("Archived")}


class TagsField(forms.Field):
    """Several tags by their slugs, each of which must be on a template that the person sees, among `templates`."""

    templates: QuerySet

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[Tag]:
        slugs = list(dict.fromkeys(normalize_key(str(slug)) for slug in value or () if str(slug).strip()))
        if len(slugs) > TAGS_MAX_COUNT:
            raise forms.ValidationError(_("Choose %(limit)d tags at most.") % {"limit": TAGS_MAX_COUNT})
        seen = TemplateTag.objects.filter(tag=OuterRef("pk"), template__in=self.templates.values("pk"))
        found = {tag.slug: tag for tag in Tag.objects.filter(Exists(seen), slug__in=slugs)} if slugs else {}
        if missing := [slug for slug in slugs if slug not in found]:
            raise forms.ValidationError(_("There is no tag “%(tag)s”.") % {"tag": missing[0][:80]})
        return [found[slug] for slug in slugs]


class TagsFilter(django_filters.Filter):
    """Templates that carry all of the tags."""

    field_class = TagsField

    @property
    def field(self) -> forms.Field:
        field = super().field
        field.templates = PromptTemplate.objects.visible_to(self.parent.request.user)
        return field

    def filter(self, qs: QuerySet, value: list[Tag]) -> QuerySet:
        for tag in value or ():
            qs = qs.filter(Exists(TemplateTag.objects.filter(tag=tag, template=OuterRef("pk"))))
        return qs


def _choice(choices: dict[str, Any], method: str = "", **kwargs: Any) -> django_filters.ChoiceFilter:
    options = {"method": method} if method else {}
    return django_filters.ChoiceFilter(choices=list(choices.items()), **options, **kwargs)


class TemplateFilter(django_filters.FilterSet):
    """The library, narrowed. Check `is_valid()` before `.qs`: an invalid filter set returns everything."""

    q = django_filters.CharFilter(method="search", label=gettext_lazy("Search templates"), max_length=400)
    scope = _choice(SCOPES, method="in_scope")
    category = django_filters.CharFilter(method="on_shelf", max_length=120)
    tag = TagsFilter()
    owner = django_filters.CharFilter(method="by_owner", max_length=60)
    language = django_filters.CharFilter(field_name="language", max_length=35)
    visibility = _choice(VISIBILITIES, field_name="visibility", label=gettext_lazy("Visibility"))
    rating = _choice(RATINGS, method="rated", label=gettext_lazy("Rating"))
    label = django_filters.CharFilter(method="labelled", max_length=60)
    status = _choice(STATUSES, method="in_status")
    sort = _choice(
        {name: words for name, (words, _order) in SORTS.items()}, method="keep", label=gettext_lazy("Sort by")
    )

    class Meta:
        model = PromptTemplate
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        queryset = super().filter_queryset(queryset)
        return queryset if self.value("status") else queryset.exclude(status="archived")

    # ---- each filter -------------------------------------------------------

    def search(self, queryset: QuerySet, _name: str, text: str) -> QuerySet:
        return queryset.search(text)  # type: ignore[attr-defined]  # a method of our queryset

    def in_scope(self, queryset: QuerySet, _name: str, scope: str) -> QuerySet:
        user = self.request.user
        if not user.is_authenticated:
            return queryset.none()  # nothing is a visitor's own
        if scope == "mine":
            return queryset.filter(owner=user)
        if scope == "favorites":
            kept = queryset.filter(favorites__user=user)
            return kept.annotate(favorite_position=F("favorites__position"), favorite_id=F("favorites__id"))
        if scope == "followed":
            return queryset.filter(Exists(Follow.objects.filter(template=OuterRef("pk"), user=user, is_following=True)))
        return queryset.exclude(owner=user).filter(shared_with(user))

    def on_shelf(self, queryset: QuerySet, _name: str, slug: str) -> QuerySet:
        shelf = next(category for category in self.categories if category.slug == slug)
        return queryset.filter(category__in=sorted(self.tree.below(shelf)))

    def by_owner(self, queryset: QuerySet, _name: str, handle: str) -> QuerySet:
        return queryset.filter(owner__handle=handle.removeprefix("@").lower())

    def rated(self, queryset: QuerySet, _name: str, rating: str) -> QuerySet:
        if rating == "unrated":
            return queryset.filter(rating_count=0, rank_score=PRIOR_SUM / PRIOR_COUNT)  # the rank has an index
        least = int(rating)
        # What a single rating of that many stars ranks at: nothing that passes ranks lower, and the rank has an index.
        rank = min(least, (least + PRIOR_SUM) / (1 + PRIOR_COUNT)) - 0.001
        return queryset.filter(rank_score__gte=rank, rating_count__gt=0, rating_sum__gte=F("rating_count") * least)

    def labelled(self, queryset: QuerySet, _name: str, name: str) -> QuerySet:
        return queryset.filter(Exists(Label.objects.filter(name=normalize_key(name), template=OuterRef("pk"))))

    def in_status(self, queryset: QuerySet, _name: str, status: str) -> QuerySet:
        return queryset.filter(status=status)

    def keep(self, queryset: QuerySet, _name: str, _value: str) -> QuerySet:
        return queryset

    # ---- what is chosen ----------------------------------------------------

    @cached_property
    def tree(self) -> ShelfTree:
        """Every shelf in its place."""
        return read_tree()

    @property
    def categories(self) -> list[Category]:
        """Every shelf, those inside one after it: to choose from, and to find the chosen one among."""
        return self.tree.ordered

    @property
    def category_choices(self) -> list[tuple[str, str]]:
        """For a select: the slug, and the name set in as deep as the shelf stands."""
        return [(shelf.slug, "\N{EM SPACE}" * self.tree.depths[shelf.pk] + shelf.name) for shelf in self.tree.ordered]

    def is_valid(self) -> bool:
        """A shelf that does not exist makes no sense either."""
        if not super().is_valid():
            return False
        slug = self.form.cleaned_data["category"]
        if slug and all(category.slug != slug for category in self.categories):
            self.form.add_error("category", _("There is no such shelf."))
        return not self.form.errors

    def value(self, name: str) -> Any:
        return self.form.cleaned_data.get(name) if self.is_valid() else None

    @cached_property
    def text(self) -> str:
        return str(self.value("q") or "").strip()

    @cached_property
    def sorting(self) -> str:
        """The order in force: best match is only for a search."""
        chosen, is_mine = self.value("sort"), self.value("scope") == "favorites" and self.request.user.is_authenticated
        if chosen and (chosen != "relevance" or self.text) and (chosen != "own" or is_mine):
            return str(chosen)
        return "relevance" if self.text else "own" if is_mine else DEFAULT_SORT

    @property
    def order(self) -> tuple[str, ...]:
        return SORTS[self.sorting][1]

    @cached_property
    def query(self) -> QueryDict:
        """The query string with what says something, without the place in the list."""
        query = QueryDict(mutable=True)
        for name in self.filters:
            values = [value for value in self.data.getlist(name) if value.strip()] if self.data else []
            if values:
                query.setlist(name, values if name == "tag" else values[-1:])
        return query

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query.keys() - {"sort"})

    def url(self, **changes: Any) -> str:
        """This list with other choices; None takes one back."""
        query = self.query.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if isinstance(value, list):
                query.setlist(name, value)
            elif value:
                query[name] = value
        return f"?{query.urlencode()}"

    @cached_property
    def chips(self) -> list[dict[str, str]]:
        """The active filters in words, each with the address of this list without it."""
        if not self.is_valid():
            return []
        words: dict[str, tuple[Callable[[Any], Any], str]] = {
            "scope": (SCOPES.__getitem__, _("%(filter)s")),
            "category": (self._shelf_name, _("shelf %(filter)s")),
            "owner": (lambda handle: "@" + handle.removeprefix("@"), _("owner %(filter)s")),
            "language": (language_name, _("language %(filter)s")),
            "visibility": (VISIBILITIES.__getitem__, _("visibility %(filter)s")),
            "rating": (RATINGS.__getitem__, _("rated %(filter)s")),
            "label": (str, _("label %(filter)s")),
            "status": (STATUSES.__getitem__, _("%(filter)s")),
        }
        tags: Iterable[Tag] = self.value("tag") or ()
        slugs = [tag.slug for tag in tags]
        chips = [
            {
                "text": tag.name,
                "what": _("tag %(filter)s") % {"filter": tag.name},
                "url": self.url(tag=[slug for slug in slugs if slug != tag.slug]),
            }
            for tag in tags
        ]
        for name, (say, what) in words.items():
            if value := self.value(name):
                text = str(say(value))
                chips.append({"text": text, "what": what % {"filter": text}, "url": self.url(**{name: None})})
        return chips

    def _shelf_name(self, slug: str) -> str:
        return next(category.name for category in self.categories if category.slug == slug)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the query string, in sentences."""
        return [_problem(name, errors) for name, errors in self.form.errors.items()]


def shared_with(user: Any) -> Any:
    """Templates on which the person or one of their teams has a right."""
    if not user.is_authenticated:
        return Exists(Grant.objects.none())
    grants = Grant.objects.filter(template=OuterRef("pk"))
    return Exists(grants.filter(Q(user=user) | Q(team__memberships__user=user)))


def _problem(name: str, errors: Iterable[Any]) -> str:
    reason = " ".join(str(error) for error in errors)
    if name == "sort":
        return _("There is no such order.")
    return reason if name in {"tag", "category"} else _("%(filter)s: %(reason)s") % {"filter": name, "reason": reason}
