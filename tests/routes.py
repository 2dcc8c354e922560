"""The authorization matrix: every address of promptlib, and what each kind of person is answered there.

The columns are anonymous, owner, editor, viewer, outsider, staff: what somebody is to the owner's things
(`tests/world.py`); staff have no right on them. A cell is a status, or `door`: to the sign-in page and back
from there; or `again`: to the page that asks for the password once more. A name may go on after a space, so that one
address has several rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver

from audit.undo.planning import Plan
from tests.factories import PASSWORD
from tests.world import COMMON_WORD, World

READ_ONLY = "door 405 405 405 405 405"
POST_ONLY = "door 405 405 405 405 405"
ANYBODY = "200 200 200 200 200 200"
CURATORS = "door 404 404 404 404 200"
CURATORS_POST = "door 404 404 404 404 302"
CURATORS_POST_ONLY = "door 404 404 404 404 405"
NOBODY_POSTS = "405 405 405 405 405 405"
SIGNED_IN = "door 200 200 200 200 200"


@dataclass(frozen=True)
class Route:
    """What `get` and `post` of an address are answered, with `data` posted.

    `visitor` is what GET answers to anonymous where PUBLIC_LIBRARY is on, if not the same as ever. `shows` is a word
    that whoever may see it sees there; `tells` a secret for everybody who was given the link; at an `open_to_staff`
    address staff read what is not theirs; with `get_writes` a GET has a consequence: by the sign-in library's design,
    or the audit log's row about a download. At a `staff_look` staff see what they see as staff alone, which is logged.
    """

    get: str
    post: str
    of: str = ""
    data: dict[str, Any] | Callable[[World], dict[str, Any]] = field(default_factory=dict)
    query: str = ""
    shows: str = ""
    tells: str = ""
    open_to_staff: bool = False
    get_writes: bool = False
    staff_look: bool = False
    visitor: str = ""

    def url(self, name: str, world: World) -> str:
        return world.url(name.partition(" ")[0], self.of) + self.query

    def posted(self, world: World) -> dict[str, Any]:
        return self.data(world) if callable(self.data) else self.data


def _text(world: World) -> dict[str, Any]:
    return {
        "title": "Renamed",
        "body": "About {{ x }}.",
        "language": "en",
        "visibility": "private",
        "status": "published",
        "revision": world.things["template"].revision,
        "accepted": "orchard",  # sets of values fill it in, and the new text does not name it
    }


def _private_set(world: World) -> dict[str, Any]:
    return {"model": "record", "value_set": world.things["value set"].pk}


def _shared_set(world: World) -> dict[str, Any]:
    return {"model": "record", "value_set": world.things["shared value set"].pk}


def _deletion(world: World) -> dict[str, Any]:
    return {"ids": world.args["deletion"]["deletion_id"]}


def _upload(_world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("prompts.csv", b"act,prompt\nCook,Cook.\n"), "format": "auto"}


def _conversation_upload(_world: World) -> dict[str, Any]:
    data = b'[{"conversations": [{"from": "human", "value": "Hm?"}]}]'
    return {"file": SimpleUploadedFile("talk.json", data)}


def _selected(world: World) -> dict[str, Any]:
    return {"ids": [world.things[name].pk for name in ("template", "draft", "public")]}


def _seen(world: World) -> dict[str, Any]:
    """A decision about the suggestion, or another text of it, from what is there now."""
    suggestion = world.things["suggestion"]
    suggestion.refresh_from_db(fields=["updated_at"])
    number = world.things["template"].current_version.number
    return {**_text(world), "seen": suggestion.stamp, "number": number}


def _undone(world: World) -> dict[str, Any]:
    """What is sent from the page that takes the event back, as it is now."""
    plan = Plan([world.things["event"]], user=world.people["owner"])
    return {"reason": "By mistake.", "seen": plan.stamp}


def _sign_in(world: World) -> dict[str, Any]:
    outsider = world.people["outsider"]
    assert outsider is not None
    return {"login": outsider.email, "password": PASSWORD}


VALUES = {"v-orchard": "apples", "model": "record"}
QUESTION = {"input_text": "And now?", "model": "record"}
LOOK_FOR = f"?q={COMMON_WORD}"

LIBRARY = {
    "templates_app:list": Route(SIGNED_IN, READ_ONLY, query="?sort=newest", shows="Quillfeather", visitor="200"),
    "templates_app:create": Route(SIGNED_IN, "door 302 302 302 302 302", data=_text),
    "templates_app:create_variables": Route(POST_ONLY, SIGNED_IN, data=_text),
    "templates_app:create_examples": Route(POST_ONLY, SIGNED_IN, data=_text),
    "templates_app:create_preview": Route(POST_ONLY, SIGNED_IN, data=_text),
    "templates_app:drafts": Route(POST_ONLY, "door 302 302 302 302 302", data=_text),
    "templates_app:discard_draft": Route(POST_ONLY, "door 302 302 302 302 302"),
    "templates_app:drafts of a template": Route(POST_ONLY, "door 302 302 404 404 404", "template", _text),
    "templates_app:discard_draft of a template": Route(POST_ONLY, "door 302 302 404 404 404", "template"),
    "templates_app:value_sets": Route(
        "door 200 200 200 404 404",
        "door 302 302 302 404 404",
        "template",
        {"set-name": "Mine", "v-orchard": "apples"},
        shows="Tatterfern",
    ),
    "templates_app:value_set": Route(
        "door 200 404 404 404 404",
        "door 302 404 404 404 404",
        "value set",
        {"set-name": "Renamed", "v-orchard": "plums"},
        shows="Sogglethorn",
    ),
    "templates_app:delete_value_set": Route(POST_ONLY, "door 302 404 404 404 404", "value set"),
    "templates_app:detail": Route("door 200 200 200 404 404", READ_ONLY, "template", shows="Snorkelbeam"),
    "templates_app:version": Route("door 200 200 200 404 404", READ_ONLY, "version", shows="Snorkelbeam"),
    "templates_app:preview": Route(POST_ONLY, "door 200 200 200 404 404", "template", data=VALUES),
    "templates_app:edit": Route(
        "door 200 200 404 404 404", "door 302 302 404 404 404", "template", _text, shows="Larkspurred"
    ),
    "templates_app:edit_variables": Route(POST_ONLY, "door 200 200 404 404 404", "template", _text),
    "templates_app:edit_examples": Route(POST_ONLY, "door 200 200 404 404 404", "template", _text),
    "templates_app:edit_preview": Route(POST_ONLY, "door 200 200 404 404 404", "template", _text),
    "templates_app:versions": Route("door 200 200 200 404 404", READ_ONLY, "template", shows="Thimblewick"),
    "templates_app:versions of a public one": Route(
        "door 200 200 200 200 200", READ_ONLY, "public", shows="Larkmeadow", visitor="200"
    ),
    "templates_app:restore_version": Route(POST_ONLY, "door 302 302 404 404 404", "version"),
    "templates_app:choose_versions": Route("door 302 302 302 404 404", READ_ONLY, "template"),
    "templates_app:choose_versions of a public one": Route(
        "door 302 302 302 302 302", READ_ONLY, "public", visitor="302"
    ),
    "templates_app:compare": Route("door 200 200 200 404 404", READ_ONLY, "comparison", shows="Snorkelbeam"),
    "templates_app:compare of a public one": Route(
        "door 200 200 200 200 200", READ_ONLY, "public comparison", shows="Larkmeadow", visitor="200"
    ),
    "templates_app:labels": Route(
        "door 200 200 200 404 404",
        "door 302 302 404 404 404",
        "template",
        {"name": "staging", "version": 1},
        shows="Yarrowgate",
    ),
    "templates_app:remove_label": Route(POST_ONLY, "door 302 302 404 404 404", "template", {"name": "production"}),
    "templates_app:protect_label": Route(POST_ONLY, "door 302 404 404 404 404", "template", {"name": "production"}),
    "templates_app:unprotect_label": Route(POST_ONLY, "door 302 404 404 404 404", "template", {"name": "production"}),
    "templates_app:approve_move": Route(POST_ONLY, "door 302 409 404 404 404", "move"),
    "templates_app:reject_move": Route(POST_ONLY, "door 302 409 404 404 404", "move"),
    "templates_app:withdraw_move": Route(POST_ONLY, "door 404 302 404 404 404", "move"),
    "templates_app:forks": Route(
        "door 200 200 200 404 404",
        "door 302 302 302 404 404",
        "template",
        {"title": "My own", "version": 1},
        shows="Quillfeather",
    ),
    "templates_app:forks of a public one": Route(
        "door 200 200 200 200 200",
        "door 302 302 302 302 302",
        "public",
        {"title": "My own", "version": 1},
        shows="Pipkinwort",
        visitor="200",
    ),
    "templates_app:fork": Route(
        "door 200 200 200 404 404", "door 302 302 302 404 404", "template", {"title": "My own", "version": 1}
    ),
    "templates_app:upstream": Route(
        "door 200 200 404 404 404",
        "door 302 302 404 404 404",
        "fork",
        {"revision": 1, "version": 2},
        shows="Larkmeadow",
    ),
    "templates_app:preview_upstream": Route(POST_ONLY, "door 200 200 404 404 404", "fork", {"version": 2}),
    "templates_app:ignore_upstream": Route(POST_ONLY, "door 302 302 404 404 404", "fork", {"version": 2}),
    "templates_app:suggestions": Route("door 200 200 200 404 404", READ_ONLY, "template", shows="Pennywort"),
    "templates_app:suggest": Route(
        "door 200 200 200 404 404", "door 302 302 302 404 404", "template", _text, shows="Larkspurred"
    ),
    "templates_app:suggest_variables": Route(POST_ONLY, "door 200 200 200 404 404", "template", _text),
    "templates_app:suggest_examples": Route(POST_ONLY, "door 200 200 200 404 404", "template", _text),
    "templates_app:suggest_preview": Route(POST_ONLY, "door 200 200 200 404 404", "template", _text),
    "templates_app:suggestion": Route("door 200 200 200 404 404", READ_ONLY, "suggestion", shows="Pennywort"),
    "templates_app:edit_suggestion": Route(
        "door 404 404 200 404 404", "door 404 404 302 404 404", "suggestion", _seen, shows="Pennywort"
    ),
    "templates_app:edit_suggestion_variables": Route(POST_ONLY, "door 404 404 200 404 404", "suggestion", _text),
    "templates_app:edit_suggestion_examples": Route(POST_ONLY, "door 404 404 200 404 404", "suggestion", _text),
    "templates_app:edit_suggestion_preview": Route(POST_ONLY, "door 404 404 200 404 404", "suggestion", _text),
    "templates_app:accept_suggestion": Route(POST_ONLY, "door 302 302 404 404 404", "suggestion", _seen),
    "templates_app:reject_suggestion": Route(
        POST_ONLY, "door 302 302 404 404 404", "suggestion", {"reason": "Not this year."}
    ),
    "templates_app:withdraw_suggestion": Route(POST_ONLY, "door 404 404 302 404 404", "suggestion"),
    "templates_app:reopen_suggestion": Route(POST_ONLY, "door 302 302 404 404 404", "rejected"),
    "templates_app:comment_suggestion": Route(
        POST_ONLY, "door 302 302 302 404 404", "suggestion", {"text": "Well said."}
    ),
    "templates_app:reviews": Route("door 200 200 200 404 404", READ_ONLY, "template", shows="Dapplecroft"),
    "templates_app:reviews of a public one": Route(
        "door 200 200 200 200 200", READ_ONLY, "public", shows="Larkmeadow", visitor="200"
    ),
    "templates_app:report_rating": Route(
        "door 200 200 404 200 200", "door 302 302 404 302 302", "public review", {"reason": "No."}, shows="Larkmeadow"
    ),
    "templates_app:reports": Route(CURATORS, "door 404 404 404 404 405", shows="Larkmeadow"),
    "templates_app:keep_report": Route(CURATORS_POST_ONLY, CURATORS_POST, "report"),
    "templates_app:remove_report": Route(CURATORS_POST_ONLY, CURATORS_POST, "report"),
    "templates_app:rate": Route(POST_ONLY, "door 404 302 302 404 404", "template", {"version": 3, "score": 5}),
    "templates_app:withdraw": Route(POST_ONLY, "door 404 404 302 404 404", "template"),
    "templates_app:favorite": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:delete": Route(POST_ONLY, "door 302 404 404 404 404", "template"),
    "templates_app:archive": Route(POST_ONLY, "door 302 404 404 404 404", "template"),
    "templates_app:unarchive": Route(POST_ONLY, "door 302 404 404 404 404", "archived"),
    "templates_app:history": Route("door 200 200 404 404 404", READ_ONLY, "template", shows="Quillfeather"),
    "templates_app:export_history": Route(
        "door 200 200 404 404 404", READ_ONLY, "template", query="?format=csv", shows="Quillfeather", get_writes=True
    ),
    "templates_app:share": Route(
        "door 200 404 404 404 404",
        "door 302 404 404 404 404",
        "template",
        {"visibility": "private"},
        shows="Juniperfall",
    ),
    "templates_app:grant": Route(
        POST_ONLY, "door 302 404 404 404 404", "template", {"who": "outsider", "role": "viewer"}
    ),
    "templates_app:change_grant": Route(POST_ONLY, "door 302 404 404 404 404", "grant", {"role": "editor"}),
    "templates_app:remove_grant": Route(POST_ONLY, "door 302 404 404 404 404", "grant"),
    "templates_app:share in the trash": Route("door 404 404 404 404 404", "door 404 404 404 404 404", "gone"),
    "templates_app:bulk": Route(POST_ONLY, "door 302 302 302 302 302", "bulk", data=_selected),
    "templates_app:undo_bulk": Route(POST_ONLY, "door 302 404 404 404 404", "bulk action"),
    "templates_app:export_selection": Route(POST_ONLY, "door 302 302 302 302 302", data=_selected),
    "templates_app:follow": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:unfollow": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:seen": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:favorites": Route(SIGNED_IN, READ_ONLY),
    "templates_app:raise_favorite": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:lower_favorite": Route(POST_ONLY, "door 302 302 302 404 404", "template"),
    "templates_app:shelves": Route(CURATORS, CURATORS_POST, data={"name": "Orchids"}, shows="Fieldwork"),
    "templates_app:shelf": Route(CURATORS, CURATORS_POST, "shelf", {"name": "Orchids"}, shows="Fieldwork"),
    "templates_app:raise_shelf": Route(CURATORS_POST_ONLY, CURATORS_POST, "shelf"),
    "templates_app:lower_shelf": Route(CURATORS_POST_ONLY, CURATORS_POST, "shelf"),
    "templates_app:merge_shelf": Route(
        CURATORS_POST_ONLY, CURATORS_POST, "shelf", lambda world: {"target": str(world.things["other shelf"].pk)}
    ),
    "templates_app:delete_shelf": Route(CURATORS_POST_ONLY, "door 404 404 404 404 409", "shelf"),
    "templates_app:tags": Route(CURATORS, "door 404 404 404 404 405", open_to_staff=True),
    "templates_app:tag": Route(CURATORS, CURATORS_POST, "tag", {"name": "Orchids"}, open_to_staff=True),
    "templates_app:merge_tag": Route(
        CURATORS_POST_ONLY, "door 404 404 404 404 422", "tag", {"target": "nowhere"}, open_to_staff=True
    ),
    "templates_app:export": Route("door 200 200 200 404 404", READ_ONLY, "template", shows="Quillfeather"),
    "templates_app:export as a file": Route(
        "door 200 200 200 404 404", READ_ONLY, "template", query="?format=json", shows="Snorkelbeam", get_writes=True
    ),
    "templates_app:export_all": Route(SIGNED_IN, READ_ONLY),
    "templates_app:export_all as a file": Route(
        SIGNED_IN, READ_ONLY, query="?what=all&format=json", shows="Snorkelbeam", get_writes=True
    ),
    "templates_app:imports": Route(SIGNED_IN, "door 302 302 302 302 302", data=_upload, shows="Wickerfern"),
    "templates_app:import": Route("door 200 404 404 404 404", READ_ONLY, "upload", shows="Wickerfern"),
    "templates_app:import that is done": Route("door 200 404 404 404 404", READ_ONLY, "imported", shows="Wickerfern"),
    "templates_app:run_import": Route(
        POST_ONLY, "door 302 404 404 404 404", "upload", {"visibility": "private", "conflicts": "keep"}
    ),
    "templates_app:rejected_records": Route("door 200 404 404 404 404", READ_ONLY, "imported", shows="Wickerfern"),
    "templates_app:discard_import": Route(POST_ONLY, "door 302 404 404 404 404", "upload"),
    # What is not everybody's, though it is of the same kind.
    "templates_app:detail of a public draft": Route("door 200 404 404 404 404", READ_ONLY, "draft", shows="Hushpocket"),
    "templates_app:detail of a public one": Route(
        "door 200 200 200 200 200", READ_ONLY, "public", shows="Larkmeadow", visitor="200"
    ),
    "templates_app:version of a public one": Route(
        "door 200 200 200 200 200", READ_ONLY, "public version", shows="Larkmeadow", visitor="200"
    ),
    "templates_app:detail in the trash": Route("door 404 404 404 404 404", READ_ONLY, "gone"),
    "templates_app:edit in the trash": Route("door 404 404 404 404 404", "door 404 404 404 404 404", "gone"),
    "conversations:runs": Route(
        "door 200 200 200 404 404", "door 303 303 303 404 404", "template", VALUES, shows="Nettlequay"
    ),
    "conversations:runs of a public one": Route("door 200 200 200 200 200", "door 422 422 422 422 422", "public"),
}

CONVERSATIONS = {
    "conversations:list": Route(SIGNED_IN, READ_ONLY, shows="Wobblegate"),
    "conversations:list searched": Route(SIGNED_IN, READ_ONLY, query=LOOK_FOR, shows="Wobblegate"),
    "conversations:export_all": Route(SIGNED_IN, READ_ONLY),
    "conversations:export_all as a file": Route(
        SIGNED_IN, READ_ONLY, query="?what=all&format=json", shows="Gloomlantern", get_writes=True
    ),
    "conversations:export": Route("door 200 200 200 404 404", READ_ONLY, "conversation", shows="Wobblegate"),
    "conversations:export as a file": Route(
        "door 200 200 200 404 404",
        READ_ONLY,
        "conversation",
        query="?format=html",
        shows="Gloomlantern",
        get_writes=True,
    ),
    "conversations:imports": Route(
        SIGNED_IN, "door 302 302 302 302 302", data=_conversation_upload, shows="Sandpiperly"
    ),
    "conversations:import": Route(
        "door 200 404 404 404 404", READ_ONLY, "conversations looked at", shows="Sandpiperly"
    ),
    "conversations:import at work": Route(
        "door 200 404 404 404 404", READ_ONLY, "conversations at work", shows="Sandpiperly"
    ),
    "conversations:import that broke off": Route(
        "door 200 404 404 404 404", READ_ONLY, "conversations broken off", shows="Sandpiperly"
    ),
    "conversations:import that failed": Route(
        "door 200 404 404 404 404", READ_ONLY, "conversations unreadable", shows="Sandpiperly"
    ),
    "conversations:import that is done": Route(
        "door 200 404 404 404 404", READ_ONLY, "conversations brought in", shows="Sandpiperly"
    ),
    "conversations:run_import": Route(POST_ONLY, "door 303 404 404 404 404", "conversations looked at"),
    "conversations:resume_import": Route(POST_ONLY, "door 303 404 404 404 404", "conversations broken off"),
    "conversations:discard_import": Route(POST_ONLY, "door 302 404 404 404 404", "conversations looked at"),
    "conversations:create": Route(SIGNED_IN, "door 303 303 303 303 303", data=QUESTION),
    "conversations:detail": Route("door 200 200 200 404 404", READ_ONLY, "conversation", shows="Gloomlantern"),
    "conversations:detail in the trash": Route("door 404 404 404 404 404", READ_ONLY, "gone thread"),
    "conversations:rename": Route(
        "door 200 200 404 404 404",
        "door 303 303 404 404 404",
        "conversation",
        {"title": "New", "revision": 0},
        shows="Wobblegate",
    ),
    "conversations:archive": Route(POST_ONLY, "door 302 302 404 404 404", "conversation"),
    "conversations:unarchive": Route(POST_ONLY, "door 303 303 404 404 404", "conversation"),
    "conversations:delete": Route(POST_ONLY, "door 302 404 404 404 404", "conversation"),
    "conversations:reading": Route(POST_ONLY, "door 303 303 303 404 404", "conversation"),
    "conversations:history": Route("door 200 200 404 404 404", READ_ONLY, "conversation", shows="Wobblegate"),
    "conversations:export_history": Route(
        "door 200 200 404 404 404", READ_ONLY, "conversation", query="?format=csv", shows="Wobblegate", get_writes=True
    ),
    "conversations:news": Route("door 200 200 200 404 404", READ_ONLY, "conversation", shows="Gloomlantern"),
    "conversations:search": Route(
        "door 200 200 200 404 404", READ_ONLY, "conversation", query=LOOK_FOR, shows="Tumblefrost"
    ),
    "conversations:pin": Route(POST_ONLY, "door 303 303 303 404 404", "conversation"),
    "conversations:unpin": Route(POST_ONLY, "door 303 303 303 404 404", "conversation"),
    "conversations:follow": Route(POST_ONLY, "door 303 303 303 404 404", "conversation"),
    "conversations:unfollow": Route(POST_ONLY, "door 303 303 303 404 404", "conversation"),
    "conversations:tag": Route(POST_ONLY, "door 303 303 404 404 404", "conversation", {"name": "pears"}),
    "conversations:untag": Route(POST_ONLY, "door 303 303 404 404 404", "tag in a thread"),
    "conversations:remark": Route(POST_ONLY, "door 303 303 404 404 404", "answered", {"text": "Well."}),
    "conversations:delete_remark": Route(POST_ONLY, "door 303 404 404 404 404", "remark"),
    "conversations:people": Route(
        "door 200 200 200 404 404",
        "door 302 404 404 404 404",
        "conversation",
        {"who": "outsider", "role": "viewer"},
        shows="Wobblegate",
    ),
    "conversations:leave": Route(POST_ONLY, "door 409 302 302 404 404", "conversation"),
    "conversations:change_seat": Route(POST_ONLY, "door 302 404 404 404 404", "seat", {"role": "editor"}),
    "conversations:remove_seat": Route(POST_ONLY, "door 302 404 404 404 404", "seat"),
    "conversations:hand_over": Route(POST_ONLY, "door 302 404 404 404 404", "seat"),
    "conversations:withdraw_offer": Route(POST_ONLY, "door 302 404 404 404 404", "seat offer"),
    "conversations:links": Route(
        "door 200 404 404 404 404", "door 201 404 404 404 404", "conversation", {"days": "7"}, shows="Hazelquill"
    ),
    "conversations:link": Route("door 200 404 404 404 404", READ_ONLY, "link", shows="Mossbarrow"),
    "conversations:revoke_link": Route(POST_ONLY, "door 302 404 404 404 404", "link"),
    "conversations:shared": Route(ANYBODY, NOBODY_POSTS, "shared link"),
    "conversations:open_shared": Route(NOBODY_POSTS, "303 303 303 303 303 303", "shared link", {"password": "open it"}),
    "conversations:copy_shared": Route("door 302 302 302 302 302", "door 302 302 302 302 302", "shared link"),
    "conversations:ask": Route(POST_ONLY, "door 303 303 404 404 404", "conversation", QUESTION),
    "conversations:ask in the trash": Route(POST_ONLY, "door 404 404 404 404 404", "gone thread", QUESTION),
    "conversations:prompt": Route("door 302 302 302 404 404", READ_ONLY, "answered"),
    "conversations:stream": Route("door 200 200 200 404 404", READ_ONLY, "answered", shows="Gloomlantern"),
    "conversations:retry": Route(POST_ONLY, "door 303 303 404 404 404", "failed", {"model": "record"}),
    "conversations:edit": Route(
        "door 200 200 404 404 404", "door 303 303 404 404 404", "answered", QUESTION, shows="Tumblefrost"
    ),
    "conversations:compare": Route("door 200 200 200 404 404", READ_ONLY, "ways", shows="Hollowreed"),
    "conversations:delete_selection": Route(POST_ONLY, "door 302 302 302 302 302"),
    "conversations:delete_prompt": Route(POST_ONLY, "door 200 404 404 404 404", "answered"),
    "conversations:delete_prompt at the end": Route(POST_ONLY, "door 302 404 404 404 404", "waiting"),
    "conversations:split": Route(POST_ONLY, "door 303 303 303 404 404", "answered"),
    "conversations:raw": Route("door 200 200 200 404 404", READ_ONLY, "answered", shows="Gloomlantern"),
    "conversations:answers": Route("door 200 200 200 404 404", READ_ONLY, "answered", shows="Gloomlantern"),
    "conversations:answers of several": Route("door 200 200 200 404 404", READ_ONLY, "failed", shows="Mistlewick"),
    "conversations:pick": Route(POST_ONLY, "door 303 303 404 404 404", "answered"),
    "conversations:stop": Route(POST_ONLY, "door 303 303 404 404 404", "failed"),
    "conversations:record": Route(POST_ONLY, "door 303 303 404 404 404", "waiting", {"response_text": "Yes."}),
    "conversations:save_template": Route(
        "door 200 200 200 404 404", "door 302 302 302 404 404", "answered", _text, shows="Tumblefrost"
    ),
    "conversations:save_template_again": Route(POST_ONLY, "door 200 200 200 404 404", "answered variables", _text),
    "templates_app:detail of one made in a conversation": Route(
        "door 200 404 404 404 404", READ_ONLY, "saved template", shows="Wobblegate"
    ),
    "conversations:feedback": Route(POST_ONLY, "door 303 303 404 404 404", "answered", {"feedback": 1}),
}

EVERYTHING = {
    "site:home": Route(ANYBODY, NOBODY_POSTS, shows="Wobblegate"),
    "site:search": Route(SIGNED_IN, READ_ONLY, query=LOOK_FOR, shows="Quillfeather"),
    "site:search in conversations": Route(
        SIGNED_IN, READ_ONLY, query=f"{LOOK_FOR}&kind=conversations", shows="Wobblegate"
    ),
    "site:search in prompts": Route(SIGNED_IN, READ_ONLY, query=f"{LOOK_FOR}&kind=prompts", shows="Tumblefrost"),
    "site:following": Route(SIGNED_IN, READ_ONLY, shows="Quillfeather"),
    "site:following of templates": Route(SIGNED_IN, READ_ONLY, query="?of=templates", shows="Quillfeather"),
    "site:following of conversations": Route(SIGNED_IN, READ_ONLY, query="?of=conversations", shows="Wobblegate"),
    "site:analytics": Route(SIGNED_IN, READ_ONLY),
    "site:health": Route(ANYBODY, NOBODY_POSTS),
    "audit:history": Route(SIGNED_IN, READ_ONLY, open_to_staff=True),
    "audit:export": Route(SIGNED_IN, READ_ONLY, query="?format=csv", open_to_staff=True, get_writes=True),
    "audit:revert": Route(
        "door 200 200 404 404 200",
        "door 302 302 404 404 302",
        "event",
        _undone,
        shows="Quillfeather",
        open_to_staff=True,
    ),
    "audit:revert_all": Route(
        "door 200 200 404 404 200",
        "door 302 302 404 404 302",
        "event",
        _undone,
        shows="Quillfeather",
        open_to_staff=True,
    ),
    "audit:trash": Route(SIGNED_IN, READ_ONLY),
    "audit:trash of conversations": Route(SIGNED_IN, READ_ONLY, query="?kind=conversation"),
    "audit:trash_of_everybody": Route("door 404 404 404 404 200", READ_ONLY, open_to_staff=True),
    "audit:trash_thing": Route(
        "door 200 404 404 404 200", READ_ONLY, "deletion", shows="Dustmitten", open_to_staff=True, staff_look=True
    ),
    "audit:restore": Route(POST_ONLY, "door 302 404 404 404 422", "deletion", open_to_staff=True),
    "audit:restore_together": Route(POST_ONLY, "door 302 404 404 404 404", "deletion"),
    "audit:restore_selection": Route(POST_ONLY, "door 302 302 302 302 302"),
    "audit:purge_selection": Route(POST_ONLY, "door 302 302 302 302 302"),
    "audit:purge_selection of one": Route(POST_ONLY, "door 200 302 302 302 302", data=_deletion),
    "audit:empty_trash": Route("door 200 302 302 302 302", "door 422 302 302 302 302", shows="Dustmitten"),
}

# Everybody who is signed in has an account of their own; the owner alone has a second factor. The password was typed a
# moment ago; `test_what_guards_the_account_asks_for_the_password_again` is about later.
FACTORLESS = "door {0} 404 404 404 404"
ACCOUNTS = {
    "accounts:profile": Route(
        SIGNED_IN, "door 302 302 302 302 302", data={"handle": "renamed", "display_name": "Renamed"}
    ),
    "accounts:preferences": Route(
        SIGNED_IN,
        "door 302 302 302 302 302",
        data={"theme": "dark", "timezone": "UTC", "locale": "en", "rows_per_page": 15},
    ),
    "accounts:data": Route(SIGNED_IN, READ_ONLY),
    "accounts:download_data": Route(SIGNED_IN, READ_ONLY, get_writes=True),
    "accounts:close": Route(SIGNED_IN, "door 409 302 302 302 409", data={"fate": "close"}),
    "accounts:closing": Route("door 302 302 302 302 302", READ_ONLY),
    "accounts:keep": Route(POST_ONLY, "door 302 302 302 302 302"),
    "accounts:account": Route(
        "door 404 404 404 404 200",
        "door 404 404 404 404 409",
        "person",
        data={"fate": "close", "days": 3, "reason": "They left."},
        shows="Winnie",
        open_to_staff=True,
    ),
    "accounts:account_data": Route(
        POST_ONLY, "door 404 404 404 404 200", "person", data={"reason": "They asked."}, open_to_staff=True
    ),
    "accounts:account_keep": Route(POST_ONLY, "door 404 404 404 404 302", "person", open_to_staff=True),
    "accounts:person": Route(SIGNED_IN, READ_ONLY, "person", shows="Winnie"),
    "accounts:history": Route("door 200 404 404 404 200", READ_ONLY, "person", open_to_staff=True, staff_look=True),
    "accounts:export_history": Route(
        "door 200 404 404 404 200", READ_ONLY, "person", query="?format=jsonl", open_to_staff=True, get_writes=True
    ),
    "accounts:teams": Route(SIGNED_IN, READ_ONLY, shows="Bindlethorn"),
    "accounts:create_team": Route(SIGNED_IN, "door 302 302 302 302 302", data={"name": "Pickers"}),
    "accounts:team": Route("door 200 404 200 404 404", READ_ONLY, "team", shows="Juniperfall"),
    "accounts:edit_team": Route(
        "door 200 404 404 404 404", "door 302 404 404 404 404", "team", {"name": "Pickers"}, shows="Bindlethorn"
    ),
    "accounts:add_member": Route(POST_ONLY, "door 302 404 404 404 404", "team", {"who": "@outsider", "role": "member"}),
    "accounts:change_member": Route(POST_ONLY, "door 302 404 404 404 404", "member", {"role": "owner"}),
    "accounts:hand_over": Route(POST_ONLY, "door 302 404 404 404 404", "member"),
    "accounts:remove_member": Route(POST_ONLY, "door 302 404 404 404 404", "member"),
    "accounts:leave_team": Route(POST_ONLY, "door 409 404 302 404 404", "team"),
    "account_login": Route("200 302 302 302 302 302", "302 302 302 302 302 302", data=_sign_in),
    "account_logout": Route("302 200 200 200 200 200", "302 302 302 302 302 302"),
    "account_inactive": Route(ANYBODY, NOBODY_POSTS),
    "account_signup": Route(
        "200 302 302 302 302 302",
        "302 302 302 302 302 302",
        data={"email": "somebody@example.org", "password1": "quite-another-secret", "display_name": "Somebody"},
    ),
    "account_reauthenticate": Route(SIGNED_IN, "door 302 302 302 302 302", data={"password": PASSWORD}),
    "account_email": Route(SIGNED_IN, "door 302 302 302 302 302", data={"action_add": "", "email": "new@example.org"}),
    "account_email_verification_sent": Route(ANYBODY, NOBODY_POSTS),
    "account_confirm_email": Route(
        ANYBODY,
        "302 302 302 302 302 302",
        "confirmation",
        tells="other.winifred@example.org",
        get_writes=True,  # whoever is signed in as somebody else is signed out
    ),
    "account_change_password": Route(
        SIGNED_IN,
        "door 302 302 302 302 302",
        data={"oldpassword": PASSWORD, "password1": "quite-another-secret", "password2": "quite-another-secret"},
    ),
    "account_set_password": Route("door 302 302 302 302 302", "door 302 302 302 302 302"),
    "account_reset_password": Route(ANYBODY, "302 302 302 302 302 302", data={"email": "no@example.org"}),
    "account_reset_password_done": Route(ANYBODY, NOBODY_POSTS),
    "account_reset_password_from_key": Route("302 302 302 302 302 302", "302 302 302 302 302 302", "reset"),
    "account_reset_password_from_key_done": Route(ANYBODY, NOBODY_POSTS),
    "account_confirm_login_code": Route("302 302 302 302 302 302", "302 302 302 302 302 302"),
    "usersessions_list": Route(SIGNED_IN, "door 302 302 302 302 302"),
    "mfa_index": Route(SIGNED_IN, READ_ONLY),
    "mfa_authenticate": Route("302 302 302 302 302 302", "302 302 302 302 302 302"),
    "mfa_login_webauthn": Route("302 302 302 302 302 302", "302 302 302 302 302 302"),
    "mfa_reauthenticate": Route("door 200 again again again again", "door 200 again again again again"),
    "mfa_reauthenticate_webauthn": Route("door 200 again again again again", "door 302 again again again again"),
    "mfa_activate_totp": Route("door 302 200 200 200 200", "door 302 200 200 200 200"),
    "mfa_deactivate_totp": Route(FACTORLESS.format(200), FACTORLESS.format(302)),
    "mfa_view_recovery_codes": Route(FACTORLESS.format(200), READ_ONLY, get_writes=True),  # shown once
    "mfa_generate_recovery_codes": Route(SIGNED_IN, "door 302 200 200 200 200"),
    "mfa_download_recovery_codes": Route(FACTORLESS.format(200), FACTORLESS.format(405), get_writes=True),
    "mfa_list_webauthn": Route(SIGNED_IN, READ_ONLY, shows="Pebblekey"),
    "mfa_add_webauthn": Route(SIGNED_IN, SIGNED_IN),
    "mfa_edit_webauthn": Route(FACTORLESS.format(200), FACTORLESS.format(302), "passkey", {"name": "Key"}),
    "mfa_remove_webauthn": Route(FACTORLESS.format(200), FACTORLESS.format(302), "passkey"),
}

ROUTES = LIBRARY | CONVERSATIONS | EVERYTHING | ACCOUNTS


def every_route() -> Iterator[str]:
    """The names of all addresses; those of the admin count as one, `admin:`."""

    def walk(resolver: URLResolver, namespace: str) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
            elif isinstance(pattern, URLPattern):
                yield "admin:" if namespace == "admin:" else f"{namespace}{pattern.name or pattern.pattern}"

    return walk(get_resolver(), "")
