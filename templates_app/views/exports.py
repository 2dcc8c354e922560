"""Taking templates out: one, a selection, what the filters leave, or all."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from templates_app.export_page import ExportChoice
from templates_app.exporters import FORMATS, export
from templates_app.filters import TemplateFilter
from templates_app.library import library_of
from templates_app.models import PromptTemplate
from templates_app.views import access
from templates_app.views.imports import attachment


@login_required
@require_safe
def one(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The template as a file (`?format=`); without a format, the page to choose one."""
    template = access.visible(request, pk)
    if not request.GET.get("format"):
        return render(request, "templates_app/export.html", {"template": template, "formats": FORMATS.values()})
    return _download(request, [template.pk], PromptTemplate.slug_of(template.title)[:80])


@login_required
@require_safe
def many(request: HttpRequest) -> HttpResponseBase:
    """A selection (`ids`), what the library's filters leave, or all; without a format, the page to choose one."""
    filters = TemplateFilter(request.GET, queryset=library_of(request.user), request=request)
    chosen = ExportChoice(filters, request.user)
    if not request.GET.get("format"):
        context = {"chosen": chosen, "formats": FORMATS.values()}
        return render(request, "templates_app/export.html", context, status=200 if chosen.is_valid else 422)
    return _download(request, chosen.pks, f"promptlib-{timezone.localdate():%Y-%m-%d}")


def _download(request: HttpRequest, pks: list[UUID], name: str) -> HttpResponseBase:
    format_ = FORMATS.get(request.GET["format"])
    if format_ is None or not pks:
        raise Http404
    exported = export(pks, format_, reader=request.user, name=name)
    response = StreamingHttpResponse(exported.chunks, content_type=exported.content_type)
    response.headers["Content-Disposition"] = attachment(exported.filename)
    response.headers["Cache-Control"] = "private, no-store"
    return response
