"""Forms of the library: filling in a template, writing one, rating one."""

from templates_app.forms.contract import ContractForms, VariableForm
from templates_app.forms.examples import ExampleForms
from templates_app.forms.rating import RatingForm, ReportForm
from templates_app.forms.suggestion import AcceptanceForm, CommentForm, RejectionForm, SuggestionForm
from templates_app.forms.template import TemplateForm
from templates_app.forms.value_set import ValueSetForm
from templates_app.forms.values import VALUE_PREFIX, VariablesForm, values_data

__all__ = [
    "VALUE_PREFIX",
    "AcceptanceForm",
    "CommentForm",
    "ContractForms",
    "ExampleForms",
    "RatingForm",
    "RejectionForm",
    "ReportForm",
    "SuggestionForm",
    "TemplateForm",
    "ValueSetForm",
    "VariableForm",
    "VariablesForm",
    "values_data",
]
