"""`bench_fill`: right counts, right statistics, right search, the triggers back, and no database but its own."""

import random
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from bench import filling, loading
from bench.filling import LONG, PEOPLE, RATED, READER, RUNS, TOGETHER, thread_sizes
from bench.texts import Sentences, read_sentences
from conversations.models import Conversation, Participant, Prompt
from promptlib.core import search, sql, statistics
from promptlib.core.search.words import words
from templates_app.models import PromptTemplate, TemplateVersion
from tests.factories import UserFactory

COUNT = 120


def run(count: int = COUNT, **options: Any) -> str:
    out = StringIO()
    call_command("bench_fill", str(count), stdout=out, **options)
    return out.getvalue()


# A trigger cannot be dropped inside a transaction on MySQL, and full text sees committed rows only.
@pytest.mark.django_db(transaction=True)
class TestFilled:
    def test_counts_statistics_search_and_triggers_are_right(self) -> None:
        said = run()
        models = (User, PromptTemplate, TemplateVersion, Conversation, Prompt)
        assert {model.__name__: model.objects.count() for model in models} == {
            "User": PEOPLE,
            "PromptTemplate": COUNT,
            "TemplateVersion": COUNT,
            "Conversation": COUNT,
            "Prompt": COUNT,
        }
        wrong = [(each.target, each_wrong) for each in statistics.declared() for each_wrong in each.differences()]
        assert wrong == []
        assert [(index.table, list(index.differences())) for index in search.indexes()] == [
            (index.table, []) for index in search.indexes()
        ]
        assert sql.missing() == []

        reader = User.objects.get(email=READER)
        first = Conversation.objects.order_by("pk")[0]
        template = PromptTemplate.objects.order_by("pk")[0]
        assert (first.owner, first.prompt_count, template.rating_count) == (reader, LONG, RATED)
        assert 0 < template.usage_count <= RUNS
        assert set(Participant.objects.filter(role="owner").values_list("conversation", "user")) == set(
            Conversation.objects.values_list("pk", "owner")
        )
        pair = said.splitlines()[1].removeprefix("Words to search for: ")
        assert len(pair.split()) == 2
        assert PromptTemplate.objects.search(pair).count() >= TOGETHER

    def test_again_adds_the_same_texts(self) -> None:
        run()
        run()
        bodies = Counter(TemplateVersion.objects.values_list("body", flat=True))
        assert {count % 2 for count in bodies.values()} == {0}
        assert [list(each.differences()) for each in statistics.declared() if list(each.differences())] == []

    def test_a_filling_that_fails_leaves_the_triggers_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise RuntimeError("no space left")

        monkeypatch.setattr(filling, "recompute", fail)
        with pytest.raises(RuntimeError, match="no space left"):
            run(5)
        assert sql.missing() == []


@pytest.mark.django_db
def test_it_takes_no_database_with_people() -> None:
    UserFactory().delete()
    with pytest.raises(CommandError, match="There are people in this database"):
        run(5)
    assert not PromptTemplate.objects.exists()


@pytest.mark.parametrize(
    ("count", "options", "reason"), [(0, {}, "from 1 on"), (5, {"texts": Path("/no/such")}, "no folder")]
)
def test_it_says_what_it_cannot_do(count: int, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(count, **options)


@pytest.mark.parametrize("count", [1, 2, 29, 30, 31, 99, 100, 1234])
def test_as_many_interactions_as_conversations(count: int) -> None:
    sizes = thread_sizes(count)
    assert (len(sizes), sum(sizes), sizes[0], min(sizes) >= 0) == (count, count, min(LONG, count), True)


def test_texts_come_from_the_folder_too(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "The quick brown fox jumps over the lazy dog. Too short.\n\nAnother sentence that is long enough."
    )
    (tmp_path / "b.bin").write_text("This one is long enough too but no text file at all.")
    added = set(read_sentences(tmp_path).said) - set(read_sentences().said)
    assert added == {"The quick brown fox jumps over the lazy dog.", "Another sentence that is long enough."}


def test_a_drawn_text_comes_with_the_words_the_index_holds() -> None:
    sentences = Sentences(
        ["Über den Wolken muss die Freiheit wohl grenzenlos sein.", "文章を短くする方法を教えてください。"]
    )
    chance = random.Random(7)
    for text, indexed in (sentences.draw(chance, 1, 5) for _ in range(50)):
        assert indexed.split() == words(text)


def test_keys_rise_with_time_and_number() -> None:
    now = filling.datetime.now(filling.UTC)
    keys = [loading.key(now, 1), loading.key(now, 2), loading.key(now + filling.timedelta(milliseconds=2), 1)]
    assert keys == sorted(set(keys))
