"""The conversations of the demonstration: those that were written, and the everyday runs that are drawn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from audit.models import AuditLog
from conversations.models import Conversation, Participant, Prompt, PromptComment
from conversations.providers import Usage
from conversations.providers.prices import Price, cost
from conversations.services.messages import fill
from promptlib.site.demo.diary import Diary, insert
from promptlib.site.demo.library import SOURCE, Versions, planted_versions
from promptlib.site.demo.people import People
from promptlib.site.seed import SeedData, SeedError, expand_usage
from promptlib.site.seed.schema import Conversation as Thread
from promptlib.site.seed.schema import Interaction, Model
from promptlib.site.seed.usage import with_tokens
from templates_app.variables import clean_values, parse_contract

RECORDING = timedelta(minutes=3)
"""How long somebody took to bring back an answer from elsewhere."""
MEASURED = ("input_tokens", "output_tokens", "latency_ms", "cost", "currency", "finish_reason", "error_code")


def plant_conversations(data: SeedData, people: People, diary: Diary) -> dict[str, int]:
    """Add the conversations that are not here yet; returns how many, and how many interactions."""
    known = set(Conversation.all_objects.filter(source=SOURCE).values_list("source_id", flat=True))
    planter = _Planter(people, diary, planted_versions(), {model.name: model for model in data.models})
    for thread in [*data.conversations, *_everyday(data, known, diary)]:
        if thread.key not in known:
            planter.add(thread)
    planter.write()
    return {"conversations": len(planter.conversations), "interactions": len(planter.prompts)}


def _everyday(data: SeedData, known: set[str | None], diary: Diary) -> Iterator[Thread]:
    """The drawn runs, each following the one before. They depend on the day: what was drawn once is not drawn again."""
    templates = {template.slug: template for template in data.templates}
    drawn = {recipe.template for recipe in data.usage.recipes if any(_is_of(recipe.template, key) for key in known)}
    for thread in expand_usage(data.usage, templates, diary.today):
        if thread.interactions[0].template in drawn:
            continue
        chained = tuple(
            replace(run, parent=index - 1 if index else None, input_tokens=None)
            for index, run in enumerate(thread.interactions)
        )
        yield with_tokens(replace(thread, interactions=chained), templates)


def _is_of(slug: str, key: str | None) -> bool:
    return (key or "").startswith(f"usage-{slug}-")


class _Planter:
    """Collects the rows of all conversations, then inserts them kind by kind."""

    def __init__(self, people: People, diary: Diary, versions: Versions, models: dict[str, Model]) -> None:
        self.people, self.diary, self.versions, self.models = people, diary, versions, models
        self.conversations: list[Conversation] = []
        self.seats: list[Participant] = []
        self.prompts: list[Prompt] = []
        self.comments: list[PromptComment] = []

    def add(self, thread: Thread) -> None:
        times = [self.diary.moment(item.days_ago, item.time) for item in thread.interactions]
        conversation = Conversation(
            owner=self.people[thread.owner],
            title=thread.title,
            summary=thread.summary,
            system_prompt=thread.system_prompt,
            source=SOURCE,
            source_id=thread.key,
            **self.diary.dated(times[0], times[-1]),
        )
        self.conversations.append(conversation)
        self.diary.tell(conversation, conversation.owner, conversation.created_at, "title", "summary")
        prompts: list[Prompt] = []
        for item, at in zip(thread.interactions, times, strict=True):
            prompts.append(self._prompt(conversation, prompts, item, at))
        self.prompts += prompts
        self._seat(conversation, thread, prompts)

    def write(self) -> None:
        for rows in (self.conversations, self.seats, self.prompts, self.comments):
            insert(rows)

    # ---- interactions ----------------------------------------------------------

    def _prompt(self, conversation: Conversation, before: list[Prompt], item: Interaction, at: datetime) -> Prompt:
        took = RECORDING if item.status == Prompt.Status.RECORDED else timedelta(milliseconds=item.latency_ms or 0)
        prompt = Prompt(
            conversation=conversation,
            parent=before[item.parent] if item.parent is not None else None,
            author=self.people[item.author],
            response_text=item.response,
            status=item.status,
            error_code=item.error_code,
            error_message=item.error_message,
            provider=item.provider,
            model=item.model,
            input_tokens=item.input_tokens,
            output_tokens=item.output_tokens,
            latency_ms=item.latency_ms,
            first_token_ms=item.first_token_ms,
            finish_reason=item.finish_reason,
            feedback=item.feedback,
            feedback_note=item.feedback_note,
            completed_at=at + took,
            **self._asked(conversation, item),
            **self._cost(item),
            **self.diary.dated(at, at + took),
        )
        if prompt.parent is None and before:
            _join_attempts(before[0], prompt)
        self._tell(prompt)
        for comment in item.comments:
            said = self.diary.moment(comment.days_ago, comment.time)
            author = self.people[comment.user]
            self.comments.append(
                PromptComment(prompt=prompt, author=author, text=comment.text, **self.diary.dated(said))
            )
            self.diary.tell(self.comments[-1], author, said, "text")
        return prompt

    def _asked(self, conversation: Conversation, item: Interaction) -> dict[str, Any]:
        if not item.template:
            return {"input_text": item.input_text, "system_prompt": conversation.system_prompt}
        version = self.versions[item.template, item.version or 1]
        values, errors = clean_values(parse_contract(version.variables), item.values)
        if errors:
            raise SeedError(f"{conversation.source_id}: {item.template} cannot be run: {errors}")
        filled = fill(version, values)
        return {
            "template_version": version,
            "values": values,
            "input_text": filled.body,
            "system_prompt": filled.system_prompt or conversation.system_prompt,
            "parameters": {name: value for name, value in version.parameters.items() if name != "model"},
        }

    def _cost(self, item: Interaction) -> dict[str, Any]:
        model = self.models.get(item.model)
        if model is None or item.input_tokens is None or item.output_tokens is None:
            return {}
        price = Price(Decimal(model.input_price), Decimal(model.output_price), Decimal(model.cached_price))
        used = Usage(input_tokens=item.input_tokens, output_tokens=item.output_tokens)
        return {"cost": cost(used, price), "currency": model.currency}

    def _tell(self, prompt: Prompt) -> None:
        """As a run is told: made, then ended."""
        self.diary.tell(prompt, prompt.author, prompt.created_at, "input_text", "model", "template_version")
        recorded = prompt.status == Prompt.Status.RECORDED
        status = [Prompt.Status.DRAFT.value if recorded else Prompt.Status.PENDING.value, str(prompt.status)]
        self.diary.tell(
            prompt,
            prompt.author,
            prompt.completed_at or prompt.created_at,
            *(() if recorded else MEASURED),
            action=AuditLog.Action.UPDATE if recorded else AuditLog.Action.RUN,
            changes={"status": status},
        )

    # ---- people ----------------------------------------------------------------

    def _seat(self, conversation: Conversation, thread: Thread, prompts: list[Prompt]) -> None:
        """The owner has read everything; others as far as they wrote or remarked, and one who only reads, nothing."""
        roles = {thread.owner: str(Participant.Role.OWNER)}
        roles |= {member.user: member.role for member in thread.participants if member.user != thread.owner}
        said = [(prompt.author, prompt.completed_at) for prompt in prompts]
        said += [(comment.author, comment.created_at) for comment in self.comments if comment.prompt in prompts]
        last = max(at for _person, at in said if at)
        for handle, role in roles.items():
            person = self.people[handle]
            read = (
                last if handle == thread.owner else max((at for who, at in said if who == person and at), default=None)
            )
            seat = Participant(
                conversation=conversation,
                user=person,
                role=role,
                invited_by=None if handle == thread.owner else conversation.owner,
                last_read_at=read,
                **self.diary.dated(conversation.created_at),
            )
            self.seats.append(seat)
            self.diary.tell(seat, conversation.owner, conversation.created_at, "user", "role")


def _join_attempts(first: Prompt, again: Prompt) -> None:
    """A first question that was asked again: its answers name each other (see `conversations.services.path`)."""
    again.metadata = {"attempt_of": str(first.pk)}
    first.metadata = {"attempts": [*first.metadata.get("attempts", []), str(again.pk)]}
