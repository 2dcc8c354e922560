"""The demonstration content reads well and holds together. No database: only the files and what they say."""

import re
import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from promptlib.site import seed
from promptlib.site.seed import SeedError, expand_usage, load, schema
from templates_app.variables import clean_values, contract_to_json, find_names, parse_contract

DATA = load()
TEMPLATES = {template.slug: template for template in DATA.templates}
VERSIONS = [(template, version) for template in DATA.templates for version in template.versions]
TODAY = date(2026, 11, 22)
RUNS = expand_usage(DATA.usage, TEMPLATES, TODAY)
CLICHES = re.compile(
    r"world-class|you are an expert|experienced expert|state of the art|cutting-edge|game-chang|delve|in today’s|"
    r"take a deep breath|lorem ipsum",
    re.IGNORECASE,
)
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")


def named(template: schema.Template, version: schema.Version) -> str:
    return f"{template.slug} v{version.number}"


def words(text: str) -> int:
    """Words; two characters of Chinese or Japanese count as one."""
    wide = len(re.findall(r"[\u2e80-\u9fff]", text))
    return len(re.findall(r"\w+", re.sub(r"[\u2e80-\u9fff]", " ", text))) + wide // 2


def everything_written() -> list[str]:
    texts = [text for _, version in VERSIONS for text in (version.system_prompt, version.body, version.change_note)]
    texts += [text for item in DATA.templates for text in (item.title, item.summary)]
    texts += [rating.review for item in DATA.templates for rating in item.ratings]
    texts += [run.response for thread in (*DATA.conversations, *RUNS) for run in thread.interactions]
    return [*texts, *(run.input_text for thread in DATA.conversations for run in thread.interactions)]


def test_there_are_forty_templates_on_every_shelf_in_six_languages():
    assert len(DATA.templates) == 40
    assert {template.category for template in DATA.templates} == set(schema.CATEGORIES)
    assert Counter(template.language for template in DATA.templates) == {
        "en": 34,
        "de": 2,
        "es": 1,
        "fr": 1,
        "ja": 1,
        "zh": 1,
    }
    assert {template.visibility for template in DATA.templates} == set(schema.VISIBILITIES)


def test_slugs_and_titles_are_unique():
    assert [name for name, count in Counter(item.slug for item in DATA.templates).items() if count > 1] == []
    assert [name for name, count in Counter(item.title for item in DATA.templates).items() if count > 1] == []


def test_every_version_declares_exactly_what_it_uses():
    wrong = {
        named(template, version): sorted(used ^ declared)
        for template, version in VERSIONS
        if (used := set(find_names(version.system_prompt, version.body)))
        != (declared := {variable.name for variable in version.variables})
    }
    assert wrong == {}


def test_every_contract_is_one_the_program_reads_unchanged():
    changed = {
        named(template, version): version.contract
        for template, version in VERSIONS
        if contract_to_json(parse_contract(version.contract)) != version.contract
    }
    assert changed == {}


def test_every_type_of_variable_is_shown():
    used = {variable.type for template in DATA.templates for variable in template.current.variables}
    assert used == set(schema.VARIABLE_TYPES)


def test_a_current_version_has_between_two_and_six_variables_each_with_a_label():
    assert {item.slug for item in DATA.templates if not 2 <= len(item.current.variables) <= 6} == set()
    assert [variable for _, version in VERSIONS for variable in version.variables if not variable.label] == []


def test_the_prompts_are_long_enough_to_be_useful_and_short_enough_to_be_read():
    lengths = {template.slug: words(template.current.body) for template in DATA.templates}
    assert {slug: length for slug, length in lengths.items() if not 80 <= length <= 330} == {}
    assert [named(*pair) for pair in VERSIONS if words(pair[1].body) < 10] == []
    assert [template.slug for template in DATA.templates if not template.summary.endswith(("。", "."))] == []


def test_nothing_written_is_a_cliche_or_an_emoji():
    assert [text for text in everything_written() if CLICHES.search(text) or EMOJI.search(text)] == []


def test_half_of_the_templates_have_a_history_in_which_every_step_says_why_and_changes_the_text():
    grown = [template for template in DATA.templates if len(template.versions) > 1]
    assert len(grown) >= 20
    states = [(version.system_prompt, version.body) for _, version in VERSIONS]
    assert len(set(states)) == len(states)
    notes = {named(*pair): pair[1].change_note for pair in VERSIONS if pair[1].number > 1}
    assert [name for name, note in notes.items() if words(note) < 5] == []


def test_ratings_come_from_others_and_have_something_to_say():
    rated = [template for template in DATA.templates if template.ratings]
    assert 25 <= len(rated) < len(DATA.templates)
    ratings = [(template, rating) for template in rated for rating in template.ratings]
    assert {rating.score for _, rating in ratings} >= {3, 4, 5}
    assert [template.slug for template, rating in ratings if rating.user == template.owner] == []
    assert [template.slug for template, rating in ratings if words(rating.review) < 6] == []


