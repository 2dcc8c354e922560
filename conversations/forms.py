"""What people enter in conversations."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from conversations.models import AIModel, Conversation, Prompt
from conversations.services.organizing import TITLE_MAX_LENGTH

TEXT_MAX_LENGTH = 2_000_000
SEVERAL = 4
RECORD = "record"
"""The choice of no model at all: somebody pastes the answer."""


class AnswererField(forms.ChoiceField):
    """Who answers: one of the usable models, or (None) a person who records the answer by hand."""

    default_error_messages = {
        "invalid_choice": _("Choose one of the models. This one is not available any more."),
        "required": _("Choose a model, or record the answer by hand."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": _("Model"), **kwargs})
        self.models: dict[str, AIModel] = {}

    def offer(self, models: Sequence[AIModel]) -> None:
        self.models = {str(model.pk): model for model in models}
        self.choices = [
            *((key, model.label) for key, model in self.models.items()),
            (RECORD, _("No model: record an answer")),
        ]

    def clean(self, value: Any) -> AIModel | None:  # a row, not its key
        return self.models.get(super().clean(value))


class PlainTextField(forms.CharField):
    """Text kept as written but for the browser's line ends; characters that cannot be stored are refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": TEXT_MAX_LENGTH, "strip": False, "widget": forms.Textarea, **kwargs})
        self.widget.attrs.pop("maxlength", None)

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        return text if text.strip() else ""


class AnswererForm(forms.Form):
    """A form with a choice of models; `preferred` is chosen unless something else is."""

    model = AnswererField()
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, models: Sequence[AIModel] | None = None, preferred: AIModel | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        answerer = self.fields["model"]
        assert isinstance(answerer, AnswererField)
        answerer.offer(list(AIModel.objects.usable()) if models is None else models)
        if preferred is not None and str(preferred.pk) in answerer.models:
            answerer.initial = str(preferred.pk)


class SeveralForm(AnswererForm):
    """A form whose question several models may answer side by side; `models` of the cleaned data are all of them."""

    also = forms.MultipleChoiceField(
        label=_("Ask other models too"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose among the models. One of these is not available any more.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answerer, also = self.fields["model"], self.fields["also"]
        assert isinstance(answerer, AnswererField)
        assert isinstance(also, forms.MultipleChoiceField)
        self.offered = answerer.models
        choices = [(key, model.label) for key, model in self.offered.items()]
        also.choices = choices
        if len(choices) < 2:
            del self.fields["also"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        chosen = data.get("model")
        found = {model.pk: model for model in [chosen, *(self.offered[key] for key in data.get("also", []))] if model}
        if len(found) > SEVERAL:
            self.add_error("also", _("Choose four models at most."))
        data["models"] = list(found.values())
        return data


class AskForm(SeveralForm):
    """The composer: the next question of a conversation. `leaf` is the end of what was read; `after`, where a branch
    was asked for, the interaction that it follows."""

    input_text = PlainTextField(label=_("Your question"), error_messages={"required": _("Write something to ask.")})
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)
    leaf = forms.UUIDField(required=False, widget=forms.HiddenInput)


class StartForm(AnswererForm):
    """A new conversation."""

    title = forms.CharField(
        label=_("Title"),
        required=False,
        max_length=TITLE_MAX_LENGTH,
        help_text=_("Left empty, it is the first line of the question."),
    )
    input_text = PlainTextField(label=_("First question"), required=False)
    field_order = ("title", "input_text", "model")


class EditForm(AnswererForm):
    """Another question in the place of one."""

    input_text = PlainTextField(label=_("The question"), error_messages={"required": _("Write something to ask.")})
    field_order = ("input_text", "model")


class RetryForm(AnswererForm):
    """Another answer to the same question; without a choice, by the one who answered `prompt`."""

    def __init__(self, *args: Any, prompt: Prompt, **kwargs: Any) -> None:
        data = args[0].copy()
        if not data.get("model"):
            data["model"] = str(prompt.ai_model_id or RECORD)
        super().__init__(data, *args[1:], **kwargs)


class RunForm(SeveralForm):
    """What a run needs beside its values: who answers, which version, and into which conversation."""

    version = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    conversation = forms.UUIDField(label=_("Into"), required=False)


class RenameForm(forms.ModelForm):
    """A new title; `revision` is the state of the conversation it was thought of for."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Conversation
        fields = ("title",)

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise ValidationError(_("Give it a title."))
        return title


class ReadingForm(forms.Form):
    """The end of the way through the thread that somebody reads."""

    leaf = forms.UUIDField()


class RecordForm(forms.Form):
    """An answer that somebody got elsewhere."""

    response_text = PlainTextField(label=_("The answer"), error_messages={"required": _("Paste the answer.")})
    model_name = forms.CharField(
        label=_("Who answered"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": _("Such as gpt-5 or a colleague")}),
    )


class FeedbackForm(forms.ModelForm):
    """Whether an answer helped; empty takes it back."""

    class Meta:
        model = Prompt
        fields = ("feedback", "feedback_note")


class RemoveForm(forms.Form):
    """Whether an interaction goes to the trash alone or with the `number` that follow it."""

    ALONE, ALL = "alone", "all"

    what = forms.ChoiceField(label=_("What goes to the trash"), widget=forms.RadioSelect, initial=ALONE)

    def __init__(self, *args: Any, number: int, may_take_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alone = gettext("Only this one: what follows stays, and follows what stood before it")
        both = ngettext("This one and the one that follows it", "This one and the %(number)d that follow it", number)
        choices = [(self.ALONE, alone), (self.ALL, both % {"number": number} if number != 1 else both)]
        field: Any = self.fields["what"]
        field.choices = choices if may_take_all else choices[:1]
        if not may_take_all:
            field.help_text = gettext("Some of what follows is others’, and not yours to delete.")

    @property
    def takes_all(self) -> bool:
        return bool(self.cleaned_data["what"] == self.ALL)
