"""What is said after something was done to many templates."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from templates_app.models import PromptTemplate
from templates_app.services.bulk import Outcome, Undone


def done_words(action: str, outcome: Outcome, choice: Any) -> str:
    """One to three sentences: what was done, to how many; how many were so already; how many were skipped."""
    words = []
    if outcome.done:
        words.append(_done(action, outcome.done, choice))
    if outcome.unchanged:
        text = ngettext("%(count)s stays as it was.", "%(count)s stay as they were.", outcome.unchanged)
        words.append(text % {"count": f"{outcome.unchanged:,}"})
    if outcome.skipped:
        text = ngettext(
            "%(count)s skipped: it is not yours to change.",
            "%(count)s skipped: they are not yours to change.",
            outcome.skipped,
        )
        words.append(text % {"count": f"{outcome.skipped:,}"})
    return " ".join(words)


def undone_words(undone: Undone) -> str:
    if undone.is_repeated:
        return _("That was undone already.")
    words = []
    if undone.restored:
        text = ngettext("%(count)s template is as before.", "%(count)s templates are as before.", undone.restored)
        words.append(text % {"count": f"{undone.restored:,}"})
    if undone.left:
        text = ngettext(
            "%(count)s was changed since and is left alone.",
            "%(count)s were changed since and are left alone.",
            undone.left,
        )
        words.append(text % {"count": f"{undone.left:,}"})
    return " ".join(words) or _("There was nothing to undo.")


def _done(action: str, count: int, choice: Any) -> str:
    values: dict[str, Any] = {"count": f"{count:,}"}
    if action == "tag":
        text = ngettext("%(tags)s put on %(count)s template.", "%(tags)s put on %(count)s templates.", count)
        values["tags"] = _tags(choice)
    elif action == "untag":
        text = ngettext("%(tags)s taken off %(count)s template.", "%(tags)s taken off %(count)s templates.", count)
        values["tags"] = _tags(choice)
    elif action == "shelve" and choice is None:
        text = ngettext(
            "%(count)s template stands on no shelf now.", "%(count)s templates stand on no shelf now.", count
        )
    elif action == "shelve":
        text = ngettext("%(count)s template put on “%(shelf)s”.", "%(count)s templates put on “%(shelf)s”.", count)
        values["shelf"] = choice
    elif action == "visibility":
        text = ngettext(
            "%(count)s template is %(visibility)s now.", "%(count)s templates are %(visibility)s now.", count
        )
        values["visibility"] = PromptTemplate.Visibility(choice).label
    elif action == "share":
        text = ngettext("%(count)s template shared with %(who)s.", "%(count)s templates shared with %(who)s.", count)
        values["who"] = choice.get("user") or choice.get("team")
    elif action == "archive":
        text = ngettext("%(count)s template is archived.", "%(count)s templates are archived.", count)
    else:
        text = ngettext("%(count)s template is in the trash.", "%(count)s templates are in the trash.", count)
    return text % values


def _tags(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
