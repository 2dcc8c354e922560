"""Search over everything at once: templates, conversations and interactions that a person may see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Conversation, Prompt
from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.search import Snippet, highlight, snippets
from templates_app.models import PromptTemplate

ORDER = ("-relevance", "-id")
OVERVIEW, PAGE = 5, 20
COUNT_CAP = 1_000
TITLE_LENGTH = 120


@dataclass(frozen=True)
class Hit:
    """One thing that was found: where it is, its title with the hits marked, pieces of its text."""

    row: Any
    url: str
    title: SafeString
    snippets: list[Snippet] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """A kind of thing that is searched."""

    name: str
    label: str | Promise
    icon: str
    rows: Callable[[Any], Any]
    hit: Callable[[Any, str], Hit]


@dataclass(frozen=True)
class Group:
    """What of one kind was found: a page of hits, and how many there are (counted to a cap)."""

    kind: Kind
    page: KeysetPage[Any]
    hits: list[Hit]
    count: int
    is_capped: bool


def _templates(user: Any) -> QuerySet[Any]:
    return PromptTemplate.objects.visible_to(user).prefetch_related("owner", "current_version").defer("metadata")


def _template_hit(template: PromptTemplate, text: str) -> Hit:
    version = template.current_version
    texts = {str(_("Summary")): template.summary}
    if version is not None:
        texts |= {str(_("System prompt")): version.system_prompt, str(_("Prompt")): version.body}
    return Hit(template, template.get_absolute_url(), highlight(template.title, text), snippets(text, texts))


def _conversations(user: Any) -> QuerySet[Any]:
    return (
        Conversation.objects.visible_to(user).select_related("owner").defer("metadata", "parameters", "system_prompt")
    )


def _conversation_hit(conversation: Conversation, text: str) -> Hit:
    found = snippets(text, {str(_("Summary")): conversation.summary})
    return Hit(conversation, conversation.get_absolute_url(), highlight(conversation.title, text), found)


def _prompts(user: Any) -> QuerySet[Any]:
    prompts = Prompt.objects.visible_to(user).select_related("conversation", "author")
    return prompts.defer("metadata", "parameters", "values", "system_prompt")


def _prompt_hit(prompt: Prompt, text: str) -> Hit:
    found = snippets(text, {str(_("Question")): prompt.input_text, str(_("Answer")): prompt.response_text})
    return Hit(
        prompt, prompt.found_url(text), highlight(Truncator(prompt.conversation.title).chars(TITLE_LENGTH), text), found
    )


KINDS = (
    Kind("templates", gettext_lazy("Templates"), "library", _templates, _template_hit),
    Kind("conversations", gettext_lazy("Conversations"), "thread", _conversations, _conversation_hit),
    Kind("prompts", gettext_lazy("Prompts"), "comment", _prompts, _prompt_hit),
)


def find(user: Any, text: str, *, only: str = "", cursor: str | None = None, size: int = OVERVIEW) -> list[Group]:
    """What `user` may see of what `text` asks for, per kind; two queries a kind. Nothing for blank text.

    With `only`, that kind has the page that `cursor` names, and the others are counted alone.
    """
    if not text.strip():
        return []
    groups = []
    for kind in KINDS:
        rows = kind.rows(user).search(text)
        count, is_capped = capped_count(rows, COUNT_CAP)
        chosen = kind.name == only
        page = KeysetPage(rows, order=ORDER, cursor=cursor if chosen else None, size=PAGE if chosen else size)
        hits = [kind.hit(row, text) for row in page.items] if count and (chosen or not only) else []
        groups.append(Group(kind, page, hits, count, is_capped))
    return groups
