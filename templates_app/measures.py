"""How versions did: the numbers of their rows, and the percentile of their latency where it is quickly had."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from promptlib.core.templatetags.interface import money, number, percent, score, seconds
from templates_app.models import TemplateUsage, TemplateVersion

MEASURED_RUNS = 20_000
"""A percentile reads every run of a version; beyond this many the page shows the mean, which is a statistic."""


def add_p95(versions: list[TemplateVersion], *, most: int) -> list[TemplateVersion]:
    """The versions with `p95_ms`, in ms, or None: of the first `most` that have few enough runs. One query."""
    pks = [version.pk for version in versions if 0 < version.latency_count <= MEASURED_RUNS][:most]
    rows = TemplateUsage.objects.filter(version_id__in=pks).values_list("version_id", "p95_latency_ms") if pks else ()
    p95 = dict(rows)
    for version in versions:
        version.p95_ms = p95.get(version.pk)  # type: ignore[attr-defined]  # for the page alone
    return versions


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of two versions; `better` is "old", "new" or nothing."""

    label: str
    old: str
    new: str
    better: str = ""
    is_runs: bool = False


def measures(old: TemplateVersion, new: TemplateVersion) -> list[Measure]:
    """What two versions, with `p95_ms`, achieved; without the rows that neither has."""
    rows: Iterable[tuple[str, Any, int, Any]] = (
        (_("Rating"), score, 1, lambda each: _mean(each.rating_sum, each.rating_count)),
        (_("Runs"), number, 0, lambda each: each.usage_count or None),
        (_("Succeeded"), percent, 1, lambda each: _ratio(each.success_count, each.usage_count)),
        (_("Cost a run"), money, -1, lambda each: _mean(each.total_cost, each.usage_count)),
        (_("Mean latency"), seconds, -1, lambda each: _mean(each.total_latency_ms, each.latency_count)),
        (_("p95 latency"), seconds, -1, lambda each: each.p95_ms),
    )
    found = []
    for label, show, sign, value_of in rows:
        values = value_of(old), value_of(new)
        old_text, new_text = (str(show(value)) for value in values)
        if old_text or new_text:
            better = "" if old_text == new_text else _better(*values, sign)
            found.append(Measure(label, old_text, new_text, better, is_runs=sign == 0))
    return found


def _better(old: Any, new: Any, sign: int) -> str:
    """Which side is better, where more is (`sign` 1) or less is (-1)."""
    if old is None or new is None or sign == 0:
        return ""
    return "new" if (new > old) == (sign > 0) else "old"


def _mean(total: Any, count: int) -> Any:
    return total / count if count and total else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
