"""History and trash."""

from django.urls import path

from audit.views import history, trash

app_name = "audit"

urlpatterns = [
    path("history/", history.index, name="history"),
    path("trash/", trash.index, name="trash"),
    path("trash/<uuid:deletion_id>/restorations/", trash.restore, name="restore"),
]
