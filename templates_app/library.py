"""The library page: the rows of one filter set, how many there are, and the shelves beside them."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.search import snippets
from templates_app.changes import is_changed
from templates_app.filters import TemplateFilter, shared_with
from templates_app.models import Category, Favorite, Follow, Label, PromptTemplate, TemplateTag, TemplateVersion
from templates_app.words import language_name

PAGE_SIZE = 30
CURATE = "templates_app.curate_library"
TAGS_SHOWN = 24
LARGE = 2_000
"""A library this large is counted once a minute; a smaller one at every look, so that its numbers are always right."""
LARGE_SECONDS = 60
NARROWED_CAP = 2_000
"""What the filters leave is counted to here, at every look: further would take longer than the list itself."""
SMALL = "small"
"""What is remembered of a smaller one for as long: that it need not be counted to the cap before it is grouped."""

ROW_FIELDS = (
    "title",
    "summary",
    "language",
    "status",
    "visibility",
    "rating_average",
    "rating_count",
    "rank_score",
    "usage_count",
    "total_cost",
    "last_used_at",
    "owner",
    "current_version",
)


@dataclass
class Shelves:
    """How many templates stand where, for one person. `total` counts to the cap; beyond it only the total is known."""

    total: int = 0
    is_capped: bool = False
    mine: int = 0
    favorites: int = 0
    followed: int = 0
    shared: int = 0
    categories: dict[Any, int] = field(default_factory=dict)
    languages: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str, int]] = field(default_factory=list)


class LibraryPage:
    """What one address of the library shows."""

    def __init__(self, filters: TemplateFilter, user: Any, cursor: str | None) -> None:
        self.filters = filters
        self.user = user
        self.cursor = cursor

    @cached_property
    def page(self) -> KeysetPage[PromptTemplate]:
        # Nothing is joined: the order then comes from an index of templates, whatever the planner thinks of the rest.
        people = get_user_model().all_objects.only("display_name", "handle", "email")
        texts = ("body",) if self.filters.text else ()
        versions = TemplateVersion.objects.only("number", "created_at", "variables", *texts)
        if self.user.is_authenticated:
            versions = versions.annotate(
                is_changed=is_changed(self.user, "template")
            )  # of 30 rows, not of those sorted
        labels = Label.objects.select_related("version").only("name", "template", "version__number")
        related = ("tags", Prefetch("owner", people), Prefetch("current_version", versions), Prefetch("labels", labels))
        queryset = self.filters.qs.only(*ROW_FIELDS).prefetch_related(*related)
        size = getattr(self.user, "rows_per_page", None) or PAGE_SIZE  # a visitor has no preferences
        page = KeysetPage(queryset, order=self.filters.order, cursor=self.cursor, size=size)
        if self.filters.text:
            for template in page.items:
                template.snippets = self._snippets(template)
        return page

    @cached_property
    def counted(self) -> tuple[int, bool]:
        """How many templates match, to the cap, and whether there are more."""
        if not self.filters.is_narrowed:
            return self.shelves.total, self.shelves.is_capped
        if not self.page.has_next and not self.page.has_previous and not self.cursor:
            return len(self.page), False  # all of them are here
        return capped_count(self.filters.qs, NARROWED_CAP)

    @property
    def count(self) -> int:
        return self.counted[0]

    @property
    def is_capped(self) -> bool:
        return self.counted[1]

    @property
    def note(self) -> str:
        """What the foot of the list says: "1 to 30 of 148"."""
        shown = len(self.page)
        if not self.page.has_next and not self.page.has_previous:
            return _("All %(count)s shown") % {"count": f"{shown:,}"} if shown else ""
        if self.page.has_previous:
            return ""
        total = f"{self.count:,}{'+' if self.is_capped else ''}"
        return _("1 to %(shown)s of %(count)s") % {"shown": f"{shown:,}", "count": total}

    @cached_property
    def shelves(self) -> Shelves:
        key = f"library:shelves:{self.user.pk}"
        known: Shelves | str | None = cache.get(key)
        if isinstance(known, Shelves):
            return known
        shelves = count_shelves(self.user, is_small=known == SMALL)
        cache.set(key, shelves if shelves.total > LARGE else SMALL, LARGE_SECONDS)
        return shelves

    @cached_property
    def is_curator(self) -> bool:
        """Whether to show the way to the pages of shelves and tags, which ask again: `has_perm` in one query, not two.

        Remembered for a minute.
        """
        if not self.user.is_authenticated or self.user.is_superuser:
            return bool(self.user.is_authenticated)
        key = f"library:curator:{self.user.pk}"
        known: bool | None = cache.get(key)
        if known is None:
            app, codename = CURATE.split(".")
            holders = Q(user=self.user) | Q(group__user=self.user)
            known = Permission.objects.filter(holders, content_type__app_label=app, codename=codename).exists()
            cache.set(key, known, LARGE_SECONDS)
        return known

    @cached_property
    def categories(self) -> list[tuple[Category, int, int | None]]:
        """The shelves beside the list (with how deep each stands): those with something on them, and the open one."""
        tree, chosen = self.filters.tree, self.filters.value("category")
        if self.shelves.is_capped:
            return [(category, tree.depths[category.pk], None) for category in tree.ordered]
        counts: Counter[Any] = Counter()
        for pk, count in self.shelves.categories.items():
            for category in tree.path(tree.by_pk[pk]) if pk in tree.by_pk else ():
                counts[category.pk] += count
        return [
            (category, tree.depths[category.pk], counts[category.pk])
            for category in tree.ordered
            if counts[category.pk] or category.slug == chosen
        ]

    @cached_property
    def tags(self) -> list[tuple[str, str, int | None, bool]]:
        """Tags to choose from (slug, name, count, chosen): the chosen ones, then those that are most used."""
        chosen = {tag.slug: tag.name for tag in self.filters.value("tag") or ()}
        known: dict[str, tuple[str, int | None]] = {slug: (name, n) for slug, name, n in self.shelves.tags}
        if self.shelves.is_capped:
            known = {tag.slug: (tag.name, None) for row in self.page.items for tag in row.tags.all()}
        first = [(slug, name, known.get(slug, (name, None))[1], True) for slug, name in chosen.items()]
        rest = [(slug, name, n, False) for slug, (name, n) in known.items() if slug not in chosen]
        return [*first, *rest][: max(TAGS_SHOWN, len(first))]

    @cached_property
    def languages(self) -> list[tuple[str, str]]:
        chosen = self.filters.value("language")
        languages = dict(self.shelves.languages)
        if chosen and chosen not in languages:
            languages[chosen] = language_name(chosen)
        return list(languages.items())

    @cached_property
    def ways_out(self) -> list[dict[str, Any]]:
        """Where else to look when nothing matches: address, words, and how many there are."""
        text, ways = self.filters.text, []
        if text and len(self.filters.query.keys() - {"q", "sort"}):
            ways.append(self._way(_("Search without the filters"), q=text))
        if '"' in text or "“" in text:
            plain = " ".join(text.translate(str.maketrans('"“”', "   ")).split())
            ways.append(self._way(_("Drop the quotation marks"), **{**self.filters.query.dict(), "q": plain}))
        ways = [way for way in ways if way["count"]]
        if text and self.user.is_authenticated and (url := _search_url(text)):
            ways.append({"text": _("Look in conversations and prompts"), "url": url, "count": None})
        return ways

    def _way(self, text: str, **choices: Any) -> dict[str, Any]:
        query = self.filters.query.copy()
        query.clear()
        query.update(choices)
        if "tag" in choices:
            query.setlist("tag", self.filters.query.getlist("tag"))
        other = TemplateFilter(query, queryset=self.filters.queryset, request=self.filters.request)
        count = capped_count(other.qs)[0] if other.is_valid() else 0
        return {"text": text, "url": other.url(), "count": count}

    def _snippets(self, template: PromptTemplate) -> list[Any]:
        """Where the words stand in the text; in the summary, which the row shows anyway, only where they do not."""
        body = template.current_version.body if template.current_version else ""
        found = snippets(self.filters.text, {_("Body"): body}, limit=2)
        return found or snippets(self.filters.text, {_("Summary"): template.summary}, limit=1)


def library_of(user: Any) -> QuerySet[PromptTemplate]:
    """Every template the person may see. `alive` is named besides, for it is what the lists' indexes start with."""
    return PromptTemplate.objects.visible_to(user).filter(alive=1)


