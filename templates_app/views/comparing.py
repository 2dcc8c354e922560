"""Two versions of a template compared."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from templates_app.comparing import Comparison
from templates_app.views import access


@access.open_to_visitors
@require_safe
def compare(request: HttpRequest, pk: UUID, old: int, new: int) -> HttpResponse:
    template = access.visible(request, pk)
    comparison = Comparison(template, request.user, old, new, request.GET.get("view", ""))
    return render(request, "templates_app/compare.html", {"template": template, "comparison": comparison})


@access.open_to_visitors
@require_safe
def choose_versions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """From the form with `from` and `to` to the address of the comparison; without them to the latest change."""
    template = access.visible(request, pk)
    current = template.current_version.number if template.current_version else 0
    new = _number(request, "to", current)
    return redirect("templates_app:compare", pk, _number(request, "from", max(new - 1, 1)), new)


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    if text and (not text.isdecimal() or len(text) > 9):
        raise Http404
    return int(text or default)
