"""The table of variables on the edit page: one small form per variable of the text."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.variables import (
    NAME_MAX_LENGTH,
    ContractError,
    Variable,
    VariableType,
    contract_to_json,
    find_names,
    is_name,
    new_variable,
    parse_contract,
)
from templates_app.variables.cleaners import number_text
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
    renamed_from = forms.CharField(label=_("Renamed from"), required=False, max_length=NAME_MAX_LENGTH)

    is_used = True
    """Whether the text names it; one that it does not name goes when the template is saved."""
    given: Variable | None = None
    """What the form was made of, where nothing was posted."""
    former: tuple[str, ...] = ()
    """The names that are gone from the saved contract: this one may be one of them, renamed."""

    @classmethod
    def of(cls, variable: Variable, place: int) -> "VariableForm":
        form = cls(prefix=f"{PREFIX}-{place}", initial=_fields(contract_to_json([variable])[0]))
        form.given = variable
        return form

    @property
    def variable_name(self) -> str:
        return str(self["name"].value() or "")

    @property
    def former_name(self) -> str:
        """The variable that it was before, if it says so and that one is gone."""
        name = str(self["renamed_from"].value() or "")
        return name if name in self.former else ""

    @property
    def is_open(self) -> bool:
        """Whether its limits are unfolded: where something is wrong with them, and where a choice needs options."""
        return bool(self.errors) or (str(self["type"].value()).startswith("choice") and not self["options"].value())

    def entry(self) -> dict[str, Any]:
        """The variable as the contract's JSON spells it."""
        if not self.is_bound:
            return contract_to_json([self.given or new_variable(self.variable_name)])[0]
        given = [(name, value) for name, value in self.cleaned_data.items() if name != "renamed_from"]
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

    def peek(self) -> Variable | None:
        """What the form describes as far as it goes: None, and no word of it, where it contradicts itself."""
        entry = self.entry_or_none()
        try:
            return parse_contract([entry])[0] if entry else None
        except ContractError:
            return None

    def entry_or_none(self) -> dict[str, Any] | None:
        return self.entry() if not self.is_bound or self.is_valid() else None

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
        declared = {variable.name: variable for variable in contract}
        known = _posted(data) if data is not None else _declared(declared.values())
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
        self.removed = [name for name in declared if name not in set(names)]
        self._follow_renames(declared, known)

    def __iter__(self) -> Any:
        return iter([*self.used, *self.unused])

    def __len__(self) -> int:
        return len(self.used) + len(self.unused)

    def is_valid(self) -> bool:
        wrong = [form for form in self.used if form.variable is None]  # all are looked at: each shows its own
        return not wrong

    @property
    def renames(self) -> dict[str, str]:
        """Old name → new name, of the variables that say what they were; each old one once."""
        found: dict[str, str] = {}
        for form in self.used:
            if form.former_name:
                found.setdefault(form.former_name, form.variable_name)
        return found

    def _follow_renames(self, declared: dict[str, Variable], known: dict[str, VariableForm]) -> None:
        """A variable about which nothing was said but what it was before takes over its limits."""
        for place, form in enumerate(self.used):
            name = form.variable_name
            if name in declared:
                continue
            form.former = tuple(self.removed)
            old = known.get(form.former_name)
            if not form.former_name or old is None or not form.is_bound or form.entry_or_none() != _new_entry(name):
                continue
            mine, others = f"{form.prefix}-", f"{old.prefix}-"
            data = {
                f"{mine}{field}": form.data.get(f"{mine}{field}", "") for field in ("name", "renamed_from", "label")
            }
            kept = {key: value for key, value in old.data.items() if key.startswith(others)} or contract_data(
                contract_to_json([declared[form.former_name]])
            )
            for key, value in kept.items():
                data.setdefault(f"{mine}{key.rpartition('-')[2]}", value)
            self.used[place] = VariableForm(data, prefix=form.prefix)
            self.used[place].former = form.former

    @property
    def contract(self) -> list[Variable]:
        """The variables that the text names; only of valid forms."""
        return [form.variable for form in self.used if form.variable is not None]


def contract_data(variables: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A contract, even one that contradicts itself, as a browser would post it."""
    data: dict[str, str] = {}
    for place, entry in enumerate(variables):
        for name, value in _fields(entry).items():
            if value is not None and value is not False:
                data[f"{PREFIX}-{place}-{name}"] = "on" if value is True else str(value)
    return data


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a contract as the fields of its form."""
    return {
        **entry,
        "default": _default_text(entry.get("default"), str(entry.get("type", ""))),
        "options": "\n".join(map(str, entry.get("options", ()))),
    }


def _default_text(default: Any, kind: str) -> str | None:
    if default is None:
        return None
    if kind == VariableType.JSON:
        return json.dumps(default, ensure_ascii=False, indent=2)
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, list):
        return "\n".join(map(str, default))
    return number_text(default) if isinstance(default, int | float) else str(default)


def _new_entry(name: str) -> dict[str, Any]:
    return contract_to_json([new_variable(name)])[0]


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
