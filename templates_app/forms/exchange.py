"""Bringing templates in and taking them out."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.importers import FORMATS as READ
from templates_app.importing import AS_IN_FILE, Choice
from templates_app.importing.uploads import MAX_UPLOAD_BYTES
from templates_app.models import Category, PromptTemplate

ACCEPT = ".json,.jsonl,.csv,.md,.markdown,.prompt,.prompty,.zip"
NAMES = {
    "promptlib": _("promptlib JSON"),
    "markdown": _("Markdown"),
    "csv": _("CSV"),
    "langfuse": _("Langfuse"),
    "open-webui": _("Open WebUI"),
    "prompts-chat": _("prompts.chat"),
    "dotprompt": _("Dotprompt"),
    "prompty": _("Prompty"),
    "awesome-zh": _("awesome-chatgpt-prompts-zh"),
    "prompthub": _("Haystack PromptHub"),
    "fabric": _("Fabric"),
    "lobe": _("LobeChat agents"),
    "zip": _("ZIP of prompt files"),
}


class UploadForm(forms.Form):
    """A collection."""

    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,  # the importer says it better
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPT}),
        error_messages={"required": _("Choose a file.")},
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[("auto", _("Found by itself")), *((name, NAMES[name]) for name in READ)],
        initial="auto",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("At most %(limit)d MB. Nothing is imported yet: first you see what would happen.")
        self.fields["file"].help_text = hint % {"limit": MAX_UPLOAD_BYTES // (1024 * 1024)}


class RunForm(forms.Form):
    """How to import what was uploaded."""

    visibility = forms.ChoiceField(
        label=_("Who sees the new ones"),
        choices=[
            (PromptTemplate.Visibility.PRIVATE.value, _("Only you")),
            (PromptTemplate.Visibility.PUBLIC.value, _("Everybody here")),
            (AS_IN_FILE, _("As the file says")),
        ],
        initial=PromptTemplate.Visibility.PRIVATE.value,
    )
    category = forms.ModelChoiceField(
        label=_("Shelf for the new ones"),
        queryset=Category.objects.all(),
        required=False,
        empty_label=_("As the file says"),
    )
    conflicts = forms.ChoiceField(
        label=_("Changed both here and in the file"),
        choices=[(Choice.KEEP.value, _("Keep ours")), (Choice.TAKE.value, _("Take the file’s, as a new version"))],
        initial=Choice.KEEP.value,
    )
