"""Where questions may go: the hosts that are listed, never an address of this network by a name that is not."""

import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from conversations.models import AIModel
from conversations.providers import ChatRequest, ProviderError, stream_chat, transport
from conversations.providers.hosts import is_allowed
from tests.conversations.test_anthropic import END, START, STOP, answering, text
from tests.factories import AIModelFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("listed", "url", "allowed"),
    [
        ([], "https://api.example.com/v1", True),
        ([], "http://127.0.0.1:11434/v1", False),
        ([], "http://localhost:11434/v1", False),
        ([], "http://[::1]/v1", False),
        ([], "http://169.254.169.254/latest", False),
        ([], "http://10.0.0.7/v1", False),
        ([], "http://100.64.0.1/v1", False),
        ([], "http://localhost./v1", False),
        ([], "http://[::ffff:127.0.0.1]/v1", False),
        ([], "http://[64:ff9b::7f00:1]/v1", False),
        ([], "http://[64:ff9b::5db8:d822]/v1", True),
        ([], "http://[2002:a00:7::]/v1", False),
        ([], "http://[::127.0.0.1]/v1", False),
        ([], "http://[fec0::1]/v1", False),
        ([], "http://user:secret@api.example.com/v1", False),
        ([], "http://", False),
        (["api.example.com"], "https://api.example.com/v1", True),
        (["api.example.com"], "https://other.example.com/v1", False),
        (["localhost:11434"], "http://localhost:11434/v1", True),
        (["localhost:11434"], "http://localhost:22/v1", False),
        (["127.0.0.1"], "http://127.0.0.1:8000/v1", True),
    ],
)
def test_the_list_of_hosts(settings: Any, listed: list[str], url: str, allowed: bool) -> None:
    settings.PROVIDER_HOSTS = listed
    assert is_allowed(url) is allowed


def ask(url: str) -> list[Any]:
    request = ChatRequest(base_url=url, model="m", messages=({"role": "user", "content": "Hi"},), first_token_seconds=5)
    return list(stream_chat("anthropic", request))


@pytest.fixture
def rebound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public-looking name that stands for this machine, as somebody's own name server may say."""

    def look_up(_host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(transport.socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("name", ["models.example.com", "modèles.example.com", "xn--modles-5ua.example.com"])
def test_a_name_that_stands_for_this_machine_is_not_called_unless_listed(
    settings: Any, rebound: None, name: str
) -> None:
    with answering(START, text("Hi"), END, STOP) as (url, asked):
        named = url.replace("127.0.0.1", name)
        settings.PROVIDER_HOSTS = []
        with pytest.raises(ProviderError) as raised:
            ask(named)
        assert ("PROVIDER_HOSTS" in raised.value.message, len(asked)) == (True, 0)
        settings.PROVIDER_HOSTS = [name]
        assert ask(named)[0].text == "Hi"
    assert len(asked) == 1


def test_staff_are_told_so_when_they_add_the_model(client: Client, settings: Any) -> None:
    settings.PROVIDER_HOSTS = []
    client.force_login(UserFactory(staff=True))
    data = {"provider": "openai", "label": "Local", "name": "m", "base_url": "http://10.0.0.1/v1", "limits": "{}"}
    data |= {"position": 0, "prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0}
    response = client.post(reverse("admin:conversations_aimodel_add"), data)
    assert "The operator can list the host in PROVIDER_HOSTS." in response.content.decode()
    assert not AIModel.objects.exists()


def test_staff_try_a_model_out(client: Client) -> None:
    client.force_login(UserFactory(staff=True))
    with answering(START, text("ready"), END, STOP) as (url, asked):
        model = AIModelFactory(provider="anthropic", base_url=url, name="claude-x")
        trial = reverse("admin:conversations_aimodel_trial", args=[model.pk])
        page = client.post(trial, follow=True).content.decode()
    assert "Claude-x-1 answered “ready” in" in page
    assert "Try it out" in page
    assert asked[0][2]["messages"][0]["content"] == "Reply with the one word: ready"
    page = client.post(trial, follow=True).content.decode()
    assert "nothing answers at its address" in page


def test_only_staff_try_models_out(client: Client) -> None:
    model = AIModelFactory()
    client.force_login(UserFactory())
    url = reverse("admin:conversations_aimodel_trial", args=[model.pk])
    response = client.post(url)
    assert response.status_code == 302
    assert "login" in response.url


def test_the_key_of_the_installation_is_not_sent_to_a_model(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has it signs in as anybody: staff may not have it sent where they like."""
    monkeypatch.setenv("SECRET_KEY", "of-all-sessions")
    monkeypatch.setenv("OPENAI_API_KEY", "of-one-provider")
    keys = [AIModelFactory(openai=True, key_variable=name).api_key for name in ("SECRET_KEY", "OPENAI_API_KEY")]
    assert keys == ["", "of-one-provider"]
    model = AIModel.objects.get(key_variable="SECRET_KEY")
    with pytest.raises(ValidationError, match="is no key of a provider"):
        model.full_clean()
