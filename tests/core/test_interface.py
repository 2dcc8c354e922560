import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.contrib.messages.storage.base import Message
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone

from promptlib.core.templatetags import interface

NBSP = "\N{NO-BREAK SPACE}"


def render(source, request=None, **values):
    return Template(source).render(RequestContext(request, values) if request else Context(values))


# ---- icons -----------------------------------------------------------------


def test_an_icon_is_silent_beside_words_and_spoken_with_a_label():
    assert render('{% icon "search" %}') == (
        '<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#search"/></svg>'
    )
    assert render('{% icon "alert" size="large" tone="bad" label="A < B" %}') == (
        '<svg class="icon icon--large icon--bad" role="img" aria-label="A &lt; B">'
        '<use href="/static/icons.svg#alert"/></svg>'
    )


def test_the_sprite_follows_the_static_address(settings):
    render('{% icon "search" %}')
    settings.STATIC_URL = "/elsewhere/"
    assert "/elsewhere/icons.svg#search" in render('{% icon "search" %}')


def test_every_icon_that_a_template_names_is_in_the_sprite():
    import re
    from pathlib import Path

    root = Path(interface.__file__).resolve().parents[3]
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (root / "promptlib/core/static/icons.svg").read_text()))
    named = {
        name
        for folder in ("promptlib", "accounts", "audit", "templates_app", "conversations")
        for page in (root / folder).rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', page.read_text())
    }
    assert named - drawn == set()


@pytest.mark.parametrize(
    ("score", "width"), [(None, "0.0"), (0, "0.0"), (3.5, "70.0"), (Decimal("4.6"), "92.0"), (7, "100.0"), (-1, "0.0")]
)
def test_stars_are_filled_as_far_as_the_score_goes(score, width):
    assert interface.star_width(score) == width


# ---- numbers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("", ""), (0, "0"), (47, "47"), (1047, "1,047"), (1234567, "1,234,567"), ("what", ""), (-5, "-5")],
)
def test_number(value, shown):
    assert interface.number(value) == shown


def test_number_takes_places():
    assert (interface.number(1234.5, 2), interface.score(4.56), interface.score(None)) == ("1,234.50", "4.6", "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "€0"),
        (Decimal("12.3"), "€12.30"),
        (Decimal("118.40"), "€118.40"),
        (Decimal("1234.5"), "€1,234.50"),
        (Decimal("0.42"), "€0.42"),
        (Decimal("0.1"), "€0.10"),
        (Decimal("0.0999"), "€0.10"),
        (Decimal("0.05"), "€0.05"),
        (Decimal("0.019"), "€0.019"),
        (Decimal("0.0187"), "€0.019"),
        (Decimal("0.01"), "€0.01"),
        (Decimal("0.004"), "€0.004"),
        (Decimal("0.0042"), "€0.0042"),
        (Decimal("0.004249"), "€0.0042"),
        (Decimal("0.0004"), "€0.0004"),
        (Decimal("0.000001"), "€0.000001"),
        (Decimal("-0.0042"), "−€0.0042"),
        (0.0042, "€0.0042"),
        (Decimal("NaN"), ""),
    ],
)
def test_money(settings, value, shown):
    settings.CURRENCY = "EUR"
    assert interface.money(value) == shown


def test_money_in_other_currencies(settings):
    settings.CURRENCY = "USD"
    shown = [interface.money(1), interface.money(1, "gbp"), interface.money(Decimal("0.002"), "CHF")]
    assert shown == ["$1.00", "£1.00", f"CHF{NBSP}0.002"]


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (850, "850 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (1000, "1.0 s"),
        (2140, "2.1 s"),
        (59_900, "59.9 s"),
        (59_960, "1 min 0 s"),
        (185_000, "3 min 5 s"),
    ],
)
def test_seconds(milliseconds, shown):
    assert interface.seconds(milliseconds).replace(NBSP, " ") == shown


@pytest.mark.parametrize(
    ("ratio", "shown"), [(None, ""), (0, "0 %"), (0.981, "98.1 %"), (1, "100 %"), (Decimal("0.9999"), "100 %")]
)
def test_percent(ratio, shown):
    assert interface.percent(ratio).replace(NBSP, " ") == shown


# ---- time ------------------------------------------------------------------


@pytest.fixture
def noon_in_berlin(monkeypatch):
    """It is 22 November 2026, 12:00 in Berlin."""
    moment = dt.datetime(2026, 11, 22, 11, 0, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    with timezone.override("Europe/Berlin"):
        yield


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (dt.datetime(2026, 11, 22, 13, 41, tzinfo=dt.UTC), "today 14:41"),
        (dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.UTC), "today 00:30"),
        (dt.datetime(2026, 11, 21, 22, 30, tzinfo=dt.UTC), "21 Nov"),
        (dt.datetime(2026, 11, 5, 9, 0, tzinfo=dt.UTC), "5 Nov"),
        (dt.datetime(2025, 11, 5, 9, 0, tzinfo=dt.UTC), "5 Nov 2025"),
        (dt.date(2026, 11, 22), "today"),
        (dt.date(2026, 3, 1), "1 Mar"),
        (None, ""),
    ],
)
def test_short_date(noon_in_berlin, moment, words):
    assert interface.short_date(moment) == words


