"""One variable of a template: what it is called and what may be filled in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import regex  # type: ignore[import-untyped]
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promptlib.core.placeholders import is_name, label_for

PATTERN_MAX_LENGTH = 200
OPTION_MAX_LENGTH = 200
OPTIONS_MAX_COUNT = 200


class VariableType(TextChoices):
    TEXT = "text", gettext_lazy("text")
    LONG_TEXT = "long_text", gettext_lazy("long text")
    NUMBER = "number", gettext_lazy("number")
    INTEGER = "integer", gettext_lazy("whole number")
    CHOICE = "choice", gettext_lazy("choice")
    CHOICES = "choices", gettext_lazy("several choices")
    BOOLEAN = "boolean", gettext_lazy("yes or no")
    DATE = "date", gettext_lazy("date")
    URL = "url", gettext_lazy("web address")
    JSON = "json", gettext_lazy("JSON")


NUMBER_TYPES = frozenset({VariableType.NUMBER, VariableType.INTEGER})
TEXT_TYPES = frozenset({VariableType.TEXT, VariableType.LONG_TEXT, VariableType.URL})
CHOICE_TYPES = frozenset({VariableType.CHOICE, VariableType.CHOICES})


class ContractError(ValueError):
    """A contract that cannot be used; `errors` holds one sentence for each thing that is wrong."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(" ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and its limits. `default` is a clean value (see `clean_value`), None when there is none.

    `min` and `max` belong to numbers, `min_length`, `max_length` and `pattern` to texts, `options` to choices; a limit
    that does not belong to the type is dropped by `from_json`. `pattern` must match the whole text.
    """

    name: str
    type: VariableType = VariableType.TEXT
    label: str = ""
    help: str = ""
    default: Any = None
    required: bool = False
    min: int | float | None = None
    max: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    options: tuple[str, ...] = ()
    example: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "Variable":
        """Raises ContractError with everything that is wrong. The default is taken as it is: see `parse_contract`."""
        reader = _EntryReader(data)
        type_ = reader.type()
        is_number, is_text, is_choice = (type_ in types for types in (NUMBER_TYPES, TEXT_TYPES, CHOICE_TYPES))
        default = data.get("default")
        variable = cls(
            name=reader.name(),
            type=type_,
            label=reader.text("label", 200),
            help=reader.text("help", 1000),
            default=None if default == "" or default == [] else default,
            required=reader.flag("required"),
            min=reader.number("min") if is_number else None,
            max=reader.number("max") if is_number else None,
            min_length=reader.length("min_length") if is_text else None,
            max_length=reader.length("max_length") if is_text else None,
            pattern=reader.pattern() if is_text else "",
            options=reader.options() if is_choice else (),
            example=reader.text("example", 2000),
        )
        reader.check_order(variable.min, variable.max, _("the smallest value is larger than the largest."))
        reader.check_order(
            variable.min_length, variable.max_length, _("the shortest length is longer than the longest.")
        )
        if reader.errors:
            raise ContractError(reader.errors)
        return variable

    def to_json(self) -> dict[str, Any]:
        """The canonical form: keys in the order of the fields, without what is empty or says nothing."""
        data: dict[str, Any] = {"name": self.name, "type": str(self.type.value)}
        for key in ("label", "help", "default", "required", "min", "max", "min_length", "max_length", "pattern"):
            value = getattr(self, key)
            if value is not None and value != "" and not (key == "required" and not value):
                data[key] = value
        if self.options:
            data["options"] = list(self.options)
        if self.example:
            data["example"] = self.example
        return data

    @property
    def title(self) -> str:
        """The label, or one made of the name."""
        return self.label or label_for(self.name)

    @property
    def is_number(self) -> bool:
        return self.type in NUMBER_TYPES

    @property
    def is_text(self) -> bool:
        return self.type in TEXT_TYPES

    @property
    def is_choice(self) -> bool:
        return self.type in CHOICE_TYPES


class _EntryReader:
    """Reads the keys of one entry and collects what is wrong with it, each sentence naming the entry."""

    def __init__(self, data: Mapping[str, object]) -> None:
        self.data = data
        self.errors: list[str] = []

    def fail(self, reason: str) -> None:
        name = self.data.get("name")
        self.errors.append(f"{name}: {reason}" if isinstance(name, str) and name else reason)

    def name(self) -> str:
        name = self.data.get("name")
        if not isinstance(name, str) or not name:
            self.fail(_("A variable has no name."))
            return ""
        if not is_name(name):
            self.fail(_("a name is a letter or underscore, then letters, digits and underscores, at most 64 in all."))
        return name

    def type(self) -> VariableType:
        value = self.data.get("type", VariableType.TEXT.value)
        if isinstance(value, str) and value in VariableType.values:
            return VariableType(value)
        known = ", ".join(VariableType.values)
        self.fail(_("there is no type “%(type)s”. The types are %(known)s.") % {"type": value, "known": known})
        return VariableType.TEXT

    def text(self, key: str, limit: int) -> str:
        value = self.data.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(_("“%(key)s” must be text.") % {"key": key})
            return ""
        if len(value) > limit:
            self.fail(_("“%(key)s” is longer than %(limit)d characters.") % {"key": key, "limit": limit})
        return value.strip()

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            self.fail(_("“%(key)s” must be true or false.") % {"key": key})
        return value is True

    def number(self, key: str) -> int | float | None:
        value = self.data.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.fail(_("“%(key)s” must be a number.") % {"key": key})
            return None
        return value

    def length(self, key: str) -> int | None:
        value = self.number(key)
        if value is None:
            return None
        if isinstance(value, float) or value < 0:
            self.fail(_("“%(key)s” must be a whole number, 0 or more.") % {"key": key})
            return None
        return value

    def pattern(self) -> str:
        pattern = self.text("pattern", PATTERN_MAX_LENGTH)
        if pattern and len(pattern) <= PATTERN_MAX_LENGTH:
            try:
                regex.compile(pattern)
            except (regex.error, ValueError, OverflowError, RecursionError) as error:
                self.fail(_("the pattern is not a regular expression: %(reason)s.") % {"reason": error})
        return pattern

    def options(self) -> tuple[str, ...]:
        value = self.data.get("options")
        if not isinstance(value, (list, tuple)) or not all(isinstance(option, str) for option in value):
            self.fail(_("a choice needs its options, a list of texts."))
            return ()
        options = tuple(option.strip() for option in value if option.strip())
        if not options:
            self.fail(_("a choice needs at least one option."))
        if len(set(options)) < len(options):
            self.fail(_("an option is listed twice."))
        if len(options) > OPTIONS_MAX_COUNT or any(len(option) > OPTION_MAX_LENGTH for option in options):
            limits = {"count": OPTIONS_MAX_COUNT, "length": OPTION_MAX_LENGTH}
            self.fail(_("there may be %(count)d options of %(length)d characters at most.") % limits)
        return options

    def check_order(self, low: float | None, high: float | None, reason: str) -> None:
        if low is not None and high is not None and low > high:
            self.fail(reason)
