"""What the thread page and its parts are drawn from."""

from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from audit.history.news import News, is_long_ago
from conversations.changes import is_changed, news_for
from conversations.forms import AskForm
from conversations.models import AIModel, Conversation, Participant, Prompt
from conversations.querysets import WRITERS
from conversations.services import Turn, Window, answers_beside, load_turn, load_window
from conversations.services.estimating import Forecast, forecast
from conversations.services.news import newest_of
from conversations.services.saving import saved_from
from conversations.services.splitting import split_source
from conversations.services.thread import load_prompts
from conversations.services.totals import totals_of
from promptlib.core.ids import as_uuid
from templates_app.models import PromptTemplate


def thread_context(request: HttpRequest, conversation: Conversation, form: AskForm | None = None) -> dict[str, Any]:
    """Everything of the page, in about eight queries."""
    people = conversation.participants.living().select_related("user").order_by("created_at", "pk")
    seats = list(people.annotate(newest=newest_of(conversation), is_changed=is_changed(request.user)))
    mine = next((seat for seat in seats if seat.user_id == request.user.pk), None)
    where = {name: as_uuid(request.GET.get(name)) for name in ("at", "before", "after", "upto")}
    window = load_window(
        conversation,
        **where,
        leaf=mine.leaf_id if mine else None,
        read_at=mine.last_read_at if mine else None,
        reader=request.user,
    )
    changed = news_for(mine) if mine else News()
    models = list(AIModel.objects.usable())
    leaf = window.leaf.pk if window.leaf else None
    branches_at = window.turns[-1] if window.leaf and leaf == where["upto"] else None
    form = form or AskForm(
        models=models,
        preferred=_preferred(conversation, window.leaf),
        initial={"after": leaf if branches_at else None, "leaf": leaf, "key": uuid4().hex},
    )
    return {
        **_shared(request, [turn.prompt for turn in window.turns], mine, models),
        "conversation": conversation,
        "seats": seats,
        "newest": mine.newest if mine else None,
        "pinned_at": mine.pinned_at if mine else None,
        "tags": [row.tag for row in conversation.tag_rows.select_related("tag").order_by("tag__slug")],
        "window": window,
        "totals": totals_of(conversation),
        "refresh_url": _refresh_url(request, window),
        "is_followed": mine is not None and mine.unfollowed_at is None,
        "changed": changed,
        "has_news": mine is not None and (bool(changed) or _is_look_due(mine, conversation)),
        "way_taken": leaf if mine and where["at"] and leaf != mine.leaf_id else None,
        "branches_at": branches_at,
        "split_from": split_source(conversation, request.user),
        "form": form,
        "forecast": _forecast(conversation, window, models, str(form["model"].value() or "")),
    }


def turn_context(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    """What one turn alone is drawn from, for the fragment that replaces it."""
    turn: Turn = load_turn(prompt)
    mine = Participant.objects.filter(conversation=prompt.conversation_id, user=request.user.pk).first()
    shared = _shared(request, [turn.prompt], mine, list(AIModel.objects.usable()))
    return {**shared, "conversation": prompt.conversation, "turn": turn, "totals": totals_of(prompt.conversation)}


def answers_context(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    """What the answers to one question are drawn from, side by side."""
    prompts = load_prompts(answers_beside(prompt))
    turns = [Turn(each, 0, [each.pk]) for each in prompts]
    mine = Participant.objects.filter(conversation=prompt.conversation_id, user=request.user.pk).first()
    window = Window(turns)
    shared = _shared(request, prompts, mine, list(AIModel.objects.usable()))
    refresh = {"refresh_url": _refresh_url(request, window)}
    return {**shared, **refresh, "conversation": prompt.conversation, "prompt": prompt, "turns": turns}


def _shared(
    request: HttpRequest, prompts: list[Prompt], mine: Participant | None, models: list[AIModel]
) -> dict[str, Any]:
    used = {prompt.template_version.template_id for prompt in prompts if prompt.template_version}
    # A conversation may be shared with people who may not see the template it was asked with.
    visible = PromptTemplate.objects.visible_to(request.user).filter(pk__in=used) if used else ()
    return {
        "role": mine.role if mine else "",
        "can_write": mine is not None and mine.role in WRITERS,
        "is_owner": mine is not None and mine.role == Participant.Role.OWNER,
        "models": models,
        "marked": request.GET.get("q", "").strip(),
        "saved_templates": saved_from(prompts, request.user),
        "visible_templates": {template.pk: template for template in visible},
    }


def _forecast(conversation: Conversation, window: Window, models: list[AIModel], chosen: str) -> Forecast:
    """By what is on the page: what was said before is read again, and answers were as long as the next one may be."""
    prompts = [turn.prompt for turn in window.turns]
    said = [text for each in prompts for text in (each.input_text, each.response_text)]
    outputs = [each.output_tokens for each in prompts if each.output_tokens]
    return forecast(models, chosen, "\n".join([conversation.system_prompt, *said]), outputs)


def _preferred(conversation: Conversation, leaf: Prompt | None) -> AIModel | None:
    """The model that answered last, else the conversation's own."""
    return (leaf.ai_model if leaf else None) or conversation.model


def _refresh_url(request: HttpRequest, window: Window) -> str:
    """Where a browser without a script looks again: at the answer. Always another address, or it would only scroll."""
    waiting = next((turn.prompt.pk for turn in window.turns if turn.is_waiting), None)
    if waiting is None:
        return ""
    query = request.GET.copy()
    looked = query.get("look", "")
    query["look"] = str(int(looked) % 1000 + 1 if looked.isascii() and looked.isdigit() else 1)
    return f"?{query.urlencode()}#p-{waiting}"


def _is_look_due(seat: Participant, conversation: Conversation) -> bool:
    """Whether to note that they looked: something was asked since, or the last note is old."""
    active_at = conversation.last_prompt_at or conversation.created_at
    return seat.last_read_at is None or seat.last_read_at < active_at or is_long_ago(seat.last_read_at)
