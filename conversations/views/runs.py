"""The runs of a template: what came of it, as far as one may see that; and one more, its values checked."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from conversations import services
from conversations.forms import RunForm
from conversations.models import AIModel, Conversation, Prompt
from conversations.run_filter import RunFilter
from conversations.views import access
from conversations.views.answers import asked_several
from promptlib.core.pagination import KeysetPage, capped_count
from templates_app.models import TemplateVersion
from templates_app.views import access as templates
from templates_app.views.detail import page, posted_values

COUNTED = 1_000
PAGE_SIZE = 30
LONG_TEXTS = ("system_prompt", "input_text", "response_text", "metadata", "parameters")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def runs(request: HttpRequest, pk: UUID) -> HttpResponse:
    return create(request, pk) if request.method == "POST" else index(request, pk)


def index(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The latest first. The template's own count is of everybody's runs; here are those that this person may see."""
    template = templates.visible(request, pk)
    chosen = RunFilter(request.GET, queryset=Prompt.objects.visible_to(request.user), template=template)
    related = (
        Prefetch("conversation", Conversation.objects.only("title")),
        Prefetch("author", get_user_model().all_objects.only("display_name", "handle", "email")),
        Prefetch("template_version", TemplateVersion.objects.only("number", "variables")),
    )
    rows = chosen.rows.defer(*LONG_TEXTS).prefetch_related(*related)
    size = request.user.rows_per_page or PAGE_SIZE  # type: ignore[union-attr]  # signed in
    found = KeysetPage(rows, order=("-created_at", "-id"), cursor=request.GET.get("cursor"), size=size)
    count, is_capped = capped_count(chosen.rows, COUNTED)
    context = {"template": template, "filter": chosen, "page": found, "count": count, "is_capped": is_capped}
    name = "_runs" if getattr(request, "htmx", None) else "runs"
    return render(request, f"conversations/{name}.html", context, status=200 if chosen.is_valid() else 422)


def create(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Run the version that was filled in, or the current one. A value that does not do is told at its field (422)."""
    template = templates.visible(request, pk)
    values = posted_values(request, template)
    run = RunForm(request.POST)
    is_ready = run.is_valid() & values.is_valid()  # both, so that each says what is wrong with it
    chosen = run.cleaned_data.get("conversation")
    conversation = access.write(request, chosen) if chosen else None
    if not is_ready:
        return page(request, template, form=values, status=422, extra={"run_form": run})
    target = services.Target(conversation, title=template.title)
    key = _key(run.cleaned_data["key"], request.POST.get("value_set", ""))
    try:
        return _run(values, target, request.user, run.cleaned_data["models"], key)
    except services.LimitReached as error:
        run.add_error(None, error.message)
        return page(request, template, form=values, status=422, extra={"run_form": run})


def _run(values: Any, target: services.Target, author: Any, models: list[AIModel], key: str) -> HttpResponse:
    """One model's answer is read in its thread, those of several side by side."""

    def first(model: AIModel | None, key: str) -> Prompt:
        return services.run_version(
            version=values.version, values=values.values, target=target, author=author, model=model, key=key
        )

    if len(models) > 1:
        return asked_several(services.ask_several(first, models=models, author=author, key=key))
    prompt = first(models[0] if models else None, key)
    return HttpResponseRedirect(f"{prompt.conversation.get_absolute_url()}#p-{prompt.pk}", status=303)


def _key(key: str, value_set: str) -> str:
    """One page may run several sets of values, each of them once."""
    return f"{key[:32]}{value_set.replace('-', '')[:32]}" if key and value_set else key
