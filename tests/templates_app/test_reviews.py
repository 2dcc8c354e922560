"""Reviews that mean something: of which version, by whom, and what becomes of one that is reported."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from accounts.models import User
from audit.models import AuditLog
from promptlib.core.soft_delete import RestoreConflict
from templates_app import services
from templates_app.models import PromptTemplate, Rating, RatingReport
from tests.factories import (
    ConversationFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
    VersionFactory,
)
from tests.templates_app.test_suggestions import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator() -> User:
    user = UserFactory(display_name="Aoife Byrne")
    user.user_permissions.add(Permission.objects.get(codename="curate_library"))
    return User.objects.get(pk=user.pk)


def url(template: PromptTemplate, name: str = "reviews", *args: Any) -> str:
    return reverse(f"templates_app:{name}", args=[template.pk, *args])


def shown(client: Client, address: str) -> list[str]:
    return [each.text for each in html.fromstring(client.get(address).content.decode()).cssselect(".review__text")]


def rated(template: PromptTemplate, **fields: Any) -> Rating:
    rating = RatingFactory(template=template, **fields)
    template.refresh_from_db()
    return rating


# ---- the list ------------------------------------------------------------------


def test_reviews_page_by_page_each_once(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    for n in range(45):
        RatingFactory(template=template, review=f"Review {n}")
    RatingFactory(template=template, review="Withdrawn").delete()
    RatingFactory(review="Of another template")
    seen, query = [], ""
    for _page in range(3):
        reviews = client.get(f"{url(template)}{query}").context["page"].reviews
        seen += [rating.review for rating in reviews.items]
        query = f"?cursor={quote(reviews.next_cursor)}"
    assert (seen, reviews.has_next) == ([f"Review {n}" for n in range(44, -1, -1)], False)


def test_reviews_by_stars_and_by_version(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=2)
    first, second = template.versions.order_by("number")
    for version, score in ((first, 5), (first, 3), (second, 5), (second, 4)):
        RatingFactory(template=template, version=version, score=score, review=f"v{version.number} {score}")
    RatingFactory(template=template, version=first, score=5, review="Gone").delete()
    found = {
        query: shown(client, f"{url(template)}?{query}")
        for query in ("stars=5", "version=1", "version=1&stars=5", "stars=1", "stars=9&version=x", "version=99")
    }
    everything = ["v2 4", "v2 5", "v1 3", "v1 5"]
    assert found == {
        "stars=5": ["v2 5", "v1 5"],
        "version=1": ["v1 3", "v1 5"],
        "version=1&stars=5": ["v1 5"],
        "stars=1": [],
        "stars=9&version=x": everything,
        "version=99": everything,
    }
    tree = html.fromstring(client.get(url(template)).content.decode())
    assert [(each.get("href"), each.text_content().split()[0]) for each in tree.cssselect(".scores__link")] == [
        (f"{url(template)}?stars={stars}", str(stars)) for stars in (5, 4, 3, 2, 1)
    ]
    assert [each.text for each in tree.cssselect(".scores .number")] == ["2", "1", "1", "0", "0"]


def test_a_review_says_what_it_speaks_of(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=7, visibility="public")
    old, new = template.versions.get(number=3), template.current_version
    RatingFactory(template=template, version=old, review="Old", model="gpt-4.1", task="tickets from Germany")
    RatingFactory(template=template, version=new, review="New")
    tree = html.fromstring(client.get(url(template)).content.decode())
    said = [
        [" ".join(each.text_content().split()) for each in article.cssselect(".review__by > span, .review__foot > *")]
        for article in tree.cssselect("article.review")
    ]
    today = tree.cssselect("time")[0].text
    names = [rating.user.display_name for rating in template.ratings.order_by("-updated_at")]
    assert said == [
        ["rated v7", today, f"Report the review by {names[0]}"],
        ["rated v3, now v7", today, "with gpt-4.1", "for tickets from Germany", f"Report the review by {names[1]}"],
    ]


def test_who_has_run_it_wears_a_badge(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=2)
    first = template.versions.get(number=1)
    ran, failed_to_finish, other, threw_away = (
        RatingFactory(template=template, user__display_name=name).user for name in ("Ran", "Waits", "Other", "Threw")
    )
    PromptFactory(conversation=ConversationFactory(owner=ran), template_version=first)
    PromptFactory(conversation=ConversationFactory(owner=failed_to_finish), template_version=first, pending=True)
    PromptFactory(conversation=ConversationFactory(owner=other), template_version=VersionFactory())
    PromptFactory(conversation=ConversationFactory(owner=threw_away), template_version=first).delete()
    for page in (url(template), template.get_absolute_url()):
        tree = html.fromstring(client.get(page).content.decode())
        with_badge = [
            article.cssselect("b")[0].text
            for article in tree.cssselect("article.review")
            if article.cssselect(".badge--good")
        ]
        assert with_badge == ["Ran"]


def test_the_order_is_explained_with_its_numbers(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    rated(template, score=5)
    sentence = (
        "In the library’s order this counts 3.75: the one rating together with 5 imagined ones of 3.5, so that a"
        " single five does not stand above fifty times 4.8."
    )
    assert sentence in client.get(url(template)).content.decode()
    assert sentence in client.get(template.get_absolute_url()).content.decode()


def test_as_many_queries_for_thirty_reviews_as_for_ten(client: Client, ines: User) -> None:
    def count(number: int) -> int:
        template = TemplateFactory(owner=ines, visibility="public")
        for _n in range(number):
            rating = RatingFactory(template=template, review="Well")
            conversation = ConversationFactory(owner=rating.user)
            PromptFactory(conversation=conversation, template_version=template.current_version)
        client.get(url(template))
        with CaptureQueriesContext(connection) as captured:
            assert len(shown(client, f"{url(template)}?stars=4")) == min(number, 20)
        return len(captured)

    ten, thirty = count(10), count(30)
    assert (ten, thirty) == (thirty, ten)
    assert thirty <= 12


def test_rating_with_a_task_and_a_model_one_has_used(client: Client, ines: User) -> None:
    template = TemplateFactory(visibility="public", versions=2)
    prompt = PromptFactory(
        conversation=ConversationFactory(owner=ines), template_version=template.versions.get(number=1), model="gpt-4.1"
    )
    assert prompt.author == ines
    form = client.get(template.get_absolute_url()).context["page"].rating_form
    assert (form["model"].value(), form["version"].value()) == ("gpt-4.1", 2)
    data = {"version": 2, "score": 5, "review": "", "model": "gpt-4.1", "task": "  a speech\n at a wedding "}
    client.post(url(template, "rate"), data)
    rating = template.ratings.get()
    assert (rating.model, rating.task, rating.version.number) == ("gpt-4.1", "a speech at a wedding", 2)
    long = client.post(url(template, "rate"), {**data, "task": "x" * 201})
    assert (long.status_code, list(long.context["page"].rating_form.errors)) == (422, ["task"])


def test_one_who_rated_an_older_version_is_told(client: Client, ines: User) -> None:
    template = TemplateFactory(visibility="public", versions=3)
    RatingFactory(template=template, user=ines, version=template.versions.get(number=1))
    said = "You rated v1. Saved again, it is a rating of v3."
    assert said in client.get(template.get_absolute_url()).content.decode()
    client.post(url(template, "rate"), {"version": 3, "score": 5})
    assert said not in client.get(template.get_absolute_url()).content.decode()
    template.refresh_from_db()
    counts = list(template.versions.order_by("number").values_list("rating_count", "rating_sum"))
    assert (counts, template.rating_count) == ([(0, 0), (0, 0), (1, 5)], 1)


# ---- reports -------------------------------------------------------------------


def test_a_review_is_reported_once_with_a_reason(client: Client, ines: User) -> None:
    rating = rated(TemplateFactory(visibility="public"), review="Buy my course")
    address = url(rating.template, "report_rating", rating.pk)
    refused = client.post(address, {"reason": " "})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["reason"])
    for reason in ("It sells\r\nsomething.", "Again."):
        assert client.post(address, {"reason": reason})["Location"] == url(rating.template)
    [report] = RatingReport.objects.all()
    assert (report.rating, report.user, report.reason, report.decision) == (rating, ines, "It sells\nsomething.", "")
    assert "You reported it" in client.get(address).content.decode()


def test_what_cannot_be_reported(client: Client, ines: User) -> None:
    public, shared = TemplateFactory(visibility="public"), TemplateFactory(owner=ines)
    ratings = {
        "own": RatingFactory(template=public, user=ines, review="Mine"),
        "without a word": RatingFactory(template=public),
        "withdrawn": RatingFactory(template=public, review="Gone"),
        "not public": RatingFactory(template=shared, review="Among us"),
    }
    ratings["withdrawn"].delete()
    answers = {
        name: client.post(url(rating.template, "report_rating", rating.pk), {"reason": "No"}).status_code
        for name, rating in ratings.items()
    }
    assert (answers, RatingReport.objects.count()) == (dict.fromkeys(ratings, 404), 0)
    foreign = client.get(url(TemplateFactory(visibility="public"), "report_rating", ratings["without a word"].pk))
    assert foreign.status_code == 404


def reported(**fields: Any) -> RatingReport:
    rating = rated(TemplateFactory(visibility="public"), review="Buy my course", **fields)
    return services.report_rating(rating, user=UserFactory(), reason="It sells something.")


def test_only_curators_find_the_reports(client: Client, ines: User, curator: User) -> None:
    report = reported()
    address = reverse("templates_app:reports")
    decide = [reverse(f"templates_app:{name}_report", args=[report.pk]) for name in ("keep", "remove")]
    assert [client.get(address).status_code, *(client.post(each).status_code for each in decide)] == [404, 404, 404]
    client.force_login(curator)
    hidden = reported()
    PromptTemplate.objects.filter(pk=hidden.rating.template_id).update(visibility="private")
    gone = reported()
    gone.rating.delete()
    assert shown(client, address) == ["Buy my course"]
    assert client.post(reverse("templates_app:remove_report", args=[hidden.pk])).status_code == 404


def test_keeping_and_removing_a_review(client: Client, curator: User) -> None:
    client.force_login(curator)
    report = reported(score=1)
    other = services.report_rating(report.rating, user=UserFactory(), reason="Me too.")
    template = report.rating.template
    remove, keep = (reverse(f"templates_app:{name}_report", args=[report.pk]) for name in ("remove", "keep"))
    for _twice in range(2):
        assert client.post(remove)["Location"] == reverse("templates_app:reports")
    rating = Rating.all_objects.get(pk=report.rating_id)
    template.refresh_from_db()
    assert (rating.is_deleted, rating.deleted_by, template.rating_count, template.rating_sum) == (True, curator, 0, 0)
    assert template.current_version.rating_count == 0
    decided = RatingReport.objects.values_list("decision", "decided_by")
    assert list(decided.all()) == [("removed", curator.pk)] * 2
    address = reverse("templates_app:reports")
    assert [shown(client, f"{address}?state={state}") for state in ("open", "kept", "removed")] == [
        [],
        [],
        ["Buy my course"] * 2,
    ]
    client.post(keep)
    template.refresh_from_db()
    assert (template.rating_count, template.rating_sum, list(decided.all())) == (1, 1, [("kept", curator.pk)] * 2)
    told = AuditLog.objects.about(template.pk).filter(actor=curator).order_by("id")
    assert [(row.content_type.model, str(row.get_action_display())) for row in told] == [
        ("rating", "deleted"),
        *[("ratingreport", "changed")] * 2,
        ("rating", "restored"),
        *[("ratingreport", "changed")] * 2,
    ]
    assert other.rating_id == report.rating_id


def test_a_review_written_anew_is_not_pushed_aside_by_bringing_back_the_old(client: Client, curator: User) -> None:
    client.force_login(curator)
    report = reported()
    services.remove_rating(report, by=curator)
    rating = report.rating
    services.rate_template(rating.template, user=rating.user, score=4, version=rating.version)
    with pytest.raises(RestoreConflict):
        services.keep_rating(report, by=curator)
    page = client.post(reverse("templates_app:keep_report", args=[report.pk]), follow=True).content.decode()
    assert "It stays removed: its author has written another review since." in page
    assert list(Rating.objects.values_list("score", flat=True)) == [4]


def test_what_its_author_withdrew_stays_withdrawn(curator: User) -> None:
    report = reported()
    services.withdraw_rating(report.rating.template, user=report.rating.user)
    services.remove_rating(report, by=curator)
    services.keep_rating(report, by=curator)
    assert (Rating.objects.count(), RatingReport.objects.get().decision) == (0, "kept")


def test_as_many_queries_for_thirty_reports_as_for_ten(client: Client, curator: User) -> None:
    client.force_login(curator)

    def count(number: int) -> int:
        RatingReport.objects.all().delete()
        for _n in range(number):
            reported()
        client.get(reverse("templates_app:reports"))
        with CaptureQueriesContext(connection) as captured:
            assert len(shown(client, reverse("templates_app:reports"))) == min(number, 20)
        return len(captured)

    ten, thirty = count(10), count(30)
    assert (ten, thirty) == (thirty, ten)
    assert thirty <= 12


@pytest.mark.django_db(transaction=True)
def test_twenty_reports_and_decisions_at_once_count_once() -> None:
    rating = rated(TemplateFactory(visibility="public"), review="Buy my course", score=1)
    others = [RatingFactory(template=rating.template).user for _n in range(4)]
    reports = together(20, lambda place: services.report_rating(rating, user=others[place % 4], reason="It sells."))
    assert ({type(each) for each in reports}, RatingReport.objects.count()) == ({RatingReport}, 4)
    ratings = together(20, lambda place: services.remove_rating(reports[place], by=others[0]))
    assert {type(each) for each in ratings} == {Rating}
    rating.template.refresh_from_db()
    assert (rating.template.rating_count, rating.template.rating_sum) == (4, 16)
    assert set(RatingReport.objects.values_list("decision", flat=True)) == {"removed"}
