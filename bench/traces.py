"""What use leaves behind and `bench_fill` leaves out: an audit log, and what is archived or in the trash. For MySQL."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from templates_app.models import Follow, PromptTemplate, TemplateVersion

IN_TRASH = 40
"""Of a person's templates and of their conversations, but not more than a tenth of them."""
SOURCES = (
    (PromptTemplate, AuditLog.Action.CREATE, "id", "owner_id", "title"),
    (TemplateVersion, AuditLog.Action.CREATE, "template_id", "author_id", "number"),
    (Prompt, AuditLog.Action.RUN, "conversation_id", "author_id", "LEFT(input_text, 80)"),
)
FOLLOWED = 500


def leave_traces(reader: Any) -> None:
    """A row of the log per template, version and interaction, conversations archived, `reader`'s trash filled.

    `reader` follows the latest public templates, and has never looked at them.
    """
    if AuditLog.objects.exists():
        return
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations SET archived_at = updated_at WHERE CRC32(id) % 10 = 0")
        for model, action, subject, actor, name in SOURCES:
            kind = ContentType.objects.get_for_model(model).pk
            cursor.execute(
                "INSERT INTO audit_logs (id, object_pk, object_repr, subject_id, action, actor_id, actor_name,"
                " actor_email, content_type_id, cid, timestamp, changes, changes_text, user_agent, reason)"
                f" SELECT id, BIN_TO_UUID(id), {name}, {subject}, %s, {actor}, '', '', %s, HEX(id), created_at, '{{}}',"
                f" '', '', '' FROM {model._meta.db_table}",
                [action, kind],
            )
    for own in (PromptTemplate.objects.filter(owner=reader), Conversation.objects.filter(owner=reader)):
        for row in own.order_by("-pk")[: min(IN_TRASH, own.count() // 10)]:
            row.delete(by=reader)
    public = PromptTemplate.objects.filter(visibility="public").order_by("-pk").values_list("pk", flat=True)
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    Follow.objects.bulk_create([Follow(template_id=pk, user=reader, seen_at=long_ago) for pk in public[:FOLLOWED]])
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE TABLE audit_logs, template_follows, templates, conversations, prompts, conversation_participants"
        )
        cursor.fetchall()
