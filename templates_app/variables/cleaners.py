"""One cleaner for each type of variable: from what was entered to a value that can be stored, or InvalidValueError."""

import datetime
import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import regex  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from templates_app.variables.variable import Variable, VariableType

URL_MAX_LENGTH = 2000
NUMBER_LIMIT = 10**15
JSON_MAX_DEPTH = 50
# A pattern is matched by a library that gives up after this time, so that no pattern and no text can hang a worker.
PATTERN_TIMEOUT_SECONDS = 0.1
PATTERN_TEXT_MAX_LENGTH = 5000

_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
_url = URLValidator(schemes=["http", "https"])


class InvalidValueError(ValueError):
    """The value does not fit the variable; the message is for the person who filled it in."""


def missing_message(variable: Variable) -> str:
    if variable.type == VariableType.CHOICE:
        return _("Choose one.")
    if variable.type == VariableType.CHOICES:
        return _("Choose at least one.")
    if variable.is_number:
        return _number_message(variable, whole=variable.type == VariableType.INTEGER)
    if variable.type == VariableType.BOOLEAN:
        return _("Enter yes or no.")
    if variable.type == VariableType.DATE:
        return _("Enter a date as year-month-day, such as 2026-11-22.")
    return _("Fill this in.")


def _clean_text(variable: Variable, value: object) -> str:
    text = _string(value).strip()
    if "\n" in text or "\r" in text:
        raise InvalidValueError(_("Write this on one line."))
    return _check_text(variable, text)


def _clean_long_text(variable: Variable, value: object) -> str:
    # A browser sends CRLF for every line break: what was typed is LF.
    return _check_text(variable, _string(value).replace("\r\n", "\n"))


def _clean_url(variable: Variable, value: object) -> str:
    text = _string(value).strip()
    try:
        if len(text) > URL_MAX_LENGTH:
            raise ValidationError("")
        _url(text)
    except ValidationError:
        raise InvalidValueError(_("Enter a web address that starts with https:// or http://.")) from None
    return _check_text(variable, text)


def _check_text(variable: Variable, text: str) -> str:
    length = len(text)
    if variable.min_length is not None and length < variable.min_length:
        raise InvalidValueError(
            ngettext(
                "Write at least %(limit)d character; there are %(length)d now.",
                "Write at least %(limit)d characters; there are %(length)d now.",
                variable.min_length,
            )
            % {"limit": variable.min_length, "length": length}
        )
    if variable.max_length is not None and length > variable.max_length:
        raise InvalidValueError(
            ngettext(
                "Keep it to %(limit)d character; there are %(length)d now.",
                "Keep it to %(limit)d characters; there are %(length)d now.",
                variable.max_length,
            )
            % {"limit": variable.max_length, "length": length}
        )
    if variable.pattern:
        _check_pattern(variable, text)
    return text


def _check_pattern(variable: Variable, text: str) -> None:
    if len(text) > PATTERN_TEXT_MAX_LENGTH:
        raise InvalidValueError(_("This is too long to be checked against its pattern. Shorten it."))
    try:
        if regex.fullmatch(variable.pattern, text, timeout=PATTERN_TIMEOUT_SECONDS):
            return
    except (TimeoutError, regex.error):
        raise InvalidValueError(
            _("The pattern of this variable could not be checked. Ask the template’s owner.")
        ) from None
    if variable.example:
        message = _("This does not have the expected form. An example: %(example)s") % {"example": variable.example}
    else:
        message = _("This does not have the expected form: %(pattern)s") % {"pattern": variable.pattern}
    raise InvalidValueError(message)


def _clean_number(variable: Variable, value: object) -> int | float:
    number = _parse_number(value)
    whole = variable.type == VariableType.INTEGER
    if number is not None and whole and isinstance(number, float):
        number = int(number) if number.is_integer() else None
    too_low = number is not None and variable.min is not None and number < variable.min
    too_high = number is not None and variable.max is not None and number > variable.max
    if number is None or too_low or too_high:
        raise InvalidValueError(_number_message(variable, whole=whole))
    if abs(number) > NUMBER_LIMIT:
        raise InvalidValueError(_("Enter a number of at most 15 digits."))
    return number


