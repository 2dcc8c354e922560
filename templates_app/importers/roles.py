"""Splitting a prompt that names its roles into the system prompt and the body."""

from collections.abc import Iterable
from dataclasses import dataclass

SYSTEM_ROLES = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class Part:
    """One role's part: its role ("" before the first marker), its text, and both with the marker as they stood."""

    role: str
    text: str
    raw: str


def assemble(parts: Iterable[Part]) -> tuple[str, str]:
    """The system prompt: what the system says at the start. The body: what the user says, when that is all that is
    left; else the rest as it stood, with any role markers, since a body holds one message."""
    left = [part for part in parts if part.text.strip()]
    system: list[str] = []
    while left and left[0].role in SYSTEM_ROLES:
        system.append(left.pop(0).text.strip())
    if len(left) == 1 and left[0].role == "user":
        body = left[0].text
    else:
        body = "".join(part.raw for part in left)
    return "\n\n".join(system), body.strip("\n")
