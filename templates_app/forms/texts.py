"""Texts as people type them, kept to the letter."""

from typing import Any

from django import forms

TEXT_MAX_LENGTH = 4_000_000  # what MEDIUMTEXT holds of four-byte characters


class TextField(forms.CharField):
    """A text kept as it was written; only the line breaks, which a browser sends as CRLF, are made LF again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, max_length=TEXT_MAX_LENGTH, **kwargs)

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        return text if text.strip() else ""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}
