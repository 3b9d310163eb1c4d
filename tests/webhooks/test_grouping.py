"""One write for all who wait: everybody gets the outcome of their own item, whatever happens to the others."""

from __future__ import annotations

import threading

import pytest

from webhooks.grouping import Group


class Writer:
    """Doubles numbers; the first write is held until the test lets it go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        self.entered.set()
        assert self.go_on.wait(10)
        if 13 in items and len(items) > 1:
            raise ValueError("all of them")
        return [KeyError(item) if item < 0 else item * 2 for item in items]


def put_all(writer: Writer, numbers: list[int], most: int = 64) -> dict[int, object]:
    """The first alone; the others arrive while it is being written."""
    group: Group[int, int] = Group(writer, most=most)
    came: dict[int, object] = {}

    def put(number: int) -> None:
        try:
            came[number] = group.put(number)
        except Exception as error:
            came[number] = error

    threads = [threading.Thread(target=put, args=(number,)) for number in numbers]
    threads[0].start()
    assert writer.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(group._waiting) < len(numbers) - 1:
        pass
    writer.go_on.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert not group._someone_writes
    return came


def test_those_who_come_meanwhile_are_written_together() -> None:
    writer = Writer()
    assert put_all(writer, [1, 2, 3, 4, 5]) == {1: 2, 2: 4, 3: 6, 4: 8, 5: 10}
    assert [len(batch) for batch in writer.batches] == [1, 4]


def test_no_write_has_more_than_the_most() -> None:
    writer = Writer()
    assert put_all(writer, list(range(1, 12)), most=4) == {n: n * 2 for n in range(1, 12)}
    assert [len(batch) for batch in writer.batches] == [1, 4, 4, 2]


def test_one_that_failed_is_told_so_and_the_others_are_not() -> None:
    came = put_all(Writer(), [1, 2, -3, 4])
    assert isinstance(came.pop(-3), KeyError)
    assert came == {1: 2, 2: 4, 4: 8}


def test_a_write_that_raises_tells_all_of_its_items_and_blocks_nobody_after_it() -> None:
    writer = Writer()
    came = put_all(writer, [1, 13, 2])
    assert [came[1], type(came[13]), type(came[2])] == [2, ValueError, ValueError]
    assert Group(writer, most=1).put(4) == 8


def test_a_writer_that_is_stopped_in_the_middle_leaves_nobody_waiting() -> None:
    def stopped(items: list[int]) -> list[int | Exception]:
        raise SystemExit

    group: Group[int, int] = Group(stopped, most=4)
    with pytest.raises(SystemExit):
        group.put(1)
    assert not group._someone_writes
