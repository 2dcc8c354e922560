"""The form in which an interaction becomes a template, filled in with what is proposed."""

from typing import Any

from conversations.models import Prompt
from conversations.proposing import Proposal
from templates_app.forms import TemplateForm
from templates_app.forms.sides import new_key
from templates_app.forms.template import state_data
from templates_app.importers.language import detect_language
from templates_app.importers.records import cut
from templates_app.models import PromptTemplate
from templates_app.variables import contract_to_json

TITLE_CHARS = 100
TEXTS_AGAIN = {
    "variables": "templates_app/_contract.html",
    "examples": "templates_app/_example.html",
    "preview": "templates_app/_preview.html",
}


def proposed_form(prompt: Prompt, proposal: Proposal, instance: PromptTemplate, *, user: Any) -> TemplateForm:
    """As if it had been typed, and not judged yet."""
    first_line = next((line for line in prompt.input_text.splitlines() if line.strip()), "")
    parameters = {name: value for name, value in prompt.parameters.items() if name != "stream"}
    state = {
        "title": cut(first_line, TITLE_CHARS) or prompt.conversation.title[:TITLE_CHARS],
        "summary": "",
        "language": detect_language(prompt.input_text),
        "visibility": PromptTemplate.Visibility.PRIVATE,
        "status": PromptTemplate.Status.PUBLISHED,
        "category": "",
        "tags": [],
        "system_prompt": prompt.system_prompt or prompt.conversation.system_prompt,
        "body": proposal.body,
        "examples": [],
        "variables": contract_to_json([each.variable for each in proposal.variables]),
        "parameters": {**parameters, **({"model": prompt.model} if prompt.model else {})},
    }
    data = {"revision": "0", "key": new_key(), "change_note": "", **state_data(state)}
    return TemplateForm(data, instance=instance, user=user, is_quiet=True)
