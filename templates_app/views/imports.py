"""Bringing a collection in: upload, see what it would do, run it, see what it did, take back what was rejected."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify
from templates_app.forms.exchange import RunForm, UploadForm
from templates_app.importers import ImportFileError
from templates_app.importing import Choice
from templates_app.importing.uploads import keep_upload, rejected_records
from templates_app.importing.uploads import run as run_upload
from templates_app.imports_page import ImportPage
from templates_app.models import LibraryImport

CHOICE = "choice-"
PAGE_SIZE = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = keep_upload(request.user, data=file.read(), filename=file.name, format=form.cleaned_data["format"])
            return redirect("templates_app:import", upload.pk)
        except ImportFileError as error:
            form.add_error("file", str(error))
    mine = LibraryImport.objects.filter(owner=request.user.pk).defer("content", "outcomes")
    page = KeysetPage(mine, order=("-id",), cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    status = 422 if request.method == "POST" else 200
    return render(request, "templates_app/imports.html", {"form": form, "page": page}, status=status)


@login_required
@require_safe
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, _mine(request, pk), RunForm())


@login_required
@require_POST
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _mine(request, pk, with_content=True)
    form = RunForm(request.POST)
    if not form.is_valid():
        return _page(request, upload, form, status=422)
    if upload.finished_at is None and run_upload(
        upload,
        by=request.user,
        visibility=form.cleaned_data["visibility"],
        category=form.cleaned_data["category"],
        conflicts=Choice(form.cleaned_data["conflicts"]),
        choices=_choices(request, upload),
    ):
        notify(request, _("“%(file)s” is imported.") % {"file": upload.filename})
    return redirect("templates_app:import", upload.pk)


@login_required
@require_safe
def rejected(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = rejected_records(_mine(request, pk, with_content=True))
    if found is None:
        raise Http404
    response = HttpResponse(found[1], content_type="application/octet-stream")
    response.headers["Content-Disposition"] = attachment(found[0])
    return response


@login_required
@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Forget the upload, or the result; what was imported stays."""
    _mine(request, pk).delete()
    return redirect("templates_app:imports")


def attachment(filename: str) -> str:
    """The header that makes a download of an answer, for a name in any script."""
    return content_disposition_header(as_attachment=True, filename=filename) or "attachment"


def _mine(request: HttpRequest, pk: UUID, *, with_content: bool = False) -> LibraryImport:
    mine = LibraryImport.objects.filter(owner=request.user.pk)
    return get_object_or_404(mine if with_content else mine.defer("content"), pk=pk)


def _choices(request: HttpRequest, upload: LibraryImport) -> dict[str, Choice]:
    """The choices for single records, by their places; a select of the page is named by the record's number."""
    chosen: dict[str, Choice] = {}
    for number, told in enumerate(upload.outcomes):
        value = request.POST.get(f"{CHOICE}{number}", "")
        if value in {choice.value for choice in Choice}:
            chosen[told["place"]] = Choice(value)
    return chosen


def _page(request: HttpRequest, upload: LibraryImport, form: RunForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"upload": upload, "shown": ImportPage(upload, request.GET), "form": form}
    return render(request, "templates_app/import.html", context, status=status)
