"""Who acts, from where, in which request: what every audit row of a request carries."""

import structlog
from auditlog.middleware import AuditlogMiddleware


def request_id() -> str | None:
    """The id that the log lines of this request carry too; None outside a request."""
    return structlog.contextvars.get_contextvars().get("request_id")


class AuditMiddleware(AuditlogMiddleware):
    """Sets the acting person for every audit row that the request writes."""
