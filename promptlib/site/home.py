"""What a person wants at hand: their threads, the templates they keep, and what is new."""

from typing import Any

from conversations.models import Participant
from promptlib.site.following import what_changed
from templates_app.models import PromptTemplate

FEW = 5
CHANGED = 4


def overview(user: Any) -> dict[str, Any]:
    """What changed of what they follow, latest conversations, favourites, and the newest templates; eight queries."""
    seats = (
        Participant.objects.filter(user=user, conversation__deleted_at=None, conversation__archived_at=None)
        .select_related("conversation", "conversation__owner")
        .order_by("-last_activity_at", "-conversation_id")[:FEW]
    )
    templates = PromptTemplate.objects.visible_to(user).select_related("owner", "category")
    return {
        "changed": what_changed(user, CHANGED),
        "conversations": [seat.conversation for seat in seats],
        "favorites": templates.filter(favorites__user=user).order_by("favorites__position", "-favorites__id")[:FEW],
        "newest": templates.published().exclude(owner=user).order_by("-id")[:FEW],
        "own": templates.filter(owner=user).order_by("-id")[:FEW],
    }
