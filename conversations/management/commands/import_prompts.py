"""`manage.py import_prompts`: calls of models that were recorded elsewhere, into the conversations of one person."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from conversations.importers import BadThread, ConversationRecord, read_call_file
from conversations.management.commands import import_conversations


class Command(import_conversations.Command):
    help = (
        "Import recorded calls: JSON Lines, pairs of request and response (OpenAI, Anthropic), OpenTelemetry GenAI"
        " spans. A repeated import adds only what has come since. Exit code 1 if a call was bad, 2 if nothing could be"
        " imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="whose conversations they become")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would happen")

    def read(self, options: dict[str, Any]) -> Iterable[ConversationRecord | BadThread]:
        return read_call_file(options["file"])
