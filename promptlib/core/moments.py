"""From a moment to the keys made after it: a UUIDv7 begins with the millisecond it was made in (RFC 9562)."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler

from promptlib.core.fields import UUIDField

ZEROS = 20
"""Hexadecimal digits of a key after its milliseconds."""


class KeyAfter(Func):
    """`pk > KeyAfter("seen_at")` is what was made after that moment, by the index of the keys. To the millisecond."""

    output_field = UUIDField()
    arity = 1

    def as_mysql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        milliseconds = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', %(expressions)s) DIV 1000 + 1"
        template = f"UNHEX(CONCAT(LPAD(HEX({milliseconds}), 12, '0'), REPEAT('0', {ZEROS})))"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        inner, params = compiler.compile(self.source_expressions[0])
        seconds = f"CAST(strftime('%%s', {inner}) AS INTEGER)"
        thousandths = f"CAST(substr(strftime('%%f', {inner}), 4, 3) AS INTEGER)"
        return f"printf('%%012x{'0' * ZEROS}', {seconds} * 1000 + {thousandths} + 1)", [*params, *params]


def key_after(moment: dt.datetime) -> UUID:
    """The same of a moment that is known."""
    return UUID(int=(int(moment.timestamp() * 1000) + 1) << 80)
