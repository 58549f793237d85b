"""What people see while they wait."""

import itertools

from legible.cli import screen


def test_long_work_tells_how_far_it_is_and_how_long_it_takes_and_short_work_nothing(monkeypatch, capsys):
    clock = itertools.count(100.0, 20.0)  # a step between any two looks at it
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("judging") as tell:
        for done in range(1000, 6001, 1000):
            tell(done, 10_000)
    lines = capsys.readouterr().err.splitlines()  # at 0, 20, 40, 60, 80, 100 s: every 30 s at most
    assert lines == ["judging: 3,000 of 10,000, 2 min 20 s left", "judging: 5,000 of 10,000, 1 min 40 s left"]
    with screen.counting("judging") as tell:
        tell(10, 10)
    assert capsys.readouterr().err == ""


def test_work_that_stands_still_for_a_while_tells_nothing_new(monkeypatch, capsys):
    clock = itertools.count(100.0, 40.0)
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("reading") as tell:
        for _ in range(3):
            tell(1, 1)  # the pages of one file
    assert capsys.readouterr().err == ""


def test_what_was_kept_from_before_does_not_make_the_time_left_look_short(monkeypatch, capsys):
    clock = iter([0.0, 40.0, 80.0, 120.0])  # the first 5,000 are told of one after another, at once
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("judging") as tell:
        for done in (1000, 5000, 6000, 7000):
            tell(done, 10_000)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "judging: 6,000 of 10,000, 2 min 40 s left",
        "judging: 7,000 of 10,000, 2 min 00 s left",
    ]
