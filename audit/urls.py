"""History and trash."""

from django.urls import path

from audit.views import history, trash

app_name = "audit"

urlpatterns = [
    path("history/", history.index, name="history"),
    path("history/export/", history.export, name="export"),
    path("trash/", trash.index, name="trash"),
    path("trash/<uuid:deletion_id>/restorations/", trash.restore, name="restore"),
]
