"""What the hidden fields of the edit page tell: what the writer started from, and a merge that is under way.

Signed, so that they are either what the page itself wrote or nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core import signing
from uuid_utils.compat import uuid7

from templates_app.models import PromptTemplate, TemplateVersion

_SALT = "templates_app.editor"
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("title", "summary", "category", "language", "visibility", "status", "system_prompt", "body"), ""),
    "tags": [],
    "examples": [],
    "variables": [],
    "parameters": {},
}


def new_key() -> str:
    """The key of a template that is not written yet: sent twice, the page makes one template of it."""
    return sign({"pk": str(uuid7())})


def read_key(key: object) -> UUID | None:
    pk = read(key).get("pk")
    return UUID(pk) if pk else None


def base_token(state: Mapping[str, Any], version: TemplateVersion | None) -> str:
    """What an edit starts from. The texts are those of the version, so its number stands for them."""
    details = {name: value for name, value in state.items() if name not in TemplateVersion.CONTENT}
    return sign({"details": details, "version": version.number if version else 0})


def read_base(template: PromptTemplate, token: object, names: Iterable[str]) -> dict[str, Any]:
    """The state a form started from. What is not told was empty: then everything that differs is for the writer."""
    told = read(token)
    version = template.versions.filter(number=told.get("version", 0)).first()
    content = {name: getattr(version, name) for name in TemplateVersion.CONTENT} if version else {}
    state = {**_EMPTY, **told.get("details", {}), **content}
    return {name: state[name] for name in names}


def saved_state(
    template: PromptTemplate, version: TemplateVersion | None, names: Iterable[str] = tuple(_EMPTY)
) -> dict[str, Any]:
    """What is saved, as `TemplateForm.state` has what was typed: of the fields `names`."""
    state = {name: getattr(template, name, empty) for name, empty in _EMPTY.items() if name != "tags"}
    state["category"] = template.category.slug if template.category else ""
    if not template._state.adding:
        state["tags"] = sorted(tag.name for tag in template.tags.all())
    if version is not None:
        state |= {name: getattr(version, name) for name in TemplateVersion.CONTENT}
    return {name: state.get(name, _EMPTY[name]) for name in names}


def sign(value: Mapping[str, Any]) -> str:
    return signing.dumps(dict(value), salt=_SALT, compress=True)


def read(token: object) -> dict[str, Any]:
    """What was signed; nothing where it was not."""
    try:
        value = signing.loads(str(token), salt=_SALT) if token else {}
    except signing.BadSignature:
        return {}
    return value if isinstance(value, dict) else {}
