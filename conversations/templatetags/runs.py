"""What the page of a template shows to run it: who answers, where it goes, and about what it costs."""

import contextlib
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django import template
from django.template import Context

from conversations.forms import RunForm
from conversations.models import AIModel, Conversation, Prompt
from conversations.services import saving
from conversations.services.estimating import Forecast, forecast
from templates_app.models import PromptTemplate, TemplateVersion

register = template.Library()

CONVERSATIONS_OFFERED = 20


@register.inclusion_tag("conversations/_run_panel.html", takes_context=True)
def run_panel(context: Context, version: TemplateVersion, copy_from: str = "[data-preview]") -> dict[str, Any]:
    """The foot of a form that posts values to `conversations:runs`. Three queries.

    `copy_from` is the selector of the filled-in text. After a mistake the page's context holds the `run_form`.
    """
    request = context["request"]
    models = list(AIModel.objects.usable())
    form = context.get("run_form") or RunForm(
        models=models, preferred=_preferred(version, models), initial={"key": uuid4().hex, "version": version.number}
    )
    chosen = str(form["conversation"].value() or request.GET.get("conversation") or "")
    return {
        "form": form,
        "conversations": _conversations(request.user, chosen),
        "chosen": chosen,
        "forecast": forecast_of(version, models, str(form["model"].value() or "")),
        "copy_from": copy_from,
    }


@register.simple_tag(takes_context=True)
def made_of(context: Context, template: PromptTemplate) -> Prompt | None:
    """The interaction that the template was made of, if who looks may see it."""
    return saving.made_of(template, context["request"].user)


def forecast_of(version: TemplateVersion, models: list[AIModel], chosen: str) -> Forecast:
    """About what a run takes: what runs of this version took on average, else reading it once. One query."""
    runs = version.success_count
    if not runs:
        return forecast(models, chosen, version.system_prompt + version.body, ())
    empty = forecast(models, chosen, "", [round(version.output_tokens / runs)])
    return replace(empty, input_tokens=round(version.input_tokens / runs))


def _preferred(version: TemplateVersion, models: list[AIModel]) -> AIModel | None:
    """The model that the version was written for, if it is offered."""
    return next((model for model in models if model.name == version.parameters.get("model")), None)


def _conversations(user: Any, chosen: str) -> list[Conversation]:
    """Those last active; the one that the person comes from is always among them."""
    mine = Conversation.objects.editable_by(user).filter(archived_at__isnull=True)
    newest = mine.filter(participants__user=user).order_by("-participants__last_activity_at")
    found = list(newest.only("pk", "title")[:CONVERSATIONS_OFFERED])
    if chosen and chosen not in {str(each.pk) for each in found}:
        with contextlib.suppress(ValueError):
            found += list(Conversation.objects.editable_by(user).filter(pk=UUID(chosen)))
    return found
