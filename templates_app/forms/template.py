"""Writing a template: what it is called, what it says, and the contract of its variables."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.forms.contract import ContractForms
from templates_app.models import Category, PromptTemplate, Tag, TemplateVersion
from templates_app.services import DETAILS
from templates_app.variables import parse_contract

TEXT_MAX_LENGTH = 4_000_000  # what MEDIUMTEXT holds of four-byte characters
TAGS_MAX_COUNT = 20
OWNER_ONLY = ("visibility", "status")
PARAMETERS = ("temperature", "max_tokens")


class TextField(forms.CharField):
    """A text kept as it was written; only the line breaks, which a browser sends as CRLF, are made LF again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, max_length=TEXT_MAX_LENGTH, **kwargs)

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        return text if text.strip() else ""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        names: dict[str, str] = {}
        for name in super().clean(value).replace("，", ",").replace("、", ",").split(","):
            if slug := Tag.slug_of(name.strip().lstrip("#")):
                names.setdefault(slug, " ".join(name.strip().lstrip("#").split()))
        if len(names) > TAGS_MAX_COUNT:
            raise forms.ValidationError(_("Give %(limit)d tags at most.") % {"limit": TAGS_MAX_COUNT})
        if too_long := [name for name in names.values() if len(name) > 80]:
            raise forms.ValidationError(_("“%(tag)s…” is too long for a tag.") % {"tag": too_long[0][:40]})
        return list(names.values())


class TemplateForm(forms.ModelForm):
    """A template and its current version. `contract` holds the forms of the variables; `is_valid` checks them too."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    tags = TagsField(
        label=_("Tags"), required=False, max_length=2000, help_text=_("Separated by commas: customers, e-mail.")
    )
    system_prompt = TextField(
        label=_("System prompt"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who the model is to be, and what always holds."),
    )
    body = TextField(
        label=_("Prompt"),
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("Put double braces around the words that change: {{ customer_name }}."),
    )
    temperature = forms.FloatField(label=_("Temperature"), required=False, min_value=0, max_value=2)
    max_tokens = forms.IntegerField(label=_("Output tokens"), required=False, min_value=1, max_value=10_000_000)
    change_note = forms.CharField(
        label=_("Change note"),
        required=False,
        max_length=TemplateVersion._meta.get_field("change_note").max_length,
        widget=forms.TextInput(attrs={"placeholder": _("What changed, and why: it stands beside the version")}),
    )

    class Meta:
        model = PromptTemplate
        fields = DETAILS
        widgets = {"summary": forms.Textarea(attrs={"rows": 2})}
        help_texts = {"summary": _("One or two sentences: what it is for.")}

    def __init__(self, data: Mapping[str, Any] | None = None, *, instance: PromptTemplate, user: Any) -> None:
        version = instance.current_version
        self.base_parameters: dict[str, Any] = dict(version.parameters) if version else {}
        super().__init__(data, instance=instance, initial=self._initial(instance, version))
        self._arrange(instance, user)
        texts = [str(self[name].value() or "") for name in ("system_prompt", "body")]
        texts += [str(example.get("content", "")) for example in version.examples] if version else []
        declared = parse_contract(version.variables) if version else ()
        self.contract = ContractForms(texts, contract=declared, data=data)

    def is_valid(self) -> bool:
        return all([super().is_valid(), not self.is_bound or self.contract.is_valid()])

    @property
    def details(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in (*DETAILS, "tags") if name in self.fields}

    @property
    def content(self) -> dict[str, Any]:
        parameters = {name: value for name, value in self.base_parameters.items() if name not in PARAMETERS}
        parameters |= {name: self.cleaned_data[name] for name in PARAMETERS if self.cleaned_data[name] is not None}
        return {
            "system_prompt": self.cleaned_data["system_prompt"],
            "body": self.cleaned_data["body"],
            "variables": self.contract.contract,
            "parameters": parameters,
        }

    def clean_summary(self) -> str:
        return " ".join(self.cleaned_data["summary"].split())

    def _initial(self, instance: PromptTemplate, version: TemplateVersion | None) -> dict[str, Any]:
        initial: dict[str, Any] = {"revision": instance.revision}
        if not instance._state.adding:
            initial["tags"] = [tag.name for tag in instance.tags.all()]
        if version is not None:
            initial |= {"system_prompt": version.system_prompt, "body": version.body}
            initial |= {name: self.base_parameters.get(name) for name in PARAMETERS}
        return initial

    def _arrange(self, instance: PromptTemplate, user: Any) -> None:
        """Only the owner decides who sees a template; an archived one comes back by its own button."""
        hidden = set() if instance.owner_id == user.pk else set(OWNER_ONLY)
        if instance.status == PromptTemplate.Status.ARCHIVED:
            hidden.add("status")
        for name in hidden:
            del self.fields[name]
        category: Any = self.fields["category"]
        category.queryset = Category.objects.all()
        category.empty_label = _("No shelf")
        if status := self.fields.get("status"):
            choices = PromptTemplate.Status
            status.choices = [(each.value, each.label) for each in (choices.PUBLISHED, choices.DRAFT)]  # type: ignore[attr-defined]
            status.help_text = _("A draft is read by you, and by those you shared it with.")
        if visibility := self.fields.get("visibility"):
            visibility.help_text = _("Private: you. Shared: whom you name. Public: everybody who signs in.")
        self.fields["language"].widget.attrs["list"] = "languages"
        self.fields["temperature"].type_note = _("0 to 2")  # type: ignore[attr-defined]  # read by components/field.html
        self.fields["max_tokens"].type_note = _("at most")  # type: ignore[attr-defined]
        for name in ("title", "language", "tags", "change_note"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
