"""What was used, failed and paid for in a period, from statistics alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import UsageDaily
from promptlib.core import charts
from promptlib.core.templatetags.interface import money, seconds
from templates_app.models import PromptTemplate, TemplateUsage

TOP = 20
SUMS = ("runs", "failures", "input_tokens", "output_tokens", "cost", "latency_ms", "latency_count")


@dataclass
class Use:
    """Sums over some days of use. `label` names the day, model or person; `person` is the person, if it is one."""

    label: Any
    runs: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    latency_ms: int = 0
    latency_count: int = 0
    person: Any = None

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def mean_latency_ms(self) -> float | None:
        """Over completed runs alone; None where there is none."""
        return self.latency_ms / self.latency_count if self.latency_count else None

    @property
    def failure_rate(self) -> float:
        return self.failures / self.runs if self.runs else 0.0


@dataclass(frozen=True)
class Chart:
    """A chart and the columns of its table: each row is a day and its words."""

    title: str
    chart: charts.BarChart
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def usage_of(viewer: Any, person: Any, first: date) -> "QuerySet[UsageDaily]":
    """The days that `viewer` may see: staff everybody's, or one person's; everybody else their own."""
    rows = UsageDaily.objects.filter(day__gte=first, runs__gt=0)
    if not viewer.is_staff:
        return rows.filter(user=viewer)
    return rows.filter(user=person) if person else rows


def total(rows: "QuerySet[UsageDaily]") -> Use:
    sums = rows.aggregate(**{name: Sum(name) for name in SUMS})
    filled: dict[str, Any] = {name: value or 0 for name, value in sums.items()}
    return Use("", **filled)


def by_day(rows: "QuerySet[UsageDaily]", first: date) -> list[Use]:
    """Every day of the period, used or not."""
    found = {row.pop("day"): row for row in _grouped(rows, "day")}
    days = (timezone.now().date() - first).days + 1
    return [Use(day, **found.get(day, {})) for day in (first + timedelta(days=place) for place in range(days))]


def by_model(rows: "QuerySet[UsageDaily]") -> list[Use]:
    uses = [Use(row.pop("model") or _("recorded by hand"), **row) for row in _grouped(rows, "model")]
    return sorted(uses, key=lambda use: -use.runs)[:TOP]


def by_person(rows: "QuerySet[UsageDaily]") -> list[Use]:
    groups = sorted(_grouped(rows, "user"), key=lambda row: -row["cost"])[:TOP]
    people = get_user_model()._default_manager.in_bulk([row["user"] for row in groups])  # none of the trash is named
    return [Use("", person=people.get(row.pop("user")), **row) for row in groups]


def _grouped(rows: "QuerySet[UsageDaily]", name: str) -> list[dict[str, Any]]:
    """Sums per value of one column. Named apart in the query, where a sum may not have its column's name."""
    sums = {f"sum_of_{column}": Sum(column) for column in SUMS}
    return [
        {key.removeprefix("sum_of_"): value for key, value in row.items()}
        for row in rows.order_by().values(name).annotate(**sums)
    ]


def templates(viewer: Any) -> list[tuple[PromptTemplate, TemplateUsage | None]]:
    """The most used templates that `viewer` may see, with what their current version achieved; two queries."""
    used = PromptTemplate.objects.visible_to(viewer).filter(alive=1, usage_count__gt=0)  # as its index begins
    found = list(used.order_by("-usage_count", "-id")[:TOP])
    usage = TemplateUsage.objects.in_bulk([template.current_version_id for template in found])
    return [(template, usage.get(template.current_version_id)) for template in found]


# ---- charts ------------------------------------------------------------------


def day_charts(days: Sequence[Use]) -> list[Chart]:
    """Runs, cost and latency by day."""
    return [
        _chart("days", _("Runs by day"), days, lambda use: use.runs, _runs, failed=lambda use: use.failures),
        _chart(
            "cost", _("Cost by day"), days, lambda use: float(use.cost), lambda use: money(use.cost), axis="{:,.3f}"
        ),
        _chart(
            "tokens",
            _("Tokens by day"),
            days,
            lambda use: use.tokens,
            lambda use: number_format(use.tokens, use_l10n=True, force_grouping=True),
        ),
        _chart(
            "latency",
            _("Mean latency by day"),
            days,
            lambda use: (use.mean_latency_ms or 0) / 1000,
            lambda use: seconds(use.mean_latency_ms) if use.mean_latency_ms else _("no answer measured"),
            axis="{:,.1f} s",
        ),
    ]


def _runs(use: Use) -> str:
    runs = ngettext("%(count)d run", "%(count)d runs", use.runs) % {"count": use.runs}
    failed = ngettext("%(count)d failed", "%(count)d failed", use.failures) % {"count": use.failures}
    return f"{runs}, {failed}"


def _chart(
    key: str, title: str, days: Sequence[Use], value: Any, words: Any, *, failed: Any = None, axis: str = "{:,.0f}"
) -> Chart:
    series = [
        charts.Bar(
            label=date_format(use.label, "j M"),
            value=value(use),
            failed=failed(use) if failed else 0,
            title=f"{date_format(use.label, 'j F')}: {words(use)}",
        )
        for use in days
    ]
    peak = max(days, key=value)
    finding = _("%(title)s, %(first)s to %(last)s; most on %(peak)s: %(words)s.") % {
        "title": title,
        "first": date_format(days[0].label, "j F"),
        "last": date_format(days[-1].label, "j F"),
        "peak": date_format(peak.label, "j F"),
        "words": words(peak),
    }
    rows = [(date_format(use.label, "j F Y"), [str(words(use))]) for use in reversed(days)]
    return Chart(title, charts.bars(key, series, finding=finding, axis_format=axis), [_("Day"), title], rows)
