"""What a template's page asks about the template and one person: in the query that fetches the template itself."""

from typing import Any

from django.db.models import Count, Exists, IntegerField, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from templates_app.changes import is_changed
from templates_app.models import (
    Favorite,
    Follow,
    ForkCount,
    Grant,
    LabelMove,
    PromptTemplate,
    Rating,
    Suggestion,
    TemplateVersion,
)

SCORES = range(5, 0, -1)
MINE = {"score": "score", "review": "review", "model": "model", "task": "task", "number": "version__number"}
_OF_IT = {"template": OuterRef("pk")}


def with_facts(templates: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """The templates, each with what `Facts` tells of it."""
    waiting = LabelMove.objects.filter(**_OF_IT, status=LabelMove.Status.WAITING).order_by("-id")
    # All of a person's living ratings, by the generated column that the index begins with.
    rated = Rating.all_objects.filter(**_OF_IT, alive=1)
    ran = TemplateVersion.objects.filter(**_OF_IT, prompts__author=user.pk, prompts__deleted_at__isnull=True)
    ran = ran.order_by("-prompts__id")
    follow = Follow.objects.filter(**_OF_IT, user=user.pk)
    facts: dict[str, Any] = {
        "is_followed": Exists(follow.filter(is_following=True)),
        "seen_at": Subquery(follow.values("seen_at")[:1]),
        "is_changed": is_changed(user, "pk"),
        "is_favorite": Exists(Favorite.objects.filter(**_OF_IT, user=user.pk)),
        "is_editable": Exists(PromptTemplate.objects.editable_by(user).filter(pk=OuterRef("pk"))),
        "my_rating": Subquery(rated.filter(user=user.pk).values(own=JSONObject(**MINE))[:1], output_field=JSONField()),
        "fork_count": Coalesce(Subquery(ForkCount.objects.filter(**_OF_IT).values("fork_count")[:1]), 0),
        "shared_count": _count(Grant.objects.living().filter(**_OF_IT)),
        "suggestion_count": _count(Suggestion.objects.filter(**_OF_IT, status=Suggestion.Status.OPEN)),
        "ran_with": Subquery(ran.values("prompts__model")[:1]),
        "waiting_label": Subquery(waiting.values("name")[:1]),
        **{f"stars_{score}": _count(rated.filter(score=score)) for score in SCORES},
    }
    return templates.annotate(**{f"fact_{name}": expression for name, expression in facts.items()})


class Facts:
    """The facts of one template; read with it, or else by a query of their own."""

    def __init__(self, template: PromptTemplate, user: Any) -> None:
        if not hasattr(template, "fact_is_editable"):
            rows = with_facts(PromptTemplate.all_objects.filter(pk=template.pk).only("pk"), user)
            template.__dict__.update({k: v for k, v in rows.get().__dict__.items() if k.startswith("fact_")})
        self._template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, f"fact_{name}")

    def rating_by(self, user: Any) -> Rating | None:
        """The person's own rating, as far as a page shows it."""
        if not self.my_rating:
            return None
        mine = {name: self.my_rating[name] for name in MINE}
        version = TemplateVersion(template=self._template, number=mine.pop("number"))
        return Rating(template=self._template, user=user, version=version, **mine)

    @property
    def distribution(self) -> list[tuple[int, int]]:
        """How many gave how many stars, from five down."""
        return [(score, getattr(self, f"stars_{score}")) for score in SCORES]


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("template").annotate(count=Count("*")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
