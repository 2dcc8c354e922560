"""What one follows: what changed in it, and all of it, to follow no longer."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from promptlib.site.following import followed_conversations, followed_templates, what_changed

LISTS = {"templates": followed_templates, "conversations": followed_conversations}


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`of` says what is listed: `templates`, `conversations`, or by default what changed."""
    chosen = request.GET.get("of", "")
    context: dict[str, Any] = {"tabs": _tabs(chosen), "of": chosen if chosen in LISTS else "changes"}
    if chosen in LISTS:
        context["page"] = LISTS[chosen](request.user, request.GET.get("cursor"))
    else:
        context["changed"] = what_changed(request.user)
    return render(request, "site/following.html", context)


def _tabs(chosen: str) -> list[dict[str, object]]:
    names = {"": _("What changed"), "templates": _("Templates"), "conversations": _("Conversations")}
    here, is_known = reverse("site:following"), chosen in LISTS
    return [
        {
            "label": label,
            "url": f"{here}?of={name}" if name else here,
            "count": None,
            "current": name == chosen if is_known else not name,
        }
        for name, label in names.items()
    ]
