"""What keeps a library in order: shelves and words."""

from typing import Any

from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import KeyField, normalize_key
from promptlib.core.models import BaseModel


class Category(BaseModel):
    """A shelf of the library; shelves nest."""

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(_("name"), max_length=120)
    slug = KeyField(_("slug"), max_length=120, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        db_table = "categories"
        verbose_name = _("shelf")
        verbose_name_plural = _("shelves")
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name


class Tag(BaseModel):
    """A word to find things by."""

    name = models.CharField(_("name"), max_length=80)
    slug = KeyField(
        _("slug"), max_length=80, unique=True, help_text=_("The name in small letters, words joined by hyphens.")
    )

    class Meta:
        db_table = "tags"
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.slug or self.slug_of(self.name)
        super().save(*args, **kwargs)

    @staticmethod
    def slug_of(name: str) -> str:
        """The normalised form of a tag, in any script; never empty for a name that is not."""
        key = normalize_key(name)
        return (slugify(key, allow_unicode=True) or key.replace(" ", "-"))[:80]


class TemplateTag(BaseModel):
    """A tag on a template."""

    AUDITED = False  # logged as a change of the template's tags

    template = models.ForeignKey("templates_app.PromptTemplate", models.CASCADE, related_name="+")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "template_tags"
        constraints = (models.UniqueConstraint(fields=["template", "tag"], name="template_tags_once"),)
        indexes = (models.Index(fields=["tag", "template"], name="template_tags_tag"),)

    def __str__(self) -> str:
        return f"{self.template} #{self.tag}"
