"""`python -m bench.inside`: what can be learnt only inside the program; prints JSON.

The pages to measure and a session to see them with, the number of queries of each page, and where its time goes.
"""

import cProfile
import json
import pstats
import sys
from pathlib import Path
from typing import Any

import django

from bench.databases import ROOT

AREAS = (
    ("the database's driver", ("MySQLdb", "sqlite3", "django/db/backends/")),
    ("building queries and rows", ("django/db/",)),
    ("templates", ("django/template/", "django/utils/html", "django/utils/safestring", "django/templatetags/")),
    ("addresses and forms", ("django/urls/", "django/forms/", "django_filters/")),
    ("Markdown and colours", ("markdown_it", "pygments", "nh3", "mdurl")),
    (
        "middleware and sessions",
        (
            "django/middleware/",
            "django/contrib/",
            "django/core/handlers",
            "django/http/",
            "allauth/",
            "csp/",
            "structlog",
        ),
    ),
)
OWN, OTHER = "promptlib", "everything else"
REQUESTS = 20
TOP = 8
Key = tuple[str, int, str]


def main(words: str) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from bench.filling import READER

    reader = User.objects.get(email=READER)
    client = Client(headers={"accept": "text/html"}, SERVER_NAME="127.0.0.1")
    client.force_login(reader)
    paths = _paths(reader, words)
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}",
        "paths": paths,
        "queries": {name: count_queries(client, path) for name, path in paths.items()},
        "profiles": {name: _profile(client, path) for name, path in paths.items()},
    }


def _paths(reader: Any, words: str) -> dict[str, str]:
    from urllib.parse import urlencode

    from django.urls import reverse

    from conversations.models import Conversation
    from templates_app.models import PromptTemplate

    library = reverse("templates_app:list")
    template = PromptTemplate.objects.visible_to(reader).order_by("pk").first()
    conversation = Conversation.objects.visible_to(reader).order_by("pk").first()
    assert template is not None
    assert conversation is not None
    return {
        "library": library,
        "library, two words": f"{library}?{urlencode({'q': words})}",
        "template": template.get_absolute_url(),
        "thread": conversation.get_absolute_url(),
        "conversations": reverse("conversations:list"),
    }


def count_queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}, not 200.")
    return len(captured)


def _profile(client: Any, path: str) -> dict[str, Any]:
    """The share of each area, and the functions that take most themselves; what C does counts for who called it."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(REQUESTS):
        client.get(path)
    profile.disable()
    areas: dict[str, float] = {}
    own: dict[str, float] = {}
    for key, (_calls, _all, took, _below, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if key[0] == "~" and not _area(key):
            for caller, (_c, _n, caused, _t) in callers.items():
                areas[_area(caller) or OTHER] = areas.get(_area(caller) or OTHER, 0) + caused
                own[_name(caller)] = own.get(_name(caller), 0) + caused
        else:
            areas[_area(key) or OTHER] = areas.get(_area(key) or OTHER, 0) + took
            own[_name(key)] = own.get(_name(key), 0) + took
    total = sum(areas.values())
    top = sorted(own.items(), key=lambda item: -item[1])[:TOP]
    return {
        "ms": total / REQUESTS * 1000,
        "areas": {area: took / total for area, took in sorted(areas.items(), key=lambda item: -item[1])},
        "top": {name: took / total for name, took in top},
    }


def _area(key: Key) -> str:
    where = key[2] if key[0] == "~" else key[0]
    if where.startswith(f"{ROOT}/") and "site-packages" not in where:
        return OWN
    return next((area for area, marks in AREAS if any(mark in where for mark in marks)), "")


def _name(key: Key) -> str:
    if key[0] == "~":
        return key[2]
    path = Path(key[0])
    return f"{path.parent.name}/{path.name}:{key[2]}"


if __name__ == "__main__":
    django.setup()
    json.dump(main(sys.argv[1]), sys.stdout)
