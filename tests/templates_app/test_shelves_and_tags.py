"""Shelves and tags, as curators keep them: nested, renamed, moved, merged, and never in a circle."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import AuditLog
from templates_app import services
from templates_app.models import Category, PromptTemplate, Tag
from templates_app.shelving import ShelfTree, read_tree
from tests.factories import CategoryFactory, TagFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator() -> User:
    user = UserFactory(handle="ines")
    user.groups.add(Group.objects.get(name="Curators"))
    return user


@pytest.fixture
def send(client: Client, curator: User) -> Callable[..., HttpResponse]:
    client.force_login(curator)

    def post(name: str, /, *args: Any, **data: Any) -> HttpResponse:
        return client.post(reverse(f"templates_app:{name}", args=args), data)

    return post


@pytest.fixture
def shelves() -> dict[str, Category]:
    """a (a1 (a11), a2), b: and nothing else."""
    Category.objects.all().delete()
    made: dict[str, Category] = {}
    for position, name in enumerate(("a", "a1", "a11", "a2", "b")):
        parent = made.get(name[:-1])
        made[name] = CategoryFactory(name=name, slug=name, parent=parent, position=position)
    return made


def drawn() -> str:
    """The tree in one line: a(a1(a11) a2) b."""
    tree = read_tree()

    def draw(parent: Any) -> str:
        parts = []
        for each in tree.children.get(parent, []):
            inside = draw(each.pk)
            parts.append(f"{each.name}({inside})" if inside else each.name)
        return " ".join(parts)

    return draw(None)


def test_for_those_who_are_no_curators_the_pages_do_not_exist(client: Client, shelves: dict[str, Category]) -> None:
    client.force_login(UserFactory())
    shelf, tag = shelves["b"], TagFactory()
    names: dict[str, tuple[Any, ...]] = {"shelves": (), "tags": (), "shelf": (shelf.pk,), "tag": (tag.pk,)}
    names |= dict.fromkeys(("raise_shelf", "lower_shelf", "merge_shelf", "delete_shelf"), (shelf.pk,))
    names |= {"merge_tag": (tag.pk,)}
    for name, args in names.items():
        url = reverse(f"templates_app:{name}", args=args)
        data = {"name": "x", "target": str(shelves["a"].pk)}
        assert (name, client.get(url).status_code, client.post(url, data).status_code) == (name, 404, 404)
    assert drawn() == "a(a1(a11) a2) b"
    assert "shelf__edit" not in client.get("/templates/").content.decode()


def test_the_tree_is_shown_with_what_stands_on_each(
    client: Client, send: Callable[..., HttpResponse], shelves: dict[str, Category], curator: User
) -> None:
    TemplateFactory(category=shelves["a1"])
    TemplateFactory(category=shelves["a1"]).delete(by=curator)
    rows = client.get(reverse("templates_app:shelves")).context["rows"]
    assert [(row["shelf"].name, row["depth"], row["count"], row["ends"]) for row in rows] == [
        ("a", 0, 0, (True, False)),
        ("a1", 1, 1, (True, False)),
        ("a11", 2, 0, (True, True)),
        ("a2", 1, 0, (False, True)),
        ("b", 0, 0, (False, True)),
    ]


def test_a_shelf_is_made(send: Callable[..., HttpResponse], shelves: dict[str, Category]) -> None:
    assert send("shelves", name=" New  one ", parent=shelves["a"].pk)["Location"] == reverse("templates_app:shelves")
    assert send("shelves", name="A 2", parent="").status_code == 302
    assert drawn() == "a(a1(a11) a2 New one) b A 2"
    assert Category.objects.get(name="New one").slug == "new-one"
    refused = send("shelves", name="NEW ONE", parent=shelves["a"].pk)
    assert (refused.status_code, refused.context["form"].errors) == (
        422,
        {"name": ["There is a shelf of this name in that place."]},
    )
    assert send("shelves", name="", parent="").status_code == 422
    send("shelves", name="a", parent=shelves["b"].pk)
    assert Category.objects.get(name="a", parent=shelves["b"]).slug == "a-3"  # A 2 has the other


def test_a_shelf_is_renamed_and_moved_with_what_is_in_it(
    send: Callable[..., HttpResponse], shelves: dict[str, Category]
) -> None:
    send("shelf", shelves["a1"].pk, name="first", parent=shelves["b"].pk)
    assert (drawn(), Category.objects.get(name="first").slug) == ("a(a2) b(first(a11))", "a1")
    send("shelf", shelves["a1"].pk, name="first", parent="")
    assert drawn() == "a(a2) b first(a11)"


@pytest.mark.parametrize("into", ["a", "a1", "a11"])
def test_a_shelf_never_stands_inside_itself(
    send: Callable[..., HttpResponse], shelves: dict[str, Category], into: str
) -> None:
    refused = send("shelf", shelves["a"].pk, name="a", parent=shelves[into].pk)
    assert (refused.status_code, drawn()) == (422, "a(a1(a11) a2) b")
    with pytest.raises(services.NotThereError):  # whatever a form lets through
        services.change_shelf(shelves["a"], name="a", parent=shelves[into])


def test_five_shelves_stand_inside_each_other_at_most(
    send: Callable[..., HttpResponse], shelves: dict[str, Category]
) -> None:
    c = services.create_shelf(name="c", parent=shelves["a11"])
    d = services.create_shelf(name="d", parent=c)
    refused = send("shelves", name="e", parent=d.pk)
    assert refused.context["form"].errors == {"parent": ["That is too deep: 5 shelves inside each other at most."]}
    assert send("shelf", shelves["a"].pk, name="a", parent=shelves["b"].pk).status_code == 422
    assert drawn() == "a(a1(a11(c(d))) a2) b"


def test_shelves_change_places(send: Callable[..., HttpResponse], shelves: dict[str, Category]) -> None:
    send("lower_shelf", shelves["a"].pk)
    assert drawn() == "b a(a1(a11) a2)"
    send("raise_shelf", shelves["a2"].pk)
    send("raise_shelf", shelves["a2"].pk)  # it is the first already
    assert drawn() == "b a(a2 a1(a11))"


def test_merging_moves_templates_and_shelves_and_is_audited(
    send: Callable[..., HttpResponse], shelves: dict[str, Category], curator: User
) -> None:
    here, gone = TemplateFactory(category=shelves["a"], title="Here"), TemplateFactory(category=shelves["a"])
    TemplateFactory(category=shelves["a1"])
    gone.delete(by=curator)
    before = set(AuditLog.objects.values_list("pk", flat=True))
    assert send("merge_shelf", shelves["a"].pk, target=shelves["b"].pk)["Location"] == reverse("templates_app:shelves")
    assert drawn() == "b(a1(a11) a2)"
    assert PromptTemplate.all_objects.filter(category=shelves["b"]).count() == 2
    here.refresh_from_db()
    assert (here.category, here.revision) == (shelves["b"], 1)
    row = AuditLog.objects.about(here.pk).exclude(pk__in=before).get()
    told = {"category": [str(shelves["a"].pk), str(shelves["b"].pk)]}
    assert (row.changes, row.actor_id, row.object_repr) == (told, curator.pk, "Here")


@pytest.mark.parametrize(
    ("source", "target", "after"),
    [
        ("a", "a1", "a1(a11 a2) b"),
        ("a", "a11", "a11(a1 a2) b"),
        ("a1", "a2", "a(a2(a11)) b"),
        ("a1", "a", "a(a2 a11) b"),
        ("b", "a11", "a(a1(a11) a2)"),
    ],
)
def test_merging_never_makes_a_circle(shelves: dict[str, Category], source: str, target: str, after: str) -> None:
    services.merge_shelves(shelves[source], shelves[target])
    assert drawn() == after


def test_a_shelf_is_not_merged_into_itself(send: Callable[..., HttpResponse], shelves: dict[str, Category]) -> None:
    assert send("merge_shelf", shelves["b"].pk, target=shelves["b"].pk).status_code == 422
    assert send("merge_shelf", shelves["b"].pk, target="").status_code == 422
    assert drawn() == "a(a1(a11) a2) b"


def test_only_an_empty_shelf_is_deleted(
    send: Callable[..., HttpResponse], shelves: dict[str, Category], curator: User
) -> None:
    TemplateFactory(category=shelves["b"]).delete(by=curator)
    assert [send("delete_shelf", shelves[name].pk).status_code for name in ("a", "b")] == [409, 409]
    assert send("delete_shelf", shelves["a2"].pk).status_code == 302
    assert drawn() == "a(a1(a11)) b"


def test_the_filter_by_a_shelf_includes_all_that_is_inside_it(client: Client, shelves: dict[str, Category]) -> None:
    client.force_login(UserFactory())
    for shelf in shelves.values():
        TemplateFactory(title=shelf.name, category=shelf, visibility="public")
    TemplateFactory(title="elsewhere", visibility="public")
    found = {}
    for slug in shelves:
        page = client.get(f"/templates/?category={slug}&sort=newest").context["library"]
        found[slug] = [template.title for template in page.page.items][::-1]
    assert found == {"a": ["a", "a1", "a11", "a2"], "a1": ["a1", "a11"], "a11": ["a11"], "a2": ["a2"], "b": ["b"]}
    counts = [(each.name, depth, count) for each, depth, count in page.categories]
    assert counts == [("a", 0, 4), ("a1", 1, 2), ("a11", 2, 1), ("a2", 1, 1), ("b", 0, 1)]


def test_a_circle_made_elsewhere_breaks_no_page(client: Client, shelves: dict[str, Category]) -> None:
    Category.objects.filter(pk=shelves["a"].pk).update(parent=shelves["a11"])
    client.force_login(UserFactory(staff=True))
    TemplateFactory(category=shelves["a1"], visibility="public")
    assert {shelf.name for shelf in read_tree().ordered} == set(shelves)
    for url in ("/templates/?category=a1", "/templates/shelves/", f"/templates/shelves/{shelves['a1'].pk}/"):
        assert client.get(url).status_code == 200
    assert [each.name for each in ShelfTree(shelves.values()).path(shelves["a11"])] == ["a", "a1", "a11"]


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle() -> None:
    one, two = services.create_shelf(name="One"), services.create_shelf(name="Two")
    start, refused = Barrier(2), []

    def move(shelf: Category, parent: Category) -> None:
        try:
            start.wait()
            services.change_shelf(shelf, name=shelf.name, parent=parent)
        except services.NotThereError as error:
            refused.append(error.reason)
        finally:
            connection.close()

    threads = [Thread(target=move, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parents = dict(Category.objects.filter(pk__in=[one.pk, two.pk]).values_list("pk", "parent"))
    assert (refused, sorted(parent is None for parent in parents.values())) == (["inside itself"], [False, True])


def test_a_tag_is_renamed_and_found_by_its_new_name(
    client: Client, send: Callable[..., HttpResponse], curator: User
) -> None:
    template = TemplateFactory(owner=curator, tags=["custmers"])
    tag = Tag.objects.get()
    send("tag", tag.pk, name="#Customers")
    tag.refresh_from_db()
    assert (tag.name, tag.slug) == ("Customers", "customers")
    assert [each.pk for each in client.get("/templates/?tag=customers").context["library"].page.items] == [template.pk]
    assert send("tag", tag.pk, name="##").status_code == 422


def test_a_name_that_is_taken_leads_to_a_merge(send: Callable[..., HttpResponse]) -> None:
    one, two = TagFactory(name="one"), TagFactory(name="two")
    refused = send("tag", one.pk, name="TWO")
    assert (refused.status_code, refused.context["form"].errors) == (
        422,
        {"name": ["“two” is another tag: merge this one into it."]},
    )
    assert refused.context["merge_form"].initial == {"target": "two"}
    assert list(Tag.objects.values_list("name", flat=True)) == [one.name, two.name]


def test_merging_tags(send: Callable[..., HttpResponse], curator: User) -> None:
    one, both, gone = (TemplateFactory(tags=tags) for tags in (["mail"], ["mail", "e-mail"], ["mail"]))
    gone.delete(by=curator)
    source, target = Tag.objects.get(slug="mail"), Tag.objects.get(slug="e-mail")
    before = set(AuditLog.objects.values_list("pk", flat=True))
    assert send("merge_tag", source.pk, target="nowhere").status_code == 422
    assert send("merge_tag", source.pk, target="MAIL").status_code == 422
    assert send("merge_tag", source.pk, target="E-Mail")["Location"] == reverse("templates_app:tags")
    assert [list(each.tags.all()) for each in (one, both, gone)] == [[target]] * 3
    assert list(Tag.objects.all()) == [target]
    rows = AuditLog.objects.exclude(pk__in=before).filter(subject_id=one.pk)
    assert [(row.changes, row.actor_id) for row in rows] == [({"tags": ["mail", "e-mail"]}, curator.pk)]


@pytest.mark.parametrize(("name", "grows"), [("tags", TagFactory), ("shelves", CategoryFactory)])
def test_query_counts_do_not_grow(client: Client, curator: User, name: str, grows: Any) -> None:
    Category.objects.all().delete()
    client.force_login(curator)
    counts = []
    for more in (10, 20):
        made = grows.create_batch(more)
        for each in made:
            TemplateFactory(**{"tags": [each]} if name == "tags" else {"category": each})
        with CaptureQueriesContext(connection) as seen:
            response = client.get(reverse(f"templates_app:{name}"))
        assert len(response.context["rows"]) == (10 if not counts else 30)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12


@pytest.mark.django_db(transaction=True)
def test_a_merged_tag_is_searched_by_its_new_name(client: Client) -> None:
    user = UserFactory()
    TemplateFactory(owner=user, tags=["zebra"])
    TagFactory(name="giraffe")
    services.merge_tags(Tag.objects.get(slug="zebra"), Tag.objects.get(slug="giraffe"))
    found = PromptTemplate.objects.visible_to(user)
    assert [found.search(word).count() for word in ("giraffe", "zebra")] == [1, 0]


def test_the_library_shows_curators_the_way_and_nobody_else(client: Client, curator: User) -> None:
    directly = UserFactory()
    directly.user_permissions.add(Permission.objects.get(codename="curate_library"))
    people = {"group": curator, "person": directly, "staff": UserFactory(staff=True), "nobody": UserFactory()}
    shown = {}
    for name, user in people.items():
        client.force_login(user)
        shown[name] = "shelf__edit" in client.get("/templates/").content.decode()
    assert shown == {"group": True, "person": True, "staff": True, "nobody": False}
