"""What people type and what models write, in Chromium: none of it runs, asks for anything, or leads anywhere."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from accounts.models import User
from conversations.models import (
    AIModel,
    Conversation,
    ConversationImport,
    ConversationTag,
    LinkView,
    Prompt,
    PromptComment,
    SavedTemplate,
)
from conversations.services import links, retry
from templates_app.models import PromptTemplate
from tests.factories import (
    AIModelFactory,
    CategoryFactory,
    ConversationFactory,
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

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sqlite_only,  # what a browser makes of a page is the same whatever database it came from
    pytest.mark.django_db(transaction=True),
]

HOST = "https://evil.invalid"
CALL = "window.__xss=1;alert(1)"
PAYLOADS = [
    f"<script>{CALL}</script>",
    f'"><script>{CALL}</script>',
    f"'><script>{CALL}</script>",
    f"</title><script>{CALL}</script>",
    f"</textarea><script>{CALL}</script>",
    f"</script><script>{CALL}</script>",
    f"</style><script>{CALL}</script>",
    f"</noscript><script>{CALL}</script>",
    f"</template><script>{CALL}</script>",
    f"</option></select><img src=x onerror={CALL}>",
    f"--><script>{CALL}</script><!--",
    f"]]><script>{CALL}</script>",
    f"<scr<script>ipt>{CALL}</scr</script>ipt>",
    f"<ScRiPt >{CALL}</sCrIpT>",
    f'<script src="{HOST}/x.js"></script>',
    f"<img src=x onerror={CALL}>",
    f'<img src="{HOST}/pixel.png">',
    f'<img srcset="{HOST}/pixel.png 1x">',
    f'" onerror="{CALL}" src="x',
    f'" autofocus onfocus="{CALL}" x="',
    f"' autofocus onfocus='{CALL}' x='",
    f"` onmouseover=`{CALL}`",
    f'" style="background:url({HOST}/s)" x="',
    f"<svg onload={CALL}>",
    f"<svg><script>{CALL}</script></svg>",
    f"<svg><animate onbegin={CALL} attributeName=x dur=1s>",
    f'<svg><use href="{HOST}/x.svg#a"></use></svg>',
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={CALL}>",
    f"<details open ontoggle={CALL}>",
    f"<video autoplay onloadstart={CALL}><source src={HOST}/v.mp4></video>",
    f"<audio src={HOST}/a.mp3 autoplay onerror={CALL}>",
    f'<iframe src="javascript:{CALL}"></iframe>',
    f'<iframe srcdoc="<script>parent.{CALL}</script>"></iframe>',
    f'<iframe src="{HOST}/"></iframe>',
    f'<object data="{HOST}/o"></object>',
    f'<embed src="{HOST}/e">',
    f'<link rel="stylesheet" href="{HOST}/s.css">',
    f'<link rel="prefetch" href="{HOST}/p">',
    f'<base href="{HOST}/">',
    f'<meta http-equiv="refresh" content="0; url={HOST}/">',
    f"<style>@import '{HOST}/s.css'; * {{ background: url({HOST}/b) }}</style>",
    f'<form action="{HOST}/"><input type=submit autofocus></form>',
    f'<a href="javascript:{CALL}">press</a>',
    f'<body onload="{CALL}">',
    f'<marquee onstart="{CALL}">x</marquee>',
    f'<input autofocus onfocus="{CALL}">',
    f'<select autofocus onfocus="{CALL}"></select>',
    f'<div hx-get="{HOST}/" hx-trigger="load"></div>',
    f'<div data-hx-get="{HOST}/" data-hx-trigger="load" data-hx-on:load="{CALL}"></div>',
    f'<div data-hx-vals=\'js:{{a: {CALL}}}\' data-hx-post="/" data-hx-trigger="load"></div>',
    f"[press](javascript:{CALL})",
    f"[press](JaVaScRiPt:{CALL})",
    f"[press](data:text/html,<script>{CALL}</script>)",
    f"[press](vbscript:{CALL})",
    f"![]({HOST}/pixel.png)",
    f"[![]({HOST}/pixel.png)](javascript:{CALL})",
    f"![x]({HOST}/pixel.png \"onerror='{CALL}'\")",
    f"<javascript:{CALL}>",
    f"[ref]: javascript:{CALL}\n[ref]",
    f"```html\n</code></pre><script>{CALL}</script>\n```",
    f'```"><script>{CALL}</script>\nx\n```',
    f"| a |\n|---|\n| <img src=x onerror={CALL}> |",
    f"`</code><script>{CALL}</script>`",
    f"{{{{ constructor.constructor('{CALL}')() }}}}",
    "{% load static %}{% csrf_token %}{{ request.user.password }}",
    f"\\u003cscript\\u003e{CALL}\\u003c/script\\u003e",
    f"&lt;script&gt;{CALL}&lt;/script&gt;",
    f"\u202e<script>{CALL}</script>",
]


@pytest.fixture
def watched(browser: Browser, live_server: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page, and everything it did that text must not make it do."""
    strayed: list[str] = []
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(20_000)
    page = context.new_page()
    host = urlsplit(live_server.url).netloc

    def requested(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc != host:
            strayed.append(f"asked for {request.url}")

    def opened(dialog: Any) -> None:
        strayed.append(f"opened a dialog on {page.url}")
        dialog.dismiss()

    page.on("request", requested)
    page.on("dialog", opened)
    page.on(
        "console", lambda message: strayed.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield page, strayed
    context.close()


def test_no_text_does_anything(watched: tuple[Page, list[str]], live_server: Any, settings: Any) -> None:
    settings.ECHO_PROVIDER = True
    page, strayed = watched
    person = hostile_person()
    pages = [*pages_of_conversations(person), *pages_of_library(person), *pages_of_people(person)]
    client = Client()
    client.force_login(person)
    shared = shared_page(person, client)
    for name in ("sessionid", "opened"):
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    pages.append(shared)
    shown: set[str] = set()
    for url in pages:
        answer = page.goto(url, wait_until="load")
        assert answer is not None
        assert answer.status == 200, url
        text = page.content()
        shown |= {payload for payload in PAYLOADS if mark(payload) in text}
        found = page.evaluate(
            """() => [window.__xss, ...[...document.querySelectorAll("a[href]")].map((link) => link.protocol)
                .filter((scheme) => !["http:", "https:", "mailto:"].includes(scheme))]"""
        )
        assert (found, strayed) == ([None], []), url
    assert shown == set(PAYLOADS)


def mark(payload: str) -> str:
    """What names a payload, beside it wherever it is entered."""
    return f"mark{PAYLOADS.index(payload)}."


def every(text: str = "") -> str:
    """All payloads in one text, each in a paragraph of its own."""
    return "\n\n".join([text, *(f"{mark(payload)}\n\n{payload}" for payload in PAYLOADS)])


def hostile_person() -> User:
    return UserFactory(display_name=PAYLOADS[1][:120], bio=every()[:2000], handle="mallory", staff=True)


def pages_of_conversations(person: User) -> list[str]:
    """A thread whose every text is hostile, the ways through it, and one conversation for each payload as its title."""
    model = AIModelFactory(label=PAYLOADS[1][:120], name=PAYLOADS[15][:120])
    thread = ConversationFactory(
        owner=person,
        title=PAYLOADS[0],
        summary=every(),
        system_prompt=every(),
        model=model,
        metadata={"a": PAYLOADS[0]},
    )
    first = answered(thread, model)
    failed = PromptFactory(
        conversation=thread, parent=first, ai_model=model, failed=True, input_text=every(), error_message=every()
    )
    again = retry(first, author=person, model=None)
    PromptFactory(conversation=thread, parent=again, pending=True, input_text=every(), response_text=every())
    for payload in PAYLOADS:
        ConversationFactory(owner=person, title=f"{mark(payload)} {payload}"[:300])
    ParticipantFactory(conversation=thread, user__display_name=PAYLOADS[15][:120], role="editor")
    ConversationTag.objects.create(conversation=thread, tag=TagFactory(name=PAYLOADS[1][:40]))
    link, _token = links.make_link(thread, by=person, name=PAYLOADS[1])
    LinkView.objects.create(link=link, ip="192.0.2.7", user_agent=PAYLOADS[15])
    SavedTemplate.objects.create(prompt=first, template=TemplateFactory(owner=person, title=PAYLOADS[1]))
    told = {"kind": "bad", "place": PAYLOADS[0], "title": PAYLOADS[1], "reason": PAYLOADS[15]}
    upload = ConversationImport.objects.create(
        owner=person, filename=PAYLOADS[15], format="chatgpt", status="done", total=1, done=1, outcomes=[told]
    )
    kwargs = {"pk": thread.pk, "prompt_pk": first.pk}
    address = thread.get_absolute_url()
    return [
        reverse("conversations:list"),
        f"{reverse('conversations:list')}?q=mark1",
        f"{address}?at={failed.pk}",
        address,
        reverse("conversations:compare", args=[thread.pk, failed.pk, again.pk]),
        reverse("conversations:edit", kwargs=kwargs),
        reverse("conversations:raw", kwargs=kwargs),
        reverse("conversations:rename", args=[thread.pk]),
        reverse("conversations:history", args=[thread.pk]),
        reverse("conversations:save_template", kwargs=kwargs),
        reverse("conversations:answers", kwargs=kwargs),
        f"{reverse('conversations:search', args=[thread.pk])}?q=mark1",
        *(reverse(f"conversations:{name}", args=[thread.pk]) for name in ("people", "links", "export")),
        reverse("conversations:link", args=[thread.pk, link.pk]),
        reverse("conversations:imports"),
        reverse("conversations:import", args=[upload.pk]),
        f"{reverse('site:search')}?q=mark1&kind=prompts",
        f"{reverse('site:search')}?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ]


def shared_page(person: User, client: Client) -> str:
    """What whoever has the link reads; the cookie that says so is the client's."""
    thread = ConversationFactory(owner=person, title=PAYLOADS[1])
    PromptFactory(conversation=thread, input_text=every(), response_text=every(), model=PAYLOADS[15][:120])
    _link, token = links.make_link(thread, by=person)
    client.post(reverse("conversations:open_shared", args=[token]))
    return reverse("conversations:shared", args=[token])


def answered(thread: Conversation, model: AIModel) -> Prompt:
    prompt = PromptFactory(
        conversation=thread,
        ai_model=model,
        model=PAYLOADS[15][:120],
        input_text=every("The question"),
        response_text=every("The answer"),
        finish_reason=PAYLOADS[0][:64],
        feedback=1,
        feedback_note=PAYLOADS[0],
        values={PAYLOADS[0]: PAYLOADS[1]},
        currency="<b>",
    )
    PromptComment.objects.create(prompt=prompt, author=thread.owner, text=every())
    return prompt


def pages_of_library(person: User) -> list[str]:
    template: PromptTemplate = TemplateFactory(
        owner=person,
        title=PAYLOADS[1],
        summary=PAYLOADS[15],
        body=every("Say {{ word }}"),
        system_prompt=every(),
        change_note=PAYLOADS[0],
        category=CategoryFactory(name=PAYLOADS[15][:80]),
        tags=[PAYLOADS[15][:40].lower()],
        visibility="public",
        versions=2,
    )
    LabelFactory(version=template.current_version)
    RatingFactory(template=template, review=every()[:2000])
    SuggestionFactory(template=template, message=PAYLOADS[0])
    ValueSetFactory(template=template, user=person, name=PAYLOADS[1][:80], values={"word": PAYLOADS[4]})
    told = {"kind": "created", "place": PAYLOADS[0], "title": PAYLOADS[1], "reason": PAYLOADS[15], "template": ""}
    upload = LibraryImportFactory(owner=person, filename=f"{PAYLOADS[15]}.csv", text="act,prompt\n", outcomes=[told])
    names = ("edit", "history", "reviews", "suggestions")
    return [
        reverse("templates_app:list"),
        template.get_absolute_url(),
        *(reverse(f"templates_app:{name}", args=[template.pk]) for name in names),
        reverse("templates_app:compare", args=[template.pk, 1, 2]),
        reverse("templates_app:import", args=[upload.pk]),
    ]


def pages_of_people(person: User) -> list[str]:
    team = TeamFactory(name=PAYLOADS[1][:80], description=PAYLOADS[15], members=[person])
    names = ("site:home", "site:analytics", "audit:history", "accounts:profile", "accounts:teams", "audit:trash")
    return [
        *(reverse(name) for name in names),
        reverse("accounts:person", args=[person.handle]),
        reverse("accounts:team", args=[team.slug]),
    ]
