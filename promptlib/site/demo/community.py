"""What the people of the demonstration propose for each other's templates, and what they say about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.models import AuditLog
from promptlib.site.demo.diary import Diary, insert
from promptlib.site.demo.people import People
from promptlib.site.seed import schema
from promptlib.site.seed.schema import SeedData
from templates_app.models import PromptTemplate, Rating, RatingReport, Suggestion, SuggestionComment, TemplateVersion
from templates_app.services import version_content

Versions = Mapping[tuple[str, int], TemplateVersion]


def plant_community(
    data: SeedData, templates: Mapping[str, PromptTemplate], versions: Versions, people: People, diary: Diary
) -> None:
    """Suggestions, their discussions and reports on reviews, for `templates` that were just planted, by slug."""
    suggestions, comments = [], []
    for content in sorted(data.suggestions, key=lambda each: (-each.days_ago, each.time)):
        if content.template in templates:
            suggestions.append(_suggestion(content, versions, people, diary))
            comments += [
                SuggestionComment(
                    suggestion=suggestions[-1],
                    author=people[comment.user],
                    text=comment.text,
                    **diary.dated(diary.moment(comment.days_ago, comment.time)),
                )
                for comment in content.comments
            ]
    insert(suggestions)
    insert(comments)
    for suggestion in suggestions:
        diary.tell(suggestion, suggestion.author, suggestion.created_at, "base_version", "message")
        if suggestion.decided_at:
            _tell_decision(suggestion, suggestion.reviewer, suggestion.decided_at, diary)
    for comment in comments:
        diary.tell(comment, comment.author, comment.created_at, "text")
    _report(data, templates, people, diary)


def _suggestion(content: schema.Suggestion, versions: Versions, people: People, diary: Diary) -> Suggestion:
    base, decision = versions[content.template, content.version], content.decision
    system_prompt, body = base.system_prompt, base.body
    for change in content.changes:
        system_prompt, body = (text.replace(change.old, change.new) for text in (system_prompt, body))
    at = diary.moment(content.days_ago, content.time)
    columns: dict[str, Any] = version_content(system_prompt, body, base.variables, base.parameters, base.examples)
    if decision:
        columns["status"] = decision.status
    if decision and decision.status != Suggestion.Status.WITHDRAWN:
        columns |= {
            "reviewer": people[decision.user],
            "decided_at": diary.moment(decision.days_ago, decision.time),
            "decision_note": decision.note,
            "accepted_version": versions[content.template, decision.version] if decision.version else None,
        }
    until = diary.moment(decision.days_ago, decision.time) if decision else at
    return Suggestion(
        template=base.template,
        base_version=base,
        author=people[content.author],
        message=content.message,
        **columns,
        **diary.dated(at, until),
    )


def _tell_decision(suggestion: Suggestion, by: Any, at: datetime, diary: Diary) -> None:
    changes = {"status": [Suggestion.Status.OPEN.value, suggestion.status]}
    diary.tell(suggestion, by, at, "decision_note", action=AuditLog.Action.UPDATE, changes=changes)


def _report(data: SeedData, templates: Mapping[str, PromptTemplate], people: People, diary: Diary) -> None:
    reported = [report for report in data.reports if report.template in templates]
    ratings = {
        (rating.template_id, rating.user_id): rating
        for rating in Rating.objects.filter(template__in=[templates[report.template] for report in reported])
    }
    reports = [
        RatingReport(
            rating=ratings[templates[report.template].pk, people[report.rating_by].pk],
            user=people[report.user],
            reason=report.reason,
            **diary.dated(diary.moment(report.days_ago, report.time)),
        )
        for report in reported
    ]
    insert(reports)
    for each in reports:
        diary.tell(each, each.user, each.created_at, "rating", "reason")
