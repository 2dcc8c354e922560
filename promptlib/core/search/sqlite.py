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


def match(index: Index, table: str, query: Query) -> Sql:
    """The condition that a row of the search table is a hit."""
    unwanted = " OR ".join(map(_operand, query.unwanted))
    wanted = " AND ".join(map(_operand, query.wanted))
    expression = f"({wanted}) NOT ({unwanted})" if wanted and unwanted else wanted or unwanted
    found = f"SELECT rowid FROM {index.table}_fts WHERE {index.table}_fts MATCH %s"
    return f"{table}.id {'IN' if wanted else 'NOT IN'} ({found})", [expression]


def needle(term: Term) -> str:
    """What a normal form holds where the term occurs."""
    return Term(term.folded, term.prefix).needle


def _operand(term: Term) -> str:
    return f'"{" ".join(term.folded)}"' + ("*" if term.prefix else "")


# ---- schema ------------------------------------------------------------------


def create(index: Index) -> list[str]:
    """The tokenizer splits at spaces alone, in effect: the normal form holds ASCII words and other characters."""
    return [
        f"CREATE VIRTUAL TABLE {index.table}_fts USING fts5({', '.join(index.columns)}, content='{index.table}',"
        " content_rowid='id', columnsize=0, tokenize=\"ascii tokenchars '_'\")"
    ]


def drop(index: Index) -> list[str]:
    return [f"DROP TABLE {index.table}_fts"]


def rebuild(index: Index) -> list[str]:
    return [f"INSERT INTO {index.table}_fts ({index.table}_fts) VALUES ('rebuild')"]


def triggers(index: Index) -> list[Trigger]:
    """They keep the FTS5 table, which has no copy of the text: it forgets a row by being told what it held."""
    names = ", ".join(index.columns)
    old, new = (", ".join(f"{row}.{column}" for column in index.columns) for row in ("OLD", "NEW"))
    fts = f"{index.table}_fts"
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
