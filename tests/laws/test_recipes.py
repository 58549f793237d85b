"""`make weights` trains the shipped models with the settings stored in their cards."""

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from legible.cards import card_folders, open_card
from legible.data import load_dataset
from legible.runs import train as training
from legible.runs.run import Run
from tests.conftest import run_command

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "src/legible/weights"
JOINED = "digits-ensemble"


@pytest.fixture(scope="module")
def commands() -> dict[str, list[str]]:
    """The arguments of each command that `make weights` would run, by the folder that it writes."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    text = subprocess.run(
        ["make", "-n", "weights"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.replace("\\\n", " ")  # fmt: skip
    parts = [part for line in text.splitlines() for part in line.split("&&") if "bin/legible" in part]
    words = [shlex.split(part)[1:] for part in parts]
    return {Path(each[each.index("-o") + 1]).name: each for each in words}


@pytest.mark.parametrize("name", [folder.name for folder in card_folders(SHIPPED) if folder.name != JOINED])
def test_the_makefile_trains_each_model_as_its_card_says(commands, monkeypatch, name):
    planned: list[Run] = []
    card, data = open_card(SHIPPED / name), load_dataset("digits-embedded")

    def plan(run, *more, **rest):
        planned.append(run)
        return training.Trained(card, {}, [])

    monkeypatch.setattr(training, "choose_dataset", lambda dataset, **more: (data, dataset))
    monkeypatch.setattr(training, "enough_epochs", lambda settings, *more: settings)
    monkeypatch.setattr(training, "train_and_keep", plan)
    done = run_command(*commands[name])
    assert done.code == 0, done.err
    stored = Run.of(card.facts["trained"]["run"])
    assert replace(planned[0], tests=stored.tests) == stored


def test_the_makefile_joins_the_members_that_the_card_of_the_ensemble_names(commands):
    members = open_card(SHIPPED / JOINED).facts["trained"]["members"]
    words = commands[JOINED]
    folders = [word for word in words if word.startswith("runs/") and word != f"runs/{JOINED}"]
    made = [commands[Path(folder).name] for folder in folders]
    seeds = [int(each[each.index("--seed") + 1]) for each in made]
    assert seeds == [member["seed"] for member in members]
