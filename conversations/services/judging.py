"""What people thought of an answer."""

from django.db import transaction

from conversations.models import Prompt


@transaction.atomic
def give_feedback(prompt: Prompt, *, feedback: int | None, note: str = "") -> None:
    """The latest word counts; None takes it back, and its note with it."""
    prompt.feedback = feedback
    prompt.feedback_note = note.strip() if feedback is not None else ""
    prompt.save(update_fields=["feedback", "feedback_note"])
