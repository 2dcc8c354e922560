"""The typed variables of a template: the contract stored as JSON with every version, and the values that fill it.

Pure functions without a database. Names are written ``{{ name }}`` in a text (`promptlib.core.placeholders`), a
`Variable` says what may be filled in (`variable`), a contract is a tuple of them (`contract`), and `values` checks what
somebody filled in.
"""

from promptlib.core.placeholders import NAME_MAX_LENGTH, find_names, is_name, label_for
from templates_app.variables.cleaners import InvalidValueError
from templates_app.variables.contract import (
    complete_contract,
    contract_to_json,
    guess_type,
    new_variable,
    parse_contract,
)
from templates_app.variables.values import clean_value, clean_values, to_text
from templates_app.variables.variable import ContractError, Variable, VariableType

__all__ = [
    "NAME_MAX_LENGTH",
    "ContractError",
    "InvalidValueError",
    "Variable",
    "VariableType",
    "clean_value",
    "clean_values",
    "complete_contract",
    "contract_to_json",
    "find_names",
    "guess_type",
    "is_name",
    "label_for",
    "new_variable",
    "parse_contract",
    "to_text",
]
