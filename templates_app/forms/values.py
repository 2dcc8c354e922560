"""The form that a version's contract draws: one field per variable, checked by the contract itself."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.html import escape
from django.utils.translation import gettext as _

from templates_app.models import TemplateVersion
from templates_app.variables import (
    InvalidValueError,
    Variable,
    VariableType,
    clean_value,
    parse_contract,
    to_text,
)
from templates_app.variables.cleaners import number_text

VALUE_PREFIX = "v"


class VariableField(forms.Field):
    """A field that leaves all judgement to `clean_value`; required is for the browser and the label alone."""

    def __init__(self, variable: Variable, **kwargs: Any) -> None:
        begun = {"initial": form_value(variable, variable.default), **kwargs}
        super().__init__(
            required=False, label=variable.title, help_text=escape(variable.help), widget=_widget(variable), **begun
        )
        self.variable = variable
        self.type_note = type_note(variable)

    def clean(self, value: Any) -> Any:
        try:
            return clean_value(self.variable, value)
        except InvalidValueError as error:
            raise ValidationError(str(error), code="invalid") from None


class VariablesForm(forms.Form):
    """The values for one version, as fields named `v-<name>`.

    Once valid, `values` are the clean values to store with a run. `texts` is what a preview shows, of a form that need
    not be whole: a variable without a usable value is left out.
    """

    def __init__(
        self,
        version: TemplateVersion,
        data: Mapping[str, Any] | None = None,
        *,
        filled: Mapping[str, Any] | None = None,
        is_partial: bool = False,
        **kwargs: Any,
    ) -> None:
        """`filled` are values to begin with in place of the defaults; a partial form may leave out what is required."""
        super().__init__(data, prefix=VALUE_PREFIX, auto_id="f-%s", **kwargs)
        self.version = version
        self.contract = parse_contract(version.variables)
        self.filled = dict(filled or {})
        for variable in self.contract:
            asked = replace(variable, required=variable.required and not is_partial)
            self.fields[variable.name] = VariableField(asked, **self._initial_of(variable))

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    @property
    def kept_values(self) -> dict[str, Any]:
        """What a set of values keeps of a partial form: all but what is required and was left empty."""
        required = {variable.name for variable in self.contract if variable.required}
        blank: tuple[Any, ...] = ("", [], None)
        return {name: value for name, value in self.values.items() if not (name in required and value in blank)}

    @property
    def texts(self) -> dict[str, str]:
        variables = {variable.name: variable for variable in self.contract}
        if not self.is_bound:
            begun = {name: self.filled.get(name, each.default) for name, each in variables.items()}
            return {name: to_text(variables[name], value) for name, value in begun.items() if value is not None}
        self.is_valid()
        return {name: to_text(variables[name], value) for name, value in self.cleaned_data.items()}

    def _initial_of(self, variable: Variable) -> dict[str, Any]:
        if variable.name not in self.filled:
            return {}
        return {"initial": form_value(variable, self.filled[variable.name])}

    @property
    def rows(self) -> list[list[BoundField]]:
        """The fields as they stand: one to a row, two short choices side by side."""
        rows: list[list[BoundField]] = []
        for field in self:
            last = rows[-1] if rows else []
            if len(last) == 1 and _is_short_choice(last[0]) and _is_short_choice(field):
                last.append(field)
            else:
                rows.append([field])
        return rows

    @property
    def empty_count(self) -> int:
        """How many variables have no usable text yet; an unticked box is an answer."""
        texts = self.texts
        return sum(1 for variable in self.contract if not texts.get(variable.name) and not _is_check(variable))


def type_note(variable: Variable) -> str:
    """What stands at the label's right: "number, 40 to 400", "long text, required"."""
    if variable.type == VariableType.BOOLEAN:
        return ""
    parts = [] if variable.is_choice else [str(variable.type.label)]
    if variable.min is not None and variable.max is not None:
        parts.append(_("%(low)s to %(high)s") % {"low": number_text(variable.min), "high": number_text(variable.max)})
    elif variable.min is not None:
        parts.append(_("%(low)s and up") % {"low": number_text(variable.min)})
    elif variable.max is not None:
        parts.append(_("up to %(high)s") % {"high": number_text(variable.max)})
    if variable.required:
        parts.append(_("required"))
    return ", ".join(parts)


def values_data(version: TemplateVersion, values: Mapping[str, Any]) -> QueryDict:
    """Clean values as a browser would post them; what they do not say takes its default."""
    data = QueryDict(mutable=True)
    for variable in parse_contract(version.variables):
        value = form_value(variable, values.get(variable.name, variable.default))
        listed = value if isinstance(value, list) else ["on" if value is True else value]
        data.setlist(f"{VALUE_PREFIX}-{variable.name}", [str(each) for each in listed if each not in (None, False)])
    return data


def form_value(variable: Variable, value: Any) -> Any:
    """A clean value as the form's control takes it."""
    if value is None:
        return None
    if variable.type == VariableType.JSON:
        return json.dumps(value, ensure_ascii=False, indent=2)
    if isinstance(value, float):
        return number_text(value)
    return value


def _widget(variable: Variable) -> forms.Widget:
    attrs: dict[str, Any] = {"data-var": variable.name}
    if variable.required and variable.type not in {VariableType.CHOICES, VariableType.BOOLEAN}:
        attrs["required"] = True
    if variable.example and not variable.is_choice and variable.type not in {VariableType.BOOLEAN, VariableType.DATE}:
        attrs["placeholder"] = variable.example
    match variable.type:
        case VariableType.LONG_TEXT | VariableType.JSON:
            return forms.Textarea(attrs={"rows": 3, **_length(variable), **attrs})
        case VariableType.NUMBER | VariableType.INTEGER:
            step = "1" if variable.type == VariableType.INTEGER else "any"
            limits = {"min": number_text(variable.min), "max": number_text(variable.max)}
            return forms.NumberInput(attrs={"step": step, **{k: v for k, v in limits.items() if v}, **attrs})
        case VariableType.CHOICE:
            blank = [] if variable.required and variable.default else [("", _("Choose…"))]
            return forms.Select(attrs=attrs, choices=[*blank, *((each, each) for each in variable.options)])
        case VariableType.CHOICES:
            return forms.CheckboxSelectMultiple(attrs=attrs, choices=[(each, each) for each in variable.options])
        case VariableType.BOOLEAN:
            return forms.CheckboxInput(attrs={"data-true-text": "yes", "data-false-text": "no", **attrs})
        case VariableType.DATE:
            return forms.DateInput(attrs={"type": "date", **attrs})
        case VariableType.URL:
            return forms.URLInput(attrs={**_length(variable), **attrs})
    return forms.TextInput(attrs={"autocomplete": "off", **_length(variable), **attrs})


def _length(variable: Variable) -> dict[str, Any]:
    limits = {"minlength": variable.min_length, "maxlength": variable.max_length}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _is_check(variable: Variable) -> bool:
    return variable.type == VariableType.BOOLEAN


def _is_short_choice(field: BoundField) -> bool:
    variable: Variable = field.field.variable  # type: ignore[attr-defined]  # every field here is a VariableField
    is_short = len(variable.title) <= 14 and all(len(option) <= 14 for option in variable.options)
    return variable.type == VariableType.CHOICE and is_short and not variable.help and not field.errors
