"""Running a template: its values, checked, into a conversation."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from conversations import services
from conversations.forms import RunForm
from conversations.views import access
from templates_app.views import access as templates
from templates_app.views.detail import page, posted_values


@login_required
@require_POST
def create(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Run the version that was filled in, or the current one. A value that does not do is told at its field (422)."""
    template = templates.visible(request, pk)
    values = posted_values(request, template)
    run = RunForm(request.POST)
    is_ready = run.is_valid() & values.is_valid()  # both, so that each says what is wrong with it
    chosen = run.cleaned_data.get("conversation")
    conversation = access.write(request, chosen) if chosen else None
    if not is_ready:
        return page(request, template, form=values, status=422, extra={"run_form": run})
    prompt = services.run_version(
        version=values.version,
        values=values.values,
        target=services.Target(conversation, title=template.title),
        author=request.user,
        model=run.cleaned_data["model"],
        key=run.cleaned_data["key"],
    )
    return HttpResponseRedirect(f"{prompt.conversation.get_absolute_url()}#p-{prompt.pk}", status=303)
