"""Shelves, as curators keep them."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.toasts import notify
from promptlib.core.transactions import in_transaction
from templates_app import services
from templates_app.forms.order import MergeShelfForm, ShelfForm
from templates_app.models import Category, PromptTemplate
from templates_app.shelving import read_tree
from templates_app.views.access import for_curators


@login_required
@for_curators
@require_http_methods(["GET", "HEAD", "POST"])
def shelves(request: HttpRequest) -> HttpResponse:
    """The tree; a POST adds a shelf."""
    tree = read_tree()
    form = ShelfForm(request.POST or None, tree=tree)
    if form.is_valid():
        try:
            shelf = services.create_shelf(**form.cleaned_data)
        except services.NotThereError as refused:
            form.refuse(refused.reason)
        else:
            notify(request, _("The shelf “%(shelf)s” is there.") % {"shelf": shelf})
            return redirect("templates_app:shelves")
    counts = dict(
        PromptTemplate.objects.filter(alive=1, category__isnull=False)
        .order_by()
        .values_list("category")
        .annotate(count=Count("pk"))
    )
    rows = []
    for shelf in tree.ordered:
        beside = tree.siblings(shelf)
        ends = (beside[0].pk == shelf.pk, beside[-1].pk == shelf.pk) if shelf in beside else (True, True)
        rows.append({"shelf": shelf, "depth": tree.depths[shelf.pk], "count": counts.get(shelf.pk, 0), "ends": ends})
    return render(
        request, "templates_app/shelves.html", {"rows": rows, "form": form}, status=422 if form.is_bound else 200
    )


@login_required
@for_curators
@require_http_methods(["GET", "HEAD", "POST"])
def shelf(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Its name and place, and what else can be done with it; a POST saves name and place."""
    chosen = get_object_or_404(Category, pk=pk)
    if request.method != "POST":
        return _page(request, chosen)
    form = ShelfForm(request.POST, tree=read_tree(), shelf=chosen)
    if not form.is_valid():
        return _page(request, chosen, form=form)
    try:
        services.change_shelf(chosen, **form.cleaned_data)
    except services.NotThereError as refused:
        form.refuse(refused.reason)
        return _page(request, chosen, form=form)
    notify(request, _("The shelf “%(shelf)s” is saved.") % {"shelf": form.cleaned_data["name"]})
    return redirect("templates_app:shelves")


@login_required
@for_curators
@require_POST
def raise_shelf(request: HttpRequest, pk: UUID) -> HttpResponse:
    services.move_shelf(get_object_or_404(Category, pk=pk), by=-1)
    return redirect("templates_app:shelves")


@login_required
@for_curators
@require_POST
def lower_shelf(request: HttpRequest, pk: UUID) -> HttpResponse:
    services.move_shelf(get_object_or_404(Category, pk=pk), by=1)
    return redirect("templates_app:shelves")


@login_required
@for_curators
@require_POST
def merge(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = get_object_or_404(Category, pk=pk)
    form = MergeShelfForm(request.POST, tree=read_tree(), shelf=source)
    if not form.is_valid():
        return _page(request, source, merge_form=form)
    target: Category = form.cleaned_data["target"]
    try:
        moved = in_transaction(lambda: services.merge_shelves(source, target))
    except services.NotThereError as refused:
        form.refuse(refused.reason)
        return _page(request, source, merge_form=form)
    said = ngettext(
        "“%(source)s” is now part of “%(target)s”; %(count)d template moved.",
        "“%(source)s” is now part of “%(target)s”; %(count)d templates moved.",
        moved,
    )
    notify(request, said % {"source": source, "target": target, "count": moved})
    return redirect("templates_app:shelves")


@login_required
@for_curators
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    chosen = get_object_or_404(Category, pk=pk)
    if not services.delete_shelf(chosen):
        return _page(request, chosen, problem=_("Something stands on it, perhaps in the trash. Merge it into another."))
    notify(request, _("The shelf “%(shelf)s” is gone.") % {"shelf": chosen})
    return redirect("templates_app:shelves")


def _page(
    request: HttpRequest, chosen: Category, *, form: Any = None, merge_form: Any = None, problem: str = ""
) -> HttpResponse:
    tree = read_tree()
    initial = {"name": chosen.name, "parent": str(chosen.parent_id or "")}
    standing = PromptTemplate.all_objects.filter(category=chosen).count()
    context = {
        "shelf": chosen,
        "path": tree.path(tree.by_pk[chosen.pk])[:-1],
        "form": form or ShelfForm(tree=tree, shelf=chosen, initial=initial),
        "merge_form": merge_form or MergeShelfForm(tree=tree, shelf=chosen),
        "standing": standing,
        "is_empty": not standing and not tree.children.get(chosen.pk),
        "problem": problem,
    }
    status = 409 if problem else 422 if form or merge_form else 200
    return render(request, "templates_app/shelf.html", context, status=status)
