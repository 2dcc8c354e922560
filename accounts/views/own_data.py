"""What promptlib keeps of a person: to take along."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import personal_data
from accounts.models import User


@login_required
@require_safe
@reauthentication_required
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/data.html", {"files": personal_data.FILES})


@login_required
@require_safe
@reauthentication_required
def download(request: HttpRequest) -> HttpResponseBase:
    person = User.objects.get(pk=request.user.pk)
    return zip_response(person, by=person)


def zip_response(person: User, *, by: User, reason: str = "") -> StreamingHttpResponse:
    data = personal_data.download(person, by=by, reason=reason)
    response = StreamingHttpResponse(data, content_type="application/zip")
    filename = f"promptlib-{person.handle}-{timezone.localdate():%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
