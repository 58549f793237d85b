"""Kill `legible clean` at random moments of a folder's run, again and again, and see what is left.

    python benchmarks/kill_clean.py [--kills 1000] [--files 24] [--seed 0]

Each time, the whole process group gets SIGKILL after a random time, up to that of a whole run; the same
command then goes on where it stopped, until it is killed again or done; then the output is removed, and it
begins anew. Half of the runs have one worker, half two, and each writes a report too. After each kill: every
file that can be seen is whole (equal, byte for byte, to that of a run that nobody disturbed), and no scan has
changed. At the end of each chain of runs, all files are there, and the report has a row for each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from legible.data.page_tiles import make_pairs
from legible.images import to_bytes

Hashes = dict[str, str]


def make_scans(folder: Path, n_files: int) -> None:
    """Small pages: a PNG, a JPEG and a TIFF of two pages in turn, half of them in a folder below."""
    pages = [Image.fromarray(to_bytes(1 - pair.noisy[:160, :200])) for pair in make_pairs(6, dirt=0.5)]
    (folder / "deep").mkdir(parents=True)
    for n in range(n_files):
        page, ending = pages[n % len(pages)], (".png", ".jpg", ".tif")[n % 3]
        more = {"save_all": True, "append_images": [pages[n % 2].copy()]} if ending == ".tif" else {}
        page.save(folder / ("deep" if n % 2 else ".") / f"page-{n:03d}{ending}", **more)


def hash_files(folder: Path) -> Hashes:
    """The visible files of a folder, each with a hash of its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass
class Trial:
    """The scans, what a run makes of them that nobody disturbs, and what kills have left."""

    root: Path
    scans: Hashes = field(default_factory=dict)
    whole: Hashes = field(default_factory=dict)
    whole_seconds: float = 0.0
    n_kills: int = 0
    n_in_mid_run: int = 0
    n_chains: int = 0
    faults: list[str] = field(default_factory=list)

    def run(self, n_workers: int, seconds: float | None) -> int | None:
        """Run the command; kill it after some seconds. Returns its exit code, None if it was killed."""
        words = ["clean", "scans", "-o", "out", "--report", "report", "--workers", str(n_workers), "--quiet"]
        process = subprocess.Popen(
            [sys.executable, "-m", "legible", *words], cwd=self.root, start_new_session=True
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None

    def prepare(self, n_files: int) -> None:
        """Make the scans, and clean them undisturbed."""
        make_scans(self.root / "scans", n_files)
        self.scans = hash_files(self.root / "scans")
        started = time.perf_counter()
        if self.run(1, None) != 0:
            raise SystemExit("the command fails even if nobody disturbs it")
        self.whole_seconds = time.perf_counter() - started
        self.whole = hash_files(self.root / "out")
        self.clear()

    def clear(self) -> None:
        """Remove the results."""
        for name in ("out", "report"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def check(self, *, at_end: bool) -> None:
        """Look at what is there."""
        made = hash_files(self.root / "out")
        half = sorted(name for name, value in made.items() if self.whole.get(name) != value)
        self.faults += [f"kill {self.n_kills}: {name} is not whole" for name in half]
        if hash_files(self.root / "scans") != self.scans:
            self.faults.append(f"kill {self.n_kills}: a scan has changed")
        if not at_end:
            self.n_in_mid_run += 0 < len(made) < len(self.whole)
            return
        if made != self.whole:
            self.faults.append(f"kill {self.n_kills}: the resumed run made {len(made)} files")
        rows = map(json.loads, (self.root / "report" / "pages.jsonl").read_text().splitlines())
        if len({row["output"] for row in rows}) != len(self.whole):
            self.faults.append(f"kill {self.n_kills}: the report lacks files")


def kill_often(trial: Trial, n_kills: int, rng: random.Random) -> None:
    """Kill runs, and let others go on, until there were so many kills; the last one is left to end."""
    while trial.n_kills < n_kills:
        trial.n_chains += 1
        n_workers, seconds = rng.choice((1, 2)), None
        while True:
            seconds = rng.uniform(0, trial.whole_seconds * 1.1) if trial.n_kills < n_kills else None
            code = trial.run(n_workers, seconds)
            trial.n_kills += code is None
            trial.check(at_end=code is not None)
            if code is not None:
                break
        if code != 0:
            trial.faults.append(f"kill {trial.n_kills}: the resumed run ended with {code}")
        trial.clear()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--files", type=int, default=24)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(Path(name))
        trial.prepare(given.files)
        kill_often(trial, given.kills, random.Random(given.seed))
    for fault in trial.faults:
        print(fault)
    seconds = time.perf_counter() - started
    print(
        f"{trial.n_kills:,} kills, {trial.n_in_mid_run:,} of them with some files made and some not, in "
        f"{trial.n_chains:,} chains of runs over {given.files} files, in {seconds:.0f} s: "
        f"{len(trial.faults)} faults"
    )
    raise SystemExit(bool(trial.faults))


if __name__ == "__main__":
    main()
