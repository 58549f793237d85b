"""What ships is made by the recipes that `make weights` runs: they are those that the cards tell."""

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from legible.cards import card_folders, open_card
from legible.cli import train as verb
from legible.data import load_dataset
from legible.studies.plan import Run
from tests.conftest import run_command

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "src/legible/weights"
JOINED = "digits-ensemble"


@pytest.fixture(scope="module")
def commands() -> dict[str, list[str]]:
    """The words of each command that `make weights` would run, by the folder that it leaves."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed, so what it would run cannot be told")
    text = subprocess.run(
        ["make", "-n", "weights"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.replace("\\\n", " ")  # fmt: skip
    parts = [part for line in text.splitlines() for part in line.split("&&") if "bin/legible" in part]
    words = [shlex.split(part)[1:] for part in parts]
    return {Path(each[each.index("-o") + 1]).name: each for each in words}


@pytest.mark.parametrize("name", [folder.name for folder in card_folders(SHIPPED) if folder.name != JOINED])
def test_the_makefile_trains_what_a_card_says_it_is(commands, monkeypatch, name):
    planned: list[Run] = []
    monkeypatch.setattr(verb, "load_data", lambda dataset, *more: (load_dataset("digits-embedded"), dataset))
    monkeypatch.setattr(verb, "enough_epochs", lambda settings, *more: settings)
    monkeypatch.setattr(verb, "train_and_keep", lambda run, *more, **rest: planned.append(run))
    done = run_command(*commands[name])
    assert done.code == 0, done.err
    told = Run.of(open_card(SHIPPED / name).facts["trained"]["run"])
    assert replace(planned[0], tests=told.tests) == told


def test_the_makefile_joins_the_seeds_that_the_card_of_the_committee_names(commands):
    members = open_card(SHIPPED / JOINED).facts["trained"]["members"]
    words = commands[JOINED]
    folders = [word for word in words if word.startswith("runs/") and word != f"runs/{JOINED}"]
    made = [commands[Path(folder).name] for folder in folders]
    seeds = [int(each[each.index("--seed") + 1]) for each in made]
    assert seeds == [member["seed"] for member in members]
