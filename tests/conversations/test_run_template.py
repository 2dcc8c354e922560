"""`manage.py run_template`, and the contract that every run is held to."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from conversations import services
from conversations.models import Prompt
from templates_app.models import PromptTemplate
from tests.factories import AIModelFactory, LabelFactory, TemplateFactory, UserFactory, ValueSetFactory

CONTRACT = [
    {"name": "topic", "type": "text", "required": True},
    {"name": "words", "type": "integer", "min": 40, "max": 400, "default": 100},
]
BODY = "Explain {{ topic }} in {{ words }} words."


@pytest.fixture
def template(settings: Any) -> PromptTemplate:
    settings.ECHO_PROVIDER = True
    AIModelFactory(name="echo-1")
    owner = UserFactory(email="ines@example.org")
    return TemplateFactory(owner=owner, body=BODY, variables=CONTRACT, versions=2)


def run(template: PromptTemplate, *arguments: str, by: str = "INES@example.org", model: str = "echo-1") -> str:
    out = io.StringIO()
    call_command("run_template", str(template.pk), "--by", by, "--model", model, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_values_come_from_a_set_a_file_and_the_line_the_last_one_counts(
    template: PromptTemplate, tmp_path: Path
) -> None:
    ValueSetFactory(template=template, user=template.owner, name="Tides", values={"topic": "tides", "words": 50})
    (tmp_path / "values.json").write_text(json.dumps({"words": 60}))
    assert "Explain tides in 50 words." in run(template, "--set", "tides")
    assert "Explain tides in 60 words." in run(template, "--set", "tides", "--values", str(tmp_path / "values.json"))
    assert "Explain a=b in 70 words." in run(template, "--set", "tides", "--value", "topic=a=b", "--value", "words=70")
    LabelFactory(version=template.versions.get(number=1), name="staging")
    for choice in (("--label", "staging"), ("--number", "1")):
        assert "(draft 1)" in run(template, *choice, "--value", "topic=x")
    assert {prompt.author for prompt in Prompt.objects.all()} == {template.owner}
    assert Prompt.objects.filter(status="completed").count() == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "topic: Fill this in."),
        (("--value", "topic=x", "--value", "words=9"), "words: Enter a whole number from 40 to 400."),
        (("--value", "topic"), "“topic” is not NAME=VALUE."),
        (("--set", "None such"), "There is no set of values “None such”."),
        (("--set", "Hidden"), "There is no set of values “Hidden”."),
        (("--values", "/nowhere.json"), "/nowhere.json cannot be read"),
        (("--number", "9"), "The template has no such version."),
        (("--label", "none"), "The template has no such version."),
    ],
)
def test_what_does_not_do_is_said_and_runs_nothing(
    template: PromptTemplate, arguments: tuple[str, ...], message: str
) -> None:
    ValueSetFactory(template=template, name="Hidden", values={"topic": "x"})
    with pytest.raises(CommandError, match=message.replace("(", r"\(")):
        run(template, *arguments)
    assert Prompt.objects.count() == 0


@pytest.mark.django_db
def test_a_stranger_finds_no_template_and_nobody_else_is_anybody(template: PromptTemplate) -> None:
    UserFactory(email="tom@example.org")
    with pytest.raises(CommandError, match="There is no template"):
        run(template, "--value", "topic=x", by="tom@example.org")
    with pytest.raises(CommandError, match="Nobody here has the address"):
        run(template, "--value", "topic=x", by="nobody@example.org")
    with pytest.raises(CommandError, match="There is no model gpt"):
        run(template, "--value", "topic=x", model="gpt")
    assert Prompt.objects.count() == 0


@pytest.mark.django_db
def test_the_service_itself_holds_every_run_to_the_contract(template: PromptTemplate) -> None:
    with pytest.raises(services.RefusedValues) as refused:
        services.run_version(
            version=template.current_version,
            values={"words": "9", "stranger": 1},
            target=services.Target(title="T"),
            author=template.owner,
            model=None,
        )
    assert refused.value.errors == {
        "topic": "Fill this in.",
        "words": "Enter a whole number from 40 to 400.",
    }
    assert Prompt.objects.count() == 0
