"""What others see of a person."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import User


@login_required
@require_safe
def person(request: HttpRequest, handle: str) -> HttpResponse:
    return render(request, "accounts/person.html", {"person": get_object_or_404(User, handle=handle)})
