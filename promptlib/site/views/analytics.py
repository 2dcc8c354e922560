"""What was used, failed and paid for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from conversations.services.limits import standings
from promptlib.site import analytics
from promptlib.site.forms import PERIODS, PeriodForm


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.GET)
    form.is_valid()  # a choice that makes no sense is the usual one
    first, person = form.first_day(), form.cleaned_data.get("person") if request.user.is_staff else None
    rows = analytics.usage_of(request.user, person, first)
    days = analytics.by_day(rows, first)
    people = analytics.by_person(rows) if request.user.is_staff and not person else []
    models = analytics.by_model(rows)
    context = {
        "form": form,
        "person": person,
        "days": len(days),
        "periods": _periods(len(days), person.handle if person else ""),
        "total": analytics.total(rows),
        "charts": analytics.day_charts(days),
        "models": models,
        "top_runs": max((use.runs for use in models), default=0),
        "people": people,
        "top_cost": max((use.cost for use in people), default=0),
        "limits": standings(person or request.user),
        "templates": analytics.templates(request.user),
    }
    return render(request, "site/analytics.html", context)


def _periods(chosen: int, handle: str) -> list[dict[str, object]]:
    names = {7: _("7 days"), 30: _("30 days"), 365: _("12 months")}
    person = {"person": handle} if handle else {}
    return [
        {"label": names[days], "url": f"?{urlencode({'days': str(days), **person})}", "current": days == chosen}
        for days in PERIODS
    ]
