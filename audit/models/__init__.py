"""The log and what proves it; holds and rules of retention."""

from audit.models.log import PLANTED, AuditArchive, AuditLog, AuditRedaction, AuditSeal
from audit.models.retention import LegalHold, Purge, RetentionRule

__all__ = [
    "PLANTED",
    "AuditArchive",
    "AuditLog",
    "AuditRedaction",
    "AuditSeal",
    "LegalHold",
    "Purge",
    "RetentionRule",
]
