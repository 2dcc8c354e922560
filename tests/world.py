"""One of everything, and people who stand to it in every way: what the tests of the whole product look at."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.internal.userkit import user_id_to_str
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.signing import get_cookie_signer
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from conversations.models import (
    Conversation,
    ConversationImport,
    ConversationTag,
    LinkView,
    PromptComment,
    SavedTemplate,
    SeatOffer,
    UsageLimit,
)
from conversations.services import links
from templates_app import services
from templates_app.models import BulkAction, PromptTemplate
from tests.factories import (
    AIModelFactory,
    AIModelPriceFactory,
    CategoryFactory,
    ConversationFactory,
    FavoriteFactory,
    FollowFactory,
    GrantFactory,
    LabelFactory,
    LibraryImportFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TagFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)

PEOPLE = ("anonymous", "owner", "editor", "viewer", "outsider", "staff")
READERS = frozenset({"owner", "editor", "viewer", "commenter"})
ALONE = frozenset({"owner"})
COMMON_WORD = "orchard"
"""Stands in everything, so that a search for it finds whatever the person may see."""


@dataclass
class World:
    """`people` by what they are to the owner's things; `args` names things as addresses do; `secrets` by word."""

    people: dict[str, User | None]
    suffix: str = ""
    args: dict[str, dict[str, Any]] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, frozenset[str]] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def url(self, name: str, of: str = "", **kwargs: Any) -> str:
        return reverse(name, kwargs=(self.args[of] if of else {}) | kwargs)

    def client(self, person: str, **options: Any) -> Client:
        """A browser of this person, who has just typed the password."""
        client = Client(**options)
        user = self.people[person]
        if person in self.cookies:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[person]
        elif user is not None:
            client.force_login(user)
            session = client.session
            session["account_authentication_methods"] = [{"method": "password", "at": 2**40, "reauthenticated": True}]
            session["account_authentication_methods_user"] = user_id_to_str(user)
            session.save()
            self.cookies[person] = client.cookies[settings.SESSION_COOKIE_NAME].value
        if person == "reader":
            client.cookies["opened"] = get_cookie_signer(salt="openedopened").sign(str(self.things["opening"].pk))
        return client


def make_world(suffix: str = "") -> World:
    """With a suffix, another one beside those that are there: it is part of each name that can be given once."""
    owner = UserFactory(
        handle=f"winnie{suffix}", email=f"winifred{suffix}.of.the@example.org", display_name="Winnie", can_sign_in=True
    )
    people: dict[str, User | None] = {"anonymous": None, "owner": owner}
    for name in ("editor", "viewer", "commenter", "outsider"):
        people[name] = UserFactory(handle=f"{name}{suffix}", can_sign_in=True)
    people["staff"] = UserFactory(handle=f"staff{suffix}", staff=True, can_sign_in=True)
    world = World(people, suffix)
    world.secrets |= dict.fromkeys([owner.email, f"other.winifred{suffix}@example.org"], ALONE)
    world.args["person"] = {"handle": owner.handle}
    _template(world)
    _imports(world)
    _conversation_imports(world)
    _conversation(world)
    _trash(world)
    _event(world)
    _second_factor(world)
    for person in people:
        world.client(person)
    owner.refresh_from_db()  # signing in makes earlier links void
    world.args["reset"] = {"uidb36": user_pk_to_url_str(owner), "key": default_token_generator.make_token(owner)}
    return world


