"""How forms look: every `{{ form }}` and `{{ field.as_field_group }}` is drawn with components/field.html."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

PLAIN_ROWS = "10"
ROWS = "3"


class InterfaceBoundField(BoundField):
    """A field that knows its place in components/field.html and gives its control our classes."""

    @property
    def kind(self) -> str:
        """Which branch of the component draws it: hidden, select, check, choices or input."""
        widget = self.field.widget
        if widget.is_hidden:
            return "hidden"
        if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            return "choices"
        if isinstance(widget, forms.CheckboxInput):
            return "check"
        if isinstance(widget, forms.Select) and not isinstance(widget, forms.SelectMultiple):
            return "select"
        return "input"

    @property
    def type_note(self) -> str:
        """Words at the label's right, such as "number, 40 to 400": set `field.type_note`."""
        return str(getattr(self.field, "type_note", ""))

    @property
    def aria_describedby(self) -> str | None:
        """The error when there is one, else the hint: only one of them is on the page."""
        if self.field.widget.attrs.get("aria-describedby"):
            return None
        if not self.auto_id or self.is_hidden:
            return ""
        if self.errors:
            return f"{self.auto_id}_error"
        return f"{self.auto_id}_helptext" if self.help_text else ""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        if self.kind == "input" and "class" not in widget.attrs and "class" not in attrs:
            attrs["class"] = "input input--text" if isinstance(widget, forms.Textarea) else "input"
        if isinstance(widget, forms.RadioSelect):  # one radio is never invalid; the group says it
            attrs.pop("aria-invalid", None)
        if isinstance(widget, forms.Textarea) and widget.attrs.get("rows") == PLAIN_ROWS:
            attrs.setdefault("rows", ROWS)
        return attrs


class InterfaceRenderer(TemplatesSetting):
    """Draws forms with the project's own templates (settings.FORM_RENDERER)."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
    bound_field_class = InterfaceBoundField
