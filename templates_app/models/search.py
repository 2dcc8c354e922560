"""The words that a search of the library looks through."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TemplateSearch(models.Model):
    """The words of one template in the normal form of `promptlib.core.search`; triggers alone write it.

    The key is an integer because SQLite's full-text table points at it.
    """

    id = models.BigAutoField(primary_key=True)
    template = models.OneToOneField("templates_app.PromptTemplate", models.DO_NOTHING, related_name="search")
    title = models.TextField(_("title"), editable=False)
    summary = models.TextField(_("summary"), editable=False)
    tags = models.TextField(_("tags"), editable=False)
    body = models.TextField(_("prompt"), editable=False)

    class Meta:
        db_table = "template_search"
        verbose_name = _("words of a template")
        verbose_name_plural = _("words of templates")

    def __str__(self) -> str:
        return self.title.strip()