def _template(world: World) -> None:
    owner, editor, viewer = (world.people[name] for name in ("owner", "editor", "viewer"))
    template = TemplateFactory(
        owner=owner,
        visibility="shared",
        category=CategoryFactory(name="Fieldwork"),
        title="Quillfeather orchard",
        summary="The Marzipanther summary.",
        system_prompt="Speak like Larkspurred.",
        body="Count the Snorkelbeam trees of the {{ orchard }}.",
        change_note="Says Thimblewick",
        tags=[f"bramblewhisk{world.suffix}"],
        versions=3,
    )
    GrantFactory(template=template, user=editor, role="editor")
    GrantFactory(template=template, user=viewer)
    GrantFactory(template=template, team=TeamFactory(name="Gatherers", members=[world.people["commenter"]]))
    LabelFactory(version=template.current_version)
    RatingFactory(template=template, user=viewer, review="A Dapplecroft review.")
    FavoriteFactory(template=template, user=viewer)
    for person in (owner, editor, viewer):
        FollowFactory(template=template, user=person)
    _suggestions(world, template)
    _value_sets(world, template)
    _team(world, template)
    world.args |= {"shelf": {"pk": template.category_id}, "tag": {"pk": template.tags.get().pk}}
    action = BulkAction.objects.create(user=owner, action="archive", before=[])
    world.args |= {"bulk": {"action": "archive"}, "bulk action": {"pk": action.pk}}
    world.things["other shelf"] = CategoryFactory(name="Elsewhere")
    draft = TemplateFactory(
        owner=owner, visibility="public", status="draft", title="Hushpocket orchard", body="Keep the Mufflecap {{ x }}."
    )
    archived = TemplateFactory(owner=owner, visibility="shared", status="archived", title="Old Quillfeather orchard")
    for person, role in ((editor, "editor"), (viewer, "viewer")):
        GrantFactory(template=archived, user=person, role=role)
    public = TemplateFactory(owner=owner, visibility="public", title="Larkmeadow orchard", body="Sow {{ x }}.")
    review = RatingFactory(template=public, user=viewer, review="A Larkmeadow review.")
    report = services.report_rating(review, user=world.people["commenter"], reason="Of another meadow.")
    world.things |= {"template": template, "draft": draft, "public": public}
    _labels(world, template)
    _fork(world, public)
    world.args |= {
        "template": {"pk": template.pk},
        "version": {"pk": template.pk, "number": 1},
        "draft": {"pk": draft.pk},
        "public": {"pk": public.pk},
        "public review": {"pk": public.pk, "rating_pk": review.pk},
        "report": {"report_pk": report.pk},
        "public version": {"pk": public.pk, "number": 1},
        "public comparison": {"pk": public.pk, "old": 1, "new": 2},
        "archived": {"pk": archived.pk},
    }
    shared = "Quillfeather Marzipanther Larkspurred Snorkelbeam Thimblewick bramblewhisk Dapplecroft Pennywort"
    world.secrets |= dict.fromkeys(shared.split(), READERS) | dict.fromkeys(["Hushpocket", "Mufflecap"], ALONE)
    world.secrets["Larkmeadow"] = frozenset(PEOPLE) - {"anonymous"} | {"commenter"}


def _suggestions(world: World, template: PromptTemplate) -> None:
    """An open one of the viewer's, discussed, and a rejected one of the editor's."""
    owner, editor, viewer = (world.people[name] for name in ("owner", "editor", "viewer"))
    suggestion = SuggestionFactory(template=template, author=viewer, message="Make it Pennywort.")
    services.comment_suggestion(suggestion, author=owner, text="Why Brackenvale?")
    rejected = SuggestionFactory(template=template, author=editor, message="Make it Sorrelhatch.")
    services.reject_suggestion(rejected, by=owner, reason="Never Tansyfold.")
    world.things["suggestion"] = suggestion
    for name, each in (("suggestion", suggestion), ("rejected", rejected)):
        world.args[name] = {"pk": template.pk, "suggestion_pk": each.pk}
    world.secrets |= dict.fromkeys("Brackenvale Sorrelhatch Tansyfold".split(), READERS)


def _team(world: World, template: Any) -> None:
    """The owner's, with the viewer and the commenter in it."""
    people = [world.people[name] for name in ("owner", "viewer", "commenter")]
    team = TeamFactory(
        name="Reapers of Juniperfall",
        slug=f"reapers{world.suffix}",
        description="They Bindlethorn.",
        members=people,
    )
    team.memberships.filter(user=people[0]).update(role="owner")
    grant = GrantFactory(template=template, team=team)
    world.args |= {
        "team": {"slug": team.slug},
        "member": {"slug": team.slug, "handle": f"viewer{world.suffix}"},
        "grant": {"pk": template.pk, "grant_pk": grant.pk},
    }
    world.secrets |= {"Juniperfall": READERS, "Bindlethorn": READERS - {"editor"}}  # an editor reads who has rights


