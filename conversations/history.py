"""What the history needs to know of conversations."""

from audit import kinds
from conversations.models import AIModel, Conversation, Prompt


def register() -> None:
    kinds.register(Conversation, is_subject=True)
    kinds.register(Prompt, private=frozenset({"values"}), hidden=frozenset({"idempotency_key"}))
    kinds.register(AIModel, names=lambda _user: AIModel.objects.all())
