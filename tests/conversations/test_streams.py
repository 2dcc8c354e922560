"""Reading along over a real socket, in the process that writes the answer and in another one."""

import json
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Prompt
from conversations.services import Target, ask, broker, following, producer
from conversations.views import streams
from tests.factories import AIModelFactory, ConversationFactory, ParticipantFactory, PromptFactory, UserFactory
from tests.faults import ANSWER, running_fault_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def faults():
    with running_fault_server() as server:
        yield server


class Reader:
    """An EventSource over a plain socket, signed in as `user`."""

    def __init__(self, live_server, user, prompt, last_event_id=""):
        client = Client()
        client.force_login(user)
        self.connection = HTTPConnection(urlsplit(live_server.url).netloc, timeout=10)
        headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self.connection.request("GET", address(prompt), headers=headers)
        self.response = self.connection.getresponse()

    def events(self):
        """Name, id and data of each event until the stream ends."""
        event = {}
        for line in self.response:
            name, _colon, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "event" in event:
                yield event["event"], event["id"], json.loads(event["data"])
                event = {}
            else:
                event = {}

    def close(self):
        self.connection.close()


def address(prompt):
    return reverse("conversations:stream", args=[prompt.conversation_id, prompt.pk])


def joined(events):
    return "".join(data["text"] for name, _id, data in events if name == "text")


def asked(faults, fault):
    model = AIModelFactory(openai=True, base_url=faults.base_url(fault))
    return ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)


def test_the_answer_arrives_piece_by_piece_and_ends(faults, live_server):
    prompt = asked(faults, "when_told")  # commits, and so starts the run
    reader = Reader(live_server, prompt.author, prompt)
    faults.go.set()
    assert (reader.response.status, reader.response.headers["Content-Type"]) == (200, "text/event-stream")
    assert reader.response.headers["Cache-Control"] == "no-cache, no-transform"
    assert reader.response.headers["X-Accel-Buffering"] == "no"
    events = list(reader.events())
    texts = [data for name, _id, data in events if name == "text"]
    assert joined(events) == ANSWER
    assert len(texts) >= 3
    assert [data["offset"] for data in texts] == [
        len("".join(each["text"] for each in texts[:place])) for place in range(len(texts))
    ]
    assert (events[-1][0], events[-1][1]) == ("end", str(len(ANSWER)))
    prompt.refresh_from_db()
    assert (prompt.status, prompt.response_text) == ("completed", ANSWER)


def test_two_readers_see_the_same(faults, live_server):
    prompt = asked(faults, "slow")
    ParticipantFactory(conversation=prompt.conversation, user=(other := UserFactory()))
    readers = [Reader(live_server, user, prompt) for user in (prompt.author, other)]
    assert [joined(reader.events()) for reader in readers] == [ANSWER, ANSWER]


def test_a_reader_goes_on_where_the_connection_broke(live_server):
    prompt = PromptFactory(response_text="Hello wörld, and on.")
    reader = Reader(live_server, prompt.author, prompt, last_event_id="11")
    assert list(reader.events()) == [
        ("text", "20", {"offset": 11, "text": ", and on."}),
        ("end", "20", {}),
    ]


def test_in_another_process_it_follows_what_is_saved(live_server):
    prompt = PromptFactory(pending=True, status="streaming", response_text="One")
    reader = Reader(live_server, prompt.author, prompt)
    events = reader.events()
    assert next(events) == ("text", "3", {"offset": 0, "text": "One"})
    Prompt.objects.update(response_text="One, two")
    assert next(events) == ("text", "8", {"offset": 3, "text": ", two"})
    Prompt.objects.update(response_text="One, two.", status="completed")
    assert list(events) == [("text", "9", {"offset": 8, "text": "."}), ("end", "9", {})]


def test_an_answer_that_has_ended_is_told_at_once(live_server):
    prompt = PromptFactory(failed=True)
    assert list(Reader(live_server, prompt.author, prompt).events()) == [("end", "0", {})]


