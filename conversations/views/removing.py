"""An interaction goes to the trash, or a selection of conversations."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from conversations import services
from conversations.forms import RemoveForm
from conversations.models import Prompt
from conversations.views import access
from promptlib.core.ids import read_ids
from promptlib.core.toasts import notify

SELECTION_LIMIT = 200


@login_required
@require_POST
def remove_many(request: HttpRequest) -> HttpResponse:
    """The ticked conversations; those of others stay, and are counted."""
    pks = read_ids(request.POST.getlist("ids"), SELECTION_LIMIT)
    gone = services.move_to_trash(pks, by=request.user)
    left = len(pks) - len(gone)
    moved = ngettext("%(count)d conversation is in the trash.", "%(count)d conversations are in the trash.", len(gone))
    stayed = ngettext("%(count)d is not yours and stays.", "%(count)d are not yours and stay.", left)
    told = " ".join(text % {"count": count} for text, count in ((moved, len(gone)), (stayed, left)) if count)
    undo = reverse("audit:restore_together", args=[gone[0]]) if gone else ""
    notify(request, told or _("Nothing is selected: tick some conversations first."), undo=undo)
    return redirect("conversations:list")


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
