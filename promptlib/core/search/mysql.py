"""Search on MySQL: InnoDB FULLTEXT over normal forms, which triggers of the search table make.

The normal form makes the server's settings irrelevant: no word is short (innodb_ft_min_token_size is 3) or a stopword,
also after a dump was loaded or a table rebuilt, and Chinese needs no second index with the ngram parser.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from promptlib.core.search.alphabet import UNSPACED_RANGES, WORD_RANGES, characters
from promptlib.core.search.query import Query, Term
from promptlib.core.search.words import PADDING, PIECE, SHORT
from promptlib.core.sql import Trigger

if TYPE_CHECKING:
    from promptlib.core.search.index import Index

Sql = tuple[str, list[str]]

SEPARATORS = f"[^{characters(WORD_RANGES)}]++"
"""What InnoDB's parser takes for the space between words. Spelt out: a set by properties takes 0.25 ms to make."""
UNSPACED = characters(UNSPACED_RANGES)
PART = 40_000
"""Characters normalised at a time: the regular expression engine stops after regexp_time_limit steps."""


def match(index: Index, table: str, query: Query) -> Sql:
    """The condition that a row of the search table is a hit."""
    columns = [f"{table}.{column}" for column in index.columns]
    unwanted, slow = _split(query.unwanted)
    if not query.wanted:
        sql = [f"{table}.id NOT IN (SELECT id FROM {index.table} WHERE {_against(index.columns)})"] if unwanted else []
        params = [" ".join(map(_operand, unwanted))] if unwanted else []
    else:
        boolean = [f"+{part}" for term in query.wanted for part in _operands(term)]
        boolean += [f"-{_operand(term)}" for term in unwanted]
        sql, params = [_against(columns)], [" ".join(boolean)]
        for term in query.wanted:
            if term.prefix and len(term.words) > 1:
                sql.append(_contains(columns))
                params += [term.needle] * len(columns)
    for term in slow:
        sql.append(f"NOT {_contains(columns)}")
        params += [term.needle] * len(columns)
    return " AND ".join(sql), params


def needle(term: Term) -> str:
    """What a normal form holds where the term occurs; the collation makes case and accents equal."""
    return term.needle


def _against(columns: Iterable[str]) -> str:
    return f"MATCH ({', '.join(columns)}) AGAINST (%s IN BOOLEAN MODE)"


def _contains(columns: list[str]) -> str:
    return f"({' OR '.join(f'INSTR({column}, %s) > 0' for column in columns)})"


def _split(terms: tuple[Term, ...]) -> tuple[list[Term], list[Term]]:
    """Terms that boolean mode can say, and phrases that end in a prefix, which it cannot."""
    slow = [term for term in terms if term.prefix and len(term.words) > 1]
    return [term for term in terms if term not in slow], slow


def _operand(term: Term) -> str:
    if len(term.words) > 1:
        return f'"{" ".join(term.words)}"'
    return f"{term.words[0]}*" if term.prefix else term.words[0]


def _operands(term: Term) -> list[str]:
    if term.prefix and len(term.words) > 1:
        return [*term.words[:-1], f"{term.words[-1]}*"]
    return [_operand(term)]


# ---- schema ------------------------------------------------------------------


def create(index: Index) -> list[str]:
    return [f"CREATE FULLTEXT INDEX {index.table}_words ON {index.table} ({', '.join(index.columns)})"]


def drop(index: Index) -> list[str]:
    return [f"DROP INDEX {index.table}_words ON {index.table}"]


def rebuild(index: Index) -> list[str]:
    """This also forgets the replaced versions of rows, which every search reads the list of."""
    return [f"OPTIMIZE TABLE {index.table}"]


def forget(_index: Index) -> list[str]:
    """The words are in no table that can be read; the server drops them when it next optimises this one."""
    return []


def triggers(index: Index) -> list[Trigger]:
    """They put each column into its normal form. A part that the engine gives up on is indexed as it stands."""
    declare = [
        "DECLARE rest, part, words LONGTEXT",
        "DECLARE cut INT",
        "DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END",
    ]
    always = [statement for column in index.columns for statement in _normalise(column)]
    changed = [
        f"IF NOT (CAST(NEW.{column} AS BINARY) <=> CAST(OLD.{column} AS BINARY)) THEN"
        f" {' '.join(f'{statement};' for statement in _normalise(column))} END IF"
        for column in index.columns
    ]
    serves = f"search: {index.table}"
    return [
        Trigger(
            name=f"{index.table}_{event.lower()}",
            table=index.table,
            event=event,  # type: ignore[arg-type]
            timing="BEFORE",
            body=[*declare, *body],
            serves=serves,
            vendors=("mysql",),
        )
        for event, body in (("INSERT", always), ("UPDATE", changed))
    ]


def _normalise(column: str) -> list[str]:
    """Statements that put NEW.column into its normal form; a long text in parts that end between words."""
    return [
        f"SET rest = COALESCE(NEW.{column}, ''), words = ' '",
        "WHILE CHAR_LENGTH(rest) > 0 DO"
        f" IF CHAR_LENGTH(rest) <= {PART} THEN SET part = rest, rest = '';"
        f" ELSE SET part = LEFT(rest, {PART});"
        f" SET cut = REGEXP_INSTR(REVERSE(RIGHT(part, 1000)), '{SEPARATORS}', 1, 1, 0, 'c');"
        " IF cut > 1 THEN SET part = LEFT(part, CHAR_LENGTH(part) - cut + 1); END IF;"
        " SET rest = SUBSTRING(rest, CHAR_LENGTH(part) + 1); END IF;"
        f" SET part = CONCAT(' ', TRIM({_replace(SEPARATORS, ' ')}), ' ');"
        f" IF REGEXP_LIKE(part, '[{UNSPACED}]', 'c') THEN"
        f" SET part = {_replace(f'([{UNSPACED}])(?=([{UNSPACED}])?)', ' $1$2 ')};"
        f" SET part = {_replace(' {2,}', ' ')}; END IF;"
        f" IF REGEXP_LIKE(part, ' [^ ]{{{PIECE + 1}}}', 'c') THEN"
        f" SET part = {_replace(f'[^ ]{{{PIECE}}}(?=[^ ])', '$0 ')}; END IF;"
        f" SET part = {_replace(f'(?<= )[^ ]{{1,{SHORT}}}(?= )', f'$0{PADDING}')};"
        " SET words = CONCAT(words, SUBSTRING(part, 2));"
        " END WHILE",
        f"SET NEW.{column} = words",
    ]


def _replace(pattern: str, replacement: str) -> str:
    return f"REGEXP_REPLACE(part, '{pattern}', '{replacement}', 1, 0, 'c')"
