"""Versions as wholes: an old one made the newest again."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from templates_app.models import PromptTemplate, TemplateVersion
from templates_app.services.writing import publish_version


@transaction.atomic
def restore_version(template: PromptTemplate, version: TemplateVersion, *, by: Any) -> TemplateVersion:
    """Make the content of an old version the next one; the current one if it says the same. Raises ContractError."""
    locked = PromptTemplate.objects.select_for_update().get(pk=template.pk)
    note = _("Restored v%(number)d") % {"number": version.number}
    return publish_version(template, author=by, base_revision=locked.revision, change_note=note, **version.content)
