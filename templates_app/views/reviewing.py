"""One suggestion: read, discussed, and decided by those who may edit the template, or keep the public library."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from promptlib.core.merging import posted_choices
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms import AcceptanceForm, CommentForm, RejectionForm
from templates_app.models import PromptTemplate, Suggestion
from templates_app.suggestion_page import SuggestionPage
from templates_app.variables import ContractError
from templates_app.views import access


@login_required
@require_safe
def show(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    return _page(request, *_visible(request, pk, suggestion_pk))


@login_required
@require_POST
def accept(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    template, suggestion = _decidable(request, pk, suggestion_pk)
    form = AcceptanceForm(request.POST)
    if not form.is_valid():
        return _again(request, pk, suggestion_pk, 409 if form.is_stale else 422)
    try:
        version = services.accept_suggestion(
            suggestion,
            by=request.user,
            seen=form.cleaned_data["seen"],
            seen_number=form.cleaned_data["number"],
            note=form.cleaned_data["note"],
            **posted_choices(request.POST),
        )
    except services.Undecided:
        return _again(request, pk, suggestion_pk, 422, undecided=True)
    except ContractError as error:
        return _again(request, pk, suggestion_pk, 422, mistakes=error.errors)
    except (services.StaleReview, services.AlreadyDecided):
        return _again(request, pk, suggestion_pk, 409)
    if version is not None:
        notify(request, _("Accepted as version %(number)d.") % {"number": version.number})
    return redirect(template)


@login_required
@require_POST
def reject(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    template, suggestion = _decidable(request, pk, suggestion_pk)
    form = RejectionForm(request.POST)
    if not form.is_valid():
        return _page(request, template, suggestion, status=422, rejection_form=form)
    try:
        services.reject_suggestion(suggestion, by=request.user, reason=form.cleaned_data["reason"])
    except services.AlreadyDecided:
        return _again(request, pk, suggestion_pk, 409, rejection_form=form)
    notify(request, _("Rejected. Its author can read why."))
    return redirect(suggestion)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    _template, suggestion = _visible(request, pk, suggestion_pk)
    if suggestion.author_id != request.user.pk:
        raise Http404
    try:
        services.withdraw_suggestion(suggestion, by=request.user)
    except services.AlreadyDecided:
        return _again(request, pk, suggestion_pk, 409)
    notify(request, _("Your suggestion is withdrawn."))
    return redirect(suggestion)


@login_required
@require_POST
def reopen(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    template, suggestion = _visible(request, pk, suggestion_pk)
    is_mine = suggestion.author_id == request.user.pk
    if not is_mine and (suggestion.status == Suggestion.Status.WITHDRAWN or not _may_decide(request, template)):
        raise Http404
    try:
        services.reopen_suggestion(suggestion, by=request.user)
    except services.AlreadyDecided:
        return _again(request, pk, suggestion_pk, 409)
    notify(request, _("The suggestion is open again."))
    return redirect(suggestion)


@login_required
@require_POST
def comment(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> HttpResponse:
    template, suggestion = _visible(request, pk, suggestion_pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _page(request, template, suggestion, status=422, comment_form=form)
    services.comment_suggestion(suggestion, author=request.user, text=form.cleaned_data["text"])
    return redirect(f"{suggestion.get_absolute_url()}#discussion")


def _visible(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> tuple[PromptTemplate, Suggestion]:
    template = access.visible(request, pk)
    related = template.suggestions.select_related("author", "reviewer", "base_version", "accepted_version")
    return template, get_object_or_404(related, pk=suggestion_pk)


def _decidable(request: HttpRequest, pk: UUID, suggestion_pk: UUID) -> tuple[PromptTemplate, Suggestion]:
    template, suggestion = _visible(request, pk, suggestion_pk)
    if not _may_decide(request, template):
        raise Http404
    return template, suggestion


def _may_decide(request: HttpRequest, template: PromptTemplate) -> bool:
    """Whoever may edit the template, and for a public one the curators."""
    if template.owner_id == request.user.pk:
        return True
    if PromptTemplate.objects.editable_by(request.user).filter(pk=template.pk).exists():
        return True
    return template.visibility == PromptTemplate.Visibility.PUBLIC and request.user.has_perm(access.CURATE)


def _again(request: HttpRequest, pk: UUID, suggestion_pk: UUID, status: int, **context: Any) -> HttpResponse:
    """The page as things are now, with what was posted: somebody was quicker, or something is still to be decided."""
    return _page(request, *_visible(request, pk, suggestion_pk), status=status, **context)


def _page(
    request: HttpRequest,
    template: PromptTemplate,
    suggestion: Suggestion,
    *,
    status: int = 200,
    rejection_form: RejectionForm | None = None,
    comment_form: CommentForm | None = None,
    **context: Any,
) -> HttpResponse:
    page = SuggestionPage(
        template,
        suggestion,
        request.user,
        can_decide=_may_decide(request, template),
        posted=request.POST.dict(),
        rejection_form=rejection_form,
        comment_form=comment_form,
        cursor=request.GET.get("comments"),
    )
    context |= {"page": page, "template": template, "suggestion": suggestion, "status": status}
    return render(request, "templates_app/suggestion.html", context, status=status)
