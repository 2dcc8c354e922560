"""No word of a tenant's is sent to another, whatever is asked for, and no word from the trash but in the trash."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import django_filters
import pytest
from django.contrib import admin
from django.test import TransactionTestCase
from django.urls import reverse

from audit.history.filters import AuditFilter
from audit.models import AuditLog
from conversations.filters import ConversationFilter
from templates_app.filters import TemplateFilter
from templates_app.models import PromptTemplate, Tag, TemplateVersion
from tests.canaries import Canaries, Canary
from tests.routes import ROUTES
from tests.test_authorization import HTMX, undone, without_address

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def canaries(django_db_setup: None, django_db_blocker: Any) -> Iterator[Canaries]:
    with django_db_blocker.unblock():
        try:
            bred = Canaries()
            bred.breed()
            yield bred
        finally:
            TransactionTestCase._fixture_teardown(None)  # type: ignore[arg-type]  # see tests/plugins/database.py


def test_every_column_of_text_holds_a_word_of_each_tenant(canaries: Canaries) -> None:
    """A column that fails here is planted in `tests.world`, or is nobody's text: say why in `tests.canaries`."""
    assert canaries.uncovered() == []


OWNER, STRANGER, VISITOR, STAFF = ("ash", "owner"), ("birch", "owner"), ("ash", "anonymous"), ("birch", "staff")
"""Somebody of a tenant's world; all of them go to the addresses of what is ash's."""
THE_STAFF_S = {"templates_app:reports": {"RatingReport.reason"}, "site:analytics": {"Prompt.model"}}
"""Reports are for curators to judge, and staff see what all pay for."""


def is_leak(canary: Canary, reader: tuple[str, str], name: str) -> bool:
    """Whether the reader may not find that word at that address."""
    tenant, person = reader
    if person == "staff" and (ROUTES[name].open_to_staff or canary.column in THE_STAFF_S.get(name, ())):
        return False
    whose = getattr(canary.row, "actor", canary.row)
    if getattr(whose, "handle", "") == f"{person}-{tenant}":
        return False  # one's own address, and what one did
    if canary.is_public:
        return person == "anonymous"
    if canary.tenant != tenant or person in {"anonymous", "staff"}:
        return True
    return canary.is_deleted and not shows_the_deleted(name)


def shows_the_deleted(name: str) -> bool:
    return name.startswith("audit:") or "history" in name or "download_data" in name  # all that is kept of them


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ROUTES)
def test_no_address_sends_another_s_words_or_those_in_the_trash(canaries: Canaries, name: str) -> None:
    route, ash = ROUTES[name], canaries.worlds["ash"]
    visits: list[tuple[tuple[str, str], str, dict[str, Any]]] = [
        *((reader, "get", {}) for reader in (VISITOR, STRANGER, OWNER, STAFF)),
        *(() if route.get.split()[4] in {"404", "405"} else [(STRANGER, "get", HTMX)]),
        (STRANGER, "post", {}),
    ]
    leaks = {}
    for reader, method, headers in visits:
        tenant, person = reader
        with undone():
            client = canaries.worlds[tenant].client(person)
            data = route.posted(ash) if method == "post" else None
            response = getattr(client, method)(route.url(name, ash), data, headers=headers)
            for canary in canaries.found_in(response).values():
                if is_leak(canary, reader, name):
                    leaks[f"{canary.column} of {canary.tenant}, {'deleted' if canary.is_deleted else 'alive'}"] = (
                        f"{method} {headers} by {person} of {tenant}"
                    )
    assert leaks == {}


# ---- what is asked for by name -------------------------------------------------

NOWHERE = "zqzzzzzzz"
LISTS = ("templates_app:list", "conversations:list")
LIBRARY_NAMES = (("owner", "handle"), ("label", "label"))
INDEXED = {
    *("PromptTemplate.title", "PromptTemplate.summary", "TemplateVersion.body", "TemplateVersion.system_prompt"),
    *("Conversation.title", "Conversation.summary", "Prompt.input_text", "Prompt.response_text", "Tag.name"),
}
RANDOM = re.compile(
    r"\b[0-9a-f]{32}\b|[0-9a-f]{8}-[0-9a-f-]{27}|'Content-Length': '\d+'|\d{4}-\d\d-\d\d[T ][\d:.+Z]*"
    r"|:[\w-]{6}:[\w-]{43}"
)
"""Keys that are made for each form, addresses of what was just made, the time, and signatures with the time in them."""
PALETTE = {**HTMX, "HX-Target": "palette-list"}
SEARCHES: list[tuple[str, str, dict[str, str]]] = [
    ("templates_app:list", "", {}),
    ("templates_app:export_all", "&format=json", {}),
    ("conversations:list", "", {}),
    ("site:search", "", {}),
    ("site:search", "&kind=prompts", {}),
    ("site:search", "", PALETTE),
]