def test_the_people_and_teams_are_those_of_the_demonstration():
    assert [person.handle for person in DATA.people] == ["ines", "jonas", "mei", "tomas", "priya", "aoife"]
    assert [person.handle for person in DATA.people if person.is_staff] == ["ines"]
    assert [person.handle for person in DATA.people if person.is_curator] == ["ines", "aoife"]
    assert {team.name: [seat.user for seat in team.members] for team in DATA.teams} == {
        "Support": ["ines", "jonas", "aoife", "priya"],
        "Analysis team": ["mei", "tomas", "ines", "priya"],
    }


def test_the_conversations_show_every_state_and_a_branch():
    interactions = [item for thread in DATA.conversations for item in thread.interactions]
    assert len(DATA.conversations) == 14
    assert Counter(item.status for item in interactions) == {
        "completed": 34,
        "recorded": 3,
        "failed": 2,
        "interrupted": 1,
    }
    assert {item.feedback for item in interactions} == {None, 1, -1}
    parents = Counter((thread.key, item.parent) for thread in DATA.conversations for item in thread.interactions)
    assert ("returns-from-norway", 1) in [place for place, count in parents.items() if count > 1]


def test_every_run_fills_its_version_as_the_program_would():
    mistakes = {}
    for thread in (*DATA.conversations, *RUNS):
        for item in thread.interactions:
            if item.template:
                version = TEMPLATES[item.template].version(item.version)
                values = {name: item.values.get(name) for name in (entry.name for entry in version.variables)}
                _, errors = clean_values(parse_contract(version.contract), values)
                mistakes |= {f"{thread.key}: {name}": error for name, error in errors.items()}
    assert mistakes == {}


def test_a_thread_costs_more_tokens_the_longer_it_gets_and_a_failure_measures_none():
    thread = next(item for item in DATA.conversations if item.key == "returns-from-norway")
    query, read_out, again = thread.interactions[1:4]
    assert read_out.input_tokens == again.input_tokens > query.input_tokens + query.output_tokens
    failed = thread.interactions[4]
    assert (failed.status, failed.input_tokens, failed.output_tokens) == ("failed", None, None)


def test_the_everyday_runs_are_the_same_every_time_and_no_run_comes_before_its_version():
    assert expand_usage(DATA.usage, TEMPLATES, TODAY) == RUNS
    assert expand_usage(DATA.usage, TEMPLATES, TODAY + timedelta(days=3)) != RUNS
    runs = [item for thread in RUNS for item in thread.interactions]
    assert len(runs) == sum(recipe.runs for recipe in DATA.usage.recipes) == 318
    assert {1 <= item.days_ago <= DATA.usage.days for item in runs} == {True}
    early = [run for run in runs if TEMPLATES[run.template].version(run.version).days_ago < run.days_ago]
    assert early == []


def test_the_everyday_runs_have_a_shape():
    runs = [item for thread in RUNS for item in thread.interactions]
    by_day = Counter(TODAY - timedelta(days=item.days_ago) for item in runs)
    weekend = sum(count for day, count in by_day.items() if day.weekday() >= 5)
    assert weekend / len(runs) < 0.15
    failures = Counter(item.days_ago for item in runs if item.status == "failed")
    assert failures.pop(9) >= 4, "the bad day shows"
    assert max(failures.values()) < 4
    assert sum(failures.values()) / len(runs) < 0.03
    assert {item.latency_ms is not None for item in runs} == {True}


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("templates/read-a-table-aloud.md", "{{ sentences }}", "{{ phrases }}", "not both declared and used: phrases"),
        ("templates/read-a-table-aloud.md", "owner: tomas", "owner: nobody", "unknown people: nobody"),
        ("templates/read-a-table-aloud.md", "score: 5", "score: 6", "mei gives 6 stars"),
        ("templates/read-a-table-aloud.md", "production: 2", "production: 9", "unknown labelled versions: 9"),
        ("templates/read-a-table-aloud.md", "slug: read", "slug: reed", "is not the file’s name"),
        ("templates/read-a-table-aloud.md", "title:", "titel:", "Template has no titel"),
        ("conversations/returns-from-norway.yaml", "sentences: 3", "sentences: 30", "sentences: 30 is out of range"),
        ("conversations/returns-from-norway.yaml", "model: claude", "model: clod", "unknown models: clod"),
        ("conversations/returns-from-norway.yaml", 'time: "10:04"', "time: 10:04", "a time needs quotation marks"),
        ("usage.yaml", "template: sort-incoming-tickets", "template: sort", "sort"),
        ("people.yaml", "role: owner", "role: king", "unknown team roles: king"),
    ],
)
def test_a_mistake_is_reported_with_its_file(tmp_path: Path, file: str, old: str, new: str, complaint: str):
    folder = tmp_path / "seed"
    shutil.copytree(seed.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SeedError) as caught:
        load(folder)
    assert str(caught.value).startswith(Path(file).name + ": ")
    assert complaint in str(caught.value)
