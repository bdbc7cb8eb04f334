import threading
import time

import pytest

from recurra.data.batching.ahead import read_ahead


def counted(made, stop=100):
    for k in range(stop):
        made.append(k)
        yield k


def wait_until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.002)
    raise AssertionError("It did not come about within a second")


def threads():
    return [each for each in threading.enumerate() if each.name == "recurra-read-ahead"]


def test_items_come_in_order_and_the_thread_ends():
    assert list(read_ahead(counted([], 50))) == list(range(50))
    assert not threads()


def test_one_item_is_made_ahead_and_no_more():
    made = []
    items = read_ahead(counted(made))
    for k in range(5):
        assert next(items) == k
        wait_until(lambda k=k: len(made) == k + 2)
        time.sleep(0.005)
        assert len(made) == k + 2
    items.close()


def test_closing_early_ends_the_thread_and_closes_what_was_read():
    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(threading.current_thread().name)

    ahead = read_ahead(items())
    next(ahead)
    ahead.close()
    assert closed == ["recurra-read-ahead"]
    assert not threads()


def test_dropping_it_in_the_middle_of_a_loop_ends_the_thread():
    for k in read_ahead(counted([])):
        if k == 3:
            break
    wait_until(lambda: not threads())


def test_an_error_is_raised_where_its_item_would_come():
    def items():
        yield 1
        yield 2
        raise KeyError("third")

    ahead = read_ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(ahead)
    assert not threads()
