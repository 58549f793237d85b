"""A kind of model that nobody has thought of: an entry and five files, and every verb knows it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = """
import importlib, sys
from legible.kinds import KINDS, Kind

KINDS["weigh"] = Kind(
    name="weigh", noun="scale", output="the share of ink (N, 1)", headline="mse", rechecked="mse",
    tolerance=1e-5, loader="legible.inference.weigh:Scale", evaluator="legible.evaluation.weigh:evaluate",
    recheck="legible.evaluation.weigh:recheck", tables="legible.report.weigh:tables",
    figures="legible.report.weigh:figures", returns="share",
)
for package in ("models", "training/tasks", "inference", "evaluation", "report"):
    name = "legible." + package.replace("/", ".")
    importlib.import_module(name).__path__.append(f"{sys.argv[1]}/{package}")
sys.argv[1:] = sys.argv[2:]
importlib.import_module("legible.cli").main()
"""
FILES = {
    "models/weigh.py": '''
from math import prod
from torch import nn
from legible.models import MODELS

@MODELS.register("scale", kind="weigh", paper="none", smallest=1, recipe={"n_epochs": 2})
def build_scale(image_shape, n_classes):
    """One weight for each pixel."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(image_shape), 1))
''',
    "training/tasks/weigh.py": '''
from legible.training.tasks import TASKS

class Weigh:
    loss_name = score_name = "mse"

    def pair(self, images, labels, streams):
        return images, images.mean((1, 2, 3))[:, None]

    def loss(self, outputs, targets):
        return (outputs - targets).square().mean()

    def score(self, outputs, targets):
        return (outputs - targets).square().sum()

@TASKS.register("weigh", kind="weigh")
def weigh(noise, augment, label_smoothing):
    """Tell how much of an image is ink."""
    return Weigh()
''',
    "inference/weigh.py": """
from dataclasses import dataclass
from legible.cards import Card
from legible.inference.runtime import load_runtime

@dataclass
class Scale:
    card: Card
    run: object

    @classmethod
    def load(cls, card):
        return cls(card, load_runtime(card))
""",
    "evaluation/weigh.py": """
from dataclasses import dataclass
from legible.data import load_dataset
from legible.evaluation.evaluation_set import make_evaluation_set

@dataclass
class Report:
    scores: dict

    def to_json(self):
        return self.scores

def evaluate(predict, shown):
    shares = shown.clean.mean((1, 2, 3))[:, None]
    mse = float(((predict(shown.seen.images) - shares) ** 2).mean())
    return Report({"mse": mse, "n_images": len(shares)})

def recheck(model):
    shown = make_evaluation_set(load_dataset("digits-embedded").test, "digits-embedded", "clean")
    where = {"dataset": "digits-embedded", "split": "test", "noise": "clean"}
    return [{**where, **evaluate(model.run, shown).scores}]
""",
    "report/weigh.py": """
from legible.report.tables import Table

def tables(report, *, title="", in_full=False):
    return [Table(["MSE of the share of ink"], [[f"{report.scores['mse']:.6f}"]], title)]

def figures(shown, report, predict, history=()):
    return {}
""",
}


@pytest.fixture(scope="module")
def scale(tmp_path_factory) -> Path:
    """A folder with the five files, and a saved model of that kind in it. Not to be changed."""
    root = tmp_path_factory.mktemp("kind")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    run(root, "train", "scale", "-d", "digits-embedded", "-o", "mine")
    return root


def run(root: Path, *words: str) -> str:
    """What a verb prints, in a process that has the kind."""
    command = [sys.executable, "-c", ENTRY, str(root), *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_kind_is_trained_and_saved(scale):
    card = json.loads((scale / "mine/card.json").read_text())
    assert card["task"] == "weigh" and card["scores"][0]["mse"] < 0.01
    assert {"card.json", "model.onnx", "weights.safetensors"} <= {p.name for p in (scale / "mine").iterdir()}


def test_it_is_evaluated_and_verified(scale):
    assert "MSE of the share of ink" in run(scale, "evaluate", "mine", "-d", "digits-embedded")
    verified = run(scale, "models", "verify", "mine")
    assert "MSE on digits-embedded" in verified and "agree to" in verified


def test_it_is_shown_and_cross_validated(scale):
    assert "share of ink (N, 1)" in run(scale, "models", "show", "mine")
    folds = run(scale, "train", "scale", "-d", "digits-embedded", "--folds", "2", "--json")
    assert json.loads(folds)["measure"] == "mse"
