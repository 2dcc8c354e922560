"""What a question may take before it is asked, and what an answer took whose provider reported nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from conversations.models import AIModel, AIModelPrice, Prompt
from conversations.providers import Usage, prices
from conversations.services.messages import messages_for
from templates_app.rendering import estimate_tokens

OUTPUT_TOKENS = 4_096
"""What an answer may be long where neither the question nor the model says."""

MARGIN = Decimal("1.3")
"""Tokens are estimated without the model's tokenizer: so much more is held back."""

TAKEN = "taken"
"""The key in an interaction's metadata of the tokens and the money it took by estimate: its provider reported none."""


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


def estimate(text: str, model: AIModel, *, parameters: dict[str, Any] | None = None) -> Estimate:
    """The most that asking `text` may take; one query for the price."""
    wanted = (parameters or {}).get("max_tokens")
    output = wanted if isinstance(wanted, int) and wanted > 0 else model.max_output_tokens or OUTPUT_TOKENS
    output = min(output, model.max_output_tokens or output)
    return _priced(int(estimate_tokens(text) * MARGIN), output, model.price_on(timezone.now().date()))


def taken(prompt: Prompt, text: str) -> dict[str, Any]:
    """What an answer took of which `text` arrived, by the price of the day of the question; about three queries."""
    said = "\n".join(message["content"] for message in messages_for(prompt))
    price = prompt.ai_model.price_on(prompt.created_at.date()) if prompt.ai_model else None
    found = _priced(estimate_tokens(said), estimate_tokens(text), price)
    return {"tokens": found.tokens, "cost": str(found.cost or 0)}


def _priced(input_tokens: int, output_tokens: int, price: AIModelPrice | None) -> Estimate:
    if price is None:
        return Estimate(input_tokens, output_tokens, None)
    known = prices.Price(price.input_price, price.output_price, price.cached_price, price.currency)
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return Estimate(input_tokens, output_tokens, prices.cost(usage, known), price.currency)


@dataclass(frozen=True, slots=True)
class Forecast:
    """About what the next question takes: tokens read and written, and per model (by key) the prices of a million of
    each. `is_measured` where earlier answers say how long one is; else the answer is not in it."""

    input_tokens: int
    output_tokens: int
    is_measured: bool
    prices: dict[str, tuple[Decimal, Decimal]]
    currency: str
    chosen: str

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def cost(self) -> Decimal | None:
        """Of the model that is chosen at first; None without a price."""
        price = self.prices.get(self.chosen)
        return price and (self.input_tokens * price[0] + self.output_tokens * price[1]) / 1_000_000

    @property
    def told_prices(self) -> str:
        """For the script that follows the choice."""
        return json.dumps({key: [float(each) for each in price] for key, price in self.prices.items()})


def forecast(models: Sequence[AIModel], chosen: str, text: str, outputs: Sequence[int]) -> Forecast:
    """`text` is what will be read, `outputs` how many tokens earlier answers had; one query for the prices."""
    today = timezone.now().date()
    valid = AIModelPrice.objects.filter(model__in=models, effective_from__lte=today).order_by("effective_from")
    known = {str(each.model_id): (each.input_price, each.output_price) for each in valid}  # the latest stays
    mean = round(sum(outputs) / len(outputs)) if outputs else 0
    first = str(models[0].pk) if models else ""
    return Forecast(estimate_tokens(text), mean, bool(outputs), known, settings.CURRENCY, chosen or first)
