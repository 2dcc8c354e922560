"""A demonstration that needs no network: it answers with the last question, word by word."""

import re
import time
from collections.abc import Iterator

from conversations.providers.base import ChatRequest, Finished, TextDelta, Usage

WORD_SECONDS = 0.02
ANSWER_SECONDS = 2.0


def stream(request: ChatRequest) -> Iterator[TextDelta | Finished]:
    """Counts a word as a token. Long answers speed up, so that none takes longer than two seconds."""
    question = next((message["content"] for message in reversed(request.messages) if message["role"] == "user"), "")
    answer = question[: request.max_response_chars]
    words = [piece for piece in re.split(r"(?<=\S)(?=\s)", answer) if piece]
    pause = min(WORD_SECONDS, ANSWER_SECONDS / max(len(words), 1))
    for word in words:
        time.sleep(pause)
        yield TextDelta(word)
    asked = sum(len(message["content"].split()) for message in request.messages)
    reason = "stop" if answer == question else "length"
    yield Finished(reason, request.model, Usage(input_tokens=asked, output_tokens=len(answer.split())))
