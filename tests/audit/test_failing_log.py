"""Where the audit log cannot be written nothing is: every service function, tried in real transactions."""

import ast
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

import accounts.teams
import audit.retention.holds
import audit.retention.purging
from accounts import services as people_services
from audit.models import AuditLog
from audit.retention.holds import place_hold
from audit.trash import restoring
from conversations import services as conversation_services
from conversations.models import Prompt, SeatOffer
from conversations.services import (
    asking,
    copying,
    finishing,
    judging,
    links,
    organizing,
    people,
    removing,
    saving,
    side_by_side,
    splitting,
    sweeping,
)
from conversations.services import order as conversation_order
from conversations.services.asking import Target
from promptlib.core.models import BaseModel
from templates_app import services
from templates_app.models import RatingReport, Tag
from templates_app.services import value_sets
from tests.factories import (
    AIModelFactory,
    CategoryFactory,
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)

ROOT = Path(__file__).parents[2]


class Scene:
    """Things to do something with, each fetched anew whenever it is named."""

    def __init__(self) -> None:
        self._things: dict[str, Model] = {}
        add = self._add
        ines, ben, cleo = add(ines=UserFactory(), ben=UserFactory(), cleo=UserFactory())
        (team,) = add(team=accounts.teams.create_team(name="Support", by=ines))
        accounts.teams.add_member(team, person=ben)
        add(empty_team=TeamFactory())
        (shelf, _) = add(shelf=CategoryFactory(), other_shelf=CategoryFactory())
        add(low_shelf=CategoryFactory(parent=shelf), empty_shelf=CategoryFactory(position=9))
        (template,) = add(
            template=TemplateFactory(owner=ines, versions=2, visibility="shared", tags=["x"], category=shelf)
        )
        add(archived=TemplateFactory(owner=ines, status="archived"), tag=Tag.objects.get(slug="x"))
        add(other_tag=Tag.objects.create(name="y"), private=TemplateFactory(owner=ines))
        add(grant=GrantFactory(template=template, user=ben, role="editor"))
        services.move_label(template, name="staging", version=template.current_version, by=ines)
        for name in ("production", "stable"):
            services.move_label(template, name=name, version=template.current_version, by=ines)
            services.protect_label(template, name=name)
        services.move_label(template, name="production", version=template.versions.get(number=1), by=ben)
        add(move=template.label_moves.get(status="waiting"))
        (rating,) = add(rating=RatingFactory(template=template, user=cleo))
        add(report=RatingReport.objects.create(rating=rating, user=ben, reason="Rude."))
        add(favorite=FavoriteFactory(template=template, user=ben))
        add(fork=services.fork_template(template.versions.get(number=1), owner=cleo))
        add(suggestion=SuggestionFactory(template=template, author=cleo), upstream_version=template.current_version)
        add(withdrawn=SuggestionFactory(template=template, author=cleo, status="withdrawn"))
        add(values=ValueSetFactory(template=template, user=ines))
        add(action=services.act_on_many("tag", [self.private.pk], by=ines, choice=["z"]).action)
        (model,) = add(model=AIModelFactory())
        (conversation,) = add(conversation=ConversationFactory(owner=ines))
        add(seat=ParticipantFactory(conversation=conversation, user=ben, role="editor"))
        (first,) = add(first=PromptFactory(conversation=conversation))
        add(second=PromptFactory(conversation=conversation, parent=first, input_text="And?"))
        add(beside=PromptFactory(conversation=conversation, parent=first, input_text="And?"))
        add(draft=PromptFactory(pending=True, status="draft", model="", provider=""))
        add(pending=PromptFactory(pending=True, ai_model=model))
        links.make_link(conversation, by=ben)
        add(link=conversation.links.get())
        add(offer=SeatOffer.objects.create(conversation=conversation, email="new@x.org", invited_by=ines))
        (lost,) = add(lost=TemplateFactory(owner=ines))
        lost.delete(by=ines)
        add(hold=place_hold(subject=self.archived, reason="A case.", by=ines))

    def _add(self, **things: Any) -> list[Any]:
        self._things |= things
        return list(things.values())

    def __getattr__(self, name: str) -> Any:
        thing = self._things[name]
        return type(thing)._base_manager.get(pk=thing.pk)


CONTENT = {"system_prompt": "", "body": "Say {{ topic }}.", "variables": [], "parameters": {}, "examples": []}


def _edit(s: Scene, function: Callable[..., Any], **more: Any) -> Any:
    return function(s.template, base_revision=s.template.revision, **more)