def answer(canaries: Canaries, reader: tuple[str, str], url: str, asked: str, data: Any = None, **options: Any) -> Any:
    """What is sent, without what was asked for and what is random."""
    tenant, person = reader
    with undone():
        client = canaries.worlds[tenant].client(person)
        response = client.get(url, **options) if data is None else client.post(url, data, **options)
        text = without_address(response) if not response.streaming else b"".join(response).decode()
    headers = {name: value for name, value in response.headers.items() if name not in {"X-Request-ID", "Server-Timing"}}
    sent = f"{response.status_code} {headers} {response.cookies.get('messages', '')} {text}"
    for form in {asked, quote(asked), quote(quote(asked))}:
        sent = re.sub(rf"(?<![\w-]){re.escape(form)}(?![\w-])", "…", sent)
    return RANDOM.sub("", sent)


@pytest.mark.parametrize(("name", "more", "headers"), SEARCHES)
def test_a_search_answers_for_another_s_word_as_for_one_that_stands_nowhere(
    canaries: Canaries, name: str, more: str, headers: dict[str, str]
) -> None:
    """Nor for one's own in the trash."""
    told = {}
    nothing = {
        reader: answer(canaries, reader, f"{reverse(name)}?q={NOWHERE}{more}", NOWHERE, headers=headers)
        for reader in (STRANGER, OWNER)
    }
    for canary, word in one_of_each(canaries):
        for reader in (STRANGER, OWNER) if canary.is_deleted else (STRANGER,):
            sent = answer(canaries, reader, f"{reverse(name)}?q={word}{more}", word, headers=headers)
            if sent != nothing[reader]:
                told[f"{canary.column} {'deleted' if canary.is_deleted else 'alive'} {reader}"] = word
    assert told == {}


def test_searches_find_what_is_there(canaries: Canaries) -> None:
    """Or the test before would prove nothing."""
    left = {canary.column: word for canary, word in one_of_each(canaries) if not canary.is_deleted}
    for name, more, headers in SEARCHES[1:3] + SEARCHES[-2:]:
        nothing = answer(canaries, OWNER, f"{reverse(name)}?q={NOWHERE}{more}", NOWHERE, headers=headers)
        for column, word in list(left.items()):
            if answer(canaries, OWNER, f"{reverse(name)}?q={word}{more}", word, headers=headers) != nothing:
                del left[column]
    assert left == {}


def one_of_each(canaries: Canaries) -> list[tuple[Canary, str]]:
    """A word of ash's of each column that is searched, alive and in the trash."""
    found = {}
    for word, canary in canaries.words.items():
        is_searched = canary.column in INDEXED and not canary.is_public
        if isinstance(canary.row, TemplateVersion):
            is_searched &= PromptTemplate.all_objects.filter(current_version=canary.row).exists()
        if canary.tenant == "ash" and is_searched and is_still_there(word, canary):
            found.setdefault((canary.column, canary.is_deleted), (canary, word))
    return list(found.values())


def is_still_there(word: str, canary: Canary) -> bool:
    """The world may have written something else since."""
    rows: Any = type(canary.row)._base_manager
    return bool(rows.filter(pk=canary.row.pk, **{f"{canary.column.partition('.')[2]}__contains": word}).exists())


def things(canaries: Canaries, tenant: str = "ash") -> dict[str, Any]:
    """What an address or a form may name."""
    world = canaries.worlds[tenant]
    words = {canary.column: word for word, canary in canaries.words.items() if canary.tenant == tenant}
    template, conversation = world.things["template"], world.things["conversation"]
    return {
        "template": template.pk,
        "conversation": conversation.pk,
        "prompt": world.things["answered"].pk,
        "deleted template": world.args["canary template"]["pk"],
        "deleted conversation": world.args["canary thread"]["pk"],
        "values": world.things["value set"].pk,
        "shared values": world.things["shared value set"].pk,
        "version": template.current_version_id,
        "tag": template.tags.get().slug,
        "other tag": conversation.tag_rows.get().tag.slug,
        "label": words["Label.name"],
        "model": world.things["answered"].model,
        "team": template.grants.exclude(team=None).last().team_id,
        "handle": world.people["outsider"].handle,  # type: ignore[union-attr]
        "person": world.people["outsider"].pk,  # type: ignore[union-attr]
        "deletion": world.args["canary deletion"]["deletion_id"],
        "event": AuditLog.objects.about(template.pk).latest("id").pk,
        "deleted title": next(
            word
            for word, canary in canaries.words.items()
            if (canary.tenant, canary.column, canary.is_deleted) == (tenant, "PromptTemplate.title", True)
        ),
    }


