import base64
import datetime as dt
import json
import random
import zlib

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext

from promptlib.core.pagination import KeysetPage, capped_count
from templates_app.models import PromptTemplate
from tests.factories import CategoryFactory, UserFactory

pytestmark = pytest.mark.django_db

ORDERS = [
    ("-rank_score", "-id"),
    ("-usage_count", "-id"),
    ("usage_count", "id"),
    ("-last_used_at", "-id"),
    ("last_used_at", "id"),
    ("last_used_at", "-usage_count", "id"),
    ("owner__handle", "-last_used_at", "id"),
    ("owner_id", "-id"),
    ("category__name", "-pk"),
    ("-category_id", "id"),
    ("-id",),
]


@pytest.fixture
def templates():
    """23 templates with many ties, and many without a last use."""
    chance = random.Random(7)
    owners = UserFactory.create_batch(3)
    shelves = [None, *CategoryFactory.create_batch(2)]
    start = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
    uses = [None, None, start, start + dt.timedelta(microseconds=1), start + dt.timedelta(days=2)]
    for place in range(23):
        count = chance.choice([0, 0, 1, 3])
        PromptTemplate.objects.create(
            owner=chance.choice(owners),
            category=chance.choice(shelves),
            title=f"{'T' * chance.choice([1, 2])} {place}",
            rating_count=count,
            rating_sum=count * 4 - (count > 1),
            usage_count=chance.choice([0, 0, 5, 7]),
            last_used_at=chance.choice(uses),
        )
    return PromptTemplate.objects.all()


def expected(order):
    # Sorting is stable, with reverse=True too: the last column goes first.
    rows = list(PromptTemplate.objects.select_related("owner", "category"))
    for term in reversed(order):
        column = term.lstrip("-")

        def value(row, column=column):
            for part in column.split("__"):
                row = None if row is None else getattr(row, part)
            return row

        given = sorted((row for row in rows if value(row) is not None), key=value, reverse=term.startswith("-"))
        rows = given + [row for row in rows if value(row) is None]
    return [row.pk for row in rows]


@pytest.mark.parametrize("order", ORDERS, ids="+".join)
@pytest.mark.parametrize("size", [1, 4, 22, 23, 30])
def test_walks_through_every_row_once_and_back(templates, order, size):
    page = KeysetPage(templates, order=order, size=size)
    seen, pages = [row.pk for row in page], [[row.pk for row in page]]
    while page.has_next:
        page = KeysetPage(templates, order=order, cursor=page.next_cursor, size=size)
        pages.append([row.pk for row in page])
        seen += pages[-1]
    assert seen == expected(order)
    for before in reversed(pages[:-1]):
        assert page.has_previous
        page = KeysetPage(templates, order=order, cursor=page.previous_cursor, size=size)
        assert page.has_next
        assert [row.pk for row in page] == before
    assert (page.has_previous, page.previous_cursor) == (False, "")


def test_walks_by_an_annotation(templates):
    queryset = templates.annotate(length=Length("title"))
    order, seen, cursor = ("-length", "id"), [], None
    while True:
        page = KeysetPage(queryset, order=order, cursor=cursor, size=5)
        seen += [row.pk for row in page]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == [row.pk for row in sorted(PromptTemplate.objects.order_by("id"), key=lambda row: -len(row.title))]


def test_a_row_that_comes_or_goes_moves_nothing_else(templates):
    order = ("-usage_count", "-id")
    rows = expected(order)
    first = KeysetPage(templates, order=order, size=5)
    cursor = first.next_cursor
    PromptTemplate.objects.create(owner=UserFactory(), title="New", usage_count=99)
    PromptTemplate.objects.filter(pk=rows[4]).update(usage_count=98)
    assert [row.pk for row in KeysetPage(templates, order=order, cursor=cursor, size=5)] == rows[5:10]


def test_a_page_that_lost_its_rows_leads_back_to_the_first(templates):
    order = ("-id",)
    cursor = KeysetPage(templates, order=order, size=20).next_cursor
    for row in PromptTemplate.objects.order_by("-id")[20:]:
        PromptTemplate.objects.filter(pk=row.pk).update(deleted_at=row.created_at)
    page = KeysetPage(templates, order=order, cursor=cursor, size=20)
    assert (page.items, page.has_next, page.has_previous, page.previous_cursor) == ([], False, True, "")


def forged(order, *values, direction="n"):
    text = json.dumps([direction, zlib.crc32(",".join(order).encode()), *values])
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


UUID_TEXT = "0192d4e0-7b1a-7c3e-9f00-aabbccddeeff"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "AAAA",
        "é",
        "W" * 3000,
        "W1tbW1tb" * 200,
        forged(("-id",), UUID_TEXT),
        forged(("-last_used_at", "-id"), "2026-03-01T09:30:00", UUID_TEXT),
        forged(("-last_used_at", "-id"), "0001-01-01T00:00:00+14:00", UUID_TEXT),
        forged(("-last_used_at", "-id"), "yesterday", UUID_TEXT),
        forged(("-last_used_at", "-id"), {"a": 1}, UUID_TEXT),
        forged(("-last_used_at", "-id"), None, None),
        forged(("-last_used_at", "-id"), None, "' OR 1=1 --"),
        forged(("-last_used_at", "-id"), None),
        forged(("-last_used_at", "-id"), None, UUID_TEXT, direction="q"),
    ],
)
def test_a_broken_cursor_is_the_first_page(templates, cursor):
    order = ("-last_used_at", "-id")
    page = KeysetPage(templates, order=order, cursor=cursor, size=5)
    assert ([row.pk for row in page], page.has_previous) == (expected(order)[:5], False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**70, "\ud800", "NaN", [1], True])
def test_a_broken_number_is_the_first_page(templates, value):
    for order in [("-usage_count", "-id"), ("-rank_score", "-id"), ("-length", "-id"), ("title", "-id")]:
        queryset = templates.annotate(length=Length("title"))
        page = KeysetPage(queryset, order=order, cursor=forged(order, value, UUID_TEXT), size=5)
        assert len(page.items) <= 5


def test_a_cursor_of_another_order_is_the_first_page(templates):
    cursor = KeysetPage(templates, order=("-usage_count", "-id"), size=20).next_cursor
    page = KeysetPage(templates, order=("usage_count", "id"), cursor=cursor, size=5)
    assert ([row.pk for row in page], page.has_previous) == (expected(("usage_count", "id"))[:5], False)


def test_the_first_page_is_one_query_of_one_row_more(templates):
    with CaptureQueriesContext(connection) as queries:
        page = KeysetPage(templates, order=("-usage_count", "-id"), size=5)
        assert (len(page.items), page.has_next, bool(page.next_cursor), page.has_previous) == (5, True, True, False)
    assert len(queries) == 1
    assert "LIMIT 6" in queries[0]["sql"]


def test_counts_stop_at_the_cap(templates):
    assert capped_count(templates) == (23, False)
    assert capped_count(templates, cap=23) == (23, False)
    assert capped_count(templates, cap=10) == (10, True)
    assert capped_count(templates.annotate(one=Value(1), two=F("title")).order_by("title"), cap=10) == (10, True)