def _accept(s: Scene) -> Any:
    seen = {"seen": s.suggestion.stamp, "seen_number": s.template.current_version.number}
    return services.accept_suggestion(s.suggestion, by=s.ines, **seen)


def _merge_upstream(s: Scene) -> Any:
    theirs = s.upstream_version
    return services.merge_upstream(s.fork, by=s.cleo, base_revision=s.fork.revision, theirs=theirs)


def _ask(s: Scene, **more: Any) -> Any:
    return asking.ask(target=Target(s.conversation), author=s.ines, text="Why?", model=s.model, **more)


WRITES: dict[str, Callable[[Scene], Any]] = {
    "accounts.services.invite_person": lambda s: people_services.invite_person(email="i@x.org", invited_by=s.ines),
    "accounts.teams.create_team": lambda s: accounts.teams.create_team(name="New", by=s.ines),
    "accounts.teams.change_team": lambda s: accounts.teams.change_team(s.team, name="Other", description=""),
    "accounts.teams.add_member": lambda s: accounts.teams.add_member(s.team, person=s.cleo),
    "accounts.teams.set_role": lambda s: accounts.teams.set_role(s.team, person=s.ben, role="owner"),
    "accounts.teams.remove_member": lambda s: accounts.teams.remove_member(s.team, person=s.ben),
    "accounts.teams.hand_over": lambda s: accounts.teams.hand_over(s.team, to=s.ben, by=s.ines),
    "audit.retention.holds.place_hold": lambda s: place_hold(subject=s.template, reason="A case.", by=s.ines),
    "audit.trash.restoring.bring_back": lambda s: restoring.bring_back(s.lost, by=s.ines),
    "audit.retention.holds.lift_hold": lambda s: audit.retention.holds.lift_hold(s.hold, reason="Closed.", by=s.ines),
    "bulk.act_on_many": lambda s: services.act_on_many("archive", [s.template.pk], by=s.ines),
    "bulk.undo_many": lambda s: services.undo_many(s.action, by=s.ines),
    "community.rate_template": lambda s: services.rate_template(
        s.template, user=s.ben, score=5, version=s.upstream_version
    ),
    "community.withdraw_rating": lambda s: services.withdraw_rating(s.template, user=s.cleo),
    "community.report_rating": lambda s: services.report_rating(s.rating, user=s.ines, reason="Wrong."),
    "community.keep_rating": lambda s: services.keep_rating(s.report, by=s.ines),
    "community.remove_rating": lambda s: services.remove_rating(s.report, by=s.ines),
    "community.toggle_favorite": lambda s: services.toggle_favorite(s.template, user=s.ben),
    "forks.fork_template": lambda s: services.fork_template(s.upstream_version, owner=s.ben),
    "forks.merge_upstream": _merge_upstream,
    "forks.ignore_upstream": lambda s: services.ignore_upstream(s.fork, number=2),
    "labels.move_label": lambda s: services.move_label(s.template, name="new", version=s.upstream_version, by=s.ines),
    "labels.protect_label": lambda s: services.protect_label(s.template, name="staging"),
    "labels.unprotect_label": lambda s: services.unprotect_label(s.template, name="stable", by=s.ines),
    "labels.approve_move": lambda s: services.approve_move(s.template, s.move.pk, by=s.ines),
    "labels.reject_move": lambda s: services.reject_move(s.template, s.move.pk, by=s.ines),
    "labels.withdraw_move": lambda s: services.withdraw_move(s.template, s.move.pk, by=s.ben),
    "order.create_shelf": lambda s: services.create_shelf(name="New"),
    "order.change_shelf": lambda s: services.change_shelf(s.shelf, name="Other", parent=None),
    "order.move_shelf": lambda s: services.move_shelf(s.shelf, by=1),
    "order.merge_shelves": lambda s: services.merge_shelves(s.shelf, s.other_shelf),
    "order.delete_shelf": lambda s: services.delete_shelf(s.empty_shelf),
    "order.rename_tag": lambda s: services.rename_tag(s.tag, "w"),
    "order.merge_tags": lambda s: services.merge_tags(s.tag, s.other_tag),
    "putting_away.archive": lambda s: services.archive(s.template, by=s.ines),
    "putting_away.unarchive": lambda s: services.unarchive(s.archived, by=s.ines),
    "putting_away.move_to_trash": lambda s: services.move_to_trash(s.template, by=s.ines),
    "sharing.set_visibility": lambda s: services.set_visibility(s.template, "public"),
    "sharing.grant_right": lambda s: services.grant_right(s.template, role="viewer", user=s.cleo),
    "sharing.change_right": lambda s: services.change_right(s.grant, "viewer"),
    "sharing.take_right": lambda s: services.take_right(s.grant),
    "suggestions.suggest_change": lambda s: services.suggest_change(s.upstream_version, author=s.cleo, **CONTENT),
    "suggestions.change_suggestion": lambda s: services.change_suggestion(
        s.suggestion, by=s.cleo, seen=s.suggestion.stamp, message="New", **CONTENT
    ),
    "suggestions.accept_suggestion": _accept,
    "suggestions.reject_suggestion": lambda s: services.reject_suggestion(s.suggestion, by=s.ines, reason="No."),
    "suggestions.withdraw_suggestion": lambda s: services.withdraw_suggestion(s.suggestion, by=s.cleo),
    "suggestions.reopen_suggestion": lambda s: services.reopen_suggestion(s.withdrawn, by=s.cleo),
    "suggestions.comment_suggestion": lambda s: services.comment_suggestion(s.suggestion, author=s.ines, text="Hm."),
    "value_sets.save_value_set": lambda s: services.save_value_set(
        s.template, user=s.ben, name="New", values={"topic": "x"}
    ),
    "value_sets.change_value_set": lambda s: services.change_value_set(
        s.values, name="Other", values={"topic": "x"}, is_shared=True
    ),
    "value_sets.rename_values": lambda s: value_sets.rename_values(s.template, {"topic": "theme"}),
    "versions.restore_version": lambda s: services.restore_version(
        s.template, s.template.versions.get(number=1), by=s.ines
    ),
    "writing.create_template": lambda s: services.create_template(owner=s.ines, title="New", body="b", tags=["new"]),
    "writing.publish_version": lambda s: _edit(s, services.publish_version, author=s.ines, **CONTENT),
    "writing.update_details": lambda s: _edit(s, services.update_details, title="Other"),
    "writing.edit_template": lambda s: _edit(
        s, services.edit_template, author=s.ines, details={"title": "Other"}, content=CONTENT
    ),
    "writing.set_tags": lambda s: services.set_tags(s.template, ["x", "new"]),
    "asking.ask": _ask,
    "asking.run_version": lambda s: asking.run_version(
        version=s.upstream_version, values={"topic": "x"}, target=Target(title="T"), author=s.ines, model=s.model
    ),
    "asking.retry": lambda s: asking.retry(s.first, author=s.ines, model=s.model),
    "asking.edit": lambda s: asking.edit(s.first, author=s.ines, text="Else?", model=s.model),
    "asking.record_answer": lambda s: asking.record_answer(s.draft, text="So.", by=s.ines),
    "copying.copy_conversation": lambda s: copying.copy_conversation(s.conversation, owner=s.cleo),
    "finishing.finish": lambda s: finishing.finish(s.pending, Prompt.Status.FAILED, {"error_code": "x"}),
    "judging.give_feedback": lambda s: judging.give_feedback(s.first, feedback=1),
    "links.make_link": lambda s: links.make_link(s.conversation, by=s.ines),
    "links.revoke": lambda s: links.revoke(s.link),
    "links.open_link": lambda s: links.open_link(s.link, password="", reader=s.cleo, ip=None, user_agent=""),
    "order.remark": lambda s: conversation_order.remark(s.first, text="Hm.", by=s.ben),
    "order.add_tag": lambda s: conversation_order.add_tag(s.conversation, "new"),
    "order.set_pinned": lambda s: conversation_order.set_pinned(s.conversation, pinned=True, by=s.ines),
    "organizing.start_conversation": lambda s: organizing.start_conversation(owner=s.ines, title="New"),
    "organizing.rename": lambda s: organizing.rename(
        s.conversation, title="Other", revision=s.conversation.revision, by=s.ines
    ),
    "organizing.set_archived": lambda s: organizing.set_archived(s.conversation, archived=True),
    "people.invite": lambda s: people.invite(s.conversation, person=s.cleo, role="viewer", by=s.ines),
    "people.offer": lambda s: people.offer(s.conversation, email="other@x.org", role="viewer", by=s.ines),
    "people.take_offers": lambda s: people.take_offers(person=s.cleo, email="new@x.org"),
    "people.change_role": lambda s: people.change_role(s.seat, "viewer"),
    "people.remove": lambda s: people.remove(s.seat),
    "people.hand_over": lambda s: people.hand_over(s.conversation, to=s.ben, by=s.ines),
    "removing.move_to_trash": lambda s: removing.move_to_trash([s.conversation.pk], by=s.ines),
    "removing.remove": lambda s: removing.remove(s.first, by=s.ines),
    "removing.remove_with_following": lambda s: removing.remove_with_following(s.first, by=s.ines),
    "saving.save_as_template": lambda s: saving.save_as_template(
        s.first, owner=s.ines, details={"title": "New"}, content=CONTENT, change_note="", pk=None
    ),
    "side_by_side.ask_several": lambda s: side_by_side.ask_several(
        lambda model, key: _ask(s, key=key), models=[s.model, s.model], author=s.ines, key="k"
    ),
    "side_by_side.pick": lambda s: side_by_side.pick(s.second, by=s.ines),
    "splitting.split_off": lambda s: splitting.split_off(s.second, owner=s.cleo),
    "sweeping.sweep_orphans": lambda s: sweeping.sweep_orphans(sweeping.timedelta(0)),
}
"""Service function → how it is called here. `order` and `people` of conversations stand beside those of templates."""

