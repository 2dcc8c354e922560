"""Which interactions a thread shows, in which order, on which branch."""

import pytest

from conversations.services import Target, ask, load_window, retry
from conversations.services.path import path_down, path_up, siblings_of
from tests.factories import ConversationFactory, PromptFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation():
    return ConversationFactory()


def line(conversation, count, parent=None):
    """`count` interactions, each the answer to the one before."""
    prompts = []
    for _ in range(count):
        parent = PromptFactory(conversation=conversation, parent=parent)
        prompts.append(parent)
    return prompts


def pks(prompts):
    return [prompt.pk for prompt in prompts]


def shown(window):
    return [turn.prompt.pk for turn in window.turns]


def test_a_line_is_shown_from_its_first_question(conversation):
    prompts = line(conversation, 3)
    conversation.refresh_from_db()
    window = load_window(conversation)
    assert shown(window) == pks(prompts)
    assert [turn.number for turn in window.turns] == [1, 2, 3]
    assert (window.earlier, window.later, window.leaf) == (None, None, prompts[-1])


def test_interactions_without_parents_follow_each_other(conversation):
    prompts = [PromptFactory(conversation=conversation) for _ in range(3)]
    asked = ask(target=Target(conversation), author=conversation.owner, text="And?", model=None)
    assert asked.parent == prompts[-1]
    assert shown(load_window(conversation)) == [*pks(prompts), asked.pk]


def test_another_conversation_is_another_thread(conversation):
    line(ConversationFactory(), 2)
    prompts = line(conversation, 1)
    line(ConversationFactory(), 2)
    assert shown(load_window(conversation)) == pks(prompts)


def test_the_newest_answer_is_shown_and_the_others_are_a_step_away(conversation):
    first, second, third = line(conversation, 3)
    again = retry(second, author=conversation.owner, model=None)
    window = load_window(conversation)
    assert shown(window) == [first.pk, again.pk]
    turn = window.turns[-1]
    assert (turn.place, turn.siblings, turn.previous_sibling, turn.next_sibling) == (
        2,
        [second.pk, again.pk],
        second.pk,
        None,
    )
    assert shown(load_window(conversation, at=second.pk)) == [first.pk, second.pk, third.pk]


def test_a_first_question_asked_again_is_one_question_with_three_answers(conversation):
    first, second = line(conversation, 2)
    again = retry(first, author=conversation.owner, model=None)
    third = retry(again, author=conversation.owner, model=None)
    for prompt in (first, again, third):
        prompt.refresh_from_db()
        assert siblings_of([prompt]) == {prompt.pk: [first.pk, again.pk, third.pk]}
    assert shown(load_window(conversation)) == [third.pk]
    assert shown(load_window(conversation, at=first.pk)) == [first.pk, second.pk]
    again.delete()
    third.refresh_from_db()
    assert siblings_of([third]) == {third.pk: [first.pk, third.pk]}


def test_what_is_in_the_trash_is_stepped_over(conversation):
    first, second, third = line(conversation, 3)
    second.delete()
    assert shown(load_window(conversation)) == [first.pk, third.pk]


def test_what_followed_an_answer_in_the_trash_follows_what_stood_before_it(conversation):
    first, second, third = line(conversation, 3)
    again = retry(second, author=conversation.owner, model=None)
    fourth = PromptFactory(conversation=conversation, parent=again)
    second.delete()
    conversation.refresh_from_db()
    assert siblings_of([third, again]) == dict.fromkeys(pks([third, again]), pks([third, again]))
    assert shown(load_window(conversation)) == pks([first, again, fourth])
    assert shown(load_window(conversation, at=third.pk)) == pks([first, third])
    assert list(path_down(conversation.pk, start=first.pk, limit=5, toward=third.pk)) == [third.pk]
    again.delete()
    conversation.refresh_from_db()
    assert siblings_of([third]) == {third.pk: pks([third, fourth])}
    assert [turn.number for turn in load_window(conversation).turns] == [1, 3]
    fourth.delete()
    conversation.refresh_from_db()
    assert path_up(conversation.pk, limit=5) == shown(load_window(conversation)) == pks([first, third])
    second.restore()
    assert path_up(conversation.pk, limit=5) == pks([first, second, third])


def test_a_long_thread_is_read_in_windows(conversation):
    prompts = pks(line(conversation, 65))
    conversation.refresh_from_db()
    last = load_window(conversation)
    assert (shown(last), last.earlier, last.later) == (prompts[55:], prompts[55], None)
    assert [last.turns[0].number, last.turns[-1].number] == [56, 65]
    middle = load_window(conversation, before=last.earlier)
    assert (shown(middle), middle.earlier, middle.later) == (prompts[25:55], prompts[25], prompts[54])
    start = load_window(conversation, before=middle.earlier)
    assert (shown(start), start.earlier, start.later) == (prompts[:25], None, prompts[24])


def test_an_interaction_is_shown_with_what_stands_around_it(conversation):
    prompts = pks(line(conversation, 65))
    window = load_window(conversation, at=prompts[30])
    assert shown(window) == prompts[16:46]
    assert (window.earlier, window.later) == (prompts[16], prompts[45])
    near_end = load_window(conversation, at=prompts[60])
    assert (shown(near_end), near_end.later) == (prompts[35:65], None)