MISSING = dict.fromkeys(["deleted title", "tag", "other tag", "label", "model", "handle"], NOWHERE)
GET, POST = "get", "post"
HISTORIES = ("audit:history", "audit:export")
NAMED: list[tuple[str, str, str, str, str, dict[str, Any]]] = [
    # method, address, whose thing of the stranger's it is, parameter, what of ash's it names, what else is sent
    *((GET, name, "", "tag", each, {}) for name in LISTS for each in ("tag", "other tag")),
    *((GET, "templates_app:list", "", parameter, each, {}) for parameter, each in LIBRARY_NAMES),
    *((GET, "templates_app:export_all", "", name, each, {"format": "json"}) for name, each in LIBRARY_NAMES),
    *((GET, "conversations:list", "", name, each, {}) for name, each in (("person", "handle"), ("model", "model"))),
    *((GET, "conversations:list", "", "template", each, {}) for each in ("template", "deleted template")),
    *((GET, "conversations:export_all", "", "ids", each, {}) for each in ("conversation", "deleted conversation")),
    *((GET, "conversations:detail", "conversation", name, "prompt", {}) for name in ("at", "before", "after", "upto")),
    *((GET, "conversations:news", "conversation", name, "prompt", {}) for name in ("after", "leaf")),
    *((GET, "templates_app:detail", "template", "set", each, {}) for each in ("values", "shared values")),
    (GET, "templates_app:detail", "template", "conversation", "conversation", {}),
    (GET, "site:analytics", "", "person", "person", {}),
    *(
        (GET, name, "", "object", each, {"format": "csv"})
        for name in HISTORIES
        for each in ("template", "deleted conversation")
    ),
    *((GET, name, "", "event", "event", {"format": "csv"}) for name in HISTORIES),
    (GET, "audit:trash", "", "q", "deleted title", {}),
    (GET, "site:analytics", "", "person", "handle", {}),
    (POST, "conversations:runs", "template", "value_set", "values", {"model": "record"}),
    (POST, "conversations:runs", "template", "value_set", "shared values", {"model": "record"}),
    *(
        (POST, "conversations:runs", "template", "conversation", each, {"v-orchard": "apples", "model": "record"})
        for each in ("conversation", "deleted conversation")
    ),
    *(
        (POST, "conversations:ask", "conversation", name, "prompt", {"input_text": "And?", "model": "record"})
        for name in ("after", "leaf")
    ),
    (POST, "conversations:reading", "conversation", "leaf", "prompt", {}),
    *((POST, "templates_app:export_selection", "", "ids", each, {}) for each in ("template", "deleted template")),
    *((POST, "templates_app:bulk", "bulk", "ids", each, {}) for each in ("template", "deleted template")),
    (POST, "templates_app:grant", "template", "team", "team", {"role": "viewer"}),
    *((POST, name, "", "ids", "deletion", {}) for name in ("audit:restore_selection", "audit:purge_selection")),
]


EVERYBODY_S = {"category", "language", "who", "request_id"}
"""Shelves and people are known to all; a language is the world's, and a request has no name but a random one."""


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("method", "name", "of", "parameter", "what", "more"), NAMED)
def test_what_is_another_s_is_answered_as_what_does_not_exist(
    canaries: Canaries, method: str, name: str, of: str, parameter: str, what: str, more: dict[str, Any]
) -> None:
    url = canaries.worlds["birch"].url(name, of)
    sent = []
    for asked in (str(things(canaries)[what]), MISSING.get(what, str(UUID(int=7)))):
        data = {**more, parameter: asked}
        if method == GET:
            sent.append(answer(canaries, STRANGER, f"{url}?{urlencode(data)}", asked))
        else:
            sent.append(answer(canaries, STRANGER, url, asked, data))
    assert sent[0] == sent[1]


def test_every_filter_that_names_something_is_tried() -> None:
    """A filter by words of the program's own, by a number or a date names nothing of anybody's."""
    tried: dict[str, set[str]] = {}
    for _method, name, _of, parameter, _what, _more in NAMED:
        tried.setdefault(name, {"q"}).add(parameter)
    free = (django_filters.ChoiceFilter, django_filters.DateFilter, django_filters.NumberFilter)
    filtered: dict[str, Any] = {
        "templates_app:list": TemplateFilter,
        "conversations:list": ConversationFilter,
        "audit:history": AuditFilter,
    }
    for name, filters in filtered.items():
        named = {key for key, each in filters.base_filters.items() if not isinstance(each, free)}
        assert named - EVERYBODY_S <= tried[name]


# ---- the admin -----------------------------------------------------------------


@pytest.mark.parametrize("term", ["", "the words"])
def test_the_admin_offers_nothing_that_lies_in_the_trash(canaries: Canaries, term: str) -> None:
    """Tags are the curators' to keep, whatever they are on."""
    deleted = {
        word: canary
        for word, canary in canaries.words.items()
        if canary.is_deleted and canary.tenant == "ash" and not isinstance(canary.row, Tag)
    }
    offered, asked = {}, 0
    for model, options in admin.site._registry.items():
        for name in options.autocomplete_fields:
            target = model._meta.get_field(name).remote_field.model.__name__
            found = [word for word, canary in deleted.items() if canary.column.startswith(f"{target}.")]
            for text in found[:3] if term else [""]:
                query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
                url = f"{reverse('admin:autocomplete')}?{urlencode({**query, 'term': text})}"
                response = canaries.worlds["ash"].client("staff").get(url)
                assert response.status_code == 200
                asked += 1
                if hits := canaries.found_in(response).keys() & deleted.keys():
                    offered[f"{model.__name__}.{name}"] = hits
                assert canaries.worlds["birch"].client("owner").get(url).status_code == 302  # to its door
    assert (offered, asked > 10) == ({}, True)