def count_shelves(user: Any, *, is_small: bool = False) -> Shelves:
    """The total, then one query grouped by shelf and language and one by tag; beyond the cap only the total.

    Three queries; two for a library that `is_small`, whose total is that of its groups.
    """
    library = library_of(user).exclude(status="archived").order_by()
    shelves = Shelves()
    if not is_small:
        shelves.total, shelves.is_capped = capped_count(library)
        if shelves.is_capped or not shelves.total:
            return shelves
    favorite = Exists(Favorite.objects.filter(template=OuterRef("pk"), user=user.pk))
    followed = Exists(Follow.objects.filter(template=OuterRef("pk"), user=user.pk, is_following=True))
    marked = library.annotate(is_favorite=favorite, is_followed=followed, is_shared=shared_with(user))
    rows = marked.values("category_id", "language")
    languages: Counter[str] = Counter()
    total = 0
    for row in rows.annotate(
        count=Count("pk"),
        mine=Count("pk", filter=Q(owner=user.pk)),
        kept=Count("pk", filter=Q(is_favorite=True)),
        followed=Count("pk", filter=Q(is_followed=True)),
        shared=Count("pk", filter=Q(is_shared=True) & ~Q(owner=user.pk)),
    ):
        shelves.categories[row["category_id"]] = shelves.categories.get(row["category_id"], 0) + row["count"]
        languages[row["language"]] += row["count"]
        total += row["count"]
        shelves.mine += row["mine"]
        shelves.favorites += row["kept"]
        shelves.followed += row["followed"]
        shelves.shared += row["shared"]
    shelves.total = total
    shelves.languages = [(code, language_name(code)) for code, _count in languages.most_common()]
    tags = TemplateTag.objects.filter(template__in=library).values_list("tag__slug", "tag__name")
    shelves.tags = list(tags.annotate(count=Count("pk")).order_by("-count", "tag__slug")[:TAGS_SHOWN])
    return shelves


def _search_url(text: str) -> str:
    try:
        return f"{reverse('site:search')}?{urlencode({'q': text})}"
    except NoReverseMatch:
        return ""
