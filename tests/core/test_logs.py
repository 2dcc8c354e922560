"""No log holds an address that is itself the right to something."""

import logging
from copy import copy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from gunicorn.config import Config
from structlog.stdlib import ProcessorFormatter

from promptlib.core.worker import AccessLogger

ADDRESSES = [
    "/shared/dHJ1c3Qtbm9ib2R5/",
    "/shared/dHJ1c3Qtbm9ib2R5/openings/",
    "/accounts/confirm-email/dHJ1c3Qtbm9ib2R5/",
    "/accounts/password/reset/key/1-dHJ1c3Qtbm9ib2R5/",
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_our_own_log_names_the_page_without_the_secret(
    client: Client, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    client.patch(address)  # what is not allowed is logged, twice
    logging.getLogger("django.request").warning("Not Found: %s", address)
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    ours = next(each for each in formatters if isinstance(each, ProcessorFormatter))
    lines = [ours.format(copy(record)) for record in caplog.records]
    assert [line for line in lines if "…" not in line or "dHJ1" in line] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_access_log_of_the_server_too(address: str) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"{address}?at=7",
        "PATH_INFO": address,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"https://promptlib.example{address}",
    }
    answer = SimpleNamespace(status="200 OK", sent=7, headers=[])
    request = SimpleNamespace(headers=[("REFERER", environ["HTTP_REFERER"])])
    atoms = AccessLogger(Config()).atoms(answer, request, environ, timedelta(seconds=1))
    assert "dHJ1" not in str(atoms)
    assert atoms["r"].startswith("GET /")
    assert atoms["r"].endswith("/?at=7 HTTP/1.1")
