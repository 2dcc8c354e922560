"""Transactions that others may be in the way of, and connections that nobody holds while waiting."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

ResultT = TypeVar("ResultT")

ATTEMPTS = 5
GAVE_WAY = {1205, 1213}
"""MySQL's lock wait timeout and deadlock: the transaction was undone so that another one could go on."""


def in_transaction(work: Callable[[], ResultT]) -> ResultT:
    """Run `work` in a transaction, and again from its start where the database undid it for another one's sake.

    Inside a transaction there is only one attempt: the outermost one alone can begin again.
    """
    attempts = 1 if connection.in_atomic_block else ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if attempt == attempts or not error.args or error.args[0] not in GAVE_WAY:
                raise
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311  # spreads the attempts, guards nothing
    raise AssertionError("unreachable")


def release_connection() -> None:
    """Give this thread's database connection back before a long wait; the next query opens one."""
    if not connection.in_atomic_block:
        connection.close()