def _labels(world: World, template: PromptTemplate) -> None:
    """A protected one, which the editor wants to move."""
    version = template.versions.get(number=2)
    LabelFactory(version=version, name="kept", is_protected=True)
    move = services.move_label(
        template, name="kept", version=template.current_version, by=world.people["editor"], reason="For Yarrowgate."
    )
    assert move is not None
    world.args |= {
        "move": {"pk": template.pk, "move_pk": move.pk},
        "comparison": {"pk": template.pk, "old": 1, "new": 3},
    }
    world.secrets["Yarrowgate"] = READERS


def _fork(world: World, original: PromptTemplate) -> None:
    """The owner's, of a public template that has moved on since."""
    owner, editor, viewer = (world.people[name] for name in ("owner", "editor", "viewer"))
    fork = services.fork_template(original.current_version, owner=owner, title="Pipkinwort orchard")
    services.update_details(fork, base_revision=0, visibility="shared")
    GrantFactory(template=fork, user=editor, role="editor")
    GrantFactory(template=fork, user=viewer)
    services.publish_version(original, author=owner, base_revision=original.revision, body="Sow and reap {{ x }}.")
    world.things["fork"] = fork
    world.args["fork"] = {"pk": fork.pk}
    world.secrets["Pipkinwort"] = READERS - {"commenter"}


def _value_sets(world: World, template: PromptTemplate) -> None:
    owner, viewer = world.people["owner"], world.people["viewer"]
    private = ValueSetFactory(
        template=template, user=owner, name="Crumblewax orchard", values={"orchard": "Sogglethorn"}
    )
    shared = ValueSetFactory(
        template=template, user=viewer, name="Tatterfern", values={"orchard": "pears"}, is_shared=True
    )
    world.things |= {"value set": private, "shared value set": shared}
    world.args["value set"] = {"pk": template.pk, "set_pk": private.pk}
    world.secrets |= {"Crumblewax": ALONE, "Sogglethorn": ALONE, "Tatterfern": READERS}


def _imports(world: World) -> None:
    owner = world.people["owner"]
    text = "act,prompt\nTailor,Sew a Wickerfern coat.\n"
    told = {"kind": "created", "place": "row 2", "title": "Wickerfern", "reason": "", "template": ""}
    waiting = LibraryImportFactory(owner=owner, filename="Wickerfern.csv", text=text, outcomes=[told])
    finished = LibraryImportFactory(owner=owner, filename="Wickerfern.csv", text=text, outcomes=[told], finished=True)
    world.args |= {"upload": {"pk": waiting.pk}, "imported": {"pk": finished.pk}}
    world.secrets["Wickerfern"] = ALONE


def _conversation_imports(world: World) -> None:
    """Uploads of the owner's in every state: looked at, at work, broken off, failed, done."""
    owner = world.people["owner"]
    told = [
        {"kind": "created", "place": "conversation 1", "title": "Sandpiperly orchard", "added": 3},
        {"kind": "bad", "place": "conversation 2", "title": "Sandpiperly two", "reason": "It has no messages."},
    ]
    made = {"owner": owner, "filename": "Sandpiperly.json", "format": "chatgpt", "total": 2}
    now, earlier = timezone.now(), timezone.now() - timedelta(hours=1)
    states: dict[str, dict[str, Any]] = {
        "looked at": {"status": "preview", "finished_at": now, "outcomes": told, "done": 2},
        "at work": {"status": "running", "outcomes": told[:1], "done": 1},
        "broken off": {"status": "running", "outcomes": told[:1], "done": 1},
        "unreadable": {"status": "failed", "finished_at": now, "error": "Its JSON is nested too deep."},
        "brought in": {"status": "done", "finished_at": now, "outcomes": told, "done": 2},
    }
    for name, fields in states.items():
        upload = ConversationImport.objects.create(**made, **fields)
        world.args[f"conversations {name}"] = {"pk": upload.pk}
        if name == "broken off":
            ConversationImport.objects.filter(pk=upload.pk).update(updated_at=earlier)
    world.secrets["Sandpiperly"] = ALONE


