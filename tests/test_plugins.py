"""The tests' own ground: the database between tests, the network guard, the HTML checker."""

import socket
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection

from audit.models import AuditLog
from tests.factories import UserFactory
from tests.plugins import html
from tests.plugins.database import MySQLState, SQLiteState


def every_row() -> dict[str, list[Any]]:
    """All rows of all tables, as the models see them."""
    return {
        model._meta.db_table: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
    }


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_gives_back_what_migrations_left() -> None:
    state = MySQLState() if connection.vendor == "mysql" else SQLiteState()
    before = every_row()
    UserFactory()
    Group.objects.all().delete()
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("DELETE FROM audit_logs")
    assert AuditLog.objects.exists()
    state.restore()
    assert every_row() == before
    assert before["auth_group"] != []
    assert before["audit_logs"] == []


def test_reaching_beyond_this_machine_is_refused_and_remembered(network_guard: list[str]) -> None:
    for attempt in (
        lambda: socket.create_connection(("192.0.2.1", 80)),
        lambda: socket.getaddrinfo("example.com", 443),
        lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"?", ("192.0.2.1", 53)),
    ):
        with pytest.raises(ConnectionRefusedError, match="tests stay on this machine"):
            attempt()
    assert network_guard == ["192.0.2.1", "example.com", "2001:db8::1", "192.0.2.1"]
    network_guard.clear()


def test_loopback_and_names_that_cannot_exist_work_as_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("model.invalid", 443)


@pytest.mark.html_check
def test_the_html_checker_names_the_page_and_the_error(tmp_path: Any, html_check: Any) -> None:
    (tmp_path / "good.html").write_text('<!DOCTYPE html><html lang="en"><title>A</title><p>Fine</p></html>')
    (tmp_path / "bad.html").write_text('<!DOCTYPE html><html lang="en"><title>A</title><ul><p>No</p></ul></html>')
    [error] = html.check(tmp_path)
    assert error.startswith("bad, line 1: Element “p” not allowed as child of element “ul” in this context.")
