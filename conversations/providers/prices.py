"""List prices of well-known models, from a table that comes with a package: nothing is asked over the network."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from conversations.providers.base import Usage

MILLION = 1_000_000
SIX_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, in US dollars. `cached` is None where cached input costs what other input does."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    currency: str = "USD"


def list_price(model_name: str, base_url: str = "") -> Price | None:
    """The provider's price of today; None if nobody lists this model.

    The same model has another price with another provider: `base_url` says which, else its maker's price is given.
    Where a price rises with the length of the question, this is the lowest step.
    """
    from genai_prices.data_snapshot import get_snapshot  # 300 ms to import, and only the admin asks.

    name, model = model_name.strip(), None
    for url in [base_url, None] if base_url else [None]:
        try:
            _, model = get_snapshot().find_provider_model(name, None, None, url)
            break
        except LookupError:
            continue
    if model is None:
        return None
    found = model.get_prices(datetime.now(UTC))
    input_, output, cached = (_base(getattr(found, key)) for key in ("input_mtok", "output_mtok", "cache_read_mtok"))
    if input_ is None or output is None:
        return None
    return Price(input_, output, cached)


def cost(usage: Usage, price: Price) -> Decimal:
    """In the currency of the price, six places, half a millionth rounded up. Tokens nobody counted cost nothing."""
    asked = usage.input_tokens or 0
    cached = min(usage.cached_tokens or 0, asked)
    per_cached = price.input if price.cached is None else price.cached
    total = (asked - cached) * price.input + cached * per_cached + (usage.output_tokens or 0) * price.output
    return (total / MILLION).quantize(SIX_PLACES, ROUND_HALF_UP)


def _base(value: Any) -> Decimal | None:
    value = getattr(value, "base", value)
    return value if isinstance(value, Decimal) else None
