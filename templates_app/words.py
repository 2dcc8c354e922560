"""Words about templates that several pages say."""

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from promptlib.core.merging import shown
from templates_app.variables import VariableType

COMMON_LANGUAGES = tuple("en de es fr it nb nl pl pt pt-BR sv tr uk ru ar hi ja ko zh-Hans zh-Hant".split())

GOOD_LABELS = frozenset({"production", "staging", "latest"})
"""What is in use; other labels are somebody's own."""

_FIELDS = {
    "title": gettext_lazy("Title"),
    "summary": gettext_lazy("Summary"),
    "system_prompt": gettext_lazy("System prompt"),
    "body": gettext_lazy("Prompt"),
    "examples": gettext_lazy("Examples"),
    "category": gettext_lazy("Shelf"),
    "language": gettext_lazy("Language"),
    "tags": gettext_lazy("Tags"),
    "visibility": gettext_lazy("Visibility"),
    "status": gettext_lazy("Status"),
}
_VARIABLE_KEYS = {
    "type": gettext_lazy("type"),
    "label": gettext_lazy("label"),
    "help": gettext_lazy("help"),
    "default": gettext_lazy("default"),
    "required": gettext_lazy("required"),
    "min": gettext_lazy("smallest"),
    "max": gettext_lazy("largest"),
    "min_length": gettext_lazy("shortest"),
    "max_length": gettext_lazy("longest"),
    "pattern": gettext_lazy("pattern"),
    "options": gettext_lazy("options"),
    "example": gettext_lazy("example"),
}
_PARAMETERS = {
    "temperature": gettext_lazy("Temperature"),
    "max_tokens": gettext_lazy("Output tokens"),
    "model": gettext_lazy("Model"),
    "top_p": gettext_lazy("Top p"),
}


@lru_cache(maxsize=256)
def language_name(code: str) -> str:
    """A language in its own words; an unknown code as it is."""
    try:
        name = str(get_language_info(code.lower())["name_local"])
    except KeyError:
        return code
    return name[:1].upper() + name[1:]


def field_name(field: str) -> str:
    """What a page calls a field of a template or version; those of a variable or parameter as merging names them."""
    kind, _dash, rest = field.partition("-")
    if kind == "variables" and "-" in rest:
        name, _dash, key = rest.rpartition("-")
        return _("%(variable)s: %(field)s") % {"variable": name, "field": variable_key(key)}
    if kind == "parameters" and rest:
        return parameter_name(rest)
    return str(_FIELDS.get(field, field))


def variable_key(key: str) -> str:
    return str(_VARIABLE_KEYS.get(key, key))


def variable_phrase(key: str, value: Any) -> str:
    """What a variable's key says, in words: "long text", "required", "default 250". Nothing for None."""
    if key == "required":
        return _("required") if value else _("optional")
    if value is None:
        return ""
    if key == "type":
        return str(VariableType(value).label) if value in VariableType.values else str(value)
    return _("%(field)s %(value)s") % {"field": variable_key(key), "value": shown(value)}


def parameter_name(key: str) -> str:
    return str(_PARAMETERS.get(key, key))
