"""Every address of promptlib."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("templates/", include("templates_app.urls")),
    path("", include("audit.urls")),
    path("", include("promptlib.site.urls")),
    path("", include("conversations.urls")),
]
