"""`manage.py run_template TEMPLATE`: run a template as somebody, its contract checked as on the page."""

import json
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from conversations import services
from conversations.models import AIModel, Prompt
from promptlib.core.fields import normalize_key
from templates_app.models import PromptTemplate, TemplateVersion
from templates_app.services.value_sets import value_sets_for

POLL_SECONDS = 0.05


class Command(BaseCommand):
    help = "Runs a template, checks its values against its contract, and prints the answer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("template", type=UUID, help="the template's id, as its address has it")
        parser.add_argument("--by", metavar="EMAIL", required=True, help="whose run it is: what they see they may run")
        parser.add_argument("--model", required=True, metavar="NAME", help="which model answers")
        parser.add_argument("--number", type=int, help="which version; by default the current one")
        parser.add_argument("--label", help="the version that has this label")
        parser.add_argument("--set", dest="value_set", metavar="NAME", help="a set of values to begin with")
        parser.add_argument("--values", metavar="FILE", help="a JSON object of values")
        parser.add_argument("--value", action="append", default=[], metavar="NAME=VALUE", help="one value; repeatable")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email_key=normalize_key(options["by"]), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {options['by']}.")
        template = PromptTemplate.objects.visible_to(user).filter(pk=options["template"]).first()
        if template is None:
            raise CommandError(f"There is no template {options['template']} that {user} sees.")
        model = next((each for each in AIModel.objects.usable() if each.name == options["model"]), None)
        if model is None:
            raise CommandError(f"There is no model {options['model']} that could answer.")
        version = _version(template, options)
        values = _values(template, user, options)
        try:
            prompt = services.run_version(
                version=version, values=values, target=services.Target(title=template.title), author=user, model=model
            )
        except services.RefusedValues as refused:
            raise CommandError("\n".join(f"{name}: {why}" for name, why in refused.errors.items())) from None
        self._print(prompt)

    def _print(self, prompt: Prompt) -> None:
        """Wait for the answer; the call to the model has its own time limit."""
        while not prompt.is_finished:
            sleep(POLL_SECONDS)
            prompt.refresh_from_db()
        if prompt.status != Prompt.Status.COMPLETED:
            raise CommandError(prompt.error_message or f"The run ended as {prompt.get_status_display()}.")
        self.stdout.write(prompt.response_text)


def _version(template: PromptTemplate, options: dict[str, Any]) -> TemplateVersion:
    versions = template.versions.all()
    if options["number"]:
        versions = versions.filter(number=options["number"])
    elif options["label"]:
        versions = versions.filter(labels__name=options["label"])
    else:
        versions = versions.filter(current_of=template)
    version = versions.first()
    if version is None:
        raise CommandError("The template has no such version.")
    return version


def _values(template: PromptTemplate, user: User, options: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name := options["value_set"]:
        kept = value_sets_for(template, user).filter(name_key=normalize_key(name)).order_by("is_shared", "id").first()
        if kept is None:
            raise CommandError(f"There is no set of values “{name}”.")
        values |= kept.values
    if options["values"]:
        try:
            read = json.loads(Path(options["values"]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['values']} cannot be read: {error}") from None
        if not isinstance(read, dict):
            raise CommandError(f"{options['values']} does not hold a JSON object.")
        values |= read
    for pair in options["value"]:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"“{pair}” is not NAME=VALUE.")
        values[name] = value
    return values