def _conversation(world: World) -> None:
    owner = world.people["owner"]
    model = AIModelFactory(label="Echo", name=f"echo-1{world.suffix}")
    for name in ("Alder", "Larch"):
        AIModelPriceFactory(model=AIModelFactory(openai=True, label=name, name=f"{name.lower()}{world.suffix}"))
    UsageLimit.objects.create(user=owner, period="day", runs=40, tokens=90_000, cost=9)
    conversation = ConversationFactory(
        owner=owner, title="Wobblegate orchard", summary="About Fennelbrook.", system_prompt="Be Gorsewater."
    )
    for role in ("editor", "viewer", "commenter"):
        ParticipantFactory(conversation=conversation, user=world.people[role], role=role)
    answered = PromptFactory(
        conversation=conversation,
        ai_model=model,
        input_text="Is the Tumblefrost orchard ripe?",
        response_text="The **Gloomlantern** says so.",
        template_version=world.things["template"].current_version,
        values={"orchard": "Nettlequay"},
        feedback=1,
        feedback_note="A Copperthistle of an answer.",
    )
    remark = PromptComment.objects.create(prompt=answered, author=owner, text="Remarked by Saffronmere.")
    tag = ConversationTag.objects.create(conversation=conversation, tag=TagFactory(name=f"Wrenfield{world.suffix}"))
    world.args["remark"] = {"pk": conversation.pk, "prompt_pk": answered.pk, "remark_pk": remark.pk}
    world.args["tag in a thread"] = {"pk": conversation.pk, "tag_pk": tag.tag_id}
    twice = {"conversation": conversation, "parent": answered, "ai_model": model, "input_text": "And how many trees?"}
    PromptFactory(**twice, response_text="As many as Mistlewick has.")
    failed = PromptFactory(**twice, failed=True)
    waiting = PromptFactory(
        conversation=conversation, parent=failed, recorded=True, status="draft", response_text="", completed_at=None
    )
    other = PromptFactory(
        conversation=conversation, parent=answered, ai_model=model, failed=True, input_text="And the Hollowreed one?"
    )
    world.args["ways"] = {"pk": conversation.pk, "left": failed.pk, "right": other.pk}
    world.secrets["Hollowreed"] = READERS
    saved = TemplateFactory(owner=owner, title="Brindlecote orchard", visibility="private")
    SavedTemplate.objects.create(prompt=answered, template=saved)
    alone = ConversationFactory(owner=owner, title="Cinderpouch orchard")
    PromptFactory(conversation=alone, input_text="Where is Ploverstone?", response_text="In the orchard.")
    world.things |= {"conversation": conversation, "answered": answered, "alone": alone, "model": model}
    world.args["conversation"] = {"pk": conversation.pk}
    _people(world, conversation)
    for name, prompt in (("answered", answered), ("failed", failed), ("waiting", waiting)):
        world.args[name] = {"pk": conversation.pk, "prompt_pk": prompt.pk}
    shared = "Wobblegate Fennelbrook Gorsewater Tumblefrost Gloomlantern Nettlequay Copperthistle Saffronmere"
    world.args["answered variables"] = {"pk": conversation.pk, "prompt_pk": answered.pk, "part": "variables"}
    world.args["saved template"] = {"pk": saved.pk}
    world.secrets |= dict.fromkeys(shared.split(), READERS) | dict.fromkeys(
        ["Brindlecote", "Cinderpouch", "Ploverstone"], ALONE
    )
    world.secrets["Mistlewick"] = READERS


