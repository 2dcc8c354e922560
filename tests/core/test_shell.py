import re

import pytest
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import include, path

from promptlib.core.toasts import notify
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def shell(request, **_kwargs):
    if "say" in request.GET:
        notify(request, "Moved <1> to the trash.", undo="/undo/")
        messages.warning(request, "Nearly used up.")
        messages.error(request, "It failed.")
    return render(request, "404.html")


def named(namespace, *names):
    return include(([path(f"{name}/", shell, name=name) for name in names], namespace))


urlpatterns = [
    path("", shell),
    path("templates/", named("templates_app", "list", "create")),
    path("conversations/", named("conversations", "list", "create")),
    path("site/", named("site", "analytics", "search")),
    path("audit/", named("audit", "history", "trash")),
    path("me/", named("accounts", "profile")),
    path("accounts/", include("allauth.urls")),
    path("fragment/", lambda request: HttpResponse("")),
]


def get(path="/", user=None, **extra):
    client = Client()
    if user:
        client.force_login(user)
    response = client.get(path, **extra)
    return response.content.decode()


def words(html, selector):
    """The link texts inside the element that `selector` (a class) opens."""
    inner = re.search(rf'<(nav|div)[^>]*class="[^"]*{selector}[^"]*".*?</\1>', html, re.DOTALL)
    return (
        [re.sub(r"<[^>]+>", "", link).strip() for link in re.findall(r"<a .*?</a>", inner[0], re.DOTALL)]
        if inner
        else []
    )


def test_a_stranger_sees_where_to_sign_in_and_up(settings):
    settings.REGISTRATION = "open"
    html = get()
    assert (words(html, "topbar__tools"), words(html, "topbar__nav"), words(html, "tabbar")) == (
        ["Sign in", "Sign up"],
        [],
        [],
    )
    assert ("csrfmiddlewaretoken" in html, "hx-headers" in html, 'id="palette"' in html) == (False, False, False)
    settings.REGISTRATION = "closed"
    assert words(get(), "topbar__tools") == ["Sign in"]


def test_somebody_signed_in_sees_the_places_and_staff_the_history():
    places = ["Library", "Conversations", "Analytics"]
    html = get(user=UserFactory())
    assert words(html, "topbar__nav") == places
    assert words(html, "tabbar") == ["Library", "Conversations", "Search", "Analytics"]
    staff = get(user=UserFactory(staff=True))
    assert words(staff, "topbar__nav") == [*places, "History"]
    assert words(staff, "tabbar") == ["Library", "Conversations", "Search", "Analytics", "History"]


def test_the_place_one_is_at_is_marked_in_both_bars():
    html = get("/conversations/list/", user=UserFactory())
    assert re.findall(r'<a class="(\w+__link)" href="([^"]+)"[^>]* aria-current="page"', html) == [
        ("topbar__link", "/conversations/list/"),
        ("tabbar__link", "/conversations/list/"),
    ]


def test_signing_out_is_a_form_with_a_token():
    html = get(user=UserFactory())
    assert re.search(
        r'<form method="post" action="/accounts/logout/">'
        r'<input type="hidden" name="csrfmiddlewaretoken" value="\w{64}">',
        html,
    )


@pytest.mark.parametrize(
    ("preferences", "cookie", "root"),
    [
        ({}, "", '<html lang="en">'),
        ({"theme": "dark"}, "", '<html lang="en" data-theme="dark">'),
        ({"theme": "dark"}, "light", '<html lang="en" data-theme="light">'),
        ({"theme": "dark"}, "system", '<html lang="en">'),
        ({"shortcuts": "off"}, "", '<html lang="en" data-shortcuts="off">'),
        ({"shortcuts": False}, "", '<html lang="en" data-shortcuts="off">'),
        ({"shortcuts": True}, "", '<html lang="en">'),
    ],
)
def test_the_root_knows_the_theme_and_the_shortcuts(preferences, cookie, root):
    client = Client()
    client.force_login(UserFactory(preferences=preferences))
    if cookie:
        client.cookies["theme"] = cookie
    html = client.get("/").content.decode()
    assert re.search(r"<html[^>]*>", html)[0] == root
    chosen = re.findall(r'name="theme" value="(\w+)" data-theme-choice checked', html)
    assert chosen == [re.search(r'data-theme="(\w+)"', root)[1] if "data-theme" in root else "system"]


def test_what_was_done_is_a_toast_with_its_way_back_and_faults_are_banners():
    html = get("/?say=1", user=UserFactory())
    toasts = re.search(r'<div class="toasts" id="toasts" role="status">(.*?)<template', html, re.DOTALL)[1]
    assert re.sub(r' value="\w{64}"', "", re.sub(r"{#.*?#}", "", toasts)).replace(
        "\n", ""
    ) == (  # and the end of the stack itself
        '<div class="toast" data-toast><span>Moved &lt;1&gt; to the trash.</span><form method="post" action="/undo/">'
        '<input type="hidden" name="csrfmiddlewaretoken"><button class="button button--small">'
        "Undo</button></form></div></div>"
    )
    assert re.findall(r'<div class="banner (banner--\w+) page__banner" role="alert">.*?<p>(.*?)</p>', html) == [
        ("banner--warn", "Nearly used up."),
        ("banner--bad", "It failed."),
    ]


def test_nothing_inline_that_the_policy_forbids():
    html = get("/?say=1", user=UserFactory(staff=True))
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", html) == []


@pytest.mark.html_check
def test_the_shell_is_valid(html_check):
    html_check(get("/?say=1", user=UserFactory(staff=True)), "shell-signed-in")
    html_check(get("/?say=1"), "shell-signed-out")
