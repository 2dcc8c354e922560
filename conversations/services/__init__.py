"""What people do in conversations: ask, run, record, stop, judge, put in order; and the thread as they read it."""

from conversations.services.asking import RefusedValues, Target, ask, edit, record_answer, retry, run_version
from conversations.services.comparing import Comparison, compare
from conversations.services.judging import give_feedback
from conversations.services.limits import LimitReached
from conversations.services.organizing import end_read, mark_read, rename, set_archived, start_conversation
from conversations.services.removing import move_to_trash, remove, remove_with_following, what_follows
from conversations.services.side_by_side import answers_beside, ask_several, pick
from conversations.services.splitting import split_off
from conversations.services.stopping import stop
from conversations.services.sweeping import sweep_orphans
from conversations.services.thread import Turn, Window, load_turn, load_window

__all__ = [
    "Comparison",
    "LimitReached",
    "RefusedValues",
    "Target",
    "Turn",
    "Window",
    "answers_beside",
    "ask",
    "ask_several",
    "compare",
    "edit",
    "end_read",
    "give_feedback",
    "load_turn",
    "load_window",
    "mark_read",
    "move_to_trash",
    "pick",
    "record_answer",
    "remove",
    "remove_with_following",
    "rename",
    "retry",
    "run_version",
    "set_archived",
    "split_off",
    "start_conversation",
    "stop",
    "sweep_orphans",
    "what_follows",
]
