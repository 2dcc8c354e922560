"""Search on SQLite: FTS5 over normal forms, which a Python function on every connection makes.

Whoever writes to templates, conversations or prompts outside Django must register the function on the connection, or
the triggers stop the write: `connection.create_function("search_words", 1, normal_form, deterministic=True)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptlib.core.search.query import Query, Term
from promptlib.core.search.words import normal_form
from promptlib.core.sql import Trigger

if TYPE_CHECKING:
    from promptlib.core.search.index import Index

Sql = tuple[str, list[str]]

FUNCTION = "search_words"


def register(connection: Any, **_kwargs: Any) -> None:
    """Receiver of connection_created."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, normal_form, deterministic=True)


def match(index: Index, alias: str, query: Query) -> Sql:
    """The condition that a row of the search table is a hit.

    A subquery, which runs once: whatever SQLite's planner starts with, it never asks FTS5 for every row.
    """
    unwanted = " OR ".join(map(_operand, query.unwanted))
    wanted = " AND ".join(map(_operand, query.wanted))
    fts = table(index)
    expression = f"({wanted}) NOT ({unwanted})" if wanted and unwanted else wanted or unwanted
    return f"{alias}.id {'IN' if wanted else 'NOT IN'} (SELECT rowid FROM {fts} WHERE {fts} MATCH %s)", [expression]


def table(index: Index) -> str:
    """The FTS5 table of a search table."""
    return f"{index.table}_fts"


def needle(term: Term) -> str:
    """What a normal form holds where the term occurs."""
    return Term(term.folded, term.prefix).needle


def _operand(term: Term) -> str:
    return f'"{" ".join(term.folded)}"' + ("*" if term.prefix else "")


# ---- schema ------------------------------------------------------------------


def create(index: Index) -> list[str]:
    """The tokenizer splits at spaces alone, in effect: the normal form holds ASCII words and other characters."""
    return [
        f"CREATE VIRTUAL TABLE {table(index)} USING fts5({', '.join(index.columns)}, content='{index.table}',"
        " content_rowid='id', columnsize=0, tokenize=\"ascii tokenchars '_'\")"
    ]


def drop(index: Index) -> list[str]:
    return [f"DROP TABLE {table(index)}"]


def rebuild(index: Index) -> list[str]:
    return [f"INSERT INTO {table(index)} ({table(index)}) VALUES ('rebuild')"]


def forget(index: Index) -> list[str]:
    """FTS5 notes what was deleted beside the words that were; merging all of it into one leaves neither."""
    return [f"INSERT INTO {table(index)} ({table(index)}) VALUES ('optimize')"]


def triggers(index: Index) -> list[Trigger]:
    """They keep the FTS5 table, which has no copy of the text: it forgets a row by being told what it held."""
    names = ", ".join(index.columns)
    old, new = (", ".join(f"{row}.{column}" for column in index.columns) for row in ("OLD", "NEW"))
    fts = table(index)
    add = f"INSERT INTO {fts} (rowid, {names}) VALUES (NEW.id, {new})"
    take = f"INSERT INTO {fts} ({fts}, rowid, {names}) VALUES ('delete', OLD.id, {old})"
    return [
        Trigger(
            name=f"{index.table}_{event.lower()}",
            table=index.table,
            event=event,  # type: ignore[arg-type]
            body=body,
            serves=f"search: {index.table}",
            vendors=("sqlite",),
        )
        for event, body in (("INSERT", [add]), ("UPDATE", [take, add]), ("DELETE", [take]))
    ]