NOT_LOGGED = {
    "audit.retention.purging.purge": "each batch is a transaction with its rows of the log; its mark stays",
    "drafts.keep_draft": "what is typed and not saved",
    "drafts.discard_draft": "what is typed and not saved",
    "favorites.move_favorite": "the order of favourites is nobody else's business",
    "following.set_following": "what one wants to hear of is no change",
    "following.follow_own": "what one wants to hear of is no change",
    "following.mark_seen": "reading is no change",
    "order.set_following": "what one wants to hear of is no change",
    "organizing.mark_read": "reading is no change",
    "producer.produce": "an answer while it is written; its end goes through `finish`",
    "producer.save_partials": "an answer while it is written",
    "producer.give_sign_of_life": "a heartbeat",
    "producer.start": "a thread",
    "producer.start_on_commit": "a thread",
    "stopping.stop": "the wish stands until the answer's end, which goes through `finish`",
    "sweeping.keep_sweeping": "a thread",
    "limits.hold": "locks",
    "audit.retention.holds.lock": "locks",
}
"""Service functions that write nothing which is logged, or not by themselves, and why."""


def test_every_service_function_is_tried_or_only_reads() -> None:
    known = {*WRITES, *NOT_LOGGED}
    missing = {name for name, source in functions() if writes(source) and name not in known}
    assert missing == set(), "give each a call in WRITES, or a reason in NOT_LOGGED"
    assert known - {name for name, _source in functions()} == set()


