"""The upload of an export."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class UploadForm(forms.Form):
    """A file of conversations; what it is, is found by itself."""

    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,  # the importer says it better
        widget=forms.ClearableFileInput(attrs={"accept": ".json,.jsonl,.zip"}),
        error_messages={"required": _("Choose a file.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("JSON, JSON Lines, or the ZIP as it came, at most %(limit)d MB. First you see what would happen.")
        self.fields["file"].help_text = hint % {"limit": settings.CONVERSATION_IMPORT_MB}
