"""What is to be done with a selection of templates."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promptlib.core.ids import read_ids
from templates_app.forms.order import TreeField
from templates_app.forms.sharing import GrantForm, VisibilityForm
from templates_app.forms.template import TagsField
from templates_app.shelving import read_tree


class BulkTagsForm(forms.Form):
    tags = TagsField(
        label=gettext_lazy("Tags"), max_length=2000, help_text=gettext_lazy("Separated by commas: customers, e-mail.")
    )

    def __init__(self, *args: Any, asked_by: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def clean_tags(self) -> list[str]:
        names: list[str] = self.cleaned_data["tags"]
        if not names:
            raise forms.ValidationError(_("Name a tag."))
        return names

    @property
    def choice(self) -> Any:
        return self.cleaned_data["tags"]


class BulkShelfForm(forms.Form):
    category = TreeField(label=gettext_lazy("Shelf"), required=False)

    def __init__(self, *args: Any, asked_by: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        category: Any = self.fields["category"]
        category.offer(read_tree(), empty=_("No shelf"))

    @property
    def choice(self) -> Any:
        return self.cleaned_data["category"]


class BulkVisibilityForm(VisibilityForm):
    def __init__(self, *args: Any, asked_by: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["visibility"].label = _("Who sees them")

    @property
    def choice(self) -> Any:
        return self.cleaned_data["visibility"]


class BulkGrantForm(GrantForm):
    @property
    def choice(self) -> Any:
        return {
            "role": self.cleaned_data["role"],
            "user": self.cleaned_data["who"],
            "team": self.cleaned_data.get("team"),
        }


def selected_ids(data: QueryDict) -> list[UUID]:
    """The keys of the check boxes, one by one or joined by commas; what is no key names nothing."""
    return read_ids(data.getlist("ids"))
