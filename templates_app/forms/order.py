"""What curators say about shelves and tags."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from templates_app.models import Category, Tag
from templates_app.shelving import MAX_DEPTH, ShelfTree

REFUSED = {
    "inside itself": gettext_lazy("A shelf cannot stand inside itself."),
    "deep": gettext_lazy("That is too deep: %(depth)d shelves inside each other at most."),
    "name": gettext_lazy("There is a shelf of this name in that place."),
}


class TreeField(forms.ChoiceField):
    """One of the shelves of a tree, as the shelf itself; None for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tree = ShelfTree([])

    def offer(self, tree: ShelfTree, *, empty: str, without: set[Any] | None = None) -> None:
        self.tree = tree
        self.choices = [("", empty), *tree.choices(without)]

    def clean(self, value: Any) -> Category | None:
        chosen = super().clean(value)
        return next((each for each in self.tree.ordered if str(each.pk) == chosen), None)


class ShelfForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=Category._meta.get_field("name").max_length)
    parent = TreeField(label=gettext_lazy("Inside"), required=False)

    def __init__(self, *args: Any, tree: ShelfTree, shelf: Category | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent: Any = self.fields["parent"]
        parent.offer(tree, empty=_("At the top"), without=tree.below(shelf) if shelf else None)

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def refuse(self, reason: str) -> None:
        """What the library itself refused."""
        words = str(REFUSED[reason])
        self.add_error(
            "name" if reason == "name" else "parent", words % {"depth": MAX_DEPTH} if "%" in words else words
        )


class MergeShelfForm(forms.Form):
    target = TreeField(label=gettext_lazy("Into"))

    def __init__(self, *args: Any, tree: ShelfTree, shelf: Category, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target: Any = self.fields["target"]
        target.offer(tree, empty=_("Choose a shelf"), without={shelf.pk})

    def refuse(self, reason: str) -> None:
        words = str(REFUSED[reason])
        self.add_error("target", words % {"depth": MAX_DEPTH} if "%" in words else words)


class TagNameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].lstrip("#").split())
        if not Tag.slug_of(name):
            raise forms.ValidationError(_("Use letters or digits."))
        return name


class MergeTagForm(forms.Form):
    """The other tag, by its name: a list of all would be too long."""

    target = forms.CharField(label=gettext_lazy("Into the tag"), max_length=80)

    def __init__(self, *args: Any, tag: Tag, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tag = tag
        self.fields["target"].widget.attrs |= {"list": "tags", "autocomplete": "off"}

    def clean_target(self) -> Tag:
        name = self.cleaned_data["target"]
        target = Tag.objects.filter(slug=Tag.slug_of(name.lstrip("#"))).first()
        if target is None:
            raise forms.ValidationError(_("There is no tag “%(tag)s”.") % {"tag": name})
        if target.pk == self.tag.pk:
            raise forms.ValidationError(_("That is the tag itself."))
        return target
