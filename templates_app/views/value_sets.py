"""Sets of values: kept from the form on a template's page, and each with a page to change it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms import ValueSetForm, VariablesForm
from templates_app.models import PromptTemplate, ValueSet
from templates_app.services.value_sets import value_sets_for
from templates_app.views import access
from templates_app.views.detail import page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All sets that the person may use; a POST keeps the values of the template's form as one."""
    template = access.visible(request, pk)
    if request.method == "POST":
        return _create(request, template)
    sets = value_sets_for(template, request.user).select_related("user")
    listed = KeysetPage(sets, order=("name_key", "id"), cursor=request.GET.get("cursor"))
    return render(request, "templates_app/value_sets.html", {"template": template, "listed": listed})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: UUID, set_pk: UUID) -> HttpResponse:
    """Rename, refill, share. Values whose variable is gone are kept until the set is deleted."""
    template = access.visible(request, pk)
    value_set = access.own_value_set(request, template, set_pk)
    initial = {"name": value_set.name, "is_shared": value_set.is_shared}
    form = ValueSetForm(request.POST or None, initial=initial)
    version = template.current_version
    values = VariablesForm(version, request.POST or None, filled=value_set.values, is_partial=True) if version else None
    known = {variable.name for variable in values.contract} if values else set()
    stray = {name: value for name, value in value_set.values.items() if name not in known}
    if form.is_bound and form.is_valid() & (values is None or values.is_valid()):
        kept = {**stray, **(values.kept_values if values else {})}
        try:
            services.change_value_set(value_set, values=kept, **form.cleaned_data)
        except services.NameTakenError:
            form.add_error("name", _("You have another set of this name."))
        else:
            notify(request, _("“%(name)s” is saved.") % {"name": value_set.name})
            return redirect(f"{template.get_absolute_url()}?set={value_set.pk}")
    context = {"template": template, "value_set": value_set, "form": form, "values": values, "stray": stray}
    status = 422 if form.is_bound else 200
    return render(request, "templates_app/value_set.html", context, status=status)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID, set_pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    value_set = access.own_value_set(request, template, set_pk)
    value_set.delete()
    notify(request, _("The set “%(name)s” is deleted.") % {"name": value_set.name})
    return redirect(template)


def _create(request: HttpRequest, template: PromptTemplate) -> HttpResponse:
    form, values = ValueSetForm(request.POST), _values(request, template)
    if not form.is_valid() & values.is_valid():
        return page(request, template, form=values, status=422, extra={"set_form": form})
    value_set: ValueSet = services.save_value_set(
        template, user=request.user, values=values.kept_values, **form.cleaned_data
    )
    notify(request, _("Kept as “%(name)s”.") % {"name": value_set.name})
    return redirect(f"{template.get_absolute_url()}?set={value_set.pk}")


def _values(request: HttpRequest, template: PromptTemplate) -> VariablesForm:
    """What the form on the template's page holds, for the version that it showed."""
    number = request.POST.get("version", "")
    wanted = template.versions.filter(number=number).first() if number.isdecimal() and len(number) < 10 else None
    version = wanted or template.current_version
    if version is None:
        raise Http404
    return VariablesForm(version, request.POST, is_partial=True)
