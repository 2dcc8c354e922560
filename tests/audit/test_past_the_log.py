"""New code that writes past the audit log is noticed: when it runs, by `tests/plugins/log.py`, and by reading, here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from templates_app.models import Grant, PromptTemplate
from tests.factories import GrantFactory, TemplateFactory
from tests.plugins.log import PastTheLog, past_the_log

ROOT = Path(__file__).parents[2]
PROGRAM = ("promptlib", "accounts", "audit", "templates_app", "conversations")

UNLOGGED = {
    ("accounts/erasing.py", "the log would tell what is erased"),
    ("accounts/forgetting.py", "the log would tell what is erased; its row about the erasure tells that it was"),
    ("conversations/importing.py", "told as imported, below"),
    ("conversations/services/asking.py", "the new interaction's own row says whose attempt it is"),
    ("conversations/services/finishing.py", "told as a run, below"),
    ("conversations/services/producer.py", "a run is told when it is asked for and when it ends"),
    ("conversations/services/producer.py", "an answer is told when it is whole"),
    ("conversations/services/stopping.py", "finish tells how it ended"),
    ("promptlib/core/querysets.py", "bulk_update tells it with the objects' own values"),
    ("promptlib/core/soft_delete.py", "restored tells it as a restore"),
    ("promptlib/core/soft_delete.py", "soft_deleted tells it as a deletion"),
    ("promptlib/site/demo/diary.py", "invented; record_past tells of it as of the past"),
    ("promptlib/site/demo/library.py", "invented; record_past tells of it as of the past"),
    ("templates_app/erasing.py", "the log would tell what is erased"),
    ("templates_app/importing/batches.py", "a part of the import"),
    ("templates_app/importing/batches.py", "told as imported, below"),
    ("templates_app/importing/batches.py", "told with the template that is imported"),
    ("templates_app/importing/people.py", "told as imported, below"),
    ("templates_app/services/order.py", "one row for each template tells of both tags"),
    ("templates_app/services/value_sets.py", "the row below names variables and holds nobody's values"),
}
"""Each write that is deliberately not logged row by row. Think before you add one: who will look for it in vain?"""

RAW_SQL = {
    "audit/proof/archiving.py": "rows of the log that were archived",
    "audit/services.py": "the rows of the log",
    "audit/retention/removal.py": "deletes in batches what it has logged",
    "promptlib/core/search/index.py": "the tables that are searched, made of others",
    "promptlib/core/sql.py": "triggers and views",
    "promptlib/core/statistics.py": "statistics alone, when they are repaired",
    "promptlib/site/views/home.py": "asks whether the database is there",
}
"""Files that go round the querysets, and for what."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in PROGRAM:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def test_each_write_that_is_not_logged_says_why() -> None:
    found = set()
    for name, tree in sources():
        for method, call in calls(tree):
            if method == "unlogged":
                [reason] = call.args
                assert isinstance(reason, ast.Constant) and reason.value, f"{name}: unlogged() needs its reason"
                found.add((name, reason.value))
    assert found == UNLOGGED


def test_sql_of_ones_own_stands_where_it_is_known() -> None:
    """`cursor()` writes without telling, and so does what goes round the querysets."""
    found = {
        name
        for name, tree in sources()
        for method, _call in calls(tree)
        if method in {"cursor", "_raw_delete", "raw", "_update", "_insert"}
    }
    assert found == set(RAW_SQL)


BYPASSES = {
    "a cursor": "connection.cursor().execute('UPDATE templates SET title = %s', ['x'])",
    "a manager of Django's own": "PromptTemplate._base_manager.update(title='x')",
    "a raw delete": "Grant.objects.all()._raw_delete('default')",
    "a queryset of Django's own": "QuerySet(Grant).bulk_create([Grant(template=grant.template, user=other)])",
    "Django's own update": "QuerySet.update(PromptTemplate.objects.all(), title='x')",
}


@pytest.mark.django_db
@pytest.mark.parametrize("statement", BYPASSES.values(), ids=BYPASSES)
def test_code_that_writes_past_the_log_fails_its_test(statement: str) -> None:
    grant = GrantFactory()
    names = {"PromptTemplate": PromptTemplate, "Grant": Grant, "grant": grant, "other": TemplateFactory().owner}
    prepared = "from django.db import connection\nfrom django.db.models import QuerySet\n" + statement
    as_if_there = compile(prepared, str(ROOT / "templates_app/services/invented.py"), "exec")
    with pytest.raises(PastTheLog, match=r"services/invented\.py writes template"), transaction.atomic():
        exec(as_if_there, names)
    assert len(past_the_log) == 1
    past_the_log.clear()
    exec(compile(prepared, __file__, "exec"), names)  # a test prepares what it needs
