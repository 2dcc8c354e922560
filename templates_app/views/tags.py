"""Tags, as curators keep them: whoever writes a template makes them, and they want tidying."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.toasts import notify
from promptlib.core.transactions import in_transaction
from templates_app import services
from templates_app.forms.order import MergeTagForm, TagNameForm
from templates_app.models import Tag, TemplateTag
from templates_app.views.access import for_curators

OFFERED = 200


@login_required
@for_curators
@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    """In the order of their normalised names, from what begins as `q` does."""
    text = request.GET.get("q", "").strip()[:80]
    found = Tag.objects.filter(slug__startswith=Tag.slug_of(text)) if text else Tag.objects.all()
    page = KeysetPage(found, order=("slug",), cursor=request.GET.get("cursor"), size=30)
    used = TemplateTag.objects.filter(tag__in=page.items, template__deleted_at__isnull=True)
    counts = dict(used.order_by().values_list("tag").annotate(count=Count("pk")))
    count, is_capped = capped_count(found)
    rows = [(tag, counts.get(tag.pk, 0)) for tag in page.items]
    context = {"page": page, "rows": rows, "q": text, "count": count, "is_capped": is_capped}
    return render(request, "templates_app/tags.html", context)


@login_required
@for_curators
@require_http_methods(["GET", "HEAD", "POST"])
def tag(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Its name; a POST gives it another."""
    chosen = get_object_or_404(Tag, pk=pk)
    form = TagNameForm(request.POST or None, initial={"name": chosen.name})
    if not form.is_valid():
        return _page(request, chosen, form=form)
    name = form.cleaned_data["name"]
    if taken := services.rename_tag(chosen, name):
        form.add_error("name", _("“%(tag)s” is another tag: merge this one into it.") % {"tag": taken.name})
        return _page(request, chosen, form=form, merge_form=MergeTagForm(tag=chosen, initial={"target": taken.name}))
    notify(request, _("The tag is called “%(tag)s” now.") % {"tag": name})
    return redirect("templates_app:tags")


@login_required
@for_curators
@require_POST
def merge(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = get_object_or_404(Tag, pk=pk)
    form = MergeTagForm(request.POST, tag=source)
    if not form.is_valid():
        return _page(request, source, merge_form=form)
    target: Tag = form.cleaned_data["target"]
    count = in_transaction(lambda: services.merge_tags(source, target))
    said = ngettext(
        "“%(source)s” is now “%(target)s”, on %(count)d template.",
        "“%(source)s” is now “%(target)s”, on %(count)d templates.",
        count,
    )
    notify(request, said % {"source": source, "target": target, "count": count})
    return redirect("templates_app:tags")


def _page(request: HttpRequest, chosen: Tag, *, form: Any = None, merge_form: Any = None) -> HttpResponse:
    context = {
        "tag": chosen,
        "form": form or TagNameForm(initial={"name": chosen.name}),
        "merge_form": merge_form or MergeTagForm(tag=chosen),
        "count": TemplateTag.objects.filter(tag=chosen, template__deleted_at__isnull=True).count(),
        "names": Tag.objects.exclude(pk=chosen.pk).values_list("name", flat=True)[:OFFERED],
    }
    is_wrong = any(each is not None and each.is_bound for each in (form, merge_form))
    return render(request, "templates_app/tag.html", context, status=422 if is_wrong else 200)
