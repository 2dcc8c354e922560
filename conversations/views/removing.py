"""An interaction goes to the trash."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations import services
from conversations.forms import RemoveForm
from conversations.models import Prompt
from conversations.views import access
from promptlib.core.toasts import notify


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    """Where something follows it, the page that asks whether that goes too; else it is done at once."""
    prompt = access.delete_prompt(request, pk, prompt_pk)
    below = services.what_follows(prompt)
    may_take_all = Prompt.objects.deletable_by(request.user).filter(pk__in=below).count() == len(below)
    form = RemoveForm(request.POST if "what" in request.POST else None, number=len(below), may_take_all=may_take_all)
    if below and not form.is_valid():
        context = {"prompt": prompt, "conversation": prompt.conversation, "form": form}
        return render(request, "conversations/remove.html", context, status=422 if form.is_bound else 200)
    if below and form.takes_all:
        deletion_id = services.remove_with_following(prompt, by=request.user)
    else:
        deletion_id = services.remove(prompt, by=request.user)
    undo = reverse("audit:restore", args=[deletion_id]) if deletion_id else ""
    notify(request, _("Moved “%(prompt)s” to the trash.") % {"prompt": Truncator(str(prompt)).chars(60)}, undo=undo)
    return redirect(prompt.conversation)
