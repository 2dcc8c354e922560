"""N templates, conversations and interactions, as in a library that two hundred people have used for half a year.

Whatever the size, the same first things are there, so that pages of the same content can be compared: the first person
(`READER`) owns the first `OWN` conversations, the first of them `LONG` interactions long; the first template has `RUNS`
runs and `RATED` ratings; two words that stand in about one template in a hundred stand together in `TOGETHER` of them.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from accounts.models import User
from bench.loading import CHUNK, indexed, insert, key, recompute, without_triggers, written
from bench.texts import Sentences
from promptlib.core.search.words import words
from templates_app.models import Category, Tag, TemplateVersion

DOMAIN = "bench.example"
READER = f"person-0@{DOMAIN}"
PEOPLE, TAGS, DAYS = 200, 60, 180
OWN, LONG, RUNS, RATED, TOGETHER = 40, 30, 25, 10, 40
SENTENCES = (4, 8)
MODELS = (("gpt-4.1-mini", 370, 1480), ("claude-sonnet-4.5", 2750, 13750), ("mistral-small-3.2", 90, 280))
"""Name, and the price of a thousand tokens in and out in millionths."""
VARIABLES = json.dumps([{"name": "topic", "type": "text", "label": "Topic", "required": True}])
PLAIN = {"examples": [], "variables": json.loads(VARIABLES), "parameters": {}, "system_prompt": ""}
Rows = dict[str, list[tuple[Any, ...]]]

COLUMNS = {
    "templates": "id created_at updated_at owner_id title slug summary category_id language status visibility"
    " current_version_id source metadata",
    "template_versions": "id created_at updated_at template_id number system_prompt body examples variables parameters"
    " change_note author_id content_hash",
    "template_search": "template_id title summary tags body",
    "template_tags": "id created_at updated_at template_id tag_id",
    "template_ratings": "id created_at updated_at template_id version_id user_id score review model task",
    "template_favorites": "id created_at updated_at template_id user_id",
    "conversations": "id created_at updated_at owner_id title summary system_prompt parameters metadata source",
    "conversation_search": "conversation_id title summary",
    "conversation_participants": "id created_at updated_at conversation_id user_id role last_read_at",
    "prompts": "id created_at updated_at conversation_id parent_id author_id template_version_id values system_prompt"
    " input_text response_text status error_code error_message provider model parameters input_tokens output_tokens"
    " latency_ms first_token_ms cost currency finish_reason feedback feedback_note metadata completed_at",
    "prompt_search": "prompt_id input response",
}


@dataclass
class Filling:
    """One filling: the same count, seed and sentences give the same texts."""

    count: int
    sentences: Sentences
    seed: int = 1
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.number = self.seed << 40
        self.drawn = 0
        self.versions: list[Any] = []
        self.words = self.sentences.mid_words(sum(SENTENCES) / 2)

    def run(self) -> None:
        """Fill; what is in the database already stays."""
        self.people = [self._stored(user.pk) for user in self._people()]
        with without_triggers():
            tags = self._tags()
            shelves = [self._stored(pk) for pk in Category.objects.values_list("pk", flat=True)]
            for start in range(0, self.count, CHUNK):
                self._write(self._templates(range(start, min(start + CHUNK, self.count)), shelves, tags))
            sizes = thread_sizes(self.count)
            for start in range(0, len(sizes), CHUNK):
                self._write(self._threads(start, sizes[start : start + CHUNK]))
            recompute()

    # ---- people and tags -------------------------------------------------------

    def _people(self) -> list[User]:
        """The two hundred, made once; through the models, since there are few."""
        known = {user.email: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
        password = make_password(None)
        for number in range(PEOPLE):
            email = f"person-{number}@{DOMAIN}"
            if email not in known:
                known[email] = User(
                    email=email,
                    email_key=email,
                    handle=f"bench-{number}",
                    display_name=f"Person {number}",
                    password=password,
                )
        made = [user for user in known.values() if user._state.adding]
        User.objects.unlogged("invented").bulk_create(made)
        EmailAddress.objects.bulk_create(
            EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in made
        )
        return [known[f"person-{number}@{DOMAIN}"] for number in range(PEOPLE)]

    def _tags(self) -> list[tuple[Any, str]]:
        chosen = sorted({word.lower() for said in self.sentences.said[:400] for word in said.split() if word.isalpha()})
        names = [name for name in chosen if len(name) > 4][:TAGS]
        known = set(Tag.objects.values_list("slug", flat=True))
        Tag.objects.unlogged("invented").bulk_create(Tag(name=name, slug=name) for name in names if name not in known)
        return [(self._stored(tag.pk), tag.name) for tag in Tag.objects.filter(slug__in=names)]

    @staticmethod
    def _stored(pk: Any) -> Any:
        return User._meta.pk.get_db_prep_value(pk, connection)

    # ---- templates -------------------------------------------------------------

    def _templates(self, numbers: range, shelves: list[Any], tags: list[tuple[Any, str]]) -> Rows:
        rows: Rows = {name: [] for name in COLUMNS}
        for number in numbers:
            self._template(rows, number, shelves, tags)
        return rows

    def _template(self, rows: Rows, number: int, shelves: list[Any], tags: list[tuple[Any, str]]) -> None:
        chance = self.chance
        at = self._moment(number)
        when, pk, version = written(at), self._key(at), self._key(at)
        self.versions.append(version)
        owner = self.people[number % PEOPLE]
        title, title_words = self._title(number)
        summary, summary_words = self.sentences.draw(chance, 1, 1)
        body, body_words = self.sentences.draw(chance, *SENTENCES)
        body, body_words = (
            f"{body} Write about {{{{ topic }}}}.",
            f"{body_words} {' '.join(words('Write about topic'))}",
        )
        if number % max(self.count // TOGETHER, 1) == 0 and number // max(self.count // TOGETHER, 1) < TOGETHER:
            pair = " ".join(self.words)
            body, body_words = (
                f"{body} Keep {pair} together.",
                f"{body_words} {' '.join(words(f'Keep {pair} together'))}",
            )
        own_tags = chance.sample(tags, min(chance.choice((0, 1, 1, 2, 3)), len(tags)))
        visibility = "public" if number == 0 else chance.choices(("public", "private", "shared"), (80, 15, 5))[0]
        status = "published" if number == 0 else chance.choices(("published", "draft", "archived"), (92, 5, 3))[0]
        shelf = chance.choice(shelves) if shelves and chance.random() < 0.9 else None
        slug = f"template-{number}"
        rows["templates"].append(
            (pk, when, when, owner, title, slug, summary[:500], shelf, "en", status, visibility, version, "", "{}")
        )
        hashed = TemplateVersion.hash_of(**PLAIN, body=body)
        rows["template_versions"].append(
            (version, when, when, pk, 1, "", body, "[]", VARIABLES, "{}", "First version", owner, hashed)
        )
        tag_words = " ".join(word for _key, name in own_tags for word in words(name))
        rows["template_search"].append(
            (pk, indexed(title_words), indexed(summary_words), indexed(tag_words), indexed(body_words))
        )
        rows["template_tags"] += [(self._key(at), when, when, pk, tag) for tag, _name in own_tags]
        self._opinions(rows, number, pk, version)

    def _title(self, number: int) -> tuple[str, str]:
        said = self.chance.choice(self.sentences.said).split()[:6]
        title = f"{' '.join(said).rstrip('.,:;')} {number}"[:200]
        return title, " ".join(words(title))

    def _opinions(self, rows: Rows, number: int, pk: Any, version: Any) -> None:
        chance = self.chance
        count = RATED if number == 0 else chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 3, 4))
        others = chance.sample([i for i in range(PEOPLE) if i != number % PEOPLE], count)
        for other in others:
            at = self._later(self._moment(number))
            review = self.sentences.draw(chance, 1, 2)[0] if chance.random() < 0.3 else ""
            score = chance.choices((1, 2, 3, 4, 5), (3, 5, 15, 40, 37))[0]
            when = written(at)
            rows["template_ratings"].append(
                (self._key(at), when, when, pk, version, self.people[other], score, review, "", "")
            )
            if chance.random() < 0.4:
                rows["template_favorites"].append((self._key(at), when, when, pk, self.people[other]))

    # ---- conversations ---------------------------------------------------------

    def _threads(self, start: int, sizes: list[int]) -> Rows:
        rows: Rows = {name: [] for name in COLUMNS}
        for number, size in enumerate(sizes, start):
            self._thread(rows, number, size)
        return rows

    def _thread(self, rows: Rows, number: int, size: int) -> None:
        chance = self.chance
        at = self._moment(number)
        pk, when = self._key(at), written(at)
        owner = 0 if number < OWN else chance.randrange(PEOPLE)
        title, title_words = self._title(number)
        summary, summary_words = self.sentences.draw(chance, 1, 2) if chance.random() < 0.3 else ("", "")
        rows["conversations"].append((pk, when, when, self.people[owner], title, summary, "", "{}", "{}", ""))
        rows["conversation_search"].append((pk, indexed(title_words), indexed(summary_words)))
        seats = [(owner, "owner")]
        if chance.random() < 0.25:
            seats.append(((owner + chance.randint(1, PEOPLE - 1)) % PEOPLE, chance.choice(("editor", "viewer"))))
        rows["conversation_participants"] += [
            (self._key(at), when, when, pk, self.people[person], role, when) for person, role in seats
        ]
        parent = None
        for place in range(size):
            parent = self._prompt(rows, (pk, parent, owner), at + timedelta(minutes=7 * place), first=number == 0)

    def _prompt(self, rows: Rows, where: tuple[Any, Any, int], at: datetime, *, first: bool) -> Any:
        chance = self.chance
        conversation, parent, owner = where
        at = min(at, self.now)
        pk, when = self._key(at), written(at)
        asked, asked_words = self.sentences.draw(chance, 1, 4)
        status = chance.choices(("completed", "failed", "recorded"), (94, 3, 3))[0]
        answer, answer_words = ("", "") if status == "failed" else self.sentences.draw(chance, 2, 7)
        version = self._version() if not first and chance.random() < 0.6 else None
        measured = status == "completed"
        model, input_price, output_price = chance.choices(MODELS, (5, 2, 3))[0]
        spent = (len(asked) // 4 + 20, len(answer) // 4)
        tokens = spent if measured else (None, None)
        cost = f"{(spent[0] * input_price + spent[1] * output_price) / 1e9:.6f}" if measured else None
        latency = chance.randint(600, 9000) if status != "recorded" else None
        failed = status == "failed"
        rows["prompts"].append(
            (
                pk, when, when, conversation, parent, self.people[owner], version, "{}", "", asked, answer, status,
                "rate_limited" if failed else "", "The provider takes no more questions." if failed else "",
                "" if status == "recorded" else "openai", model, "{}", *tokens, latency,
                latency // 8 if measured and latency else None, cost, "EUR" if measured else "",
                "stop" if measured else "", chance.choice((None, None, None, 1, 1, -1)) if measured else None, "", "{}",
                written(at + timedelta(milliseconds=latency or 60_000)),
            )
        )  # fmt: skip
        rows["prompt_search"].append((pk, indexed(asked_words), indexed(answer_words)))
        return pk

    def _version(self) -> Any:
        """A few templates are run often, most now and then; the first one `RUNS` times."""
        self.drawn += 1
        if self.drawn <= RUNS:
            return self.versions[0]
        return self.versions[1 + int((self.count - 1) * self.chance.random() ** 2)] if self.count > 1 else None

    # ---- time and keys ---------------------------------------------------------

    def _moment(self, number: int) -> datetime:
        return self.now - timedelta(days=DAYS) + timedelta(days=DAYS - 1) * (number / self.count)

    def _later(self, at: datetime) -> datetime:
        return at + (self.now - at) * self.chance.random()

    def _key(self, at: datetime) -> Any:
        self.number += 1
        return key(at, self.number)

    @staticmethod
    def _write(rows: Rows) -> None:
        with transaction.atomic():
            for table, columns in COLUMNS.items():
                insert(table, columns.split(), rows[table])


def thread_sizes(count: int) -> list[int]:
    """How many interactions each conversation has, as many in all as there are conversations; the first has `LONG`."""
    sizes = [size for _, size in zip(range(count), _pattern(), strict=False)]
    if count:
        sizes[0] = min(LONG, count)
    excess = sum(sizes) - count
    for place in range(count - 1, 0, -1):
        if excess > 0 and sizes[place]:
            taken = min(sizes[place], excess)
            sizes[place] -= taken
            excess -= taken
        elif excess < 0:
            sizes[place] += 1
            excess += 1
    return sizes


def _pattern() -> Iterator[int]:
    """Of a hundred, one goes on for long, some for a while, most end with the first answer, and some never began."""
    while True:
        yield from [12, *[3] * 4, *[1] * 76, *[0] * 19]
