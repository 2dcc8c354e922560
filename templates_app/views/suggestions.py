"""Proposing a change of a template that need not be one's own, and reading what others proposed."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.diffing import content_differences
from templates_app.forms import SuggestionForm
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion
from templates_app.views import access
from templates_app.writing_page import WritingPage

PAGE_SIZE = 20
TEXTS = ("system_prompt", "body", "examples", "variables", "parameters")


@login_required
@require_safe
def index(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    status = request.GET.get("status", "")
    chosen = Suggestion.Status(status if status in Suggestion.Status.values else Suggestion.Status.OPEN)
    page = KeysetPage(
        _listed(template).filter(status=chosen), order=("-id",), cursor=request.GET.get("cursor"), size=PAGE_SIZE
    )
    context = {"template": template, "page": page, "status": chosen, "tabs": _tabs(template, chosen)}
    return render(request, "templates_app/suggestions.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def suggest(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    form = _form(request, template)
    if not form.is_bound or not form.is_valid():
        return _page(request, template, form)
    message = form.cleaned_data["message"]
    suggestion = services.suggest_change(form.base_version, author=request.user, message=message, **form.content)
    notify(request, _("Your suggestion is with those who keep the template."))
    return redirect(suggestion)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    """Change one's own suggestion, unless it was decided, or changed in another window, meanwhile (409)."""
    template = access.visible(request, pk)
    suggestion = _own(request, template, suggestion_pk)
    if request.method != "POST" and not suggestion.is_open:
        return redirect(suggestion)
    form = _form(request, template, suggestion_pk)
    if not form.is_bound or not form.is_valid():
        return _page(request, template, form)
    message, seen = form.cleaned_data["message"], form.cleaned_data["seen"]
    try:
        services.change_suggestion(suggestion, by=request.user, seen=seen, message=message, **form.content)
    except services.StaleReview as stale:
        return _stale(request, template, stale.suggestion)
    except services.AlreadyDecided as decided:
        return _page(request, template, form, status=409, decided=decided.suggestion)
    notify(request, _("Your suggestion is changed."))
    return redirect(suggestion)


@login_required
@require_POST
def variables(request: HttpRequest, pk: UUID, suggestion_pk: UUID | None = None) -> HttpResponse:
    """The form again, with a row for every variable that its texts name. Nothing is saved."""
    template = access.visible(request, pk)
    form = _form(request, template, suggestion_pk, is_quiet=True)
    return _again(request, template, form, "templates_app/_contract.html")


@login_required
@require_POST
def examples(request: HttpRequest, pk: UUID, suggestion_pk: UUID | None = None) -> HttpResponse:
    """The form again, with room for one example more. Nothing is saved."""
    template = access.visible(request, pk)
    form = _form(request, template, suggestion_pk, is_quiet=True)
    form.examples.add_pair()
    return _again(request, template, form, "templates_app/_examples.html")


@login_required
@require_POST
def preview(request: HttpRequest, pk: UUID, suggestion_pk: UUID | None = None) -> HttpResponse:
    """The form again, with what it becomes. Nothing is saved."""
    template = access.visible(request, pk)
    form = _form(request, template, suggestion_pk, is_quiet=True)
    return _again(request, template, form, "templates_app/_preview.html")


def _listed(template: PromptTemplate) -> QuerySet[Suggestion]:
    """The suggestions of a template as a list shows them: without their texts, with the number of comments."""
    comments = SuggestionComment.objects.filter(suggestion=OuterRef("pk")).order_by().values("suggestion")
    counted = Subquery(comments.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
    related = ("author", "reviewer", "base_version", "accepted_version")
    unread = [f"{version}{name}" for version in ("", "base_version__", "accepted_version__") for name in TEXTS]
    queryset = Suggestion.objects.filter(template=template).select_related(*related).defer(*unread)
    return queryset.annotate(comment_count=Coalesce(counted, 0))


def _tabs(template: PromptTemplate, chosen: Suggestion.Status) -> list[dict[str, object]]:
    counts = dict(template.suggestions.order_by().values_list("status").annotate(count=Count("pk")))
    labels = {
        Suggestion.Status.OPEN: _("Open"),
        Suggestion.Status.ACCEPTED: _("Accepted"),
        Suggestion.Status.REJECTED: _("Rejected"),
        Suggestion.Status.WITHDRAWN: _("Withdrawn"),
    }
    return [
        {"label": label, "url": f"?status={status}", "count": counts.get(status, 0), "current": status == chosen}
        for status, label in labels.items()
    ]


def _form(
    request: HttpRequest, template: PromptTemplate, suggestion_pk: UUID | None = None, *, is_quiet: bool = False
) -> SuggestionForm:
    suggestion = None if suggestion_pk is None else _own(request, template, suggestion_pk)
    base = suggestion.base_version if suggestion else _base(request, template)
    data = request.POST if request.method == "POST" else None
    return SuggestionForm(data, base_version=base, user=request.user, suggestion=suggestion, is_quiet=is_quiet)


def _base(request: HttpRequest, template: PromptTemplate) -> TemplateVersion:
    """The version that is to be changed: the one that the form or the address names, else the current one."""
    number = request.POST.get("version") or request.GET.get("version", "")
    if number.isdecimal() and len(number) < 10:
        return get_object_or_404(template.versions, number=number)
    if template.current_version is None:
        raise Http404
    return template.current_version


def _own(request: HttpRequest, template: PromptTemplate, suggestion_pk: UUID) -> Suggestion:
    """The person's own suggestion: nobody else changes it."""
    mine = template.suggestions.filter(author=request.user.pk).select_related("base_version")
    return get_object_or_404(mine, pk=suggestion_pk)


def _stale(request: HttpRequest, template: PromptTemplate, current: Suggestion) -> HttpResponse:
    """Changed in another window meanwhile: what was typed stays in the form, which now starts from what is saved."""
    data = request.POST.copy()
    data["seen"] = current.stamp
    form = SuggestionForm(data, base_version=current.base_version, user=request.user, suggestion=current)
    changes = content_differences(current, form.content) if form.is_valid() else None
    return _page(request, template, form, status=409, changes=changes)


def _again(request: HttpRequest, template: PromptTemplate, form: SuggestionForm, fragment: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, fragment, _context(request, template, form))
    return _page(request, template, form, status=200)


def _page(
    request: HttpRequest, template: PromptTemplate, form: SuggestionForm, *, status: int = 0, **context: object
) -> HttpResponse:
    status = status or (422 if form.is_bound else 200)
    context = {**_context(request, template, form), "status": status, **context}
    return render(request, "templates_app/suggest.html", context, status=status)


def _context(request: HttpRequest, template: PromptTemplate, form: SuggestionForm) -> dict[str, object]:
    """What the page needs, and each of its fragments, which are those of the editor at other addresses."""
    args = [template.pk, *([form.suggestion.pk] if form.suggestion else [])]
    kind = "edit_suggestion" if form.suggestion else "suggest"
    steps = {"find": "_variables", "add": "_examples", "preview": "_preview", "save": ""}
    return {
        "template": template,
        "form": form,
        "page": WritingPage(form, None, request.user),
        "urls": {step: reverse(f"templates_app:{kind}{name}", args=args) for step, name in steps.items()},
    }
