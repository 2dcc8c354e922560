"""How much may still be used: limits of people and teams, held against what was used and what is being asked.

Whoever asks locks the limits that hold for them, counts, and adds the question to the row that is saved in the same
transaction: of fifty questions at once each sees those before it. A question that waits for its answer counts with what
it may cost at most, a finished one with what it did cost. Recorded and imported interactions count for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from conversations.models import AIModel, Prompt, UsageDaily, UsageLimit
from conversations.providers import Usage, prices
from conversations.services.finishing import UNFINISHED
from conversations.services.messages import messages_for
from templates_app.rendering import estimate_tokens

RESERVED = "reserved"
"""The key in a waiting interaction's metadata of the tokens and the money that it may take."""

OUTPUT_TOKENS = 4_096
"""What an answer may be long where neither the question nor the model says."""

MARGIN = Decimal("1.3")
"""Tokens are estimated without the model's tokenizer: so much more is held back."""


class LimitReached(Exception):
    """`message` says which limit, what is left of it, and when there is more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a question may take: tokens in and out, and money by today's price, None where there is no price."""

    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    currency: str = ""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a period, what waits for its answer included."""

    runs: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)


def estimate(text: str, model: AIModel, *, parameters: dict[str, Any] | None = None) -> Estimate:
    """The most that asking `text` may take; one query for the price."""
    wanted = (parameters or {}).get("max_tokens")
    output = wanted if isinstance(wanted, int) and wanted > 0 else model.max_output_tokens or OUTPUT_TOKENS
    output = min(output, model.max_output_tokens or output)
    tokens = int(estimate_tokens(text) * MARGIN)
    price = model.price_on(timezone.now().date())
    if price is None:
        return Estimate(tokens, output, None)
    known = prices.Price(price.input_price, price.output_price, price.cached_price, price.currency)
    cost = prices.cost(Usage(input_tokens=tokens, output_tokens=output), known)
    return Estimate(tokens, output, cost, price.currency)


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


def used_in(limit: UsageLimit) -> Used:
    """What the limit's people used since its period began, and what they are waiting for; two queries."""
    start = start_of(limit.period, timezone.now().date())
    people: Any = {"user": limit.user_id} if limit.user_id else {"user__in": _members(limit)}
    days = UsageDaily.objects.filter(day__gte=start, provider__in=AIModel.Provider.values, **people)
    known = days.aggregate(Sum("runs"), Sum("input_tokens"), Sum("output_tokens"), Sum("cost"))
    begun = datetime.combine(start, time.min, UTC)
    authors: Any = {"author": limit.user_id} if limit.user_id else {"author__in": _members(limit)}
    waiting = Prompt.objects.filter(status__in=UNFINISHED, created_at__gte=begun, **authors)
    reserved = [metadata.get(RESERVED) or {} for metadata in waiting.values_list("metadata", flat=True)]
    return Used(
        (known["runs__sum"] or 0) + len(reserved),
        (known["input_tokens__sum"] or 0) + (known["output_tokens__sum"] or 0) + _sum(reserved, "tokens"),
        (known["cost__sum"] or Decimal(0)) + sum((Decimal(each.get("cost", "0")) for each in reserved), Decimal(0)),
    )


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


def _sum(entries: Iterable[dict[str, Any]], name: str) -> int:
    return sum(int(each.get(name, 0)) for each in entries)