def _people(world: World, conversation: Any) -> None:
    """A place that is kept for somebody who never came, and the viewer's seat."""
    offer = SeatOffer.objects.create(
        conversation=conversation,
        email=f"periwinkle{world.suffix}@example.org",
        role="viewer",
        invited_by=world.people["owner"],
    )
    seat = conversation.participants.get(user=world.people["viewer"])
    world.args |= {
        "seat": {"pk": conversation.pk, "seat_pk": seat.pk},
        "seat offer": {"pk": conversation.pk, "offer_pk": offer.pk},
    }
    link, token = links.make_link(conversation, by=world.people["owner"], name="For Hazelquill", password="open it")
    world.things["opening"] = LinkView.objects.create(link=link, ip="192.0.2.7", user_agent="Reader of Mossbarrow")
    world.people["reader"] = world.people["outsider"]  # the same person, in the browser that opened the link
    world.args |= {"link": {"pk": conversation.pk, "link_pk": link.pk}, "shared link": {"token": token}}
    world.secrets |= dict.fromkeys(["periwinkle", "Hazelquill", "Mossbarrow"], ALONE)


def _trash(world: World) -> None:
    owner, editor = world.people["owner"], world.people["editor"]
    gone = TemplateFactory(owner=owner, visibility="shared", title="Dustmitten orchard", body="Sweep the Grimwillow.")
    GrantFactory(template=gone, user=editor, role="editor")
    thread = ConversationFactory(owner=owner, title="Ashbonnet orchard")
    ParticipantFactory(conversation=thread, user=editor, role="editor")
    PromptFactory(conversation=thread, input_text="Who swept Sootberry?", response_text="The orchard.")
    for row in (gone, thread):
        row.delete(by=owner)
    world.args["deletion"] = {"deletion_id": gone.deletion_id}
    world.args["gone"] = {"pk": gone.pk}
    world.args["gone thread"] = {"pk": thread.pk}
    world.secrets |= dict.fromkeys("Dustmitten Grimwillow Ashbonnet Sootberry".split(), ALONE)


def _event(world: World) -> None:
    template = PromptTemplate.objects.get(pk=world.things["template"].pk)
    with acting(world.people["owner"], request_id="the-owner-s"):
        template.language = "de"
        template.save(update_fields=["language"])
    world.things["event"] = AuditLog.objects.filter(object_pk=str(template.pk)).latest()
    world.args["event"] = {"pk": world.things["event"].pk}
    thread = Conversation.objects.get(pk=world.things["conversation"].pk)
    for summary in ("Dry and long.", "Rude and slow.", "Kind and short."):
        with acting(world.people["owner"], request_id=f"the-owner-s-{summary[:4]}"):
            thread.summary = summary
            thread.save(update_fields=["summary"])
    contradicted = AuditLog.objects.filter(object_pk=str(thread.pk)).order_by("-pk")[1]
    world.args["contradicted"] = {"pk": contradicted.pk}


def _second_factor(world: World) -> None:
    owner = world.people["owner"]
    assert owner is not None
    unverified = EmailAddress.objects.create(user=owner, email=f"other.winifred{world.suffix}@example.org")
    world.args["confirmation"] = {"key": EmailConfirmationHMAC(unverified).key}
    TOTP.activate(owner, "A" * 32)
    RecoveryCodes.activate(owner)
    passkey = Authenticator.objects.create(
        user=owner,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Pebblekey", "credential": passkey_credential()},
    )
    world.args["passkey"] = {"pk": passkey.pk}
    world.secrets["Pebblekey"] = ALONE


def passkey_credential() -> dict[str, Any]:
    """What a browser sends when a passkey was made: whole, but made by nobody's device."""
    key = ES256({1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x02" * 32})
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    public = AttestedCredentialData.create(bytes(16), b"pebble", key)
    data = AuthenticatorData.create(b"\x03" * 32, flags, 0, public)
    client_data = CollectedClientData.create("webauthn.create", b"challenge", "http://localhost")
    return {
        "id": websafe_encode(b"pebble"),
        "rawId": websafe_encode(b"pebble"),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }


def nowhere(args: dict[str, Any]) -> dict[str, Any]:
    """The same address of a thing that does not exist."""
    missing = {UUID: UUID(int=7), int: 999_999, str: "nobody-at-all"}
    return {name: missing.get(type(value), value) for name, value in args.items()}
