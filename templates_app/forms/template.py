"""Writing a template: what it is called, what it says, and the contract of its variables."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from templates_app.forms.contract import ContractForms, contract_data
from templates_app.forms.examples import ExampleForms, examples_data
from templates_app.forms.sides import base_token, new_key, saved_state
from templates_app.forms.texts import TextField
from templates_app.models import Category, PromptTemplate, Tag, TemplateVersion
from templates_app.services import DETAILS
from templates_app.shelving import read_tree
from templates_app.variables import (
    ContractError,
    InvalidValueError,
    Variable,
    VariableType,
    clean_value,
    contract_to_json,
    find_names,
    parse_contract,
)
from templates_app.variables.contract import MAX_VARIABLES

TAGS_MAX_COUNT = 20
OWNER_ONLY = ("visibility", "status")
PARAMETERS = ("temperature", "max_tokens", "top_p", "model")
"""The settings that have a field of their own; all others stand together as JSON."""


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


class SettingsField(forms.CharField):
    """The settings without a field of their own, as a JSON object."""

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            settings = clean_value(Variable("more", VariableType.JSON), text) or {}
        except InvalidValueError as error:
            raise forms.ValidationError(str(error)) from None
        if not isinstance(settings, dict):
            raise forms.ValidationError(_('Enter a JSON object, such as {"seed": 7}.'))
        if twice := [name for name in PARAMETERS if name in settings]:
            raise forms.ValidationError(_("“%(name)s” has a field of its own.") % {"name": twice[0]})
        return settings


class TemplateForm(forms.ModelForm):
    """A template and its current version; `contract` holds the forms of the variables, `examples` those of the
    few-shot messages, and `is_valid` checks all of them.

    A `quiet` form shows what was posted and judges nothing.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    base = forms.CharField(widget=forms.HiddenInput, required=False)
    merge = forms.CharField(widget=forms.HiddenInput, required=False)
    key = forms.CharField(widget=forms.HiddenInput, required=False)
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
    top_p = forms.FloatField(label=_("Top p"), required=False, min_value=0, max_value=1)
    model = forms.CharField(label=_("Written for"), required=False, max_length=200)
    settings = SettingsField(
        label=_("More settings"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "input input--code", "spellcheck": "false"}),
        help_text=_('Sent along as they stand: {"seed": 7, "stop": ["END"]}.'),
    )
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

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        instance: PromptTemplate,
        user: Any,
        is_quiet: bool = False,
    ) -> None:
        version = instance.current_version
        self.is_quiet = is_quiet
        self.base_parameters: dict[str, Any] = dict(version.parameters) if version else {}
        super().__init__(data, instance=instance, initial=self._initial(instance, version))
        self._arrange(instance, user)
        self.examples = ExampleForms(version.examples if version else (), data=data)
        self.contract = ContractForms(self.texts, contract=_declared(version), data=data)

    def full_clean(self) -> None:
        if not self.is_quiet:
            super().full_clean()
            return
        self._errors = ErrorDict(renderer=self.renderer)
        self.cleaned_data = {}

    @property
    def texts(self) -> list[str]:
        """All that may name a variable: system prompt, prompt, examples."""
        return [*(str(self[name].value() or "") for name in ("system_prompt", "body")), *self.examples.texts]

    def clean(self) -> dict[str, Any] | None:
        if len(find_names(*self.texts)) > MAX_VARIABLES:
            self.add_error("body", _("A template may have %(limit)d variables at most.") % {"limit": MAX_VARIABLES})
        return super().clean()

    def is_valid(self) -> bool:
        return all([super().is_valid(), not self.is_bound or self.contract.is_valid(), self.examples.is_valid()])

    @property
    def details(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in (*DETAILS, "tags") if name in self.fields}

    @property
    def content(self) -> dict[str, Any]:
        return {
            "system_prompt": self.cleaned_data["system_prompt"],
            "body": self.cleaned_data["body"],
            "examples": self.examples.messages,
            "variables": self.contract.contract,
            "parameters": self._parameters(),
        }

    @property
    def state(self) -> dict[str, Any]:
        """Details and content as JSON keeps them: what is compared and merged (see `saved_state`)."""
        state = {**self.details, **self.content, "variables": contract_to_json(self.contract.contract)}
        state["category"] = state["category"].slug if state["category"] else ""
        state["tags"] = sorted(state["tags"])
        return state

    def clean_summary(self) -> str:
        return " ".join(self.cleaned_data["summary"].split())

    def _parameters(self) -> dict[str, Any]:
        """What has no field in a request stays as it is."""
        parameters = {name: value for name, value in self.base_parameters.items() if name not in PARAMETERS}
        if self.add_prefix("settings") in self.data:
            parameters = dict(self.cleaned_data["settings"])
        for name in PARAMETERS:
            value = self.cleaned_data[name] if name in self.data else self.base_parameters.get(name)
            if value not in (None, ""):
                parameters[name] = value
        return parameters

    def _initial(self, instance: PromptTemplate, version: TemplateVersion | None) -> dict[str, Any]:
        initial: dict[str, Any] = {"revision": instance.revision}
        if instance._state.adding:
            initial["key"] = new_key()
        else:
            state = saved_state(instance, version)
            initial |= {"base": base_token(state, version), "tags": state["tags"]}
        if version is not None:
            initial |= {"system_prompt": version.system_prompt, "body": version.body}
            initial |= {name: self.base_parameters.get(name) for name in PARAMETERS}
            rest = {name: value for name, value in self.base_parameters.items() if name not in PARAMETERS}
            initial["settings"] = rest or ""
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
        category.choices = [("", _("No shelf")), *read_tree().choices()]  # those inside a shelf set in
        if status := self.fields.get("status"):
            choices = PromptTemplate.Status
            status.choices = [(each.value, each.label) for each in (choices.PUBLISHED, choices.DRAFT)]  # type: ignore[attr-defined]
            status.help_text = _("A draft is read by you, and by those you shared it with.")
        if visibility := self.fields.get("visibility"):
            visibility.help_text = (
                _("Private: you. Shared: whom you name. Public: everybody, signed in or not.")
                if settings.PUBLIC_LIBRARY
                else _("Private: you. Shared: whom you name. Public: everybody who signs in.")
            )
        self.fields["language"].widget.attrs["list"] = "languages"
        self._note_types()
        for name in ("title", "language", "tags", "model", "change_note"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def _note_types(self) -> None:
        self.fields["temperature"].type_note = _("0 to 2")  # type: ignore[attr-defined]  # read by components/field.html
        self.fields["max_tokens"].type_note = _("at most")  # type: ignore[attr-defined]
        self.fields["top_p"].type_note = _("0 to 1")  # type: ignore[attr-defined]
        self.fields["model"].type_note = _("a model’s name")  # type: ignore[attr-defined]
        self.fields["settings"].type_note = _("JSON")  # type: ignore[attr-defined]


def state_data(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state as a browser would post it."""
    parameters = state["parameters"]
    rest = {name: value for name, value in parameters.items() if name not in PARAMETERS}
    data = {name: state[name] for name in (*DETAILS, "system_prompt", "body") if name in state}
    category = Category.objects.filter(slug=state["category"]).first() if state.get("category") else None
    data |= {"category": str(category.pk) if category else "", "tags": ", ".join(state.get("tags", ()))}
    data |= {name: parameters.get(name, "") for name in PARAMETERS}
    data["settings"] = json.dumps(rest, ensure_ascii=False, indent=2) if rest else ""
    return data | examples_data(state["examples"]) | contract_data(state["variables"])


def _declared(version: TemplateVersion | None) -> tuple[Variable, ...]:
    """The contract of a version; none where an import stored one that cannot be used."""
    try:
        return parse_contract(version.variables) if version else ()
    except ContractError:
        return ()
