"""How much may still be used: limits of people and teams, held against what was used and what is being asked.

Whoever asks locks the limits that hold for them, counts, and adds the question to the row that is saved in the same
transaction: of fifty questions at once each sees those before it. A question that waits for its answer counts with what
it may cost at most, a finished one (also in the trash) with what it did cost, or by estimate where its provider does
not say. Recorded and imported interactions count for nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from conversations.models import AIModel, Prompt, UsageDaily, UsageLimit
from conversations.services.estimating import TAKEN, Estimate, estimate
from conversations.services.finishing import UNFINISHED
from conversations.services.messages import messages_for

RESERVED = "reserved"
"""The key in a waiting interaction's metadata of the tokens and the money that it may take."""


class LimitReached(Exception):
    """`message` says which limit, what is left of it, and when there is more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a period, what waits for its answer included."""

    runs: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)


def hold(prompt: Prompt, model: AIModel) -> None:
    """Let the question in, or raise LimitReached; inside the transaction that saves it. Without limits, one query.

    Where a limit holds, the answer may be no longer than what is held back for it.
    """
    limits = list(_limits_of(prompt.author).select_for_update(of=("self",)).order_by("pk"))
    if not limits:
        return
    said = "\n".join(message["content"] for message in messages_for(prompt))
    wanted = estimate(said, model, parameters=prompt.parameters)
    for limit in limits:
        used = used_in(limit)
        _check(limit, used, wanted)
    prompt.parameters = {**prompt.parameters, "max_tokens": wanted.output_tokens}
    prompt.metadata = {
        **prompt.metadata,
        RESERVED: {"tokens": wanted.tokens, "cost": str(wanted.cost or 0)},
    }


def limits_of(user: Any) -> list[tuple[UsageLimit, Used]]:
    """The limits that hold for a person, with what is used of each; three queries a limit."""
    return [(limit, used_in(limit)) for limit in _limits_of(user).order_by("period", "pk")]


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit, what is used of it, and the day from which there is more."""

    limit: UsageLimit
    used: Used
    again: date

    @property
    def runs_left(self) -> int | None:
        return None if self.limit.runs is None else max(0, self.limit.runs - self.used.runs)

    @property
    def tokens_left(self) -> int | None:
        return None if self.limit.tokens is None else max(0, self.limit.tokens - self.used.tokens)

    @property
    def cost_left(self) -> Decimal | None:
        return None if self.limit.cost is None else max(Decimal(0), self.limit.cost - self.used.cost)


def standings(user: Any) -> list[Standing]:
    """The limits that hold for a person, to be shown; two queries a limit, and one."""
    today = timezone.now().date()
    limits = _limits_of(user).select_related("team").order_by("period", "pk")
    return [Standing(limit, used_in(limit), end_of(limit.period, today)) for limit in limits]


def used_in(limit: UsageLimit) -> Used:
    """What the limit's people used since its period began, and what they are waiting for; two queries."""
    start = start_of(limit.period, timezone.now().date())
    people: Any = {"user": limit.user_id} if limit.user_id else {"user__in": _members(limit)}
    days = UsageDaily.objects.filter(day__gte=start, provider__in=AIModel.Provider.values, **people)
    known = days.aggregate(Sum("runs"), Sum("input_tokens"), Sum("output_tokens"), Sum("cost"))
    others = [_used_by(row) for row in _uncounted(limit, start)]
    return Used(
        (known["runs__sum"] or 0) + sum(each.runs for each in others),
        (known["input_tokens__sum"] or 0) + (known["output_tokens__sum"] or 0) + sum(each.tokens for each in others),
        (known["cost__sum"] or Decimal(0)) + sum((each.cost for each in others), Decimal(0)),
    )


def _uncounted(limit: UsageLimit, start: date) -> Any:
    """What the statistics leave out: what waits for its answer, what was thrown away, and answers of which the provider
    did not say what they took."""
    begun = datetime.combine(start, time.min, UTC)
    authors: Any = {"author": limit.user_id} if limit.user_id else {"author__in": _members(limit)}
    silent = Q(output_tokens__isnull=True, status__in=(Prompt.Status.COMPLETED, Prompt.Status.INTERRUPTED))
    rows = Prompt.all_objects.filter(
        Q(status__in=UNFINISHED) | Q(deleted_at__isnull=False) | silent,
        created_at__gte=begun,
        provider__in=AIModel.Provider.values,
        **authors,
    ).exclude(status__in=(Prompt.Status.DRAFT, Prompt.Status.RECORDED))
    return rows.values("status", "deleted_at", "input_tokens", "output_tokens", "cost", "metadata")


def _used_by(row: Any) -> Used:
    is_waiting, is_deleted = row["status"] in UNFINISHED, row["deleted_at"] is not None
    known = row["metadata"].get(RESERVED if is_waiting else TAKEN) or {}
    tokens, cost = int(known.get("tokens", 0)), Decimal(known.get("cost", "0"))
    if is_deleted:  # what lives is in the statistics already
        tokens += (row["input_tokens"] or 0) + (row["output_tokens"] or 0)
        cost += row["cost"] or Decimal(0)
    return Used(int(is_waiting or is_deleted), tokens, cost)


def start_of(period: str, day: date) -> date:
    """The first day of the period that `day` is in, in UTC."""
    return day if period == UsageLimit.Period.DAY else day.replace(day=1)


def end_of(period: str, day: date) -> date:
    """The first day of the period after the one that `day` is in."""
    if period == UsageLimit.Period.DAY:
        return date.fromordinal(day.toordinal() + 1)
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _limits_of(user: Any) -> Any:
    return UsageLimit.objects.filter(Q(user=user) | Q(team__in=user.memberships.values("team")))


def _members(limit: UsageLimit) -> Any:
    assert limit.team is not None
    return limit.team.memberships.values("user")


def _check(limit: UsageLimit, used: Used, wanted: Estimate) -> None:
    if limit.runs is not None and used.runs + 1 > limit.runs:
        raise LimitReached(_told(limit, _("%(limit)s runs") % {"limit": number_format(limit.runs)}))
    if limit.tokens is not None and used.tokens + wanted.tokens > limit.tokens:
        raise LimitReached(_told(limit, _("%(limit)s tokens") % {"limit": number_format(limit.tokens)}))
    if limit.cost is not None and wanted.cost is not None and used.cost + wanted.cost > limit.cost:
        amount = f"{limit.cost.normalize():f} {wanted.currency}"
        raise LimitReached(_told(limit, amount))


def _told(limit: UsageLimit, amount: str) -> str:
    again = {"amount": amount, "day": date_format(end_of(limit.period, timezone.now().date()), "DATE_FORMAT")}
    if limit.team_id:
        again["team"] = str(limit.team)
        sentence = _("The team %(team)s may use %(amount)s, and this question could go beyond it.")
    else:
        sentence = _("You may use %(amount)s, and this question could go beyond it.")
    more = _("There is more from %(day)s (UTC). Ask for a shorter answer, choose a cheaper model, or ask staff.")
    return f"{sentence % again} {more % again} {_('Nothing was charged.')}"
