"""Addresses of conversations, of what is asked in them, and of the runs of a template."""

from django.urls import path

from conversations.views import conversations, exports, imports, links, listing, people, prompts, runs, shared, streams

app_name = "conversations"

urlpatterns = [
    path("conversations/", listing.index, name="list"),
    path("conversations/new/", listing.create, name="create"),
    path("conversations/export/", exports.many, name="export_all"),
    path("conversations/<uuid:pk>/export/", exports.one, name="export"),
    path("conversations/imports/", imports.index, name="imports"),
    path("conversations/imports/<uuid:pk>/", imports.show, name="import"),
    path("conversations/imports/<uuid:pk>/run/", imports.run, name="run_import"),
    path("conversations/imports/<uuid:pk>/resume/", imports.resume, name="resume_import"),
    path("conversations/imports/<uuid:pk>/delete/", imports.discard, name="discard_import"),
    path("conversations/<uuid:pk>/", conversations.detail, name="detail"),
    path("conversations/<uuid:pk>/title/", conversations.rename, name="rename"),
    path("conversations/<uuid:pk>/archive/", conversations.archive, name="archive"),
    path("conversations/<uuid:pk>/unarchive/", conversations.unarchive, name="unarchive"),
    path("conversations/<uuid:pk>/delete/", conversations.delete, name="delete"),
    path("conversations/<uuid:pk>/reading/", conversations.mark_read, name="reading"),
    path("conversations/<uuid:pk>/history/", conversations.history, name="history"),
    path("conversations/<uuid:pk>/people/", people.index, name="people"),
    path("conversations/<uuid:pk>/people/leave/", people.leave, name="leave"),
    path("conversations/<uuid:pk>/people/<uuid:seat_pk>/", people.change, name="change_seat"),
    path("conversations/<uuid:pk>/people/<uuid:seat_pk>/delete/", people.remove, name="remove_seat"),
    path("conversations/<uuid:pk>/people/<uuid:seat_pk>/ownership/", people.hand_over, name="hand_over"),
    path("conversations/<uuid:pk>/offers/<uuid:offer_pk>/delete/", people.withdraw, name="withdraw_offer"),
    path("conversations/<uuid:pk>/links/", links.index, name="links"),
    path("conversations/<uuid:pk>/links/<uuid:link_pk>/", links.show, name="link"),
    path("conversations/<uuid:pk>/links/<uuid:link_pk>/revocation/", links.revoke, name="revoke_link"),
    path("shared/<str:token>/", shared.read, name="shared"),
    path("shared/<str:token>/openings/", shared.open_link, name="open_shared"),
    path("shared/<str:token>/copies/", shared.copy, name="copy_shared"),
    path("conversations/<uuid:pk>/prompts/", prompts.ask, name="ask"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/", prompts.show, name="prompt"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/stream/", streams.stream, name="stream"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/retries/", prompts.retry, name="retry"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/stop/", prompts.stop, name="stop"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/answer/", prompts.record, name="record"),
    path("conversations/<uuid:pk>/prompts/<uuid:prompt_pk>/feedback/", prompts.feedback, name="feedback"),
    path("templates/<uuid:pk>/runs/", runs.runs, name="runs"),
]