def _parse_number(value: object) -> int | float | None:
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = int(text) if text.lstrip("+-").isdecimal() else float(text)
    if isinstance(value, Decimal):
        if not value.is_finite() or value.adjusted() > 40:
            return None
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def _number_message(variable: Variable, *, whole: bool) -> str:
    limits = {"low": number_text(variable.min), "high": number_text(variable.max)}
    if variable.min is not None and variable.max is not None:
        text = (
            _("Enter a whole number from %(low)s to %(high)s.")
            if whole
            else _("Enter a number from %(low)s to %(high)s.")
        )
    elif variable.min is not None:
        text = _("Enter a whole number of at least %(low)s.") if whole else _("Enter a number of at least %(low)s.")
    elif variable.max is not None:
        text = _("Enter a whole number of at most %(high)s.") if whole else _("Enter a number of at most %(high)s.")
    else:
        text = _("Enter a whole number, such as 12.") if whole else _("Enter a number, such as 12 or 0.5.")
    return text % limits


def number_text(number: int | float | None) -> str:
    if isinstance(number, float) and number.is_integer() and abs(number) <= NUMBER_LIMIT:
        number = int(number)
    return "" if number is None else str(number)


def _clean_choice(variable: Variable, value: object) -> str:
    text = _string(value)
    for candidate in (text, text.strip()):
        if candidate in variable.options:
            return candidate
    raise InvalidValueError(_("Choose one of these: %(options)s.") % {"options": _option_list(variable)})


def _clean_choices(variable: Variable, value: object) -> list[str]:
    if isinstance(value, str):
        chosen = _split_choices(variable, value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        chosen = {_string(item) for item in value if str(item).strip()}
    else:
        chosen = {_string(value)}
    if chosen - set(variable.options):
        raise InvalidValueError(_("Choose among these: %(options)s.") % {"options": _option_list(variable)})
    return [option for option in variable.options if option in chosen]


def _split_choices(variable: Variable, text: str) -> set[str]:
    if text in variable.options:
        return {text}
    return {part.strip() for part in re.split(r"[,\n]", text) if part.strip()}


def _option_list(variable: Variable, limit: int = 8) -> str:
    shown = ", ".join(variable.options[:limit])
    return shown + ", …" if len(variable.options) > limit else shown


def _clean_boolean(variable: Variable, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidValueError(_("Enter yes or no."))


def _clean_date(variable: Variable, value: object) -> str:
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        text = _string(value).strip()
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidValueError(_("Enter a date as year-month-day, such as 2026-11-22.")) from None


def _clean_json(variable: Variable, value: object) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(_string(value))
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno}
            raise InvalidValueError(
                _("This is not valid JSON: see line %(line)d, column %(column)d.") % place
            ) from None
        except (ValueError, RecursionError):
            raise InvalidValueError(
                _("This JSON cannot be read: it is nested too deep or holds a number too long.")
            ) from None
    if not isinstance(value, (dict, list)):
        raise InvalidValueError(_('Enter a JSON object or list, such as {"name": "value"}.'))
    if _depth_exceeds(value, JSON_MAX_DEPTH):
        message = _("Nest the JSON at most %(depth)d levels deep.") % {"depth": JSON_MAX_DEPTH}
        raise InvalidValueError(message)
    try:
        return json.loads(_string(json.dumps(value, ensure_ascii=False, allow_nan=False)))
    except (TypeError, ValueError):
        raise InvalidValueError(_("This is not valid JSON.")) from None


def _depth_exceeds(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _depth in range(limit):
        level = [
            item
            for container in level
            if isinstance(container, (dict, list, tuple))
            for item in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return any(isinstance(item, (dict, list, tuple)) for item in level)


def _string(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise InvalidValueError(_("Enter text."))
    text = str(value)
    if "\0" in text or not _is_encodable(text):
        raise InvalidValueError(_("This holds characters that cannot be stored. Remove them."))
    return text


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


CLEANERS: dict[VariableType, Callable[[Variable, object], Any]] = {
    VariableType.TEXT: _clean_text,
    VariableType.LONG_TEXT: _clean_long_text,
    VariableType.URL: _clean_url,
    VariableType.NUMBER: _clean_number,
    VariableType.INTEGER: _clean_number,
    VariableType.CHOICE: _clean_choice,
    VariableType.CHOICES: _clean_choices,
    VariableType.BOOLEAN: _clean_boolean,
    VariableType.DATE: _clean_date,
    VariableType.JSON: _clean_json,
}
