"""Who is meant by a handle or an e-mail address."""

from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from promptlib.core.fields import normalize_key

MISSES_ALLOWED = 30
MISSES_SECONDS = 3600


def find_person(text: str, *, asked_by: Any) -> User:
    """The person who has this handle (with or without @) or e-mail address and may sign in.

    Raises ValidationError, with one sentence for all who are not found, so that it tells nothing of them; and after
    30 in an hour that nobody has, another one: who guesses has to wait.
    """
    key = f"people:misses:{asked_by.pk}"
    if cache.get(key, 0) >= MISSES_ALLOWED:
        raise ValidationError(_("That were many names that nobody has. Try again in an hour."), code="too_many")
    name = text.strip().removeprefix("@")
    wanted = {"email_key": normalize_key(name)} if "@" in name else {"handle": name.lower()}
    person: User | None = User.objects.filter(is_active=True, closes_at=None, **wanted).first()
    if person is None:
        cache.add(key, 0, MISSES_SECONDS)
        cache.incr(key)
        raise ValidationError(_("Nobody here goes by “%(name)s”.") % {"name": text.strip()[:80]}, code="nobody")
    return person
