"""The lists of promptlib, each with its orders and filters: the addresses whose queries `bench.plans` explains."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from templates_app.models import Category, PromptTemplate, TemplateTag

LIBRARY = {
    "highest rated": {},
    "most run": {"sort": "usage"},
    "newest": {"sort": "newest"},
    "recently used": {"sort": "used"},
    "mine": {"scope": "mine"},
    "favourites": {"scope": "favorites"},
    "followed": {"scope": "followed"},
    "shared with me": {"scope": "shared"},
    "owner": {"owner": "bench-7"},
    "language": {"language": "en"},
    "a language of none": {"language": "fr"},
    "public": {"visibility": "public"},
    "private": {"visibility": "private"},
    "shared": {"visibility": "shared"},
    "4 stars and up": {"rating": "4"},
    "2 stars and up, newest": {"rating": "2", "sort": "newest"},
    "unrated": {"rating": "unrated"},
    "label": {"label": "production"},
    "drafts": {"status": "draft"},
    "archived": {"status": "archived"},
}
ADMIN = {
    "templates_app_prompttemplate": ({"status__exact": "draft"}, {"trash": "yes"}, {"o": "9"}),
    "templates_app_templateversion": ({"o": "5"},),
    "templates_app_rating": ({"score__exact": "1"}, {"trash": "yes"}),
    "templates_app_favorite": (),
    "conversations_conversation": ({"archived_at__isempty": "0"}, {"trash": "yes"}, {"o": "3"}),
    "conversations_prompt": ({"status__exact": "failed"}, {"feedback__exact": "-1"}, {"trash": "yes"}),
    "conversations_participant": ({"role__exact": "viewer"},),
    "conversations_usagedaily": ({"provider__exact": "openai"},),
    "audit_auditlog": ({"action__exact": "13"}, {"action__exact": str(AuditLog.Action.RUN)}),
}
SEARCHED = ("templates_app_prompttemplate", "conversations_conversation", "conversations_prompt")


@dataclass(frozen=True)
class Listed:
    """One address to look at; `by_staff` is seen by a person of the staff, everything else by `READER`."""

    name: str
    path: str
    by_staff: bool = False


def lists(reader: User, words: str, client: Client) -> Iterator[Listed]:
    """Every list. `words` are two that are often found together; `client` is signed in as `reader`."""
    word = words.split()[0]
    yield from _library(word, words, client)
    yield from _template()
    yield from _conversations(reader, word, words, client)
    yield from _thread(reader)
    yield from _history(reader, client)
    yield Listed("Trash", _url("audit:trash"))
    yield Listed("Trash: two words", _url("audit:trash", q=words))
    for kind in ("prompttemplate", "conversation"):
        yield Listed(f"Trash: {kind}", _url("audit:trash", kind=kind))
    yield Listed("Search: everything", _url("site:search", q=words))
    for kind in ("templates", "conversations", "prompts"):
        yield Listed(f"Search: {kind}, one word", _url("site:search", q=word, kind=kind))
    for days in ("7", "30", "365"):
        yield Listed(f"Analytics: {days} days", _url("site:analytics", days=days))
        yield Listed(f"Analytics, staff: {days} days", _url("site:analytics", days=days), by_staff=True)
    yield Listed("Analytics, staff: one person", _url("site:analytics", days="365", person="bench-0"), by_staff=True)
    yield Listed("Home", reverse("site:home"))
    for of in ("changes", "templates", "conversations"):
        yield Listed(f"Following: {of}", _url("site:following", of=of))
    yield Listed("Person", reverse("accounts:person", args=["bench-7"]))
    yield from _admin(word)


def _library(word: str, words: str, client: Client) -> Iterator[Listed]:
    for name, query in LIBRARY.items():
        yield Listed(f"Library: {name}", _url("templates_app:list", **query))
    tags = TemplateTag.objects.order_by("pk").values_list("tag__slug", flat=True)
    shelf = Category.objects.filter(parent=None).order_by("pk")[0].slug
    yield Listed("Library: shelf", _url("templates_app:list", category=shelf))
    yield Listed("Library: shelf, newest", _url("templates_app:list", category=shelf, sort="newest"))
    yield Listed("Library: tag", _url("templates_app:list", tag=tags[0]))
    yield Listed("Library: tag, newest", _url("templates_app:list", tag=tags[0], sort="newest"))
    two = list(dict.fromkeys(tags[:50]))[:2]
    yield Listed("Library: two tags", f"{reverse('templates_app:list')}?{urlencode([('tag', tag) for tag in two])}")
    yield Listed("Library: two words", _url("templates_app:list", q=words))
    yield Listed("Library: one word", _url("templates_app:list", q=word))
    yield Listed("Library: a phrase", _url("templates_app:list", q=f'"{words}"'))
    yield Listed("Library: one word, newest", _url("templates_app:list", q=word, sort="newest"))
    for name in ("highest rated", "recently used"):
        yield from _next(f"Library: {name}", _url("templates_app:list", **LIBRARY[name]), client)


def _template() -> Iterator[Listed]:
    template = PromptTemplate.objects.filter(visibility="public", status="published").order_by("pk")[0]
    page = template.get_absolute_url()
    yield Listed("Template", page)
    yield Listed("Template: older versions", f"{page}?before=1")
    for name in ("versions", "labels", "forks"):
        yield Listed(f"Template: {name}", reverse(f"templates_app:{name}", args=[template.pk]))
    yield Listed("Template: history", reverse("templates_app:history", args=[template.pk]), by_staff=True)
    runs = reverse("conversations:runs", args=[template.pk])
    yield Listed("Template: runs", runs)
    yield Listed("Template: failed runs", f"{runs}?status=failed")
    for name in ("templates_app:favorites", "accounts:teams"):
        yield Listed(name.partition(":")[2].capitalize(), reverse(name))
    for name in ("tags", "shelves"):
        yield Listed(name.capitalize(), reverse(f"templates_app:{name}"), by_staff=True)


def _conversations(reader: User, word: str, words: str, client: Client) -> Iterator[Listed]:
    used = Prompt.objects.filter(author=reader, template_version__isnull=False).order_by("pk")
    template = used.values_list("template_version__template", flat=True)[0]
    choices: dict[str, dict[str, Any]] = {
        "latest first": {},
        "mine": {"role": "owner"},
        "shared with me": {"role": "shared"},
        "archived": {"place": "archived"},
        "archived, shared with me": {"place": "archived", "role": "shared"},
        "everything": {"place": "all"},
        "of one template": {"template": template},
        "unread": {"state": "unread"},
        "pinned": {"state": "pinned"},
        "followed": {"state": "followed"},
        "with a tag": {"tag": word},
        "with a person": {"person": reader.handle},
        "of a model": {"model": word},
        "of some days": {"since": "2026-01-01", "until": "2026-06-30"},
        "two words": {"q": words},
        "one word": {"q": word},
        "one word, archived": {"q": word, "place": "archived"},
    }
    for name, query in choices.items():
        yield Listed(f"Conversations: {name}", _url("conversations:list", **query))
    yield from _next("Conversations: latest first", reverse("conversations:list"), client)


def _thread(reader: User) -> Iterator[Listed]:
    thread = Conversation.objects.visible_to(reader).order_by("-prompt_count", "pk")[0]
    prompts = list(Prompt.objects.filter(conversation=thread).order_by("pk").values_list("pk", flat=True))
    page = thread.get_absolute_url()
    yield Listed("Thread", page)
    yield Listed("Thread: at an interaction", f"{page}?at={prompts[len(prompts) // 2]}")
    yield Listed("Thread: earlier ones", f"{page}?before={prompts[-1]}")
    yield Listed("Thread: history", reverse("conversations:history", args=[thread.pk]))


def _history(reader: User, client: Client) -> Iterator[Listed]:
    row = AuditLog.objects.filter(actor_id=reader.pk).order_by("pk")[0]
    choices: dict[str, dict[str, Any]] = {
        "latest first": {},
        "kind of thing": {"kind": row.content_type_id},
        "action": {"action": AuditLog.Action.RUN},
        "an action of none": {"action": AuditLog.Action.EXPORT},
        "last 24 hours": {"days": "1"},
        "last 30 days": {"days": "30"},
        "one request": {"request_id": row.cid},
    }
    for name, query in choices.items():
        yield Listed(f"History: {name}", _url("audit:history", **query))
        yield Listed(f"History, staff: {name}", _url("audit:history", **query), by_staff=True)
    yield Listed("History, staff: person", _url("audit:history", who=reader.pk), by_staff=True)
    mixed = {"who": reader.pk, "action": AuditLog.Action.RUN, "days": "30"}
    yield Listed("History, staff: person, action, days", _url("audit:history", **mixed), by_staff=True)
    yield from _next("History: latest first", reverse("audit:history"), client)


def _admin(word: str) -> Iterator[Listed]:
    for model, queries in ADMIN.items():
        name = f"Admin: {model.split('_')[-1]}"
        yield Listed(name, _url(f"admin:{model}_changelist"), by_staff=True)
        for query in queries:
            shown = ", ".join(f"{key.split('__')[0]} {value}" for key, value in query.items())
            yield Listed(f"{name}, {shown}", _url(f"admin:{model}_changelist", **query), by_staff=True)
        if model in SEARCHED:
            yield Listed(f"{name}, a word", _url(f"admin:{model}_changelist", q=word), by_staff=True)


def _next(name: str, path: str, client: Client) -> Iterator[Listed]:
    """The second page, whose address only the first one knows."""
    if found := re.search(r"cursor=([\w-]+)", client.get(path).content.decode()):
        yield Listed(f"{name}, second page", f"{path}{'&' if '?' in path else '?'}cursor={found[1]}")


def _url(name: str, **query: Any) -> str:
    return f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)
