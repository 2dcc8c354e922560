"""The admin behind the same sign-in and second factor; people and invitations in it."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Invitation, User
from audit.models import AuditLog
from tests.accounts.steps import Actions, current_code, forget_used_codes, is_signed_in, set_up_app, sign_in
from tests.factories import PASSWORD, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return UserFactory(email="staff@halden.example", staff=True, can_sign_in=True)


def test_there_is_one_sign_in(client, staff):
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/auth/").headers["Location"] == "/accounts/login/?next=/admin/auth/"
    client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert not is_signed_in(client)
    sign_in(client, staff)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/?next=https://evil.example/").headers["Location"] == "/admin/"


def test_a_password_alone_does_not_open_it_once_there_is_a_second_factor(staff):
    first = Client()
    sign_in(first, staff)
    secret, _codes = set_up_app(first)
    forget_used_codes()
    browser = Client()
    browser.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    sign_in(browser, staff)
    assert browser.get("/admin/").status_code == 302
    browser.post("/accounts/2fa/authenticate/", {"code": current_code(secret)})
    assert browser.get("/admin/").status_code == 200


def test_one_member_of_staff_cannot_become_another_by_password_alone(client, staff):
    """Django's own form would let them, even with allauth's guard: it shows the form to whoever is staff."""
    client.force_login(UserFactory(staff=True, display_name="Eve"))
    client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert client.get("/people/me/").context["request"].user.display_name == "Eve"


def test_others_are_refused(client):
    client.force_login(UserFactory())
    assert client.get("/admin/login/?next=/admin/").status_code == 403


@pytest.mark.parametrize("factor", ["totp", "webauthn"])
def test_staff_may_be_made_to_have_a_second_factor(client, staff, settings, factor):
    settings.ADMIN_REQUIRES_SECOND_FACTOR = True
    client.force_login(staff)
    page = client.get("/admin/", follow=True)
    assert [url for url, _status in page.redirect_chain] == ["/admin/login/?next=/admin/", "/accounts/2fa/"]
    assert "The administration asks for a second factor." in page.content.decode()
    Authenticator.objects.create(user=staff, type="recovery_codes", data={})
    assert client.get("/admin/").status_code == 302
    Authenticator.objects.create(user=staff, type=factor, data={})
    assert client.get("/admin/").status_code == 200


def test_its_password_page_and_sign_out_are_ours(client, staff):
    client.force_login(staff)
    assert client.get("/admin/password_change/").headers["Location"] == "/accounts/password/change/"
    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/").headers["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


# ---- people ----------------------------------------------------------------


def test_lists_cost_the_same_for_ten_and_thirty(client, staff):
    client.force_login(staff)

    def cost(url):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    pages = ["accounts/user", "accounts/team", "accounts/invitation", "accounts/teammembership"]
    urls = [f"/admin/{page}/" for page in (*pages, "mfa/authenticator", "usersessions/usersession")]

    def more(count):
        people = UserFactory.create_batch(count)
        TeamFactory.create_batch(count, members=people[:2])
        for person in people:
            Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
            UserSession.objects.create(user=person, ip="127.0.0.1", session_key=person.handle, user_agent="x")
            Invitation.objects.create(email=f"x{person.email}", invited_by=person)

    more(10)
    client.get("/admin/")
    ten = [cost(url) for url in urls]
    more(20)
    assert [cost(url) for url in urls] == ten


def test_a_person_is_added_with_an_address_in_small_letters(client, staff):
    client.force_login(staff)
    data = {"email": "Tom@Halden.example", "display_name": "Tom", "usable_password": "false"}
    inlines = {
        f"{prefix}-{name}": 0
        for prefix in ("emailaddress_set", "memberships")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    answer = client.post("/admin/accounts/user/add/", data | inlines)
    assert answer.status_code == 302, answer.context["errors"]
    tom = User.objects.get(handle="tom")
    assert (tom.email, tom.has_usable_password()) == ("tom@halden.example", False)
    again = client.post("/admin/accounts/user/add/", data | inlines | {"email": "TOM@halden.example"})
    assert again.context["adminform"].form.errors == {"email": ["This e-mail address is taken."]}


def test_secrets_of_second_factors_are_not_shown_but_can_be_removed(client, staff):
    client.force_login(staff)
    tom = UserFactory(display_name="Tom Berg")
    factor = Authenticator.objects.create(user=tom, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    url = f"/admin/mfa/authenticator/{factor.pk}/"
    assert "JBSWY3DPEHPK3PXP" not in client.get(f"{url}change/").content.decode()
    client.post(f"{url}delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()
    row = AuditLog.objects.get(action=Actions.SECOND_FACTOR, actor=staff)
    assert (row.subject_id, row.changes) == (tom.pk, {"second_factor": ["authenticator app", None]})


def test_deleting_a_session_signs_out(client, staff):
    tom = UserFactory(can_sign_in=True)
    browser = Client()
    sign_in(browser, tom)
    client.force_login(staff)
    session = UserSession.objects.get(user=tom)
    client.post(f"/admin/usersessions/usersession/{session.pk}/delete/", {"post": "yes"})
    assert not is_signed_in(browser)


@pytest.mark.django_db(transaction=True)
def test_a_new_invitation_is_sent(client, staff):
    client.force_login(staff)
    client.post("/admin/accounts/invitation/add/", {"email": "tom@halden.example"})
    assert Invitation.objects.get().invited_by == staff
    assert [message.to for message in mail.outbox] == [["tom@halden.example"]]
