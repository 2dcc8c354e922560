"""Pages over everything."""

from django.urls import path

from promptlib.site.views import analytics, following, home, search

app_name = "site"

urlpatterns = [
    path("", home.index, name="home"),
    path("search/", search.index, name="search"),
    path("following/", following.index, name="following"),
    path("analytics/", analytics.index, name="analytics"),
    path("healthz", home.health, name="health"),
]
