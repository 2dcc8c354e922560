"""People: one's own pages, those of others, and teams."""

from django.urls import path

from accounts.views import account, closing, members, own_data, people, staff, teams

app_name = "accounts"

urlpatterns = [
    path("people/me/", account.profile, name="profile"),
    path("people/me/preferences/", account.preferences, name="preferences"),
    path("people/me/data/", own_data.index, name="data"),
    path("people/me/data/download/", own_data.download, name="download_data"),
    path("people/me/close/", closing.close, name="close"),
    path("people/me/closing/", closing.closing, name="closing"),
    path("people/me/closing/keep/", closing.keep, name="keep"),
    path("people/<slug:handle>/", people.person, name="person"),
    path("people/<slug:handle>/history/", people.history, name="history"),
    path("people/<slug:handle>/history/export/", people.export_history, name="export_history"),
    path("people/<slug:handle>/account/", staff.account, name="account"),
    path("people/<slug:handle>/account/data/", staff.download, name="account_data"),
    path("people/<slug:handle>/account/keep/", staff.keep, name="account_keep"),
    path("teams/", teams.index, name="teams"),
    path("teams/new/", teams.create, name="create_team"),
    path("teams/<str:slug>/", teams.show, name="team"),
    path("teams/<str:slug>/edit/", teams.edit, name="edit_team"),
    path("teams/<str:slug>/members/", members.add, name="add_member"),
    path("teams/<str:slug>/members/<slug:handle>/role/", members.change_role, name="change_member"),
    path("teams/<str:slug>/members/<slug:handle>/owner/", members.hand_over, name="hand_over"),
    path("teams/<str:slug>/members/<slug:handle>/delete/", members.remove, name="remove_member"),
    path("teams/<str:slug>/leave/", members.leave, name="leave_team"),
]
