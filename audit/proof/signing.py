"""The key that signs the log's seals and redactions. It is not in the database."""

import hashlib
import hmac

from django.conf import settings
from django.utils.encoding import force_bytes


def sign(message: str) -> str:
    return _signed_with(_keys()[0], message)


def is_signed(message: str, signature: str) -> bool:
    """Whether the key that signs now, or one that signed before it, made this signature."""
    return any(hmac.compare_digest(signature, _signed_with(key, message)) for key in _keys())


def _signed_with(key: bytes, message: str) -> str:
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def _keys() -> list[bytes]:
    """The key that signs, and those that signed before it. Without any, they are derived from SECRET_KEY."""
    own = settings.AUDIT_SEAL_KEYS
    secrets = own or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hashlib.sha256(b"promptlib audit seal\0" + force_bytes(secret)).digest() for secret in secrets]
