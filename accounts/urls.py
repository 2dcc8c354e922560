"""People: one's own pages, and those of others."""

from django.urls import path

from accounts.views import account, people

app_name = "accounts"

urlpatterns = [
    path("me/", account.profile, name="profile"),
    path("me/preferences/", account.preferences, name="preferences"),
    path("<slug:handle>/", people.person, name="person"),
]
