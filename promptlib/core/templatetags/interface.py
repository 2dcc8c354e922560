"""The interface's tags and filters: icons, numbers, money, times, people, and the blocks that frame other markup.

A template builtin: every template has it without `{% load %}`. Leaf components are templates under `components/`,
included with `only`; those that frame other markup (panel, menu, dialog …) are block tags over the same files.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.core.signals import setting_changed
from django.http import QueryDict
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from promptlib.core.toasts import UNDO_TAG

register = template.Library()

NBSP = "\N{NO-BREAK SPACE}"
THEMES = ("system", "light", "dark")
CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩"}
HUES = 6


# ---- icons and stars -------------------------------------------------------


@register.simple_tag
def icon(name: str, size: str = "", tone: str = "", label: str = "") -> SafeString:
    """An icon of `icons.svg`: 16 px, 20 with `size="large"`; `tone` is good, bad or warn; silent without `label`."""
    return _icon(str(name), str(size), str(tone), str(label) + "")  # a text marked safe must not be cached as one


@lru_cache(maxsize=512)
def _icon(name: str, size: str, tone: str, label: str) -> SafeString:
    classes = " ".join(["icon", *(f"icon--{modifier}" for modifier in (size, tone) if modifier)])
    if label:
        spoken = format_html('role="img" aria-label="{}"', label)
    else:
        spoken = mark_safe('aria-hidden="true"')
    return format_html('<svg class="{}" {}><use href="{}#{}"/></svg>', classes, spoken, sprite(), name)


@register.simple_tag
@lru_cache(maxsize=1)
def sprite() -> str:
    """The address of the icon sprite."""
    return static("icons.svg")


def _forget_addresses(*, setting: str, **_kwargs: Any) -> None:
    if setting in {"STORAGES", "STATIC_URL", "STATIC_ROOT"}:
        _icon.cache_clear()
        sprite.cache_clear()


setting_changed.connect(_forget_addresses)


@register.filter
def star_width(score: Decimal | float | None) -> str:
    """How much of the hundred units of `#stars` a score from 0 to 5 fills, for the SVG's `width`."""
    return f"{max(0.0, min(5.0, float(score or 0))) * 20:.1f}"


# ---- numbers ---------------------------------------------------------------


@register.filter
def number(value: Any, places: int = 0) -> str:
    """1047 → 1,047. Nothing for None."""
    amount = _decimal(value)
    return "" if amount is None else _shown(amount, places)


@register.filter
def score(value: Any) -> str:
    """A rating with one decimal: 4.6. Nothing for None."""
    return number(value, 1)


@register.filter
def money(value: Any, currency: str | None = None) -> str:
    """€12.30, €0.42, and below ten cents two significant digits: €0.019, €0.0042. `currency` is an ISO code."""
    amount = _decimal(value)
    if amount is None:
        return ""
    code = (currency or settings.CURRENCY).upper()
    sign = CURRENCY_SIGNS.get(code, f"{code}{NBSP}")
    minus = "−" if amount < 0 else ""
    amount = abs(amount)
    places = 2
    if 0 < amount < Decimal("0.1"):
        amount = Decimal(f"{amount:.1e}").normalize()
        places = max(2, -int(amount.as_tuple().exponent))
    elif amount == 0:
        places = 0
    return f"{minus}{sign}{_shown(amount, places)}"


@register.filter
def seconds(milliseconds: Any) -> str:
    """A duration given in milliseconds: 850 ms, 2.1 s, 3 min 5 s."""
    amount = _decimal(milliseconds)
    if amount is None:
        return ""
    if round(amount) < 1000:
        return f"{number(amount)}{NBSP}{_('ms')}"
    if amount < 59_950:
        return f"{number(amount / 1000, 1)}{NBSP}{_('s')}"
    minutes, rest = divmod(round(amount / 1000), 60)
    return f"{number(minutes)}{NBSP}{_('min')} {rest}{NBSP}{_('s')}"


@register.filter
def percent(ratio: Any, places: int = 1) -> str:
    """A ratio from 0 to 1 as per cent: 0.981 → 98.1 %, 1 → 100 %."""
    amount = _decimal(ratio)
    if amount is None:
        return ""
    shown = round(amount * 100, places)
    return f"{_shown(shown, 0 if shown == shown.to_integral_value() else places)}{NBSP}%"


def _shown(amount: Decimal, places: int) -> str:
    """Rounded (Django's own formatting cuts off) and grouped as the language does it."""
    return number_format(amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), places, force_grouping=True)


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


# ---- time ------------------------------------------------------------------


@register.filter
def when(moment: dt.datetime | dt.date | None) -> SafeString | str:
    """A `<time>`: today 14:41, 5 Nov, 5 Nov 2025; the full time in its title. In the reader's time zone."""
    if moment is None:
        return ""
    if isinstance(moment, dt.datetime):
        moment = timezone.localtime(moment) if timezone.is_aware(moment) else moment
        title = f"{date_format(moment, 'j F Y, H:i')} {moment.tzname() or ''}".strip()
    else:
        title = date_format(moment, "j F Y")
    return format_html('<time datetime="{}" title="{}">{}</time>', _iso(moment), title, short_date(moment))


def _iso(moment: dt.datetime | dt.date) -> str:
    return moment.isoformat(timespec="seconds") if isinstance(moment, dt.datetime) else moment.isoformat()


