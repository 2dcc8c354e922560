"""The table of variables on the edit page: one small form per variable of the text."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.forms.values import form_value
from templates_app.variables import (
    ContractError,
    Variable,
    VariableType,
    contract_to_json,
    find_names,
    is_name,
    new_variable,
    parse_contract,
)
from templates_app.variables.contract import MAX_VARIABLES
from templates_app.variables.variable import OPTION_MAX_LENGTH, OPTIONS_MAX_COUNT, PATTERN_MAX_LENGTH

PREFIX = "variables"
_ROW_NAME = re.compile(rf"^{PREFIX}-(\d{{1,4}})-name$")


class VariableForm(forms.Form):
    """What may be filled in for one variable."""

    name = forms.CharField(widget=forms.HiddenInput)
    type = forms.ChoiceField(label=_("Type"), choices=VariableType.choices)
    label = forms.CharField(label=_("Label"), required=False, max_length=200)
    help = forms.CharField(label=_("Help"), required=False, max_length=1000)
    default = forms.CharField(label=_("Default"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 1}))
    required = forms.BooleanField(label=_("Required"), required=False)
    options = forms.CharField(
        label=_("Options, one per line"),
        required=False,
        max_length=OPTIONS_MAX_COUNT * OPTION_MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    min = forms.FloatField(label=_("From"), required=False)
    max = forms.FloatField(label=_("To"), required=False)
    min_length = forms.IntegerField(label=_("Shortest"), required=False, min_value=0)
    max_length = forms.IntegerField(label=_("Longest"), required=False, min_value=1)
    pattern = forms.CharField(label=_("Pattern"), required=False, max_length=PATTERN_MAX_LENGTH)
    example = forms.CharField(label=_("Example"), required=False, max_length=2000)

    is_used = True
    """Whether the text names it; one that it does not name goes when the template is saved."""

    @classmethod
    def of(cls, variable: Variable, place: int) -> "VariableForm":
        default = form_value(variable, variable.default)
        if isinstance(default, list):
            default = "\n".join(default)
        elif isinstance(default, bool):
            default = "yes" if default else "no"
        initial = contract_to_json([variable])[0]
        initial |= {"default": default, "options": "\n".join(variable.options)}
        return cls(prefix=f"{PREFIX}-{place}", initial=initial)

    @property
    def variable_name(self) -> str:
        return str(self["name"].value() or "")

    @property
    def is_open(self) -> bool:
        """Whether its limits are unfolded: where something is wrong with them, and where a choice needs options."""
        return bool(self.errors) or (str(self["type"].value()).startswith("choice") and not self["options"].value())

    def entry(self) -> dict[str, Any]:
        """The variable as the contract's JSON spells it."""
        if not self.is_bound:
            return contract_to_json([new_variable(self.variable_name)])[0]
        given = self.cleaned_data.items()
        data = {name: value for name, value in given if value is not None and value is not False and value != ""}
        for name in ("min", "max"):
            if isinstance(data.get(name), float) and data[name].is_integer():
                data[name] = int(data[name])
        options = [line.strip() for line in data.pop("options", "").splitlines() if line.strip()]
        if options:
            data["options"] = options
        if "default" in data:
            data["default"] = _default(data["default"].replace("\r\n", "\n"), options)
        return data

    @cached_property
    def variable(self) -> Variable | None:
        """What the form describes, or None with the reasons among its errors."""
        if self.is_bound and not self.is_valid():
            return None
        entry = self.entry()
        try:
            return parse_contract([entry])[0]
        except ContractError as error:
            self._blame(entry, error)
            return None

    def _blame(self, entry: dict[str, Any], error: ContractError) -> None:
        """Put the reasons where they belong: at the default if all is well without it."""
        try:
            parse_contract([{**entry, "default": None}])
            place = "default"
        except ContractError:
            place = None
        for reason in error.errors:
            reason = reason.removeprefix(f"{self.variable_name}: ")
            self.add_error(place, reason[:1].upper() + reason[1:])


class ContractForms:
    """The variables' forms, in the order in which the text names them; what it no longer names comes last."""

    def __init__(
        self, texts: Iterable[str], *, contract: Iterable[Variable] = (), data: Mapping[str, Any] | None = None
    ) -> None:
        known = _posted(data) if data is not None else _declared(contract)
        names = find_names(*texts)[:MAX_VARIABLES]
        place = max((int(form.prefix.rpartition("-")[2]) for form in known.values() if form.prefix), default=-1) + 1
        for name in names:
            if name not in known:
                known[name] = VariableForm.of(new_variable(name), place)
                place += 1
        self.used = [known[name] for name in names]
        self.unused = [form for name, form in known.items() if name not in set(names)]
        for form in self.unused:
            form.is_used = False

    def __iter__(self) -> Any:
        return iter([*self.used, *self.unused])

    def __len__(self) -> int:
        return len(self.used) + len(self.unused)

    def is_valid(self) -> bool:
        wrong = [form for form in self.used if form.variable is None]  # all are looked at: each shows its own
        return not wrong

    @property
    def contract(self) -> list[Variable]:
        """The variables that the text names; only of valid forms."""
        return [form.variable for form in self.used if form.variable is not None]


def _posted(data: Mapping[str, Any]) -> dict[str, VariableForm]:
    places = sorted(int(match[1]) for key in data if (match := _ROW_NAME.match(key)))
    found: dict[str, VariableForm] = {}
    for place in places[: 2 * MAX_VARIABLES]:
        form = VariableForm(data, prefix=f"{PREFIX}-{place}")
        if is_name(form.variable_name):
            found.setdefault(form.variable_name, form)
    return found


def _declared(contract: Iterable[Variable]) -> dict[str, VariableForm]:
    return {variable.name: VariableForm.of(variable, place) for place, variable in enumerate(contract)}


def _default(text: str, options: list[str]) -> Any:
    """Several defaults of a choice stand one per line; anything else is one text, which the contract then reads."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines if len(lines) > 1 and options and set(lines) <= set(options) else text
