import pytest
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.test import RequestFactory

from promptlib.core.middleware import FragmentMiddleware, PrivateMiddleware
from tests.factories import UserFactory

SIGN_IN = "/accounts/login/"


def answer(response, **headers):
    request = RequestFactory().get("/templates/part/", {"q": "x"}, headers=headers)
    return FragmentMiddleware(lambda _request: response)(request)


def test_caches_tell_the_page_from_its_fragment():
    assert answer(HttpResponse("page"))["Vary"] == "HX-Request"
    kept = HttpResponse("page", headers={"Vary": "Cookie"})
    assert answer(kept)["Vary"] == "Cookie, HX-Request"


def test_a_fragment_that_needs_sign_in_sends_the_whole_page_there_and_back():
    response = answer(
        HttpResponseRedirect(f"{SIGN_IN}?next=/templates/part/"),
        **{"HX-Request": "true", "HX-Current-URL": "http://testserver/templates/?q=a%20b&tag=c"},
    )
    assert (response.status_code, response["HX-Redirect"], response["Vary"], response.content) == (
        204,
        f"{SIGN_IN}?next=/templates/%3Fq%3Da%2520b%26tag%3Dc",
        "HX-Request",
        b"",
    )


@pytest.mark.parametrize("shown", ["", "http://evil.example/templates/", "//evil.example", "javascript:alert(1)"])
def test_a_page_of_elsewhere_is_not_where_one_comes_back_to(shown):
    response = answer(
        HttpResponseRedirect(f"{SIGN_IN}?next=/templates/part/"), **{"HX-Request": "true", "HX-Current-URL": shown}
    )
    assert response["HX-Redirect"] == f"{SIGN_IN}?next=/templates/part/"


def test_cookies_of_the_redirect_are_kept():
    redirect = HttpResponseRedirect(SIGN_IN)
    redirect.set_cookie("sessionid", "", max_age=0)
    assert answer(redirect, **{"HX-Request": "true"}).cookies["sessionid"]["max-age"] == 0


def test_without_htmx_a_sign_in_redirect_stays_one():
    response = answer(HttpResponseRedirect(f"{SIGN_IN}?next=/"))
    assert (response.status_code, response["Location"], response.has_header("HX-Redirect")) == (
        302,
        f"{SIGN_IN}?next=/",
        False,
    )


@pytest.mark.parametrize("location", ["/templates/1/", "/accounts/login/elsewhere/", "/accounts/logout/"])
def test_other_redirects_are_followed_by_htmx(location):
    response = answer(HttpResponseRedirect(location), **{"HX-Request": "true"})
    assert (response.status_code, response["Location"], response.has_header("HX-Redirect")) == (302, location, False)


def kept(response, **cookies):
    request = RequestFactory().get("/")
    request.COOKIES.update(cookies)
    answered = PrivateMiddleware(lambda _request: response)(request)
    return answered.get("Cache-Control"), answered.get("Clear-Site-Data")


def test_what_somebody_sees_who_is_signed_in_is_kept_by_no_proxy():
    signed_in = {settings.SESSION_COOKIE_NAME: "x"}
    assert kept(HttpResponse("page"), **signed_in) == ("private, no-cache", None)
    assert kept(HttpResponse("file", headers={"Cache-Control": "no-store"}), **signed_in) == ("no-store", None)
    assert kept(HttpResponse("page")) == (None, None)


@pytest.mark.django_db
def test_signing_out_takes_the_pages_behind_the_back_button_along(client):
    client.force_login(UserFactory())
    assert client.get("/templates/")["Cache-Control"] == "private, no-cache"
    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'
