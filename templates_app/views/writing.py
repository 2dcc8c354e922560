"""Writing a template: a new one, and the next version of one that is there."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.toasts import notify
from templates_app import services
from templates_app.diffing import Difference, differences
from templates_app.forms import TemplateForm
from templates_app.models import PromptTemplate
from templates_app.views import access
from templates_app.words import COMMON_LANGUAGES


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = _new_form(request)
    if request.method == "POST" and form.is_valid():
        template = services.create_template(
            owner=request.user, **form.details, **form.content, change_note=form.cleaned_data["change_note"]
        )
        notify(request, _("“%(template)s” is in your library.") % {"template": template})
        return redirect(template)
    return _page(request, form, status=422 if form.is_bound else 200)


@login_required
@require_POST
def create_variables(request: HttpRequest) -> HttpResponse:
    """The new template's form again, with a row for every variable that its text names. Nothing is saved."""
    return _variables(request, _new_form(request))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.editable(request, pk)
    form = TemplateForm(request.POST or None, instance=template, user=request.user)
    if not form.is_bound or not form.is_valid():
        return _page(request, form, status=422 if form.is_bound else 200)
    before = template.current_version_id
    try:
        version = services.edit_template(
            template,
            author=request.user,
            base_revision=form.cleaned_data["revision"],
            details=form.details,
            content=form.content,
            change_note=form.cleaned_data["change_note"],
        )
    except services.StaleEdit as stale:
        return _stale(request, stale.current, form)
    saved = (
        _("Saved as version %(number)s.") if version.pk != before else _("Saved. The text is still version %(number)s.")
    )
    notify(request, saved % {"number": version.number})
    return redirect(template)


@login_required
@require_POST
def edit_variables(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The template's form again, with a row for every variable that its text names. Nothing is saved."""
    template = access.editable(request, pk)
    return _variables(request, TemplateForm(request.POST, instance=template, user=request.user))


def _new_form(request: HttpRequest) -> TemplateForm:
    instance = PromptTemplate(owner=request.user, title=request.GET.get("title", "")[:200])  # type: ignore[misc]
    return TemplateForm(request.POST or None, instance=instance, user=request.user)


def _variables(request: HttpRequest, form: TemplateForm) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, "templates_app/_contract.html", {"form": form, "saved": _saved(form)})
    return _page(request, form)


def _saved(form: TemplateForm) -> PromptTemplate | None:
    """The template as it is in the database; None for a new one. (The form has its own, with what was typed.)"""
    return (
        None
        if form.instance._state.adding
        else PromptTemplate.objects.select_related("current_version").get(pk=form.instance.pk)
    )


def _stale(request: HttpRequest, current: PromptTemplate, form: TemplateForm) -> HttpResponse:
    """Both texts side by side; what was typed stays in the form, which now starts from what is saved."""
    changes: list[Difference] = differences(current, form)
    data = request.POST.copy()
    data["revision"] = str(current.revision)
    again = TemplateForm(data, instance=current, user=request.user)
    return _page(request, again, status=409, changes=changes, current=current)


def _page(request: HttpRequest, form: TemplateForm, *, status: int = 200, **context: object) -> HttpResponse:
    context = {"form": form, "saved": _saved(form), "languages": COMMON_LANGUAGES, "status": status, **context}
    return render(request, "templates_app/edit.html", context, status=status)
