"""All versions of a template, and an old one made the newest again."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.measures import add_p95
from templates_app.models import Label, TemplateVersion
from templates_app.variables import ContractError
from templates_app.views import access

PAGE_SIZE = 30
MEASURED = 8


@access.open_to_visitors
@require_safe
def versions(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    labels = Prefetch("labels", Label.objects.order_by("name"))
    queryset = template.versions.defer(*TemplateVersion.CONTENT).select_related("author").prefetch_related(labels)
    page: KeysetPage[Any] = KeysetPage(queryset, order=("-number",), cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    add_p95(page.items, most=MEASURED)
    can_edit = template.is_editable_by(request.user)
    return render(
        request, "templates_app/versions.html", {"template": template, "versions": page, "can_edit": can_edit}
    )


@login_required
@require_POST
def restore(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """The old version's content as the next version."""
    template = access.editable(request, pk)
    version = get_object_or_404(template.versions, number=number)
    before = template.current_version_id
    try:
        restored = services.restore_version(template, version, by=request.user)
    except ContractError as error:
        notify(request, _("v%(number)s was not restored. %(why)s") % {"number": number, "why": error})
        return redirect(version)
    if restored.pk == before:
        notify(request, _("v%(current)s says what v%(number)s says.") % {"current": restored.number, "number": number})
    else:
        notify(request, _("v%(number)s is restored as v%(new)s.") % {"number": number, "new": restored.number})
    return redirect(template)
