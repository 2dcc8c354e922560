"""The contract of a template version: its variables, in order, each name once."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from promptlib.core.placeholders import find_names, label_for, name_words
from templates_app.variables.cleaners import InvalidValueError
from templates_app.variables.values import clean_value
from templates_app.variables.variable import ContractError, Variable, VariableType

MAX_VARIABLES = 200

# What is usually a word or two; anything else gets room for more.
_SHORT_WORDS = frozenset(
    word
    for line in (
        "age amount audience author brand budget category city color colour company count country currency date day",
        "deadline degree department duration email format framework gender genre industry lang language length level",
        "location max min model month mood name number phone place platform position price product quantity ratio",
        "region role season sector size style symbol technology theme time timeframe title tone type unit username",
        "version website week year years firstname lastname fullname link url id",
    )
    for word in line.split()
)


def parse_contract(data: object) -> tuple[Variable, ...]:
    """The variables of a stored or submitted contract; raises ContractError with everything that is wrong with it."""
    if not isinstance(data, (list, tuple)):
        raise ContractError([_("The variables must be a list.")])
    if len(data) > MAX_VARIABLES:
        raise ContractError([_("A template may have %(limit)d variables at most.") % {"limit": MAX_VARIABLES}])
    variables: dict[str, Variable] = {}
    errors: list[str] = []
    for position, entry in enumerate(data, start=1):
        if not isinstance(entry, dict):
            errors.append(_("Variable %(position)d is not an object.") % {"position": position})
            continue
        try:
            variable = _with_clean_default(Variable.from_json(entry))
        except ContractError as error:
            errors += error.errors
            continue
        if variable.name in variables:
            errors.append(_("%(name)s: there are two variables of this name.") % {"name": variable.name})
        variables[variable.name] = variable
    if errors:
        raise ContractError(errors)
    return tuple(variables.values())


def contract_to_json(contract: Iterable[Variable]) -> list[dict[str, Any]]:
    return [variable.to_json() for variable in contract]


def complete_contract(contract: Iterable[Variable], *texts: str) -> tuple[Variable, ...]:
    """A contract for exactly the names that the texts use, in the order of their first use.

    A declared variable is kept as it is; a new name becomes a required text with a label made of the name; a variable
    that no text uses is dropped, since nobody could see what filling it in does.
    """
    declared = {variable.name: variable for variable in contract}
    return tuple(declared.get(name) or new_variable(name) for name in find_names(*texts))


def new_variable(name: str) -> Variable:
    """A variable about which only its name is known."""
    return Variable(name=name, type=guess_type(name), label=label_for(name)[:200], required=True)


def guess_type(name: str) -> VariableType:
    """One line for names that end (or begin) like "city" or "max_words", a long text for all others."""
    words = [word.rstrip("0123456789") for word in name_words(name)]
    words = [word for word in words if word]
    is_short = bool(words) and (words[-1] in _SHORT_WORDS or words[0] in {"max", "min", "number"})
    return VariableType.TEXT if is_short else VariableType.LONG_TEXT


def _with_clean_default(variable: Variable) -> Variable:
    if variable.default is None:
        return variable
    try:
        default = clean_value(variable, variable.default)
    except InvalidValueError as error:
        reason = _("%(name)s: the default does not fit. %(reason)s") % {"name": variable.name, "reason": error}
        raise ContractError([reason]) from None
    return replace(variable, default=None if default == "" or default == [] else default)
