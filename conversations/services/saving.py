"""From an interaction to a template: what is proposed, and what is kept, with the link both ways."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Length

from conversations.models import Prompt, SavedTemplate
from conversations.proposing import Proposal, Question, propose
from templates_app.models import PromptTemplate
from templates_app.services import create_template

EARLIER = 400
LONGEST = 10_000
"""Longer questions are compared with nothing: what varies in them is what was pasted."""


def propose_template(prompt: Prompt, *, by: Any) -> Proposal:
    """What varies between this question and the person's latest 400 others that they may still see. One query."""
    if len(prompt.input_text) > LONGEST:
        return Proposal(prompt.input_text)
    mine = Prompt.objects.visible_to(by).filter(author=by.pk).exclude(pk=prompt.pk)
    mine = mine.alias(length=Length("input_text")).filter(length__lte=LONGEST).only("input_text", "conversation_id")
    earlier = [Question(each.pk, each.input_text, each.get_absolute_url()) for each in mine.order_by("-pk")[:EARLIER]]
    return propose(prompt.input_text, earlier)


def saved_from(prompts: Sequence[Prompt], reader: Any) -> list[SavedTemplate]:
    """The templates that were made of these, as far as the reader may see them. One query."""
    visible = PromptTemplate.objects.visible_to(reader)
    made = SavedTemplate.objects.filter(prompt__in=[prompt.pk for prompt in prompts], template__in=visible)
    return list(made.select_related("template").order_by("pk"))


def made_of(template: PromptTemplate, reader: Any) -> Prompt | None:
    """The interaction that a template was made of, if the reader may see it. One query; none for a fork."""
    if template.forked_from_id:
        return None
    made = Prompt.objects.visible_to(reader).filter(saved_templates__template=template)
    return made.select_related("conversation").first()


@transaction.atomic
def save_as_template(
    prompt: Prompt,
    *,
    owner: Any,
    details: Mapping[str, Any],
    content: Mapping[str, Any],
    change_note: str,
    pk: UUID | None,
) -> PromptTemplate:
    """A `pk` that is given makes a repeated call an IntegrityError. Raises ContractError."""
    template = create_template(owner=owner, pk=pk, **details, **content, change_note=change_note)
    SavedTemplate.objects.create(prompt=prompt, template=template)
    return template
