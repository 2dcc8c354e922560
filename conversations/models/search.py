"""The words that a search of conversations and interactions looks through."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConversationSearch(models.Model):
    """The words of one conversation in the normal form of `promptlib.core.search`; triggers alone write it."""

    id = models.BigAutoField(primary_key=True)
    conversation = models.OneToOneField("conversations.Conversation", models.DO_NOTHING, related_name="search")
    title = models.TextField(_("title"), editable=False)
    summary = models.TextField(_("summary"), editable=False)

    class Meta:
        db_table = "conversation_search"
        verbose_name = _("words of a conversation")
        verbose_name_plural = _("words of conversations")

    def __str__(self) -> str:
        return self.title.strip()


class PromptSearch(models.Model):
    """The words of one interaction in the normal form of `promptlib.core.search`; triggers alone write it."""

    id = models.BigAutoField(primary_key=True)
    prompt = models.OneToOneField("conversations.Prompt", models.DO_NOTHING, related_name="search")
    input = models.TextField(_("prompt"), editable=False)
    response = models.TextField(_("response"), editable=False)

    class Meta:
        db_table = "prompt_search"
        verbose_name = _("words of an interaction")
        verbose_name_plural = _("words of interactions")

    def __str__(self) -> str:
        return self.input.strip()[:80]
