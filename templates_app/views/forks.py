"""Forks of a template, where they come from, and what a fork takes in of its original's later work."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.merging import posted_choices
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.diffing import content_differences
from templates_app.forms.fork import ForkForm
from templates_app.lineage import Lineage, News, original_of
from templates_app.models import PromptTemplate, TemplateVersion
from templates_app.variables import ContractError
from templates_app.views import access


@access.open_to_visitors
@require_http_methods(["GET", "HEAD", "POST"])
def forks(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The tree around a template, and the form that adds to it."""
    template = access.visible(request, pk)
    number = request.GET.get("version", "")
    asked = int(number) if number.isdecimal() and len(number) < 10 else None
    form = ForkForm(request.POST if request.method == "POST" else None, template=template, number=asked)
    if form.is_valid():
        try:
            fork = services.fork_template(
                form.cleaned_data["version"], owner=request.user, title=form.cleaned_data["title"]
            )
        except ContractError as error:
            form.add_error("version", " ".join(error.errors))
        else:
            notify(request, _("“%(title)s” is yours now.") % {"title": fork.title})
            return redirect(fork)
    lineage = Lineage(template, request.user, request.GET.get("cursor"))
    context = {"template": template, "lineage": lineage, "form": form}
    return render(request, "templates_app/lineage.html", context, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upstream(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the original changed since the fork last took its work in; a POST takes it in."""
    template, news = _fork(request, pk)
    if request.method != "POST":
        return _preview(request, template, news, _version(news, str(news.latest)))
    theirs = _version(news, request.POST.get("version", ""))
    revision = request.POST.get("revision", "")
    try:
        version = services.merge_upstream(
            template,
            by=request.user,
            base_revision=int(revision) if revision.isdecimal() and len(revision) < 10 else -1,
            theirs=theirs,
            **posted_choices(request.POST),
        )
    except services.NotThatFar:
        return redirect("templates_app:upstream", pk)
    except services.StaleEdit as stale:
        problem = _("Somebody saved this template while you decided. Your choices are still here: look once more.")
        return _preview(request, stale.current, news, theirs, problem=problem, status=409)
    except services.Undecided:
        return _preview(request, template, news, theirs, problem=_("Decide what both changed."), status=422)
    except ContractError as error:
        return _preview(request, template, news, theirs, problem=" ".join(error.errors), status=422)
    notify(request, _("v%(number)s holds what the original changed.") % {"number": version.number})
    return redirect(template)


@login_required
@require_POST
def preview_upstream(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the fork would become with the posted choices. Nothing is saved."""
    template, news = _fork(request, pk)
    return _preview(request, template, news, _version(news, request.POST.get("version", "")))


@login_required
@require_POST
def ignore_upstream(request: HttpRequest, pk: UUID) -> HttpResponse:
    template, news = _fork(request, pk)
    services.ignore_upstream(template, number=_version(news, request.POST.get("version", "")).number)
    notify(request, _("You will hear of the original when it moves again."))
    return redirect(template)


def _fork(request: HttpRequest, pk: UUID) -> tuple[PromptTemplate, News]:
    template = access.editable(request, pk)
    news = original_of(template, request.user)
    if news is None or template.current_version is None:
        raise Http404
    return template, news


def _version(news: News, number: str) -> TemplateVersion:
    if not number.isdecimal() or len(number) > 9:
        raise Http404
    return get_object_or_404(news.original.versions.select_related("author"), number=number)


def _preview(
    request: HttpRequest,
    template: PromptTemplate,
    news: News,
    theirs: TemplateVersion,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    base = TemplateVersion.objects.get(pk=news.base_pk)
    merge = services.merge_of(base, template, theirs, **posted_choices(request.POST))
    context: dict[str, Any] = {
        "template": template,
        "news": news,
        "base": base,
        "theirs": theirs,
        "merge": merge,
        "changes": content_differences(base, theirs),
        "result": content_differences(template.current_version, merge.content),
        "problem": problem,
    }
    return render(request, "templates_app/upstream.html", context, status=status)