def test_who_loses_the_right_stops_reading(live_server):
    prompt = PromptFactory(pending=True, status="streaming", response_text="One")
    seat = ParticipantFactory(conversation=prompt.conversation)
    reader = Reader(live_server, seat.user, prompt)
    events = reader.events()
    assert next(events)[0] == "text"
    seat.delete()
    begun = time.monotonic()
    assert list(events) == []
    assert time.monotonic() - begun < 5


def test_a_stranger_reads_nothing(live_server):
    prompt = PromptFactory(response_text="Secret")
    reader = Reader(live_server, UserFactory(), prompt)
    assert reader.response.status == 404
    assert b"Secret" not in reader.response.read()


def test_readers_leave_threads_for_everything_else(live_server, monkeypatch):
    monkeypatch.setattr(streams, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.1)
    prompt = PromptFactory(pending=True, status="streaming", response_text="One")
    first = Reader(live_server, prompt.author, prompt)
    events = first.events()
    assert next(events)[0] == "text"
    second = Reader(live_server, prompt.author, prompt)
    assert (second.response.status, second.response.headers["Retry-After"]) == (503, "2")
    Prompt.objects.update(status="completed")
    assert [name for name, _id, _data in events] == ["end"]
    first.close()
    for _ in range(50):
        third = Reader(live_server, prompt.author, prompt)
        if third.response.status == 200:
            break
        time.sleep(0.05)
    assert list(third.events())[-1][0] == "end"


def test_a_page_is_not_kept_waiting_by_an_answer_that_another_process_writes(live_server, monkeypatch):
    """All readers of a process look by one query; the connection is given back in between."""
    looks = []
    real = following.look
    monkeypatch.setattr(following, "look", lambda: (looks.append(1), real())[1])
    prompt = PromptFactory(pending=True, status="streaming", response_text="One")
    readers = [Reader(live_server, prompt.author, prompt) for _ in range(5)]
    events = [reader.events() for reader in readers]
    assert [next(each)[2]["text"] for each in events] == ["One"] * 5
    before = len(looks)
    time.sleep(1)
    assert len(looks) - before <= 4
    Prompt.objects.update(response_text="One, two.", status="completed")
    assert [joined(each) for each in events] == [", two."] * 5
    for reader in readers:
        reader.close()


def test_stop_ends_the_stream_and_the_call(faults, live_server):
    prompt = asked(faults, "drip_words")
    reader = Reader(live_server, prompt.author, prompt)
    events = reader.events()
    assert next(events)[0] == "text"
    client = Client()
    client.force_login(prompt.author)
    client.post(reverse("conversations:stop", args=[prompt.conversation_id, prompt.pk]))
    assert list(events)[-1][0] == "end"
    prompt.refresh_from_db()
    assert (prompt.status, prompt.finish_reason) == ("interrupted", "stopped")
    assert set(prompt.response_text) == {"x"}


def test_a_process_that_ends_says_so_in_its_rows():
    prompt = PromptFactory(pending=True, status="streaming")
    with broker.channel_for(prompt.pk) as channel:
        channel.write("So far")
        producer._close_down()
    prompt.refresh_from_db()
    assert (prompt.status, prompt.error_code, prompt.response_text) == ("interrupted", "shutdown", "So far")


def test_no_connection_is_held_while_a_model_is_waited_for(faults, monkeypatch):
    from django.db import connection

    held = []
    real = producer.stream_chat

    def watched(kind, request):
        for event in real(kind, request):
            held.append((connection.connection is not None, connection.in_atomic_block))
            yield event

    monkeypatch.setattr(producer, "stream_chat", watched)
    monkeypatch.setattr(producer, "start", lambda *args: None)
    prompt = asked(faults, "ok")
    assert producer.produce(prompt.pk)
    assert set(held) == {(False, False)}
