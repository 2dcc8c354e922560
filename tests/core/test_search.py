"""The same answers for the same query on both databases. InnoDB's full text sees committed rows only: transactional."""

import random
import re
import unicodedata

import pytest
from django.core.management import call_command
from django.db import connection

from conversations.models import Conversation, Prompt
from promptlib.core.search import indexes, parse
from promptlib.core.search.alphabet import WORD, characters, fold
from promptlib.core.search.query import Term
from promptlib.core.search.words import normal_form
from promptlib.core.sql import missing
from templates_app.models import PromptTemplate
from tests.factories import (
    ConversationFactory,
    GrantFactory,
    PromptFactory,
    TagFactory,
    TemplateFactory,
    UserFactory,
    VersionFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENTS = {
    "summary": "Summarise the meeting notes in five bullet points",
    "email": "Write an e-mail to a customer about the delay; reply to help@example.com, don't apologise twice",
    "cpp": "Explain this C++ template error to an R user. Go slowly.",
    "c": "Port the C library to Go",
    "ai": "AI and ML for managers",
    "aim": "Aim high, maintain the goal",
    "snake": "Rename user_id to account_id everywhere",
    "foo": 'Print foo"bar and the rest',
    "quote": "Say “hello world” with ‘curly’ quotes — and dashes… ok?",
    "numbers": "Version 3.11.7 costs 1,299 euros in 2026 and 42% more later",
    "resume": "Résumé review for naïve café owners, Ångström and Øre, Straße und Fluß",
    "plain": "Resume the naive cafe song, angstrom and ore, strasse und fluss",
    "zh": "使用Python编写代码，请用中文回答。总结会议记录",
    "zh2": "你好。世界",
    "zh3": "你好世界",
    "ja": "会議のメモを議事録にまとめる。ﾃｽﾄ データ",
    "kana": "かいぎ の ぎじろく",
    "ko": "회의록을 요약해 주세요",
    "ar": "اكتب رسالة إلى العميل عن التأخير",
    "fa": "یک ایمیل برای مشتری بنویس ۱۲۳",
    "ru": "Напиши письмо клиенту о задержке, ёлка и йод",
    "uk": "Ґанок і їжа",
    "el": "Γράψε ένα μήνυμα στον πελάτη",
    "he": "כתוב מכתב ללקוח שלום",
    "hi": "ग्राहक को हिन्दी में पत्र लिखें",
    "th": "เขียนจดหมายถึงลูกค้า",
    "vi": "Viết thư cho khách hàng về việc chậm trễ",
    "tr": "İstanbul'da ışık ve Iğdır",
    "emoji": "Launch 🚀 day, party🎉time",
    "hyphen": "A state-of-the-art, well-known self-hosted tool",
    "stop": "The who, what, when, where and how of this",
    "long": "token " + "a1b2c3" * 30 + " end",
    "markup": "<script>alert('x')</script> {{ variable }} 100%_sure",
}

ANSWERS = {
    # words are all wanted, in any order, in any case
    "meeting": ["summary"],
    "notes MEETING": ["summary"],
    "meeting customer": [],
    "meetin": [],
    # short words, stopwords
    "ai": ["ai"],
    "go": ["c", "cpp"],
    "r": ["cpp"],
    "C": ["c", "cpp"],
    "to go": ["c", "cpp"],
    "the who": ["stop"],
    "about": ["email"],
    "about the": ["email"],
    "when where": ["stop"],
    "thé": ["aim", "c", "email", "foo", "hyphen", "plain", "stop", "summary"],
    # prefix
    "meet*": ["summary"],
    "ai*": ["ai", "aim"],
    "Sum* poi*": ["summary"],
    "*": [],
    "*eeting": [],
    "m*g": [],
    "rés*": ["foo", "plain", "resume"],
    '"bullet poi*"': [],
    "e-ma*": ["email"],
    "-e-ma* customer": [],
    # phrases
    '"meeting notes"': ["summary"],
    '"notes meeting"': [],
    '"the rest"': ["foo"],
    '"hello world': ["quote"],
    '"to go"': ["c"],
    '""': [],
    '"about the delay" customer': ["email"],
    # not wanted
    "go -library": ["cpp"],
    "go -c": [],
    'go -"r user"': ["c"],
    "-the go": ["cpp"],
    "sum* -five": [],
    "go - c": ["c", "cpp"],
    "go --library": ["c"],
    # text, never syntax
    "c++": ["c", "cpp"],
    'foo"bar': ["foo"],
    "((": [],
    "+": [],
    "-": [],
    "@5": [],
    "~go >c <c": ["c", "cpp"],
    "(go library)": ["c"],
    "go AND library": [],
    "go OR library": [],
    "NEAR(go library)": [],
    "title:go": [],
    "help@example.com": ["email"],
    "example.com help": ["email"],
    "don't": ["email"],
    "don’t": ["email"],
    "dont": [],
    "%": [],
    "_": [],
    "100%_sure": ["markup"],
    "\\": [],
    "'": [],
    "; DROP TABLE": [],
    "variable": ["markup"],
    "script alert": ["markup"],
    "\0go\0": ["c", "cpp"],
    # underscores, hyphens, numbers
    "user_id": ["snake"],
    "user": ["cpp"],
    "account_*": ["snake"],
    "state-of-the-art": ["hyphen"],
    "state of the art": ["hyphen"],
    "art state": ["hyphen"],
    "art-state": [],
    "well-known tool": ["hyphen"],
    "self hosted": ["hyphen"],
    "selfhosted": [],
    "3.11.7": ["numbers"],
    "3.11": ["numbers"],
    "11.3": [],
    "1,299": ["numbers"],
    "42": ["numbers"],
    "2026 -42": [],
    "۱۲۳": ["fa"],
    "123": ["fa"],
    # accents and case
    "resume": ["plain", "resume"],
    "RÉSUMÉ": ["plain", "resume"],
    "re\u0301sume\u0301": ["plain", "resume"],
    "naïve cafe": ["plain", "resume"],
    "angstrom øre": ["plain", "resume"],
    "strasse": ["plain", "resume"],
    "STRAßE": ["plain", "resume"],
    "istanbul": ["tr"],
    # Chinese and Japanese: any part of a run
    "代码": ["zh"],
    "会议记录": ["zh"],
    "会议 代码": ["zh"],
    "议会": [],
    "议": ["zh"],
    "python": ["zh"],
    "Python编写": ["zh"],
    "编写python": [],
    "你好": ["zh2", "zh3"],
    "你好世": ["zh3"],
    "好世": ["zh3"],
    "你好 世界": ["zh2", "zh3"],
    "你好 -好世": ["zh2"],
    "会*": ["ja", "zh"],
    "会": ["ja", "zh"],
    "会議": ["ja"],
    "議事録": ["ja"],
    "メモ": ["ja"],
    "めも": ["ja"],
    "テスト": ["ja"],
    "でーた": ["ja"],
    "カイギ": ["kana"],
    "ぎじろく": ["kana"],
    # Korean: words carry endings
    "회의록": ["ko"],
    "회의록을": ["ko"],
    "요약": ["ko"],
    "요약해 회의": ["ko"],
    # others
    "رسالة": ["ar"],
    "العميل التأخير": ["ar"],
    "عميل": [],
    "الع*": ["ar"],
    "ایمیل": ["fa"],
    "письмо": ["ru"],
    "ПИСЬМО клиент*": ["ru"],
    "елка": ["ru"],
    "иод": [],
    "їжа": ["uk"],
    "ганок": ["uk"],
    "μηνυμα": ["el"],
    "ΓΡΆΨΕ πελάτη": ["el"],
    "שלום": ["he"],
    "हिन्दी": ["hi"],
    "पत्र ग्राहक": ["hi"],
    "จดหมาย": ["th"],
    "ลูกค้า": ["th"],
    "khach hang": ["vi"],
    "việc": ["vi"],
    # emoji are no words
    "🚀": [],
    "🚀 launch": ["emoji"],
    "party": ["emoji"],
    "time": ["emoji"],
    # long words
    "a1b2c3" * 30: ["long"],
    "a1b2c3" * 29: [],
    "a1b2c3" * 15 + "*": ["long"],
    "a1b2c3" * 29 + "a*": ["long"],
}


@pytest.fixture
def library() -> None:
    owner = UserFactory()
    for name, text in DOCUMENTS.items():
        TemplateFactory(owner=owner, title=f"= {text[:190]}", slug=name, summary="", body=text)


def names(text: str) -> list[str]:
    return sorted(PromptTemplate.objects.search(text).values_list("slug", flat=True))


def test_the_same_query_has_the_same_answer_everywhere(library: None) -> None:
    assert {text: names(text) for text in ANSWERS} == ANSWERS


def expected(text: str) -> list[str]:
    """The answer by definition: what the normal forms of title and body hold."""
    query = parse(text)
    forms = {name: (normal_form(f"= {body[:190]}"), normal_form(body)) for name, body in DOCUMENTS.items()}

    def holds(name: str, term: Term) -> bool:
        return any(Term(term.folded, term.prefix).needle in form for form in forms[name])

    return sorted(
        name
        for name in forms
        if all(holds(name, term) for term in query.wanted) and not any(holds(name, term) for term in query.unwanted)
    )


def test_random_queries_have_the_answer_of_the_definition(library: None) -> None:
    chance = random.Random(20)
    parts = [part for text in DOCUMENTS.values() for part in text.split()] + list("*-\"'()+@ ~<>\\%_")

    def part() -> str:
        word = chance.choice(parts)
        start = chance.randrange(len(word))
        cut = word[start : start + chance.randint(1, 8)]
        text = chance.choice(DOCUMENTS[chance.choice(list(DOCUMENTS))].split(".")).split()[:3]
        return chance.choice([word, word, word.upper(), cut, f"{cut}*", f"-{word}", f"-{cut}", f'"{" ".join(text)}"'])

    queries = [" ".join(part() for _ in range(chance.choice([1, 1, 2, 3]))) for _ in range(400)]
    queries = [query for query in queries if parse(query)]
    assert {query: names(query) for query in queries} == {query: expected(query) for query in queries}


def test_an_unwanted_word_alone_leaves_out_those_that_hold_it(library: None) -> None:
    assert names("-go -the") == sorted(set(DOCUMENTS) - {"c", "cpp"} - set(names("the")))
    assert names('-"hello world" -使用') == sorted(set(DOCUMENTS) - {"quote", "zh"})


def test_blank_text_changes_nothing(library: None) -> None:
    assert names("") == names("  \n") == sorted(DOCUMENTS)
    assert {template.relevance for template in PromptTemplate.objects.search("")} == {0}  # type: ignore[attr-defined]
    assert list(PromptTemplate.objects.search("((").order_by("-relevance", "-id")) == []


def test_what_is_indexed_is_what_python_says(library: None) -> None:
    TemplateFactory(title="Long", body="Lorem ipsum, 你好 a-b-c don't " * 9_000 + "needle")
    TemplateFactory(title="Long too", body="使用Python编写代码，请用中文回答。" * 9_000)
    assert {index.table: list(index.differences()) for index in indexes()} == {
        "template_search": [],
        "conversation_search": [],
        "prompt_search": [],
    }
    assert [template.title for template in PromptTemplate.objects.search("needle")] == ["Long"]


def relevances(text: str) -> list[tuple[str, int]]:
    return list(PromptTemplate.objects.search(text).order_by("-relevance", "-id").values_list("slug", "relevance"))


def test_a_hit_in_the_title_weighs_more_than_one_in_summary_or_tags_and_those_more_than_one_in_the_body() -> None:
    owner = UserFactory()
    fields = {"owner": owner, "title": "Letter", "summary": "Short", "body": "A text"}
    for slug, more in {
        "body": {"body": "For each client"},
        "system": {"system_prompt": "You serve a client."},
        "title": {"title": "Client letter"},
        "tag": {"tags": ["client"]},
        "summary": {"summary": "To a client"},
        "all": {"title": "Client", "summary": "Client", "tags": ["Client"], "body": "Client"},
        "none": {"title": "Clients"},
    }.items():
        TemplateFactory(slug=slug, **{**fields, **more})
    assert relevances("client") == [("all", 15), ("title", 9), ("summary", 4), ("tag", 4), ("system", 1), ("body", 1)]
    assert relevances("client letter") == [
        ("title", 17),
        ("summary", 12),
        ("tag", 12),
        ("system", 9),
        ("body", 9),
    ]


def test_search_composes() -> None:
    owner, stranger = UserFactory.create_batch(2)
    common = {"owner": owner, "title": "Quarterly report"}
    mine = TemplateFactory(**common)
    public = TemplateFactory(**common, visibility="public", category=None, tags=["a", "b", "c"])
    deleted = TemplateFactory(**common, visibility="public")
    deleted.delete(by=owner)
    shared = TemplateFactory(**common, visibility="shared")
    GrantFactory(template=shared, user=stranger)
    TemplateFactory(owner=owner, title="Another", visibility="public")

    found = PromptTemplate.objects.visible_to(stranger).search("report").order_by("-relevance", "-id")
    assert list(found) == [shared, public]
    assert found.count() == 2
    assert list(found[1:2]) == [public]
    assert list(found.filter(visibility="public")) == [public]
    assert list(found.filter(tags__slug__in=["a", "b"]).distinct()) == [public]
    assert list(PromptTemplate.objects.search("report").visible_to(owner).order_by("id")) == [mine, public, shared]
    assert list(PromptTemplate.objects.visible_to(owner).search("report").search("-quarterly")) == []
    assert list(PromptTemplate.all_objects.filter(pk=deleted.pk).search("report")) == [deleted]
    assert found.filter(relevance__lt=9).count() == 0
    assert found.exists()
    assert PromptTemplate.objects.filter(pk__in=found.values("pk")).count() == 2


def test_the_index_follows_every_change() -> None:
    template = TemplateFactory(title="First", summary="summary-one", body="body-one", tags=["tagone"])
    assert [names(word) == [template.slug] for word in ("first", "summary-one", "body-one", "tagone")] == [True] * 4

    PromptTemplate.objects.filter(pk=template.pk).update(title="Second", summary="summary-two")
    template.versions.create(number=2, body="body-two", author=template.owner)
    PromptTemplate.objects.filter(pk=template.pk).update(current_version=template.versions.get(number=2))
    template.tags.set([TagFactory(name="tagtwo")])
    assert [names(word) for word in ("first", "summary-one", "body-one", "tagone")] == [[]] * 4
    assert [names(word) == [template.slug] for word in ("second", "summary-two", "body-two", "tagtwo")] == [True] * 4

    tag = template.tags.get()
    type(tag).objects.filter(pk=tag.pk).update(name="Tagthree")
    assert (names("tagtwo"), names("tagthree")) == ([], [template.slug])
    PromptTemplate.objects.filter(pk=template.pk).update(title="Sécond")
    assert names("second") == [template.slug]

    template.delete(by=template.owner)
    assert names("second") == []
    template.restore(by=template.owner)
    assert names("second") == [template.slug]
    template.hard_delete()
    assert names("second") == []
    assert [list(index.differences()) for index in indexes()] == [[], [], []]


def test_raw_sql_is_indexed_too() -> None:
    template = TemplateFactory(title="Before", summary="")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE templates SET title = 'Afterwards' WHERE title = 'Before'")
    assert (names("before"), names("afterwards")) == ([], [template.slug])


def test_conversations_by_title_and_summary() -> None:
    user, stranger = UserFactory.create_batch(2)
    first = ConversationFactory(owner=user, title="Release plan", summary="")
    second = ConversationFactory(owner=user, title="Budget", summary="What the release costs")
    ConversationFactory(owner=stranger, title="Release plan")
    found = Conversation.objects.visible_to(user).search("release").order_by("-relevance", "-id")
    assert [(row.pk, row.relevance) for row in found] == [(first.pk, 5), (second.pk, 1)]


def test_prompts_by_what_was_asked_and_answered() -> None:
    user, stranger = UserFactory.create_batch(2)
    conversation = ConversationFactory(owner=user)
    asked = PromptFactory(
        conversation=conversation, author=user, input_text="What is entropy?", response_text="Disorder."
    )
    answered = PromptFactory(
        conversation=conversation, author=user, input_text="Explain", response_text="Entropy grows."
    )
    PromptFactory(conversation=ConversationFactory(owner=stranger), author=stranger, input_text="entropy")
    found = Prompt.objects.visible_to(user).search("entropy").order_by("-relevance", "-id")
    assert [(row.pk, row.relevance) for row in found] == [(asked.pk, 3), (answered.pk, 1)]
    asked.delete(by=user)
    assert [row.pk for row in found.all()] == [answered.pk]


def test_an_interaction_is_searched_when_it_is_finished() -> None:
    prompt = PromptFactory(status="pending", input_text="Question", response_text="")
    Prompt.objects.filter(pk=prompt.pk).update(response_text="Half an ans", status="streaming")
    assert list(Prompt.objects.search("question")) == []
    Prompt.objects.filter(pk=prompt.pk).update(response_text="Half an answer", status="completed")
    assert list(Prompt.objects.search("half answer question")) == [prompt]
    Prompt.objects.filter(pk=prompt.pk).update(response_text="A whole one")
    assert list(Prompt.objects.search("whole question -half")) == [prompt]
    Prompt.objects.filter(pk=prompt.pk).update(status="pending")
    assert list(Prompt.objects.search("question")) == []
    assert [list(index.differences()) for index in indexes()] == [[], [], []]


def test_a_template_is_searched_when_it_has_a_version() -> None:
    template = TemplateFactory(title="Shell", versions=0, tags=["empty"])
    assert names("shell") == names("empty") == []
    template.current_version = VersionFactory(template=template, number=1, body="Something")
    template.save(update_fields=["current_version"])
    assert names("shell empty something") == [template.slug]
    PromptTemplate.objects.update(current_version=None)
    assert names("shell") == []
    assert [list(index.differences()) for index in indexes()] == [[], [], []]


def test_everything_that_search_needs_is_installed() -> None:
    assert missing() == []


def test_differences_are_found_and_rebuilt() -> None:
    kept, changed, lost = (TemplateFactory(title=title, summary="") for title in ("Kept", "Changed", "Lost"))
    index = indexes()[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE template_search SET title = 'something else' WHERE title LIKE '%hanged%'")
        cursor.execute("DELETE FROM template_search WHERE title LIKE '%ost%'")
    key = PromptTemplate._meta.pk
    found = {(key.to_python(pk), column) for pk, column in index.differences()}
    assert found == {(changed.pk, "title"), (lost.pk, "")}
    assert (names("changed"), names("lost")) == ([], [])

    assert index.rebuild(batch=2) == 3
    assert list(index.differences()) == []
    assert [names(word) for word in ("kept", "changed", "lost", "something")] == [
        [kept.slug],
        [changed.slug],
        [lost.slug],
        [],
    ]


def test_the_command_checks_and_rebuilds(capsys: pytest.CaptureFixture[str]) -> None:
    template = TemplateFactory(title="Changed")
    call_command("rebuild_search", "--check")
    assert capsys.readouterr().out == "The search is in step.\n"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE template_search SET title = 'something else'")
    with pytest.raises(SystemExit, match="1"):
        call_command("rebuild_search", "--check")
    assert capsys.readouterr().out == (
        f"template_search {template.pk.hex} title\nRun again without --check to mend it.\n"
    )
    call_command("rebuild_search")
    assert capsys.readouterr().out == "template_search: 1 row\nconversation_search: 0 rows\nprompt_search: 0 rows\n"
    call_command("rebuild_search", "--check")


@pytest.mark.sqlite_only
def test_fts5_holds_what_its_table_holds(library: None) -> None:
    PromptTemplate.objects.filter(slug="c").update(title="Gone")
    PromptTemplate.objects.filter(slug="ai").delete()
    PromptTemplate.objects.get(slug="ja").hard_delete()
    with connection.cursor() as cursor:
        for index in indexes():
            cursor.execute(f"INSERT INTO {index.table}_fts ({index.table}_fts, rank) VALUES ('integrity-check', 1)")


COMMON = (
    "30-39 41-5A 61-7A AA BA C0-D6 D8-F6 F8-17F 1CD-1DC 218-21B 300-362 386 388-3CE 400-45F 490-4F9 531-556 561-587"
    " 5B0-5BC 5D0-5EA 621-63A 640-655 660-669 671-6D3 6F0-6FC 905-939 93E-94D 966-96F E01-E3A E40-E4E 10D0-10F0"
    " 1E00-1E99 1EA0-1EF9 1F00-1F15 3041-3094 30A1-30FA 3105-3129 4E00-4EFF 9000-90FF AC00-ACFF F900-F91F FF10-FF19"
    " FF21-FF3A FF41-FF5A FF66-FF9D"
)


def groups(keys: dict[str, str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for letter, key in keys.items():
        found.setdefault(key, []).append(letter)
    return sorted(found.values())


@pytest.mark.mysql_only
def test_letters_are_equal_where_the_server_has_them_equal() -> None:
    letters = re.findall(f"[{characters(COMMON)}]", "".join(map(chr, range(0x30, 0xFFFE))))
    values = ", ".join(["ROW(%s)"] * len(letters))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT letter, HEX(WEIGHT_STRING(letter)) FROM (VALUES {values}) AS t (letter)", letters)
        weights = dict(cursor.fetchall())
    assert groups({letter: fold(letter) for letter in letters}) == groups(
        {letter: weights[letter] for letter in letters}
    )


@pytest.mark.mysql_only
def test_words_are_cut_where_the_server_cuts_them() -> None:
    """Each character of the plane between two words: the server's index tells whether it took them for one."""
    every = [code for code in range(0x21, 0xFFFE) if not 0xD800 <= code < 0xE000 and chr(code) not in "'`"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE letters (id INT PRIMARY KEY, text VARCHAR(20) NOT NULL)")
        try:
            rows = [(code, f"q{code:05x}{chr(code)}yyyy") for code in every]
            cursor.executemany("INSERT INTO letters (id, text) VALUES (%s, %s)", rows)
            cursor.execute("CREATE FULLTEXT INDEX letters_text ON letters (text)")
            found = []
            for start in range(0, len(every), 2000):
                part = every[start : start + 2000]
                cursor.execute(
                    "SELECT id FROM letters WHERE MATCH (text) AGAINST (%s IN BOOLEAN MODE)",
                    [" ".join(f"q{code:05x}" for code in part)],
                )
                found += [code for (code,) in cursor.fetchall()]
        finally:
            cursor.execute("DROP TABLE letters")
    cut = {code for code in every if not WORD.match(chr(code)) and unicodedata.category(chr(code)) != "Cn"}
    assert {code for code in found if unicodedata.category(chr(code)) != "Cn"} == cut
