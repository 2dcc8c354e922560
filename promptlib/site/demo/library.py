"""The templates of the demonstration, with their versions and everything that people did with them."""

from collections.abc import Iterable
from datetime import time, timedelta

from accounts.models import Team, User
from promptlib.site.demo.community import plant_community
from promptlib.site.demo.diary import Diary, insert
from promptlib.site.demo.people import People
from promptlib.site.seed import SeedData
from promptlib.site.seed.schema import Template
from templates_app.models import (
    Category,
    Favorite,
    Grant,
    Label,
    PromptTemplate,
    Rating,
    Tag,
    TemplateTag,
    TemplateVersion,
)
from templates_app.services import version_content

SOURCE = "demo"
EVENING = time(18, 30)
TOLD = ("title", "summary", "language", "visibility", "category")

Versions = dict[tuple[str, int], TemplateVersion]
"""By the template's slug in the content, and the version's number."""


def plant_templates(data: SeedData, people: People, diary: Diary) -> int:
    """Add the templates that are not here yet; returns how many."""
    known = set(PromptTemplate.all_objects.filter(source=SOURCE).values_list("source_id", flat=True))
    contents = [template for template in data.templates if template.slug not in known]
    shelves = {category.slug: category for category in Category.objects.all()}
    templates = {content.slug: _template(content, people, shelves, diary) for content in contents}
    insert(templates.values())
    _tag(contents, templates, diary)
    versions = [
        _version(content, number, templates[content.slug], people, diary)
        for content in contents
        for number in range(1, len(content.versions) + 1)
    ]
    insert(versions)
    _point(contents, templates)
    for template in templates.values():
        diary.tell(template, template.owner, template.created_at, *TOLD)
    for version in versions:
        diary.tell(version, version.author, version.created_at, "number", "change_note", "body")
    _plant_around(contents, templates, people, diary)
    plant_community(data, templates, planted_versions(), people, diary)
    return len(templates)


def planted_versions() -> Versions:
    """Every version of what was planted, now or before; one query."""
    rows = TemplateVersion.objects.filter(template__source=SOURCE).select_related("template")
    return {(str(row.template.source_id), row.number): row for row in rows}


def _template(content: Template, people: People, shelves: dict[str, Category], diary: Diary) -> PromptTemplate:
    first, last = content.versions[0], content.current
    return PromptTemplate(
        owner=people[content.owner],
        title=content.title,
        slug=PromptTemplate.slug_of(content.title),
        summary=content.summary,
        category=shelves.get(content.category),
        language=content.language,
        visibility=content.visibility,
        source=SOURCE,
        source_id=content.slug,
        revision=len(content.versions) - 1,
        **diary.dated(diary.early(first.days_ago, content.slug), diary.early(last.days_ago, content.slug)),
    )


def _tag(contents: list[Template], templates: dict[str, PromptTemplate], diary: Diary) -> None:
    wanted = {content.slug: {Tag.slug_of(name): name for name in content.tags} for content in contents}
    slugs = {slug for tags in wanted.values() for slug in tags}
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=slugs)}
    made, links = [], []
    for slug, tags in sorted(wanted.items(), key=lambda item: templates[item[0]].created_at):
        template = templates[slug]
        for tag_slug, name in tags.items():
            if tag_slug not in known:
                known[tag_slug] = Tag(slug=tag_slug, name=name, **diary.dated(template.created_at))
                made.append(known[tag_slug])
                diary.tell(known[tag_slug], template.owner, template.created_at, "name", "slug")
            links.append(TemplateTag(template=template, tag=known[tag_slug], **diary.dated(template.created_at)))
    insert(made)
    insert(links)


def _version(content: Template, number: int, template: PromptTemplate, people: People, diary: Diary) -> TemplateVersion:
    said = content.version(number)
    columns = version_content(said.system_prompt, said.body, said.contract, said.parameters, ())
    return TemplateVersion(
        template=template,
        number=number,
        author=people[said.author],
        change_note=said.change_note,
        content_hash=TemplateVersion.hash_of(**columns),
        **columns,
        **diary.dated(diary.early(said.days_ago, content.slug)),
    )


def _point(contents: list[Template], templates: dict[str, PromptTemplate]) -> None:
    """Each template to its current version, a fork to the version it comes from."""
    versions = planted_versions()
    for content in contents:
        template = templates[content.slug]
        template.current_version = versions[content.slug, content.current.number]
        if fork := content.forked_from:
            template.forked_from = versions.get((fork.slug, fork.version))
    invented = PromptTemplate.all_objects.unlogged("invented; record_past tells of it as of the past")
    invented.bulk_update(templates.values(), ["current_version", "forked_from"])


def _plant_around(
    contents: Iterable[Template], templates: dict[str, PromptTemplate], people: People, diary: Diary
) -> None:
    versions = planted_versions()
    teams = {team.slug: team for team in Team.objects.all()}
    labels, grants, favorites = [], [], []
    ratings: list[Rating] = []
    for content in contents:
        template, slug = templates[content.slug], content.slug
        for name, number in content.labels.items():
            at = versions[slug, number].created_at + timedelta(minutes=2)
            labels.append(Label(template=template, name=name, version=versions[slug, number], **diary.dated(at)))
        for grant in content.grants:
            at = template.created_at + timedelta(minutes=5)
            to: dict[str, User | Team] = {"team": teams[grant.team]} if grant.team else {"user": people[grant.user]}
            grants.append(Grant(template=template, role=grant.role, **to, **diary.dated(at)))
        ratings += [
            Rating(
                template=template,
                version=versions[slug, rating.version],
                user=people[rating.user],
                score=rating.score,
                review=rating.review,
                model=rating.model,
                task=rating.task,
                **diary.dated(diary.moment(rating.days_ago, EVENING)),
            )
            for rating in content.ratings
        ]
        for handle in content.favorites:
            at = max(template.created_at, people[handle].created_at) + timedelta(hours=6)
            favorites.append(Favorite(template=template, user=people[handle], **diary.dated(at)))
    for rows in (labels, grants, ratings, favorites):
        insert(rows)
    for label in labels:
        diary.tell(label, label.template.owner, label.created_at, "name", "version")
    for right in grants:
        diary.tell(right, right.template.owner, right.created_at, "user", "team", "role")
    for opinion in ratings:
        diary.tell(opinion, opinion.user, opinion.created_at, "score", "review", "version")
    for bookmark in favorites:
        diary.tell(bookmark, bookmark.user, bookmark.created_at, "template")
