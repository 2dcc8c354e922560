"""What a browser would send from a page: its forms, read from the HTML itself."""

from html.parser import HTMLParser
from typing import Any


class FormReader(HTMLParser):
    """The fields of the form with this id, as they stand. Boxes that are not ticked are left out, as a browser does."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.fields: dict[str, str] = {}
        self._is_inside = False
        self._textarea = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("id") == self.form_id
        if not self._is_inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        match tag:
            case "input" if name and given.get("type") not in {"checkbox", "radio"}:
                self.fields[name] = value
            case "input" if name and "checked" in given:
                self.fields[name] = value or "on"
            case "textarea":
                self._textarea = name
                self.fields[name] = ""
            case "select":
                self._select = name
            case "option" if self._select and ("selected" in given or self._select not in self.fields):
                self.fields[self._select] = value

    def handle_data(self, data: str) -> None:
        if self._is_inside and self._textarea:
            self.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if tag == "textarea" and self._textarea:
            text = self.fields[self._textarea]
            self.fields[self._textarea] = text.removeprefix("\n").replace("\n", "\r\n")  # as HTML reads it
            self._textarea = ""
        if tag == "select":
            self._select = ""


def form_fields(response: Any, form_id: str) -> dict[str, str]:
    reader = FormReader(form_id)
    reader.feed(response.content.decode())
    return reader.fields
