"""Column types that both databases store well."""

import unicodedata
import uuid
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from uuid_utils.compat import uuid7


class UUIDField(models.UUIDField):
    """A UUID: BINARY(16) on MySQL (half the index of CHAR(32)), Django's own CHAR(32) elsewhere."""

    def get_internal_type(self) -> str:
        return "BinaryUUIDField"  # keeps the backend's own UUID converter, which expects text, away

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "binary(16)" if connection.vendor == "mysql" else "char(32)"

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.db_type(connection)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bytes) and len(value) == 16:
            return uuid.UUID(bytes=value)
        return super().to_python(value)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.to_python(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = self.to_python(value)
        if value is None:
            return None
        return value.bytes if connection.vendor == "mysql" else value.hex


class UUIDv7Field(UUIDField):
    """A primary key that grows with time, so that new rows land at the end of the index (RFC 9562)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"primary_key": True, "default": uuid7, "editable": False, **kwargs})


class KeyField(models.CharField):
    """Text compared byte for byte on both databases; MySQL's default collation calls Resume and résumé the same."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


def normalize_key(text: str) -> str:
    """The form under which a name or an e-mail address is unique: NFKC, case folded, white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
