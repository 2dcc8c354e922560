"""What somebody typed and did not save: kept as they type, shown again when they come back."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from promptlib.core.toasts import notify
from templates_app import services
from templates_app.views import access


@login_required
@require_POST
def keep(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Keep the posted form. Without a script the button "Keep for later" sends it."""
    template = None if pk is None else access.editable(request, pk)
    revision = request.POST.get("revision", "")
    draft = services.keep_draft(
        user=request.user,
        template=template,
        base_revision=int(revision) if revision.isdecimal() and len(revision) < 10 else 0,
        data={name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"},
    )
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, "templates_app/_draft_kept.html", {"draft": draft})
    notify(request, _("Kept for later. Nobody else sees it, and the template is as it was."))
    return redirect("templates_app:edit", template.pk) if template else redirect("templates_app:create")


@login_required
@require_POST
def discard(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    template = None if pk is None else access.editable(request, pk)
    if services.discard_draft(user=request.user, template=template):
        notify(request, _("Your unsaved changes are gone."))
    return redirect("templates_app:edit", template.pk) if template else redirect("templates_app:create")
