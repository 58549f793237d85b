"""Clean many files at once on all cores: each worker is a process with its own network."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

import cv2

from legible.cleaning.clean import load_cleaner
from legible.cleaning.files import clean_file
from legible.cleaning.job import FileReport, Job
from legible.cores import count_cores
from legible.errors import ExitCode, InputError

_own: dict[str, Any] = {}  # a worker's network, loaded once, and whether a file is in its hands


def clean_files(jobs: Sequence[Job], model: str, workers: int | None) -> Generator[FileReport, None, None]:
    """Clean files; reports come in the order of the jobs. workers: processes; one a core if None.

    An error in a file is in its report. Closing the iterator ends the workers; nothing half-written stays.
    Raises ModelError, and InputError when a worker was killed.
    """
    n_cores = count_cores()
    n_workers = min(workers or n_cores, len(jobs))
    if n_workers < 1:
        return
    if n_workers == 1:
        cleaner = load_cleaner(model)
        yield from (clean_file(cleaner, job) for job in jobs)
        return
    load_cleaner(model, ahead=False)  # what is wrong with it is reported before any worker starts
    context = multiprocessing.get_context("spawn")
    each = max(1, n_cores // n_workers)
    with ProcessPoolExecutor(n_workers, context, initializer=_start, initargs=(model, each)) as pool:
        try:
            with _holding_interrupts():
                reports = pool.map(_clean_one, jobs)
            yield from reports
        except BrokenProcessPool:
            raise InputError("a worker was killed, likely for lack of memory. Use fewer --workers.") from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


@contextmanager
def _holding_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while processes start, which inherit that: only this one is to hear it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(model: str, n_cores: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(n_cores)
    _own["cleaner"] = load_cleaner(model, n_cores=n_cores)


def _end_with_parent() -> None:
    """Wait until the process that started this one is gone, however it went, and end in good order too."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(*_: object) -> None:
    """End the process: at once between files; within one, after what is half-written has been removed."""
    if _own.get("at_work") is None:
        os._exit(ExitCode.INTERRUPTED)
    if _own["at_work"]:
        _own["at_work"] = False  # a second signal does not disturb the tidying up
        raise SystemExit


def _clean_one(job: Job) -> FileReport:
    _own["at_work"] = True
    try:
        return clean_file(_own["cleaner"], job)
    except SystemExit:
        os._exit(ExitCode.INTERRUPTED)
    finally:
        _own["at_work"] = None
