"""What people read when a call fails: what happened, why if known, what to do, and what it cost."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.providers.base import ProviderError

QUOTE_CHARS = 240
LONGEST_WAIT = 24 * 3600
OVERLOADED = (503, 529)
"""Answered in place of any work: 529 is Anthropic's own."""

_KEY = re.compile(r"(?:\bsk-|\bgsk_|\bhf_|\bxai-|\bAIza|\bBearer\s+)[\w.*-]{4,}|[\w-]{32,}")


def refused() -> ProviderError:
    return ProviderError(
        "refused",
        _(
            "The model could not be reached: nothing answers at its address. "
            "Try again later, or choose another model. Nothing was charged."
        ),
        is_repeatable=True,
    )


def connect_timeout(seconds: float) -> ProviderError:
    return ProviderError(
        "connect_timeout",
        _(
            "The model could not be reached within %(seconds)s seconds. "
            "Try again later, or choose another model. Nothing was charged."
        )
        % {"seconds": f"{seconds:g}"},
    )


def first_token_timeout(seconds: float) -> ProviderError:
    return ProviderError(
        "first_token_timeout",
        _(
            "The model did not answer within %(seconds)s seconds. "
            "Try again, or choose a model that takes more at once. "
            "The provider may charge for reading the question."
        )
        % {"seconds": f"{seconds:g}"},
    )


def stalled(seconds: float) -> ProviderError:
    return ProviderError(
        "stalled",
        _(
            "The model stopped writing and sent nothing for %(seconds)s seconds. What had arrived is kept. Try again. "
            "The provider may charge for this part."
        )
        % {"seconds": f"{seconds:g}"},
        interrupted=True,
    )


def total_timeout(seconds: float, *, interrupted: bool) -> ProviderError:
    return ProviderError(
        "total_timeout",
        _(
            "The answer was not finished after %(seconds)s seconds and was stopped. What had arrived is kept. "
            "Ask for less at once, or choose a faster model. The provider may charge for this part."
        )
        % {"seconds": f"{seconds:g}"},
        interrupted=interrupted,
    )


def reset(*, interrupted: bool) -> ProviderError:
    if interrupted:
        message = _(
            "The connection to the model broke while it was writing. What had arrived is kept. Try again. "
            "The provider may charge for this part."
        )
    else:
        message = _(
            "The connection to the model broke before it answered. Try again. "
            "The provider may charge for reading the question."
        )
    return ProviderError("reset", message, interrupted=interrupted)


def cut_off(*, interrupted: bool) -> ProviderError:
    return ProviderError(
        "cut_off",
        _(
            "The answer ended before it was whole. What had arrived is kept. Try again. "
            "The provider may charge for this part."
        ),
        interrupted=interrupted,
    )


def too_long(characters: int, *, interrupted: bool) -> ProviderError:
    return ProviderError(
        "too_long",
        _(
            "The answer grew past %(characters)s characters and was stopped. What had arrived is kept. "
            "Ask for a shorter answer. The provider may charge for this part."
        )
        % {"characters": f"{characters:,}"},
        interrupted=interrupted,
    )


def bad_response(*, interrupted: bool = False) -> ProviderError:
    if interrupted:
        message = _(
            "The model’s server sent something in the middle that is not part of an answer. What had arrived is kept. "
            "Try again, or choose another model. The provider may charge for this part."
        )
    else:
        message = _(
            "The model’s server sent something that is not an answer. Its address may be wrong: staff can correct it. "
            "Choose another model for now. Nothing was counted."
        )
    return ProviderError("bad_response", message, interrupted=interrupted)


def bad_key() -> ProviderError:
    return ProviderError(
        "unauthorized",
        _(
            "The key of this model cannot be sent, because it holds letters or signs that no key has. "
            "Staff can correct it. Choose another model for now. Nothing was charged."
        ),
    )


def bad_address() -> ProviderError:
    return ProviderError(
        "refused",
        _(
            "The address of this model is not a web address. Staff can correct it. "
            "Choose another model for now. Nothing was charged."
        ),
    )


