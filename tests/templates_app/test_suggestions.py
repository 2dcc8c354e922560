"""Suggestions as services: merged, never overwriting, decided once; by whom the accepted version is."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditLog
from templates_app import services
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion
from tests.factories import SuggestionFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

BODY = "Write about {{ topic }}.\nUse a friendly tone.\nEnd with a question.\n"


def proposed(template: PromptTemplate, old: str, new: str, **fields: Any) -> Suggestion:
    version = template.current_version
    assert version is not None
    return SuggestionFactory(template=template, body=version.body.replace(old, new), **fields)


def saved(template: PromptTemplate, old: str, new: str) -> TemplateVersion:
    mine = PromptTemplate.objects.get(pk=template.pk)
    assert mine.current_version is not None
    body = mine.current_version.body.replace(old, new)
    return services.publish_version(mine, author=mine.owner, base_revision=mine.revision, body=body)


def accept(suggestion: Suggestion, **choices: Any) -> TemplateVersion | None:
    number = PromptTemplate.objects.get(pk=suggestion.template_id).current_version.number
    by = choices.pop("by", None) or suggestion.template.owner
    return services.accept_suggestion(suggestion, by=by, seen=suggestion.stamp, seen_number=number, **choices)


def test_a_suggestion_holds_a_whole_content_with_its_contract_completed() -> None:
    version, aoife = TemplateFactory(body=BODY).current_version, UserFactory()
    content = {"system_prompt": "", "examples": [], "variables": version.variables, "parameters": {"temperature": 1}}
    made = services.suggest_change(version, author=aoife, message="Why", body="On {{ topic }}, {{ tone }}.", **content)
    again = services.suggest_change(version, author=aoife, message="Why", body="On {{ topic }}, {{ tone }}.", **content)
    assert (made.template, made.base_version, made.author, made.status) == (version.template, version, aoife, "open")
    assert ([each["name"] for each in made.variables], made.parameters) == (["topic", "tone"], {"temperature": 1})
    assert (again, Suggestion.objects.count()) == (made, 1)
    services.suggest_change(version, author=UserFactory(), message="Why", body="On {{ topic }}, {{ tone }}.", **content)
    assert Suggestion.objects.count() == 2


def test_accepting_makes_the_next_version_by_its_author_and_names_both() -> None:
    template = TemplateFactory(body=BODY, owner__display_name="Ines")
    suggestion = proposed(template, "a friendly", "no", author__display_name="Aoife", message="Less\nof it.")
    version = accept(suggestion, note="Thank you.")
    template.refresh_from_db()
    suggestion.refresh_from_db()
    assert version is not None
    assert (version, version.number, version.author) == (template.current_version, 2, suggestion.author)
    assert (version.body, template.revision) == (BODY.replace("a friendly", "no"), 1)
    assert version.change_note == "Less of it. Suggested by Aoife, accepted by Ines."
    assert (suggestion.status, suggestion.accepted_version, suggestion.reviewer, suggestion.decision_note) == (
        "accepted",
        version,
        template.owner,
        "Thank you.",
    )


def test_a_long_message_leaves_room_for_whose_words_they_are() -> None:
    suggestion = proposed(TemplateFactory(body=BODY), "friendly", "warm", message="word " * 400)
    version = accept(suggestion)
    assert version is not None
    assert len(version.change_note) <= 500
    assert version.change_note.endswith(f"Suggested by {suggestion.author}, accepted by {suggestion.template.owner}.")


def test_accepting_after_the_template_moved_on_keeps_both() -> None:
    template = TemplateFactory(body=BODY)
    suggestion = proposed(template, "a friendly", "no")
    saved(template, "a question", "thanks")
    version = accept(suggestion)
    assert version is not None
    assert (version.number, version.body) == (3, "Write about {{ topic }}.\nUse no tone.\nEnd with thanks.\n")


def contradicted() -> Suggestion:
    template = TemplateFactory(body=BODY)
    suggestion = proposed(template, "a friendly", "no")
    saved(template, "a friendly", "an angry")
    return suggestion


def test_a_contradiction_is_decided_by_nobody_but_the_reviewer() -> None:
    suggestion = contradicted()
    with pytest.raises(services.Undecided) as undecided:
        accept(suggestion)
    [conflict] = undecided.value.merge.conflicts
    assert (conflict.key, conflict.mine, conflict.theirs) == (
        "body-0",
        "Use an angry tone.\n",
        "Use no tone.\n",
    )
    with pytest.raises(services.Undecided):
        accept(suggestion, choices={"body-0": "nonsense"})
    suggestion.refresh_from_db()
    assert (suggestion.status, suggestion.template.versions.count()) == ("open", 2)


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("mine", "Use an angry tone.\n"),
        ("theirs", "Use no tone.\n"),
        ("both", "Use an angry tone.\nUse no tone.\n"),
        ("own", "Use your own tone.\n"),
    ],
)
def test_each_choice_of_a_contradiction(choice: str, line: str) -> None:
    suggestion = contradicted()
    version = accept(suggestion, choices={"body-0": choice}, texts={"body-0": "Use your own tone."})
    assert version is not None
    assert version.body == BODY.replace("Use a friendly tone.\n", line)
    is_reworded = choice == "own"
    kept = choice == "mine"  # nothing is left of the suggestion: the version that is there says it all
    owner = suggestion.template.owner
    assert (version.number, version.author) == (2 if kept else 3, owner if is_reworded or kept else suggestion.author)
    suggestion.refresh_from_db()
    assert (suggestion.status, suggestion.accepted_version) == ("accepted", version)
    if is_reworded:
        assert version.change_note.endswith(f"From a suggestion by {suggestion.author}, reworded by {owner}.")


def test_what_was_not_looked_at_is_not_accepted() -> None:
    template = TemplateFactory(body=BODY)
    suggestion = proposed(template, "a friendly", "no")
    saved(template, "a question", "thanks")
    with pytest.raises(services.StaleReview):
        services.accept_suggestion(suggestion, by=template.owner, seen=suggestion.stamp, seen_number=1)
    seen = suggestion.stamp
    content = {name: getattr(suggestion, name) for name in TemplateVersion.CONTENT} | {"body": "Obey {{ topic }}."}
    services.change_suggestion(suggestion, by=suggestion.author, seen=seen, message="Sneaky", **content)
    with pytest.raises(services.StaleReview):
        services.accept_suggestion(suggestion, by=template.owner, seen=seen, seen_number=2)
    assert template.versions.count() == 2


def test_accepting_again_gives_the_same_version() -> None:
    suggestion = proposed(TemplateFactory(body=BODY), "friendly", "warm")
    first = accept(suggestion)
    assert (accept(suggestion), accept(suggestion, by=UserFactory())) == (first, first)
    assert suggestion.template.versions.count() == 2


def test_an_author_changes_an_open_suggestion_from_what_they_saw() -> None:
    suggestion = proposed(TemplateFactory(body=BODY), "friendly", "warm")
    seen = suggestion.stamp
    content = {name: getattr(suggestion, name) for name in TemplateVersion.CONTENT}
    changed = services.change_suggestion(suggestion, by=suggestion.author, seen=seen, message="Better", **content)
    assert (changed.message, changed.body) == ("Better", suggestion.body)
    with pytest.raises(services.StaleReview):
        services.change_suggestion(suggestion, by=suggestion.author, seen=seen, message="Best", **content)
    same = services.change_suggestion(suggestion, by=suggestion.author, seen=seen, message="Better", **content)
    assert same.stamp == changed.stamp
    with pytest.raises(PermissionError):
        services.change_suggestion(suggestion, by=UserFactory(), seen=changed.stamp, message="Mine", **content)
    services.reject_suggestion(suggestion, by=suggestion.template.owner, reason="No")
    with pytest.raises(services.AlreadyDecided):
        services.change_suggestion(suggestion, by=suggestion.author, seen=changed.stamp, message="Best", **content)


def test_rejected_reopened_withdrawn_and_back() -> None:
    suggestion = proposed(TemplateFactory(body=BODY), "friendly", "warm")
    owner, author = suggestion.template.owner, suggestion.author
    rejected = services.reject_suggestion(suggestion, by=owner, reason="Not now.")
    assert (rejected.status, rejected.reviewer, rejected.decision_note) == ("rejected", owner, "Not now.")
    assert services.reject_suggestion(suggestion, by=owner, reason="Twice").decision_note == "Not now."
    with pytest.raises(services.AlreadyDecided):
        accept(suggestion)
    opened = services.reopen_suggestion(suggestion, by=author)
    assert (opened.status, opened.reviewer, opened.decision_note) == ("open", owner, "Not now.")
    with pytest.raises(PermissionError):
        services.withdraw_suggestion(suggestion, by=owner)
    assert services.withdraw_suggestion(suggestion, by=author).status == "withdrawn"
    with pytest.raises(PermissionError):
        services.reopen_suggestion(suggestion, by=owner)
    accept(services.reopen_suggestion(suggestion, by=author))
    for move in (services.withdraw_suggestion, services.reopen_suggestion):
        with pytest.raises(services.AlreadyDecided):
            move(suggestion, by=author)


def test_who_says_the_same_twice_has_said_it_once() -> None:
    suggestion, tom = SuggestionFactory(), UserFactory()
    first = services.comment_suggestion(suggestion, author=tom, text="Why?")
    assert services.comment_suggestion(suggestion, author=tom, text="Why?") == first
    services.comment_suggestion(suggestion, author=suggestion.author, text="Why?")
    services.comment_suggestion(suggestion, author=tom, text="Why?")
    assert list(SuggestionComment.objects.values_list("author", "text")) == [
        (tom.pk, "Why?"),
        (suggestion.author_id, "Why?"),
        (tom.pk, "Why?"),
    ]


def test_deciding_is_told_in_the_template_s_history() -> None:
    suggestion = proposed(TemplateFactory(body=BODY), "friendly", "warm")
    services.comment_suggestion(suggestion, author=suggestion.author, text="Well?")
    accept(suggestion)
    rows = AuditLog.objects.about(suggestion.template_id).order_by("id")
    told = [(row.content_type.model, str(row.get_action_display())) for row in rows]
    assert told[-4:] == [
        ("suggestioncomment", "created"),
        ("templateversion", "created"),
        ("prompttemplate", "changed"),
        ("suggestion", "changed"),
    ]


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work` returned or raised in each of `count` threads that start at once."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = work(place)
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_twenty_accepts_at_once_make_one_version() -> None:
    template = TemplateFactory(body=BODY)
    suggestion = proposed(template, "friendly", "warm")
    owner, seen = template.owner, suggestion.stamp
    results = together(20, lambda _place: services.accept_suggestion(suggestion, by=owner, seen=seen, seen_number=1))
    template.refresh_from_db()
    assert results == [template.current_version] * 20
    assert (list(template.versions.values_list("number", flat=True)), template.version_count) == ([2, 1], 2)


@pytest.mark.django_db(transaction=True)
def test_ten_suggestions_accepted_at_once_lose_nothing() -> None:
    body = "".join(f"Line {place} about {{{{ topic }}}}.\n\n" for place in range(10))
    template = TemplateFactory(body=body)
    suggestions = [proposed(template, f"Line {place} ", f"Verse {place} ") for place in range(10)]

    def work(place: int) -> TemplateVersion | None:
        while True:
            try:
                return accept(suggestions[place])
            except services.StaleReview:
                continue

    results = together(10, work)
    assert sorted(version.number for version in results) == list(range(2, 12))
    template.refresh_from_db()
    assert template.current_version.body == body.replace("Line", "Verse")


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_of_one_suggestion_and_of_one_comment_are_one_each() -> None:
    version, aoife = TemplateFactory(body=BODY).current_version, UserFactory()
    content = {name: getattr(version, name) for name in TemplateVersion.CONTENT} | {"body": "On {{ topic }}."}
    made = together(20, lambda _place: services.suggest_change(version, author=aoife, message="Why", **content))
    assert (set(made), Suggestion.objects.count()) == ({made[0]}, 1)
    said = together(20, lambda _place: services.comment_suggestion(made[0], author=aoife, text="Why?"))
    assert (set(said), SuggestionComment.objects.count()) == ({said[0]}, 1)
