"""What the pages about accounts need: who is asked, which device it was, which of one's own pages this is."""

import re
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
OWN_PAGES = (
    ("accounts:profile", gettext_lazy("Profile"), "pencil"),
    ("accounts:preferences", gettext_lazy("Preferences"), "filter"),
    ("account_email", gettext_lazy("E-mail address"), "send"),
    ("account_change_password", gettext_lazy("Password"), "lock"),
    ("mfa_index", gettext_lazy("Second factor"), "shield"),
    ("mfa_list_webauthn", gettext_lazy("Passkeys"), "key"),
    ("usersessions_list", gettext_lazy("Devices"), "globe"),
    ("accounts:data", gettext_lazy("Your data"), "download"),
    ("accounts:close", gettext_lazy("Close the account"), "cross"),
)


@register.simple_tag
def registration() -> str:
    """open, invite or closed."""
    return settings.REGISTRATION


@register.simple_tag
def contact() -> str:
    """Whom people ask who cannot come in; empty where nobody is named."""
    return settings.CONTACT


@register.filter
def device(user_agent: str) -> str:
    """ "Firefox on Linux", from what a browser calls itself (a guess: it may say what it likes)."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or re.split(r"[/ ]", user_agent.strip(), maxsplit=1)[0][:40] or _("Unknown device")


@register.simple_tag(takes_context=True)
def own_pages(context: Context) -> list[dict[str, Any]]:
    """The pages of "Your account", the current one marked: the one whose address is longest of those we are under."""
    path = context["request"].path
    pages: list[dict[str, Any]] = [
        {"url": reverse(name), "label": label, "icon": icon} for name, label, icon in OWN_PAGES
    ]
    here = [page for page in pages if path.startswith(page["url"])]
    for page in pages:
        page["current"] = bool(here) and page is max(here, key=lambda one: len(one["url"]))
    return pages


@register.filter
def text_file(lines: list[str]) -> str:
    """A `data:` address whose download is a text file of these lines: no request, nothing kept on the server."""
    return "data:text/plain;charset=utf-8," + quote("".join(f"{line}\n" for line in lines))