def not_allowed() -> ProviderError:
    return ProviderError(
        "refused",
        _(
            "Questions may not be sent to the address of this model. Staff can correct it, or the operator can list "
            "its host in PROVIDER_HOSTS. Choose another model for now. Nothing was charged."
        ),
    )


def redirected() -> ProviderError:
    return ProviderError(
        "bad_response",
        _(
            "The model’s server sent us to another address, and questions are not sent on to places that staff did not "
            "choose. Staff can correct the address. Choose another model for now. Nothing was charged."
        ),
    )


def from_status(status: int, headers: Mapping[str, str], payload: Any, api_key: str) -> ProviderError:
    """The error for an answer other than 200; `payload` is its body, parsed where it was JSON."""
    said = _quote(payload, api_key)
    if status == 429:
        return _rate_limited(said, retry_after(headers), is_repeatable=True)
    if status in (401, 403):
        return ProviderError(
            "unauthorized",
            _join(
                _("The provider did not accept the key of this model (%(status)d).") % {"status": status},
                said,
                _("Staff can correct it. Choose another model for now. Nothing was charged."),
            ),
        )
    if status == 404:
        return ProviderError(
            "bad_request",
            _join(
                _("The provider does not know this model, or its address is wrong (404)."),
                said,
                _("Staff can correct it. Choose another model for now. Nothing was charged."),
            ),
        )
    if 400 <= status < 500:
        return ProviderError(
            "bad_request",
            _join(
                _("The provider could not take this question (%(status)d).") % {"status": status},
                said,
                _("Change the text or the settings, or choose another model. Nothing was charged."),
            ),
        )
    if status >= 500:
        return ProviderError(
            "server_error",
            _join(
                _("The provider failed (%(status)d).") % {"status": status},
                said,
                _("Try again, or choose another model. Nothing was charged."),
            ),
            retry_after=retry_after(headers),
            is_repeatable=status in OVERLOADED,
        )
    return bad_response()


def from_stream(error: Any, api_key: str, *, interrupted: bool) -> ProviderError:
    """The error that a provider reported inside a stream it had begun with 200."""
    said = _quote({"error": error}, api_key)
    named = f"{error.get('code', '')} {error.get('type', '')}" if isinstance(error, dict) else ""
    if "429" in named or "rate_limit" in named:
        found = _rate_limited(said, None)
        found.interrupted = interrupted
        return found
    if interrupted:
        advice = _("What had arrived is kept. Try again. The provider may charge for this part.")
    else:
        advice = _("Try again, or choose another model. The provider may charge for reading the question.")
    return ProviderError(
        "server_error", _join(_("The provider failed while answering."), said, advice), interrupted=interrupted
    )


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds, from a header that gives seconds or a date (RFC 9110); None if absent or senseless."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else _until(value)
    except (ValueError, OverflowError):
        return None
    return min(max(-int(-seconds // 1), 0), LONGEST_WAIT)


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _rate_limited(said: str, wait: int | None, *, is_repeatable: bool = False) -> ProviderError:
    if wait:
        advice = ngettext(
            "Try again in %(wait)d second. Nothing was charged.",
            "Try again in %(wait)d seconds. Nothing was charged.",
            wait,
        ) % {"wait": wait}
    else:
        advice = _("Try again in a little while, or choose another model. Nothing was charged.")
    return ProviderError(
        "rate_limited",
        _join(_("The provider takes no more questions at the moment (429)."), said, advice),
        retry_after=wait,
        is_repeatable=is_repeatable,
    )


def _quote(payload: Any, api_key: str) -> str:
    """The provider's own words as a sentence, shortened, without anything that looks like a key; "" if it gave none."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if isinstance(payload, dict):
        payload = next((payload[name] for name in ("error", "message", "detail") if payload.get(name)), "")
    if isinstance(payload, dict):
        payload = payload.get("message") or payload.get("type") or ""
    if not isinstance(payload, str) or payload.lstrip().startswith("<"):
        return ""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in payload[:4000]).split())
    if len(api_key) >= 6:
        words = words.replace(api_key, "…")
    words = Truncator(_KEY.sub("…", words)).chars(QUOTE_CHARS)
    return _("It said: “%(words)s”.") % {"words": words.rstrip(".")} if words else ""


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