@register.filter
def short_date(moment: dt.datetime | dt.date | None) -> str:
    """The words of `when` without the element: today 14:41, 5 Nov, 5 Nov 2025."""
    if moment is None:
        return ""
    today = timezone.localdate()
    day = moment
    if isinstance(moment, dt.datetime):
        moment = timezone.localtime(moment) if timezone.is_aware(moment) else moment
        day = moment.date()
        if day == today:
            return _("today %(time)s") % {"time": time_format(moment, "H:i")}
    elif day == today:
        return _("today")
    return date_format(day, "j M" if day.year == today.year else "j M Y")


# ---- people and models -----------------------------------------------------


@register.filter
def avatar_hue(key: UUID | int | str | None) -> int:
    """One of the six hues, from an id: always the same for the same person."""
    if isinstance(key, UUID):
        key = key.int
    elif not isinstance(key, int):
        key = zlib.crc32(str(key or "").encode())
    return key % HUES + 1


@register.filter
def initials(name: Any) -> str:
    """Two letters for an avatar: the first of the first and of the last word; `?` for nobody."""
    words = [word for word in str(name or "").partition("@")[0].replace(".", " ").replace("_", " ").split() if word]
    letters = [next((sign for sign in word if sign.isalnum()), "") for word in (words[:1] + words[1:][-1:])]
    return "".join(letters).upper() or "?"


@register.filter
def person_name(person: Any) -> str:
    """The name a person goes by; a deleted or unknown one has one too."""
    if not person:
        return _("Somebody")
    return str(getattr(person, "display_name", "") or person)


@register.filter
def model_mark(name: Any) -> str:
    """The letter of a model's avatar: `mistralai/mistral-small` → M."""
    last = str(name or "").rpartition("/")[2]
    return next((sign.upper() for sign in last if sign.isalnum()), "?")


# ---- the page around -------------------------------------------------------


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """system, light or dark: this device's choice (a cookie that a script sets), else the person's preference."""
    request = getattr(context, "request", None)
    if request is None:
        return "system"
    chosen = request.COOKIES.get("theme") or preference(context, "theme")
    return chosen if chosen in THEMES else "system"


@register.simple_tag(takes_context=True)
def preference(context: Context, name: str) -> Any:
    """One of the signed-in person's preferences; None when unset or signed out."""
    user = getattr(getattr(context, "request", None), "user", None)
    preferences = getattr(user, "preferences", None)
    if isinstance(preferences, Mapping):
        return preferences.get(name)
    return getattr(preferences, name, None)


@register.simple_tag(takes_context=True)
def current(context: Context, url: str | None) -> SafeString:
    """` aria-current="page"` when this request is at or under `url`."""
    request = getattr(context, "request", None)
    here = bool(url) and request is not None and request.path.startswith(url)
    return mark_safe(' aria-current="page"') if here else SafeString("")


@register.simple_tag(takes_context=True)
def page_url(context: Context, param: str, cursor: str | None) -> str:
    """This page's query string with `param` set to `cursor` and everything else kept."""
    request = getattr(context, "request", None)
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    query.pop(param, None)
    if cursor:
        query[param] = cursor
    return f"?{query.urlencode()}"


@register.simple_tag
def sign_up_url() -> str:
    """Where a stranger signs up; empty unless registration is open."""
    try:
        return reverse("account_signup") if settings.REGISTRATION == "open" else ""
    except NoReverseMatch:
        return ""


@register.simple_tag
def public_library() -> bool:
    """Whether visitors read what is public without signing in."""
    return settings.PUBLIC_LIBRARY


@register.filter
def undo_url(message: Message) -> str:
    """The local address that takes back what a message tells of, as `toasts.notify(…, undo=…)` left it; or nothing."""
    for tag in (message.extra_tags or "").split():
        if tag.startswith(UNDO_TAG):
            url = tag.removeprefix(UNDO_TAG)
            return url if url.startswith("/") and not url.startswith(("//", "/\\")) else ""
    return ""


# ---- blocks: components around other markup --------------------------------


def _block(name: str, content: str, values: dict[str, Any]) -> SafeString:
    return render_to_string(f"components/{name}.html", {"content": mark_safe(content.strip()), **values})


@register.simple_block_tag
def panel(content: str, title: str, **values: Any) -> SafeString:
    """`{% panel "Details" note="…" form=True id="…" %}…{% endpanel %}`: see components/panel.html."""
    return _block("panel", content, {"title": title, **values})


@register.simple_block_tag
def menu(content: str, label: str, **values: Any) -> SafeString:
    """`{% menu "More actions" icon="more" %}…{% endmenu %}`: see components/menu.html."""
    return _block("menu", content, {"label": label, **values})


@register.simple_block_tag
def banner(content: str, tone: str = "", **values: Any) -> SafeString:
    """`{% banner "bad" alert=True %}<p>…</p>{% endbanner %}`: see components/banner.html."""
    return _block("banner", content, {"tone": tone, **values})


@register.simple_block_tag
def empty_state(content: str, title: str, **values: Any) -> SafeString:
    """`{% empty_state "No reviews yet" text="…" %}ways out{% endempty_state %}`: see components/empty.html."""
    return _block("empty", content, {"title": title, **values})


@register.simple_block_tag
def dialog(content: str, key: str, title: str, **values: Any) -> SafeString:
    """`{% dialog "delete" "Delete 4 things?" text="…" %}buttons{% enddialog %}`: see components/dialog.html."""
    return _block("dialog", content, {"id": key, "title": title, **values})


@register.simple_block_tag
def table_wrap(content: str, label: str, **values: Any) -> SafeString:
    """`{% table_wrap "Versions" %}<table class="table">…{% endtable_wrap %}`: scrolls sideways, focusable and named."""
    return _block("table_wrap", content, {"label": label, **values})
