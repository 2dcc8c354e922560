"""What somebody fills in: from a form, a command line or JSON to one clean value, and from there to a prompt.

A clean value can be stored as JSON: a string, a number, a boolean, a list of strings, or for `json` an object or list.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from templates_app.variables.cleaners import CLEANERS, InvalidValueError, missing_message, number_text
from templates_app.variables.variable import Variable, VariableType


def clean_values(contract: Iterable[Variable], values: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]:
    """The clean values of the whole contract, and a sentence for each variable whose value does not do.

    A variable that is absent (or None) takes its default; one that was left blank stays blank. Names that are not in
    the contract are ignored. `values` may be a QueryDict: several choices are then read as a list. (An unticked box is
    absent from a form: send a hidden "false" before it.)
    """
    cleaned: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for variable in contract:
        try:
            cleaned[variable.name] = clean_value(variable, _get(values, variable))
        except InvalidValueError as error:
            errors[variable.name] = str(error)
    return cleaned, errors


def clean_value(variable: Variable, value: object) -> Any:
    """The clean form of one value; raises InvalidValueError with a sentence that says what to enter."""
    if value is None:
        value = variable.default
    if not _is_blank(variable, value):
        return CLEANERS[variable.type](variable, value)
    if variable.required:
        raise InvalidValueError(missing_message(variable))
    return _blank(variable)


def to_text(variable: Variable, value: object) -> str:
    """How a clean value reads in a prompt.

    Several choices are joined by ", "; a boolean is "yes" or "no" (a prompt is prose, in the language of its writer,
    not of the interface); JSON is indented by two; a date is 2026-11-22; nothing is "".
    """
    if value is None or value == "":
        return ""
    if variable.type == VariableType.JSON:
        return json.dumps(value, ensure_ascii=False, indent=2)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def _get(values: Mapping[str, object], variable: Variable) -> object:
    getlist: Callable[[str], list[object]] | None = getattr(values, "getlist", None)
    if getlist is not None and variable.type == VariableType.CHOICES and variable.name in values:
        return getlist(variable.name)
    return values.get(variable.name)


def _is_blank(variable: Variable, value: object) -> bool:
    if variable.type == VariableType.CHOICES and isinstance(value, (list, tuple, set, frozenset)):
        return not any(str(item).strip() for item in value)
    return value is None or (isinstance(value, str) and not value.strip())


def _blank(variable: Variable) -> Any:
    if variable.type == VariableType.CHOICES:
        return []
    return False if variable.type == VariableType.BOOLEAN else ""
