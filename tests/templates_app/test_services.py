"""Services of the library: versions without gaps, edits that are not lost, ratings, favourites, archive, trash."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditLog
from templates_app import services
from templates_app.models import Favorite, PromptTemplate, Rating, Tag, TemplateVersion
from templates_app.variables import ContractError
from tests.factories import RatingFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


def numbers(template: PromptTemplate) -> list[int]:
    return sorted(template.versions.values_list("number", flat=True))


def audited(template: PromptTemplate) -> list[tuple[str, str]]:
    rows = AuditLog.objects.about(template.pk).order_by("id")
    return [(row.content_type.model, str(row.get_action_display())) for row in rows]


# ---- creating ----------------------------------------------------------------


def test_create_template_makes_the_first_version_tags_and_contract() -> None:
    ines = UserFactory()
    template = services.create_template(
        owner=ines,
        title="Reply",
        body="Answer {{ ticket }} in {{ max_words }} words.",
        system_prompt="You write for {{ company }}.",
        variables=[{"name": "max_words", "type": "integer", "min": 40, "default": "180"}],
        parameters={"temperature": 0.3},
        tags=["Customers", "customers ", "E-mail"],
        change_note="From the old sheet",
    )
    template.refresh_from_db()
    version = template.current_version
    assert (template.owner, template.visibility, template.status) == (ines, "private", "published")
    assert (template.version_count, template.revision) == (1, 0)
    assert sorted(template.tags.values_list("slug", "name")) == [("customers", "Customers"), ("e-mail", "E-mail")]
    assert (version.number, version.author, version.change_note) == (1, ines, "From the old sheet")
    assert version.parameters == {"temperature": 0.3}
    assert version.variables == [
        {"name": "company", "type": "text", "label": "Company", "required": True},
        {"name": "ticket", "type": "long_text", "label": "Ticket", "required": True},
        {"name": "max_words", "type": "integer", "default": 180, "min": 40},
    ]


def test_create_template_with_a_wrong_contract_leaves_nothing_behind() -> None:
    with pytest.raises(ContractError):
        services.create_template(
            owner=UserFactory(), title="Bad", body="{{ a }}", tags=["x"], variables=[{"name": "a", "type": "odd"}]
        )
    assert (PromptTemplate.objects.count(), TemplateVersion.objects.count(), Tag.objects.count()) == (0, 0, 0)


def test_creating_is_audited_under_the_template() -> None:
    template = services.create_template(owner=UserFactory(), title="Reply", body="Hi", tags=["a"])
    assert {("prompttemplate", "created"), ("templateversion", "created")} <= set(audited(template))


# ---- versions ----------------------------------------------------------------


def test_publish_version_makes_the_next_number_and_keeps_what_is_not_named() -> None:
    template = TemplateFactory(versions=2, body="Old {{ a }}", system_prompt="Be kind.", parameters={"temperature": 1})
    editor = UserFactory()
    version = services.publish_version(template, author=editor, base_revision=0, body="New {{ a }}", change_note="Why")
    assert (version.number, version.body, version.system_prompt) == (3, "New {{ a }}", "Be kind.")
    assert (version.parameters, version.author, version.change_note) == ({"temperature": 1}, editor, "Why")
    assert (template.current_version, template.revision, template.version_count) == (version, 1, 3)
    template.refresh_from_db()
    assert (template.current_version, template.revision, template.version_count) == (version, 1, 3)


def test_publish_version_of_the_same_content_makes_none() -> None:
    template = TemplateFactory(body="Same {{ a }}")
    current = template.current_version
    same = services.publish_version(template, author=template.owner, base_revision=0, body="Same {{ a }}")
    assert (same, numbers(template), template.revision) == (current, [1], 0)


def test_a_stale_edit_is_refused_with_both_texts_and_changes_nothing() -> None:
    template = TemplateFactory(body="First")
    stale = PromptTemplate.objects.get(pk=template.pk)
    services.publish_version(template, author=template.owner, base_revision=0, body="Theirs")
    with pytest.raises(services.StaleEdit) as caught:
        services.publish_version(stale, author=template.owner, base_revision=0, body="Mine", change_note="Mine too")
    assert caught.value.current.current_version.body == "Theirs"
    assert caught.value.submitted == {"body": "Mine", "change_note": "Mine too"}
    assert numbers(template) == [1, 2]


def test_update_details_makes_no_version_but_a_revision() -> None:
    template = TemplateFactory(tags=["a", "b"], title="Old")
    assert services.update_details(template, base_revision=0, title="New", tags=["b", "c"], visibility="public")
    template.refresh_from_db()
    assert (template.title, template.visibility, template.revision, numbers(template)) == ("New", "public", 1, [1])
    assert sorted(template.tags.values_list("slug", flat=True)) == ["b", "c"]
    assert not services.update_details(template, base_revision=1, title="New", tags=["c", "B"])
    template.refresh_from_db()
    assert template.revision == 1
    with pytest.raises(services.StaleEdit):
        services.update_details(template, base_revision=0, title="Newer")
    with pytest.raises(TypeError):
        services.update_details(template, base_revision=1, owner=UserFactory())


def test_edit_template_counts_one_revision_for_details_and_text_together() -> None:
    template = TemplateFactory(body="Old")
    version = services.edit_template(
        template, author=template.owner, base_revision=0, details={"title": "T"}, content={"body": "New"}
    )
    template.refresh_from_db()
    assert (template.title, template.revision, version.number, template.current_version) == ("T", 1, 2, version)


def test_edit_template_is_whole_or_nothing() -> None:
    template = TemplateFactory(title="Old", body="{{ a }}")
    wrong = {"body": "{{ a }}!", "variables": [{"name": "a", "type": "odd"}]}
    with pytest.raises(ContractError):
        services.edit_template(template, author=template.owner, base_revision=0, details={"title": "T"}, content=wrong)
    template.refresh_from_db()
    assert (template.title, template.revision, numbers(template)) == ("Old", 0, [1])


# ---- community ---------------------------------------------------------------


def test_rating_twice_leaves_one_rating_and_right_statistics() -> None:
    template, tom = TemplateFactory(versions=2), UserFactory()
    first = template.versions.get(number=1)
    services.rate_template(template, user=tom, score=2, version=first, model="m")
    rating = services.rate_template(template, user=tom, score=5, review="Better", version=template.current_version)
    template.refresh_from_db()
    assert list(template.ratings.values_list("pk", "score", "review", "model")) == [(rating.pk, 5, "Better", "")]
    assert (template.rating_count, template.rating_sum) == (1, 5)
    counts = dict(template.versions.values_list("number", "rating_count"))
    assert counts == {1: 0, 2: 1}


def test_owners_do_not_rate_their_own() -> None:
    template = TemplateFactory()
    with pytest.raises(ValueError, match="Owners"):
        services.rate_template(template, user=template.owner, score=5, version=template.current_version)
    assert not Rating.objects.exists()


def test_a_withdrawn_rating_is_in_the_trash_and_a_new_one_can_follow() -> None:
    rating = RatingFactory(score=1)
    template, user = rating.template, rating.user
    assert services.withdraw_rating(template, user=user) == rating
    assert services.withdraw_rating(template, user=user) is None
    template.refresh_from_db()
    assert (template.rating_count, Rating.all_objects.count()) == (0, 1)
    services.rate_template(template, user=user, score=4, version=template.current_version)
    template.refresh_from_db()
    assert (template.rating_count, template.rating_sum, Rating.all_objects.count()) == (1, 4, 2)


def test_toggle_favorite() -> None:
    template, tom = TemplateFactory(), UserFactory()
    assert services.toggle_favorite(template, user=tom) is True
    template.refresh_from_db()
    assert (template.favorite_count, Favorite.objects.get().user) == (1, tom)
    assert services.toggle_favorite(template, user=tom) is False
    template.refresh_from_db()
    assert (template.favorite_count, Favorite.objects.count()) == (0, 0)


# ---- putting away ------------------------------------------------------------


def test_archive_and_back_are_audited_once() -> None:
    template = TemplateFactory()
    before = len(audited(template))
    assert services.archive(template, by=template.owner)
    assert not services.archive(template, by=template.owner)
    template.refresh_from_db()
    assert template.status == "archived"
    assert services.unarchive(template, by=template.owner)
    template.refresh_from_db()
    assert template.status == "published"
    assert audited(template)[before:] == [("prompttemplate", "changed")] * 2


def test_a_draft_cannot_be_archived_since_archived_things_are_seen_by_all() -> None:
    template = TemplateFactory(status="draft", visibility="public")
    assert not services.archive(template, by=template.owner)
    template.refresh_from_db()
    assert template.status == "draft"


def test_move_to_trash_and_restore() -> None:
    rating = RatingFactory()
    template = rating.template
    services.move_to_trash(template, by=template.owner)
    assert not PromptTemplate.objects.exists()
    assert not Rating.objects.exists()
    assert PromptTemplate.all_objects.get().deleted_by == template.owner
    PromptTemplate.all_objects.get().restore(by=template.owner)
    template.refresh_from_db()
    assert (template.is_deleted, template.rating_count) == (False, 1)


# ---- at the same time --------------------------------------------------------


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work` returned or raised in each of `count` threads that start at once."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = work(place)
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_eight_edits_at_once_from_one_revision_one_wins() -> None:
    template = TemplateFactory()

    def edit(place: int) -> TemplateVersion:
        mine = PromptTemplate.objects.get(pk=template.pk)
        return services.publish_version(mine, author=template.owner, base_revision=0, body=f"Text {place}")

    results = together(8, edit)
    won = [each for each in results if isinstance(each, TemplateVersion)]
    lost = [each for each in results if isinstance(each, services.StaleEdit)]
    assert (len(won), len(lost), numbers(template)) == (1, 7, [1, 2])


@pytest.mark.django_db(transaction=True)
def test_eight_edits_one_after_the_other_number_without_gaps() -> None:
    template = TemplateFactory()

    def edit(place: int) -> TemplateVersion:
        while True:
            mine = PromptTemplate.objects.get(pk=template.pk)
            try:
                return services.publish_version(
                    mine, author=template.owner, base_revision=mine.revision, body=f"Text {place}"
                )
            except services.StaleEdit:
                continue

    results = together(8, edit)
    assert sorted(version.number for version in results) == list(range(2, 10))
    template.refresh_from_db()
    assert (numbers(template), template.version_count, template.revision) == (list(range(1, 10)), 9, 8)


@pytest.mark.django_db(transaction=True)
def test_eight_ratings_at_once_all_count() -> None:
    template, people = TemplateFactory(), UserFactory.create_batch(8)
    version = template.current_version
    results = together(
        8, lambda place: services.rate_template(template, user=people[place], score=place % 5 + 1, version=version)
    )
    assert [type(each).__name__ for each in results] == ["Rating"] * 8
    template.refresh_from_db()
    assert (template.rating_count, template.rating_sum) == (8, sum(place % 5 + 1 for place in range(8)))


def test_the_mean_rating_keeps_its_fraction() -> None:
    template = TemplateFactory()
    for score in (3, 4, 4):
        RatingFactory(template=template, score=score)
    template.refresh_from_db()
    assert (template.rating_average, template.rank_score) == (Decimal("3.67"), Decimal("3.5625"))
