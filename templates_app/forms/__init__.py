"""Forms of the library: filling in a template, writing one, rating one."""

from templates_app.forms.contract import ContractForms, VariableForm
from templates_app.forms.rating import RatingForm
from templates_app.forms.template import TemplateForm
from templates_app.forms.values import VALUE_PREFIX, VariablesForm

__all__ = ["VALUE_PREFIX", "ContractForms", "RatingForm", "TemplateForm", "VariableForm", "VariablesForm"]
