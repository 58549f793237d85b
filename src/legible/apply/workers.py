"""Clean many files, on all cores: each worker a process with a network of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2

from legible.apply.batch import Job, Report, clean_file
from legible.apply.cleaner import Cleaner
from legible.apply.saved import load_cleaner
from legible.cores import count_cores
from legible.errors import InputError

_own: dict[str, Cleaner] = {}  # a worker's network, loaded once


def clean_all(jobs: list[Job], model: str, workers: int | None) -> Iterator[Report]:
    """Clean files; reports come in the order of the jobs. workers: processes, else one a core."""
    n_cores = count_cores()
    n_workers = min(workers or n_cores, len(jobs))
    if n_workers <= 1:
        cleaner = load_cleaner(model)
        yield from (clean_file(cleaner, job) for job in jobs)
        return
    load_cleaner(model, ahead=False)  # what is wrong with it is told before any worker starts
    context = multiprocessing.get_context("spawn")
    each = max(1, n_cores // n_workers)
    with ProcessPoolExecutor(n_workers, context, initializer=_start, initargs=(model, each)) as pool:
        try:
            yield from pool.map(_clean_one, jobs)
        except BrokenProcessPool:
            raise InputError(
                "a worker was killed, likely for want of memory. Take fewer --workers."
            ) from None


def _start(model: str, n_cores: int) -> None:
    cv2.setNumThreads(n_cores)
    _own["cleaner"] = load_cleaner(model, n_cores=n_cores)


def _clean_one(job: Job) -> Report:
    return clean_file(_own["cleaner"], job)
