"""The page on which a template is written: the form, what it becomes, what it breaks, what was not saved."""

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

from django.http import QueryDict

from templates_app import services
from templates_app.breakage import Breakage, find_breakage
from templates_app.editor import EditMerge
from templates_app.forms import TemplateForm
from templates_app.forms.sides import saved_state
from templates_app.models import Draft, PromptTemplate
from templates_app.presentation import Paragraph, ShownExample, measure, paragraphs, shown_examples
from templates_app.rendering import render
from templates_app.variables import to_text


class WritingPage:
    """What the edit page shows around its form. `saved` is the template as the database has it, None for a new one."""

    def __init__(
        self,
        form: TemplateForm,
        saved: PromptTemplate | None,
        user: Any,
        *,
        draft: Draft | None = None,
        merge: EditMerge | None = None,
        is_broken: bool = False,
    ) -> None:
        self.form = form
        self.saved = saved
        self.user = user
        self.draft = draft
        self.edit_merge = merge or EditMerge.posted(form.data)
        self.is_broken = is_broken

    # ---- what it becomes ---------------------------------------------------

    @cached_property
    def values(self) -> dict[str, str]:
        """Each variable's default, or its example; those without either stay empty."""
        found: dict[str, str] = {}
        for row in self.form.contract.used:
            variable = row.peek()
            text = (to_text(variable, variable.default) or variable.example) if variable else ""
            if text:
                found[row.variable_name] = text
        return found

    @cached_property
    def texts(self) -> list[str]:
        return [text.replace("\r\n", "\n") for text in self.form.texts]

    @property
    def system(self) -> list[Paragraph]:
        return paragraphs(self.texts[0], self.values)

    @property
    def body(self) -> list[Paragraph]:
        return paragraphs(self.texts[1], self.values)

    @property
    def examples(self) -> list[ShownExample]:
        return shown_examples(self.form.examples.messages, self.values)

    @property
    def is_blank(self) -> bool:
        return not any(text.strip() for text in self.texts)

    @cached_property
    def measured(self) -> tuple[int, int]:
        """Words and about how many tokens, filled in."""
        return measure(*(render(text, self.values) for text in self.texts))

    # ---- what else there is to say -----------------------------------------

    @cached_property
    def merge(self) -> Any:
        """The merge that the writer has to decide on, None where there is none."""
        return self.edit_merge.result if self.edit_merge else None

    @cached_property
    def breakage(self) -> Breakage:
        contract = self.form.contract
        if self.saved is None or not contract.removed:
            return Breakage()
        return find_breakage(self.saved, self.user, gone=contract.removed, renames=contract.renames)

    @property
    def is_stale(self) -> bool:
        """Whether somebody saved since the texts in the form were begun."""
        return self.saved is not None and str(self.form["revision"].value()) != str(self.saved.revision)


def restored(template: PromptTemplate, *, user: Any, is_new: bool = False) -> tuple[TemplateForm, Draft | None]:
    """The form as its writer left it, and the draft it comes from; without unsaved changes, what is saved."""
    draft = services.find_draft(user=user, template=None if is_new else template)
    if draft is None:
        return TemplateForm(instance=template, user=user), None
    data = as_posted(draft.data)
    if draft.base_revision < template.revision and _says_nothing_new(template, data, user):
        return TemplateForm(instance=template, user=user), None
    return TemplateForm(data, instance=template, user=user, is_quiet=True), draft


def as_posted(data: Mapping[str, list[str]]) -> QueryDict:
    posted = QueryDict(mutable=True)
    for name, values in data.items():
        posted.setlist(name, [str(value) for value in values])
    return posted


def _says_nothing_new(template: PromptTemplate, data: QueryDict, user: Any) -> bool:
    """Whether a draft is what is saved: it came in after its own saving."""
    form = TemplateForm(data, instance=copy(template), user=user)  # judging changes the instance it has
    return form.is_valid() and form.state == saved_state(template, template.current_version, form.state)
