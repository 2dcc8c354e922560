"""Addresses of the library, under /templates/."""

from django.urls import path

from templates_app.views import community, detail, library, putting_away, writing

app_name = "templates_app"

urlpatterns = [
    path("", library.index, name="list"),
    path("new/", writing.create, name="create"),
    path("new/variables/", writing.create_variables, name="create_variables"),
    path("<uuid:pk>/", detail.show, name="detail"),
    path("<uuid:pk>/versions/<int:number>/", detail.version, name="version"),
    path("<uuid:pk>/preview/", detail.preview, name="preview"),
    path("<uuid:pk>/edit/", writing.edit, name="edit"),
    path("<uuid:pk>/edit/variables/", writing.edit_variables, name="edit_variables"),
    path("<uuid:pk>/rating/", community.rate, name="rate"),
    path("<uuid:pk>/rating/delete/", community.withdraw, name="withdraw"),
    path("<uuid:pk>/favorite/", community.favorite, name="favorite"),
    path("<uuid:pk>/delete/", putting_away.delete, name="delete"),
    path("<uuid:pk>/archive/", putting_away.archive, name="archive"),
    path("<uuid:pk>/unarchive/", putting_away.unarchive, name="unarchive"),
    path("<uuid:pk>/history/", putting_away.history, name="history"),
]
