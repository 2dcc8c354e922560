"""The two expressions that a search adds to a query: is it a hit, and how good a one."""

from typing import Any

from django.db.models import Expression, F, IntegerField, Lookup
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler

from promptlib.core.search import mysql, sqlite
from promptlib.core.search.index import Index
from promptlib.core.search.query import Query

Compiled = tuple[str, Any]


class Match(Lookup):
    """True for a hit. A lookup, so that it stands bare in WHERE: compared with TRUE, MySQL does not use the index."""

    lookup_name = "search_match"
    prepare_rhs = False

    def __init__(self, index: Index, query: Query, row: Any = None) -> None:
        super().__init__(F("search__id") if row is None else row, (index, query))

    @property
    def identity(self) -> tuple[Any, ...]:
        index, query = self.rhs
        return type(self), index.table, query, self.lhs

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and self.identity == other.identity

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Compiled:
        index, query = self.rhs
        return _backend(connection).match(index, _table(compiler, self.lhs), query)


class Relevance(Expression):
    """1, and for every wanted term the weight of each column that it stands in."""

    def __init__(self, index: Index, query: Query) -> None:
        super().__init__(output_field=IntegerField())
        self.index, self.query = index, query
        self.row: Any = F("search__id")

    def get_source_expressions(self) -> list[Any]:
        return [self.row]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.row,) = exprs

    @property
    def identity(self) -> tuple[Any, ...]:
        return type(self), self.index.table, self.query, self.row

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Compiled:
        table, needle = _table(compiler, self.row), _backend(connection).needle
        sql, params = ["1"], []
        for term in self.query.wanted:
            for column, weight in self.index.weights.items():
                head = self.index.heads.get(column)
                text = f"SUBSTR({table}.{column}, 1, {head})" if head else f"{table}.{column}"
                sql.append(f"CASE WHEN INSTR({text}, %s) > 0 THEN {weight} ELSE 0 END")
                params.append(needle(term))
        return f"({' + '.join(sql)})", params


def _backend(connection: Any) -> Any:
    return mysql if connection.vendor == "mysql" else sqlite


def _table(compiler: SQLCompiler, column: Any) -> str:
    assert isinstance(column, Col)
    return str(compiler.quote_name_unless_alias(column.alias))