def test_an_address_that_leads_nowhere_shows_the_end(conversation):
    prompts = line(conversation, 2)
    stranger = PromptFactory()
    assert shown(load_window(conversation, at=stranger.pk)) == pks(prompts)
    assert shown(load_window(conversation, before=stranger.pk)) == pks(prompts)


def test_the_end_of_a_long_thread_costs_what_a_short_one_costs(conversation, django_assert_num_queries):
    line(conversation, 35)
    for _ in range(2):
        conversation.refresh_from_db()
        with django_assert_num_queries(4):  # the way, the rows, their remarks, the siblings
            assert len(load_window(conversation).turns) == 10
        line(conversation, 60, parent=conversation.prompts.order_by("-pk").first())


def test_ways_up_and_down_pass_many_branches(conversation):
    first, second = line(conversation, 2)
    for _ in range(120):
        PromptFactory(conversation=conversation, parent=first)
    assert path_up(conversation.pk, end=second.pk, limit=5) == [first.pk, second.pk]
    last = conversation.prompts.order_by("-pk").first()
    assert path_down(conversation.pk, start=first.pk, limit=5) == {last.pk: 121}


def test_what_others_asked_since_the_last_visit_is_marked(conversation):
    first, _second, _third = line(conversation, 3)
    news = [
        turn.is_new for turn in load_window(conversation, read_at=first.created_at, reader=PromptFactory().author).turns
    ]
    assert news == [False, True, False]
    own = load_window(conversation, read_at=first.created_at, reader=conversation.owner)
    assert [turn.is_new for turn in own.turns] == [False, False, False]
    unseen = load_window(conversation, read_at=conversation.created_at, reader=PromptFactory().author)
    assert [turn.is_new for turn in unseen.turns] == [False, False, False]


def numbers(window):
    return [turn.number for turn in window.turns]


def test_a_number_is_the_interactions_own_on_whatever_branch_it_is_seen(conversation):
    first, second, third = line(conversation, 3)
    again = retry(second, author=conversation.owner, model=None)
    conversation.refresh_from_db()
    assert numbers(load_window(conversation)) == [1, 4]
    assert numbers(load_window(conversation, at=third.pk)) == [1, 2, 3]
    assert numbers(load_window(conversation, leaf=second.pk)) == [1, 2, 3]
    assert numbers(load_window(conversation, upto=second.pk)) == [1, 2]
    assert numbers(load_window(conversation, before=again.pk)) == [1]
    assert numbers(load_window(conversation, after=first.pk)) == [4]


def test_later_goes_on_where_a_window_ended(conversation):
    prompts = pks(line(conversation, 65))
    conversation.refresh_from_db()
    second = load_window(conversation, after=prompts[4])
    assert (shown(second), second.earlier, second.later) == (prompts[5:35], prompts[5], prompts[34])
    assert numbers(second) == list(range(6, 36))
    third = load_window(conversation, after=second.later)
    assert (shown(third), third.later) == (prompts[35:], None)
    past_the_end = load_window(conversation, after=prompts[-1])
    assert (shown(past_the_end), past_the_end.later) == (prompts[35:], None)


def test_the_way_that_was_read_last_is_shown_with_what_followed_it_since(conversation):
    first, second, third = line(conversation, 3)
    retry(second, author=conversation.owner, model=None)
    fourth = PromptFactory(conversation=conversation, parent=third)
    conversation.refresh_from_db()
    assert shown(load_window(conversation, leaf=second.pk)) == pks([first, second, third, fourth])
    assert shown(load_window(conversation, at=first.pk, leaf=third.pk)) == pks([first, second, third, fourth])
    third.delete()
    assert shown(load_window(conversation, leaf=third.pk)) == [first.pk, second.pk, fourth.pk]


def test_one_branches_off_what_has_no_parent(conversation):
    first, second, third = (PromptFactory(conversation=conversation) for _ in range(3))
    branch = ask(target=Target(conversation, after=first.pk), author=conversation.owner, text="Or?", model=None)
    second.refresh_from_db()
    assert siblings_of([second, branch]) == {pk: [second.pk, branch.pk] for pk in (second.pk, branch.pk)}
    assert shown(load_window(conversation, at=second.pk)) == pks([first, second, third])
    assert shown(load_window(conversation)) == [first.pk, branch.pk]


def test_what_was_asked_since_is_followed_and_not_answered_beside(conversation):
    first, second = line(conversation, 2)
    other = retry(second, author=conversation.owner, model=None)
    ours = ask(target=Target(conversation, leaf=second.pk), author=conversation.owner, text="One", model=None)
    theirs = ask(target=Target(conversation, leaf=second.pk), author=conversation.owner, text="Two", model=None)
    assert [prompt.parent_id for prompt in (other, ours, theirs)] == [first.pk, second.pk, ours.pk]
    run = ask(target=Target(conversation), author=conversation.owner, text="Three", model=None)
    assert run.parent_id == theirs.pk
