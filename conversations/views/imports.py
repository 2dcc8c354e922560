"""Bringing conversations in: upload, see what it would do, run it, see what it does and did."""

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.import_form import UploadForm
from conversations.import_jobs import begin, go_on, keep_upload
from conversations.importers import ImportFileError
from conversations.imports_page import ImportPage
from conversations.models import ConversationImport
from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify

PAGE_SIZE = 20


@login_required
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            return redirect("conversations:import", keep_upload(request.user, file=file, filename=file.name).pk)
        except ImportFileError as error:
            form.add_error("file", forms.ValidationError(str(error)))
    mine = ConversationImport.objects.filter(owner=request.user.pk).defer("outcomes")
    page = KeysetPage(mine, order=("-id",), cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    rows = [(upload, ImportPage(upload, {})) for upload in page.items]
    context = {"form": form, "page": page, "rows": rows}
    return render(request, "conversations/imports.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_GET
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _mine(request, pk)
    name = "_import" if getattr(request, "htmx", None) else "import"
    return render(request, f"conversations/{name}.html", {"upload": upload, "shown": ImportPage(upload, request.GET)})


@login_required
@require_POST
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _mine(request, pk)
    begin(upload)
    return _to(upload)


@login_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take up what broke off. It may have gone on by itself meanwhile: then the page shows that."""
    upload = _mine(request, pk)
    go_on(upload)
    return _to(upload)


@login_required
@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Forget the upload, or the result; a worker that is at it stops, and what was imported stays."""
    upload = _mine(request, pk)
    upload.delete()
    notify(request, _("“%(file)s” is forgotten. What was imported from it stays.") % {"file": upload.filename})
    return redirect("conversations:imports")


def _mine(request: HttpRequest, pk: UUID) -> ConversationImport:
    return get_object_or_404(ConversationImport.objects.filter(owner=request.user.pk), pk=pk)


def _to(upload: ConversationImport) -> HttpResponse:
    response = redirect("conversations:import", upload.pk)
    return HttpResponseRedirect(response.headers["Location"], status=303)
