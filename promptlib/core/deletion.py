"""What goes when something else is deleted for good."""

from typing import Any

from django.db.models.deletion import Collector


def cascade_whole(collector: Collector, field: Any, sub_objs: Any, using: str) -> None:
    """As CASCADE, without emptying a nullable column first: a check constraint may forbid rows without a holder.

    On MySQL, Django's own sets the column to NULL before it deletes the row.
    """
    collector.collect(
        sub_objs, source=field.remote_field.model, source_attr=field.name, nullable=False, fail_on_restricted=False
    )