METHODS = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "hard_delete", "restore", "unlogged"}
METHODS |= {"get_or_create", "update_or_create", "atomic", "select_for_update"}
FUNCTIONS = {"record", "record_many", "in_transaction"}
"""What writes, by the name of the call."""


def functions() -> Iterator[tuple[str, str]]:
    """Each public function of the services, by its module's name and its own, with its source."""
    modules = [people_services, accounts.teams, audit.retention.holds, audit.retention.purging, restoring]
    for package in (services, conversation_services):
        modules += [import_module(found.name) for found in walk_packages(package.__path__, f"{package.__name__}.")]
    for module in modules:
        short = module.__name__.rpartition(".services.")[2]
        for name, function in vars(module).items():
            is_own = inspect.isfunction(function) and function.__module__ == module.__name__
            if is_own and not name.startswith("_") and "@receiver" not in (source := inspect.getsource(function)):
                yield f"{short}.{name}", source


def writes(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    methods = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    is_passed_on = any(name.startswith(("_save", "_remove")) for name in names)
    return bool(METHODS & methods or FUNCTIONS & names) or "@transaction.atomic" in source or is_passed_on


class LogIsDown(Exception):
    """No row of the log can be written."""


def state() -> dict[str, list[Any]]:
    models = [model for model in apps.get_models() if issubclass(model, BaseModel) and model._meta.managed]
    return {model._meta.db_table: sorted(map(str, model._base_manager.values_list())) for model in (*models, AuditLog)}


@pytest.mark.django_db(transaction=True)
def test_where_the_log_fails_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    before = state()

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise LogIsDown

    monkeypatch.setattr(AuditLog, "take_origin", fail)
    found: dict[str, str] = {}
    for name, call in WRITES.items():
        try:
            call(scene)
        except LogIsDown:
            pass
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
        else:
            found[name] = "did not write to the log"
        if (after := state()) != before:
            found[name] = f"changed {[table for table in after if after[table] != before[table]]}"
            before = after
    assert found == {}
