"""Writing a template: a new one, and the next version of one that is there. Without a `pk` it is a new one."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.toasts import notify
from templates_app import services
from templates_app.editor import EditMerge, rebuilt
from templates_app.forms import TemplateForm
from templates_app.forms.sides import read_key
from templates_app.models import PromptTemplate
from templates_app.views import access
from templates_app.words import COMMON_LANGUAGES
from templates_app.writing_page import WritingPage, restored


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        form, draft = restored(_new(request), user=request.user, is_new=True)
        return _page(request, WritingPage(form, None, request.user, draft=draft))
    form = _posted(request, None)
    if not form.is_valid():
        return _page(request, WritingPage(form, None, request.user), status=422)
    key = read_key(form.cleaned_data["key"])
    note = form.cleaned_data["change_note"]
    try:
        made = services.create_template(owner=request.user, pk=key, **form.details, **form.content, change_note=note)
    except IntegrityError:  # the same page was sent twice
        made = get_object_or_404(PromptTemplate.objects.owned_by(request.user), pk=key)
    services.discard_draft(user=request.user, template=None)
    notify(request, _("“%(template)s” is in your library.") % {"template": made})
    return redirect(made)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Save, unless the form does not do (422), breaks what nobody agreed to (422), or somebody was quicker (409)."""
    template = access.editable(request, pk)
    if request.method != "POST":
        form, draft = restored(template, user=request.user)
        return _page(request, WritingPage(form, template, request.user, draft=draft))
    form = _decided(request, _posted(request, pk), pk)
    page = WritingPage(form, template, request.user)
    if not form.is_valid():
        return _page(request, page, status=422)
    if page.is_stale:
        return _stale(request, form, pk)
    if page.breakage and request.POST.get("accepted") != page.breakage.key:
        page.is_broken = True
        return _page(request, page, status=422)
    try:
        version = _save(request, template, form)
    except services.StaleEdit:
        return _stale(request, form, pk)
    return _done(request, template, is_new=version.pk != template.current_version_id, number=version.number)


@login_required
@require_POST
def variables(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """The form again, with a row for every variable that its texts name. Nothing is saved."""
    return _again(request, pk, _posted(request, pk, is_quiet=True), "templates_app/_contract.html")


@login_required
@require_POST
def examples(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """The form again, with room for one example more, or for htmx that alone. Nothing is saved."""
    form = _posted(request, pk, is_quiet=True)
    pair = form.examples.add_pair()
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, "templates_app/_example.html", {"pair": pair, "number": len(form.examples.pairs)})
    return _again(request, pk, form, "templates_app/_examples.html")


@login_required
@require_POST
def preview(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """The form again, with what it becomes: its defaults and examples filled in, its choices made."""
    form = _posted(request, pk, is_quiet=True)
    if pk is not None and EditMerge.posted(request.POST):
        decided = _decided(request, _posted(request, pk), pk, is_kept=True)
        form = decided if decided.is_valid() else form
    return _again(request, pk, form, "templates_app/_preview.html")


def _new(request: HttpRequest) -> PromptTemplate:
    return PromptTemplate(owner=request.user, title=request.GET.get("title", "")[:200])  # type: ignore[misc]


def _posted(request: HttpRequest, pk: UUID | None, *, is_quiet: bool = False) -> TemplateForm:
    """What was posted, on a template of its own: judging a form changes the object it has."""
    instance = _new(request) if pk is None else access.editable(request, pk)
    return TemplateForm(request.POST, instance=instance, user=request.user, is_quiet=is_quiet)


def _decided(request: HttpRequest, form: TemplateForm, pk: UUID, *, is_kept: bool = False) -> TemplateForm:
    """The form with the choices of its merge made, if it comes from one; with `is_kept` it may still be changed."""
    merge = EditMerge.posted(request.POST)
    if merge is None or not form.is_valid():
        return form
    state = merge.decide(form.state, request.POST)
    kept = {"merge": merge.token} if is_kept else {}
    return rebuilt(form, state, access.editable(request, pk), user=request.user, **kept)


def _save(request: HttpRequest, template: PromptTemplate, form: TemplateForm) -> Any:
    saved = PromptTemplate.objects.get(pk=template.pk)
    version = services.edit_template(
        saved,
        author=request.user,
        base_revision=form.cleaned_data["revision"],
        details=form.details,
        content=form.content,
        change_note=form.cleaned_data["change_note"],
        renames=form.contract.renames,
    )
    services.discard_draft(user=request.user, template=template)
    return version


def _stale(request: HttpRequest, form: TemplateForm, pk: UUID) -> HttpResponse:
    """Theirs merged into what was typed, and what contradicts it to decide on: nothing is saved, nothing lost."""
    current = access.editable(request, pk)
    merge = EditMerge.between(form, current)
    if merge.is_nothing and current.current_version:
        services.discard_draft(user=request.user, template=current)
        return _done(request, current, is_new=True, number=current.current_version.number)
    merged = merge.form(form, current, user=request.user)
    return _page(request, WritingPage(merged, current, request.user, merge=merge), status=409)


def _done(request: HttpRequest, template: PromptTemplate, *, is_new: bool, number: int) -> HttpResponse:
    said = _("Saved as version %(number)s.") if is_new else _("Saved. The text is still version %(number)s.")
    notify(request, said % {"number": number})
    return redirect(template)


def _again(request: HttpRequest, pk: UUID | None, form: TemplateForm, fragment: str) -> HttpResponse:
    saved = None if pk is None else form.instance if form.is_quiet else access.editable(request, pk)
    page = WritingPage(form, saved, request.user)
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, fragment, {"page": page, "form": form, "saved": saved})
    return _page(request, page)


def _page(request: HttpRequest, page: WritingPage, *, status: int = 200) -> HttpResponse:
    context = {"page": page, "form": page.form, "saved": page.saved, "languages": COMMON_LANGUAGES, "status": status}
    return render(request, "templates_app/edit.html", context, status=status)
