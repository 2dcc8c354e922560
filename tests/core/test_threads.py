"""The pool of a web worker: never more pages at once than it has threads, and streams on top."""

import threading

from promptlib.core.threads import ThreadPool, aside


def wait_until(condition):
    for _ in range(500):
        if condition():
            return True
        threading.Event().wait(0.01)
    return False


def test_what_is_done_comes_back_and_what_fails_too():
    pool = ThreadPool(2)
    assert [pool.submit(pow, 2, number).result(5) for number in range(5)] == [1, 2, 4, 8, 16]
    assert isinstance(pool.submit(lambda: 1 / 0).exception(5), ZeroDivisionError)
    assert pool.submit(len, "on it goes").result(5) == 10


def test_so_many_at_once_and_the_others_wait():
    pool, go, running = ThreadPool(3), threading.Event(), []

    def page(number):
        running.append(number)
        return go.wait(10)

    futures = [pool.submit(page, number) for number in range(9)]
    assert wait_until(lambda: len(running) == 3)
    threading.Event().wait(0.05)
    assert len(running) == 3
    go.set()
    assert [future.result(5) for future in futures] == [True] * 9


def test_streams_leave_their_places_and_go_when_they_are_too_many():
    pool, end, opened = ThreadPool(2), threading.Event(), []

    def stream():
        with aside():
            opened.append(threading.current_thread())
            return end.wait(10)

    futures = [pool.submit(stream) for _ in range(20)]
    assert wait_until(lambda: len(opened) == 20)
    assert pool.submit(len, "a page meanwhile").result(5) == 16
    end.set()
    assert [future.result(5) for future in futures] == [True] * 20
    assert wait_until(lambda: sum(thread.is_alive() for thread in opened) <= 2)
    assert pool.submit(len, "and after").result(5) == 9


def test_elsewhere_it_is_nothing():
    with aside():
        pass
