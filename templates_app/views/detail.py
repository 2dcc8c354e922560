"""The page of a template, and what it becomes with values filled in."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from templates_app.forms import VariablesForm, values_data
from templates_app.models import PromptTemplate
from templates_app.template_page import TemplatePage
from templates_app.views import access


@access.open_to_visitors
@require_safe
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    return page(request, access.visible_with_facts(request, pk))


@access.open_to_visitors
@require_safe
def version(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    return page(request, access.visible_with_facts(request, pk), number=number)


@login_required
@require_POST
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The prompt with the posted values, of version `version` or the current one; 422 while they do not do."""
    template = access.visible(request, pk)
    form = posted_values(request, template)
    status = 200 if form.is_valid() else 422
    return page(request, template, form=form, view="filled", fragment="templates_app/_filled.html", status=status)


def posted_values(request: HttpRequest, template: PromptTemplate) -> VariablesForm:
    """The values of a request for the version that it names (`version`, a number), else for the current one.

    With `value_set` they are those of that set, whatever else the form holds.
    """
    number = request.POST.get("version", "")
    if not number.isdecimal() or len(number) > 9:
        number = str(template.current_version.number) if template.current_version else ""
    chosen = get_object_or_404(template.versions, number=number or 0)
    if pk := request.POST.get("value_set"):
        return VariablesForm(chosen, values_data(chosen, access.value_set(request, template, pk).values))
    return VariablesForm(chosen, request.POST)


def page(
    request: HttpRequest,
    template: PromptTemplate,
    *,
    fragment: str = "",
    status: int = 200,
    extra: dict[str, Any] | None = None,
    **choices: Any,
) -> HttpResponse:
    """The template's page, or for htmx the `fragment` of it. Runs that are refused come back here, with `form`."""
    shown = TemplatePage(template, request.user, query=request.GET.dict(), **choices)
    name = fragment if fragment and request.htmx else "templates_app/detail.html"  # type: ignore[attr-defined]
    context = {"page": shown, "template": template, "version": shown.version, "form": shown.form, **(extra or {})}
    return render(request, name, context, status=status)
