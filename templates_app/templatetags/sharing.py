"""What the pages of teams and templates say about who sees what."""

from typing import Any

from django import template
from django.template import Context

from promptlib.core.pagination import KeysetPage
from templates_app.models import Grant, PromptTemplate

register = template.Library()

TEAM_TEMPLATES = 15


@register.inclusion_tag("templates_app/_team_templates.html", takes_context=True)
def team_templates(context: Context, team: Any) -> dict[str, Any]:
    """The templates that are shared with a team, latest first; two queries. The page's parameter is `shared`."""
    request = context["request"]
    visible = PromptTemplate.objects.visible_to(request.user).exclude(visibility="private")
    grants = Grant.objects.filter(team=team, template__in=visible).select_related("template", "template__owner")
    page = KeysetPage(grants, order=("-id",), cursor=request.GET.get("shared"), size=TEAM_TEMPLATES)
    return {"page": page, "request": request}
