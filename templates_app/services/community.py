"""What people do with each other's templates: rate them, keep them."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from templates_app.models import Favorite, PromptTemplate, Rating, RatingReport, TemplateVersion


@transaction.atomic
def rate_template(
    template: PromptTemplate,
    *,
    user: Any,
    score: int,
    review: str = "",
    version: TemplateVersion,
    model: str = "",
    task: str = "",
) -> Rating:
    """The one living rating of this person, made or changed. Raises ValueError for the template's own owner."""
    if template.owner_id == user.pk:
        raise ValueError("Owners do not rate their own templates.")
    _lock_counted(version.pk, template.pk)
    rating = Rating.objects.filter(template=template, user=user).first() or Rating(template=template, user=user)
    given = {"score": score, "review": review, "version": version, "model": model, "task": task}
    for name, value in given.items():
        setattr(rating, name, value)
    rating.save(update_fields=None if rating._state.adding else list(given))
    return rating


@transaction.atomic
def withdraw_rating(template: PromptTemplate, *, user: Any) -> Rating | None:
    """Move this person's rating to the trash; None if there is none."""
    rating = Rating.objects.filter(template=template, user=user).first()
    if rating is not None:
        _lock_counted(rating.version_id, template.pk)
        rating.delete(by=user)
    return rating


@transaction.atomic
def report_rating(rating: Rating, *, user: Any, reason: str) -> RatingReport:
    """Tell the curators why a review should go; who says it twice has said it once."""
    Rating.objects.select_for_update().get(pk=rating.pk)
    known = RatingReport.objects.filter(rating=rating, user=user).first()
    return known or RatingReport.objects.create(rating=rating, user=user, reason=reason)


@transaction.atomic
def keep_rating(report: RatingReport, *, by: Any) -> Rating:
    """Let the reported review stand, or bring it back: all reports on it are decided.

    Raises RestoreConflict when it was removed and its author has rated the template again since.
    """
    rating = _lock_reported(report)
    if rating.is_deleted and rating.reports.filter(decision=RatingReport.Decision.REMOVED).exists():
        rating.restore(by=by)
    _decide(rating, RatingReport.Decision.KEPT, by)
    return rating


@transaction.atomic
def remove_rating(report: RatingReport, *, by: Any) -> Rating:
    """Move the reported review to the trash, its stars with it: all reports on it are decided.

    One that its author withdrew meanwhile is gone already, and nothing is left to decide.
    """
    rating = _lock_reported(report)
    if rating.is_deleted:
        return rating
    rating.delete(by=by, reason=report.reason[:500])
    _decide(rating, RatingReport.Decision.REMOVED, by)
    return rating


def _lock_reported(report: RatingReport) -> Rating:
    rating = Rating.all_objects.get(pk=report.rating_id)
    _lock_counted(rating.version_id, rating.template_id)
    return Rating.all_objects.select_for_update().get(pk=rating.pk)


def _lock_counted(version_pk: Any, template_pk: Any) -> None:
    """The triggers will write to both rows; taken now, in the order in which a run takes them, nobody deadlocks."""
    TemplateVersion.objects.select_for_update().get(pk=version_pk)
    PromptTemplate.all_objects.select_for_update().get(pk=template_pk)


def _decide(rating: Rating, decision: str, by: Any) -> None:
    for report in rating.reports.exclude(decision=decision):
        report.decision, report.decided_by, report.decided_at = decision, by, timezone.now()
        report.save(update_fields=["decision", "decided_by", "decided_at"])


@transaction.atomic
def toggle_favorite(template: PromptTemplate, *, user: Any) -> bool:
    """Keep the template among this person's favourites, or no longer; returns whether it now is one."""
    PromptTemplate.objects.select_for_update().get(pk=template.pk)
    favorite = Favorite.objects.filter(template=template, user=user).first()
    if favorite is None:
        Favorite.objects.create(template=template, user=user)
        return True
    favorite.delete()
    return False