def test_when_carries_the_full_time(noon_in_berlin):
    assert interface.when(dt.datetime(2025, 11, 5, 9, 0, 0, 123456, tzinfo=dt.UTC)) == (
        '<time datetime="2025-11-05T10:00:00+01:00" title="5 November 2025, 10:00 CET">5 Nov 2025</time>'
    )
    assert interface.when(dt.date(2026, 3, 1)) == '<time datetime="2026-03-01" title="1 March 2026">1 Mar</time>'
    assert interface.when(None) == ""


# ---- people ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ines Okafor", "IO"),
        ("Mei-Ling van der Zhao", "MZ"),
        ("ines", "I"),
        ("ines.okafor@halden.example", "IO"),
        ("美玲 趙", "美趙"),
        ("(Ann) Bee", "AB"),
        ("", "?"),
        (None, "?"),
        ("—", "?"),
    ],
)
def test_initials(name, letters):
    assert interface.initials(name) == letters


def test_a_hue_belongs_to_its_id_and_all_six_are_used():
    ids = [UUID(int=number * 7919) for number in range(60)]
    assert [interface.avatar_hue(key) for key in ids] == [interface.avatar_hue(UUID(str(key))) for key in ids]
    assert {interface.avatar_hue(key) for key in ids} == {1, 2, 3, 4, 5, 6}
    assert {interface.avatar_hue(key) for key in ("echo", None, 0, -3)} <= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(
    ("model", "mark"), [("mistral-small", "M"), ("meta/llama-3.3", "L"), ("~~", "?"), ("", "?"), (None, "?")]
)
def test_model_mark(model, mark):
    assert interface.model_mark(model) == mark


def test_everybody_has_a_name():
    ines = SimpleNamespace(display_name="Ines Okafor")
    assert [interface.person_name(person) for person in (ines, "ann@example.org", None)] == [
        "Ines Okafor",
        "ann@example.org",
        "Somebody",
    ]


# ---- the page around -------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "preferences", "chosen"),
    [
        (None, {}, "system"),
        (None, {"theme": "dark"}, "dark"),
        ("light", {"theme": "dark"}, "light"),
        ("system", {"theme": "dark"}, "system"),
        ('"><script>', {}, "system"),
        (None, {"theme": "neon"}, "system"),
    ],
)
def test_the_theme_is_the_devices_then_the_persons(cookie, preferences, chosen):
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(preferences=preferences)
    if cookie:
        request.COOKIES["theme"] = cookie
    assert render("{% theme %}", request) == chosen


def test_without_a_request_there_is_the_system_theme():
    assert render('{% theme %}{% preference "theme" %}{% current "/x/" %}') == "systemNone"


def test_a_place_is_current_at_and_under_its_address():
    request = RequestFactory().get("/templates/123/")
    places = ["/templates/", "/templates/123/", "/conversations/", "", None]
    assert [render("{% current place %}", request, place=place) != "" for place in places] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_another_page_keeps_the_rest_of_the_query():
    request = RequestFactory().get("/", {"q": "a b&c", "tag": ["x", "y"], "cursor": "old"})
    assert render('{% page_url "cursor" "new=" %}', request) == "?q=a+b%26c&amp;tag=x&amp;tag=y&amp;cursor=new%3D"
    assert render('{% page_url "cursor" "" %}', request) == "?q=a+b%26c&amp;tag=x&amp;tag=y"


@pytest.mark.parametrize(
    ("tags", "url"),
    [
        ("undo:/trash/1/restore/", "/trash/1/restore/"),
        ("other undo:/a/", "/a/"),
        ("undo://evil.example/", ""),
        ("undo:/\\evil.example/", ""),
        ("undo:https://evil.example/", ""),
        ("undo:javascript:alert(1)", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_undo_leads_nowhere_else(tags, url):
    assert interface.undo_url(Message(25, "Moved.", extra_tags=tags)) == url


def test_a_stranger_may_sign_up_only_when_registration_is_open(settings):
    shown = []
    for registration in ("open", "invite", "closed"):
        settings.REGISTRATION = registration
        shown.append(render("{% sign_up_url %}"))
    assert shown == ["/accounts/signup/", "", ""]


# ---- blocks ----------------------------------------------------------------


def test_a_block_escapes_its_words_and_keeps_its_markup():
    source = "{% table_wrap label %}<table><tr><td>{{ cell }}</td></tr></table>{% endtable_wrap %}"
    assert render(source, label='"A" & B', cell="<i>").split("#}")[-1].strip() == (
        '<div class="table-wrap" tabindex="0" role="region" aria-label="&quot;A&quot; &amp; B">'
        "<table><tr><td>&lt;i&gt;</td></tr></table></div>"
    )
