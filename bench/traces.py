"""What use leaves behind and `bench_fill` leaves out: an audit log, and what is archived or in the trash. For MySQL."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from templates_app.models import PromptTemplate

IN_TRASH = 40
"""Of a person's templates and of their conversations, but not more than a tenth of them."""
SOURCES = (
    (PromptTemplate, AuditLog.Action.CREATE, "id", "owner_id", "title"),
    (Prompt, AuditLog.Action.RUN, "conversation_id", "author_id", "LEFT(input_text, 80)"),
)


def leave_traces(reader: Any) -> None:
    """A row of the log per template and per interaction, every tenth conversation archived, `reader`'s trash filled."""
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
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE audit_logs, templates, conversations, prompts, conversation_participants")
        cursor.fetchall()
