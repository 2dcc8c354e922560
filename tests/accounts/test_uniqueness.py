"""What the database itself refuses, so that no race and no raw SQL makes two of what is one."""

from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

INDEXES = {"account_email_verified_once", "account_email_primary_once", "mfa_authenticator_once"}


def add_address(user, email, *, verified=False, primary=False):
    with connection.cursor() as cursor:
        quoted = connection.ops.quote_name("primary")
        cursor.execute(
            f"INSERT INTO account_emailaddress (email, verified, {quoted}, user_id) VALUES (%s, %s, %s, %s)",
            [email, verified, primary, User._meta.pk.get_db_prep_value(user.pk, connection)],
        )


def add_factor(user, kind):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
            " VALUES (%s, %s, '{}', '2026-11-22 10:00:00')",
            [User._meta.pk.get_db_prep_value(user.pk, connection), kind],
        )


def refused(what, *args, **kwargs):
    try:
        with transaction.atomic():
            what(*args, **kwargs)
    except IntegrityError:
        return True
    return False


def test_a_confirmed_address_belongs_to_one_person():
    ines, tom = UserFactory(), UserFactory()
    add_address(ines, "a@x.example", verified=True)
    assert not refused(add_address, tom, "a@x.example")
    assert refused(EmailAddress.objects.filter(user=tom).update, verified=True)
    assert not refused(add_address, tom, "b@x.example", verified=True)
    assert refused(add_address, UserFactory(), "b@x.example", verified=True)


@pytest.mark.mysql_only
def test_a_confirmed_address_in_capitals_is_the_same():
    add_address(UserFactory(), "a@x.example", verified=True)
    assert refused(add_address, UserFactory(), "A@X.example", verified=True)
    assert not refused(add_address, UserFactory(), "á@x.example", verified=True)


def test_a_person_has_one_primary_address():
    ines, tom = UserFactory(), UserFactory()
    add_address(ines, "a@x.example", primary=True)
    assert refused(add_address, ines, "b@x.example", primary=True)
    assert not refused(add_address, ines, "b@x.example")
    assert not refused(add_address, tom, "c@x.example", primary=True)


@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_a_person_has_one_app_and_one_set_of_codes(kind):
    ines, tom = UserFactory(), UserFactory()
    add_factor(ines, kind)
    assert refused(add_factor, ines, kind)
    assert not refused(add_factor, tom, kind)


def test_a_person_has_many_passkeys():
    ines = UserFactory()
    add_factor(ines, "webauthn")
    add_factor(ines, "webauthn")
    assert Authenticator.objects.count() == 2


@pytest.mark.parametrize(("first", "second"), [("Ines@X.example", "ines@x.EXAMPLE"), ("ines@x.example",) * 2])
def test_an_address_has_one_living_person(first, second):
    one = UserFactory(email=first)
    assert one.email == "ines@x.example"
    assert refused(UserFactory, email=second)
    one.delete()
    assert not refused(UserFactory, email=second)


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
def test_the_migration_runs_backwards():
    migration = import_module("accounts.migrations.0002_signin_uniqueness").Migration

    def present():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
                " AND table_name IN ('account_emailaddress', 'mfa_authenticator')"
            )
            return INDEXES & {name for (name,) in cursor.fetchall()}

    assert present() == INDEXES
    (operation,) = migration.operations
    with connection.schema_editor(atomic=False) as editor:
        operation.reverse_code(None, editor)
        try:
            assert present() == set()
        finally:
            operation.code(None, editor)
    assert present() == INDEXES
