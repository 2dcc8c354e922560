"""History and trash."""

from django.urls import path

from audit.views import history, purging, trash, undo

app_name = "audit"

urlpatterns = [
    path("history/", history.index, name="history"),
    path("history/export/", history.export, name="export"),
    path("history/<uuid:pk>/revert/", undo.one, name="revert"),
    path("history/<uuid:pk>/revert-all/", undo.whole, name="revert_all"),
    path("trash/", trash.index, name="trash"),
    path("trash/everybody/", trash.everybodys, name="trash_of_everybody"),
    path("trash/selection/restorations/", trash.restore_many, name="restore_selection"),
    path("trash/selection/purges/", purging.purge_selection, name="purge_selection"),
    path("trash/empty/", purging.empty, name="empty_trash"),
    path("trash/<uuid:deletion_id>/", trash.show, name="trash_thing"),
    path("trash/<uuid:deletion_id>/restorations/", trash.restore, name="restore"),
    path("trash/<uuid:deletion_id>/restorations/together/", trash.restore_together, name="restore_together"),
]
