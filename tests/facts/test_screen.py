"""Progress of long work is shown on stderr.

Source of the expected values: by hand, with a clock made here.
"""

import itertools

from legible.cli import screen


def test_long_work_shows_progress_and_time_left_and_short_work_nothing(monkeypatch, capsys):
    clock = itertools.count(100.0, 20.0)  # 20 s between any two calls
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("evaluation") as report:
        for done in range(1000, 6001, 1000):
            report(done, 10_000)
    lines = capsys.readouterr().err.splitlines()  # at 0, 20, 40, 60, 80, 100 s: at most every 30 s
    assert lines == [
        "evaluation: 3,000 of 10,000, 2 min 20 s left",
        "evaluation: 5,000 of 10,000, 1 min 40 s left",
    ]
    with screen.counting("evaluation") as report:
        report(10, 10)
    assert capsys.readouterr().err == ""


def test_work_without_progress_shows_nothing(monkeypatch, capsys):
    clock = itertools.count(100.0, 40.0)
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("reading") as report:
        for _ in range(3):
            report(1, 1)  # the pages of one file
    assert capsys.readouterr().err == ""


def test_resumed_work_does_not_shorten_the_estimate_of_the_time_left(monkeypatch, capsys):
    clock = iter([0.0, 40.0, 80.0, 120.0])  # the first 5,000 are reported at once
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.counting("evaluation") as report:
        for done in (1000, 5000, 6000, 7000):
            report(done, 10_000)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "evaluation: 6,000 of 10,000, 2 min 40 s left",
        "evaluation: 7,000 of 10,000, 2 min 00 s left",
    ]
