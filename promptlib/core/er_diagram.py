"""The entity-relationship diagram, drawn from the models in Mermaid."""

from typing import Any

from django.apps import apps
from django.db import models

HEADING = """# The entities

Drawn from the models by `manage.py er_diagram --write`; a test fails when it is out of date. One diagram per app, with
the tables it points at. Every table also has `created_at` and `updated_at`; tables marked *trash* have `deleted_at`,
`deleted_by` and `deletion_id`.
"""
EVERYWHERE = {"created_at", "updated_at", "deleted_at", "deleted_by", "deletion_id", "alive"}


def draw() -> str:
    """The whole document."""
    parts = [HEADING]
    for config in apps.get_app_configs():
        tables = [model for model in config.get_models() if is_ours(model)]
        if tables:
            parts.append(f"## {config.verbose_name}\n\n```mermaid\nerDiagram\n{_diagram(tables)}\n```\n")
    return "\n".join(parts)


def is_ours(model: type[models.Model]) -> bool:
    """Tables that our own migrations make; the libraries' tables are documented by them."""
    return model._meta.managed and not model.__module__.startswith(("django.", "allauth.", "auditlog."))


def _diagram(tables: list[type[models.Model]]) -> str:
    lines = []
    for model in tables:
        lines.append(f"  {model._meta.db_table} {{")
        lines += [f"    {_column(field)}" for field in model._meta.concrete_fields if field.name not in EVERYWHERE]
        if any(field.name == "deletion_id" for field in model._meta.concrete_fields):
            lines.append('    trash deleted "soft delete"')
        lines.append("  }")
    for model in tables:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.name not in EVERYWHERE:
                lines.append(f"  {_relation(model, field)}")
    return "\n".join(lines)


def _column(field: models.Field) -> str:
    kind = field.get_internal_type().removesuffix("Field").lower()
    if isinstance(field, models.GeneratedField):
        made: Any = field.output_field
        kind = f"{made.get_internal_type().removesuffix('Field').lower()}_generated"
    kind = {"binaryuuid": "uuid", "foreignkey": "uuid", "onetoone": "uuid"}.get(kind, kind)
    key = " PK" if field.primary_key else " FK" if field.is_relation else " UK" if field.unique else ""
    return f"{kind} {field.column}{key}"


def _relation(model: type[models.Model], field: models.ForeignKey) -> str:
    one = "|o" if field.null else "||"
    many = "o|" if isinstance(field, models.OneToOneField) else "o{"
    target = field.related_model._meta.db_table
    return f'{target} {one}--{many} {model._meta.db_table} : "{field.name}"'
