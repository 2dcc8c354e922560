"""How secrets appear in the audit log: not at all."""


def mask(value: str) -> str:
    """What stands in place of a secret, whatever its length."""
    return "••••••" if value else ""
