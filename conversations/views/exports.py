"""Taking conversations out: one, a selection, or all."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.export_page import ExportChoice
from conversations.exporters import FORMATS, export
from conversations.views import access
from templates_app.models import PromptTemplate
from templates_app.views.imports import attachment


@login_required
@require_GET
def one(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The conversation as a file (`?format=`); without a format, the page to choose one."""
    conversation = access.read(request, pk)
    if not request.GET.get("format"):
        context = {"conversation": conversation, "formats": FORMATS.values()}
        return render(request, "conversations/export.html", context)
    return _download(request, [conversation.pk], PromptTemplate.slug_of(conversation.title)[:80])


@login_required
@require_GET
def many(request: HttpRequest) -> HttpResponseBase:
    """A selection (`ids`), all that is one's own, or all; without a format, the page to choose one."""
    chosen = ExportChoice(request.GET, request.user)
    if not request.GET.get("format"):
        context = {"chosen": chosen, "formats": FORMATS.values()}
        return render(request, "conversations/export.html", context)
    return _download(request, chosen.pks, f"conversations-{timezone.localdate():%Y-%m-%d}")


def _download(request: HttpRequest, pks: list[UUID], name: str) -> HttpResponseBase:
    format_ = FORMATS.get(request.GET["format"])
    if format_ is None:
        raise Http404
    exported = export(pks, format_, reader=request.user, name=name)
    response = StreamingHttpResponse(exported.chunks, content_type=exported.content_type)
    response.headers["Content-Disposition"] = attachment(exported.filename)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
