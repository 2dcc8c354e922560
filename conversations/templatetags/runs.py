"""What the page of a template shows to run it: who answers, where it goes, and about what it costs."""

import contextlib
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.utils import timezone

from conversations.forms import RunForm
from conversations.models import AIModel, Conversation, Prompt
from conversations.services import saving
from templates_app.models import PromptTemplate, TemplateVersion
from templates_app.rendering import estimate_tokens

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
        "estimate": estimated_cost(version, _preferred(version, models) or next(iter(models), None)),
        "copy_from": copy_from,
    }


@register.simple_tag(takes_context=True)
def made_of(context: Context, template: PromptTemplate) -> Prompt | None:
    """The interaction that the template was made of, if who looks may see it. One query."""
    return saving.made_of(template, context["request"].user)


def estimated_cost(version: TemplateVersion, model: AIModel | None) -> dict[str, Any] | None:
    """About what a run costs: what runs of this version cost on average, else reading it once. None without a price."""
    price = model.price_on(timezone.now().date()) if model else None
    if price is None:
        return None
    runs = version.success_count
    if runs:
        tokens_in, tokens_out = Decimal(version.input_tokens) / runs, Decimal(version.output_tokens) / runs
    else:
        tokens_in, tokens_out = Decimal(estimate_tokens(version.system_prompt + version.body)), Decimal(0)
    cost = (tokens_in * price.input_price + tokens_out * price.output_price) / 1_000_000
    return {"cost": cost, "currency": price.currency, "is_measured": bool(runs)} if cost else None


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
