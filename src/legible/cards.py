"""A card: a folder with a trained model and all that is known of it. Nothing in it is ever unpickled.

NAME/card.json             what it is, how it must be fed, what it was trained on, what it scored
NAME/weights.safetensors   for training on
NAME/model.onnx            for use; it may read its weights from the file beside it (ONNX's "external data")
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legible.errors import ModelError, UnknownName
from legible.notebook import html_table

FORMAT = 1
SHIPPED = Path(__file__).parent / "weights"
READS_LINES = "read-lines"  # the task of cards that take lines of one height and any width
RUNS = Path("runs")  # below the current folder: where trainings go unless told otherwise
CARD, WEIGHTS, NETWORK = "card.json", "weights.safetensors", "model.onnx"
_NEEDED = {
    "format": int,
    "name": str,
    "task": str,
    "model": str,
    "classes": list,
    "input": dict,
    "n_parameters": int,
    "n_weights": int,
    "files": dict,
    "trained": dict,
    "scores": list,
}


@dataclass(frozen=True)
class Card:
    """A saved model: its folder and its facts (the content of card.json)."""

    folder: Path
    facts: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.facts["name"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs."""
        return tuple(self.facts["classes"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width in pixels of the images it takes."""
        channels, height, width = self.facts["input"]["shape"]
        return channels, height, width

    @property
    def task(self) -> str:
        """What it does: classify, restore, draw or read-lines."""
        return str(self.facts["task"])

    @property
    def n_latents(self) -> int:
        """How many standard normal numbers make one drawing; 0 for a model that does not draw."""
        return int(self.facts["input"].get("latents", 0))

    @property
    def multiple(self) -> int:
        """0, or it takes images of any size, brought to sides that are multiples of this."""
        return int(self.facts["input"].get("multiple", 0))

    @property
    def any_height(self) -> bool:
        """Whether images may be of any height, and not of any width alone, as lines of writing are."""
        return self.multiple > 0 and self.task != READS_LINES

    @property
    def confidence(self) -> dict[str, Any]:
        """How far its probabilities can be trusted, as evaluation.calibrate found it; empty where unknown."""
        return dict(self.facts.get("confidence", {}))

    @property
    def identity(self) -> str:
        """Twelve hex digits that name its numbers: results tell by them which net they were got with."""
        return str(self.facts.get("identity", self.facts["files"][NETWORK][:12]))

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.folder / WEIGHTS

    @property
    def network(self) -> Path:
        """The ONNX file."""
        return self.folder / NETWORK

    @property
    def main_score(self) -> dict[str, Any]:
        """The first score: on the test images of its own dataset. Empty when none was measured."""
        return dict(self.facts["scores"][0]) if self.facts["scores"] else {}

    def _repr_html_(self) -> str:
        trained = {k: v for k, v in self.facts["trained"].items() if isinstance(v, str | int | float)}
        facts = {"model": self.facts["model"], "task": self.task, "parameters": self.facts["n_parameters"]}
        facts |= {"takes": self.image_shape, "classes": ", ".join(self.classes)}
        rows = [(k, str(v)) for d in (facts, self.main_score, trained) for k, v in d.items()]
        return html_table((self.name, ""), rows)


def write_card(folder: Path, facts: dict[str, Any], network: bytes) -> Card:
    """Finish a card in a folder that holds weights.safetensors already: ONNX file, hashes and card.json."""
    (folder / NETWORK).write_bytes(network)
    files = {name: _hash(folder / name) for name in (WEIGHTS, NETWORK)}
    identity = facts.get("identity") or hashlib.sha256("".join(files.values()).encode()).hexdigest()[:12]
    n_weights = count_weights(folder / WEIGHTS)
    whole = {"format": FORMAT, **facts, "n_weights": n_weights, "identity": identity, "files": files}
    (folder / CARD).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return Card(folder, whole)


def list_cards(folder: Path = SHIPPED) -> Iterator[Card]:
    """All cards right below a folder; without one, those that ship with the package."""
    for path in card_folders(folder):
        yield open_card(path)


def card_folders(folder: Path) -> list[Path]:
    """The folders right below a folder that hold a card, sound or not."""
    return [path.parent for path in sorted(folder.glob(f"*/{CARD}")) if not path.parent.name.startswith(".")]


def find_card(name: str) -> Card:
    """The card at a path, or the one of that name that is shipped or in ./runs.

    Raises ModelNotFound with near names, ModelError when the card is damaged.
    """
    for folder in (Path(name), SHIPPED / name, RUNS / name):
        if name and (folder / CARD).is_file():
            return open_card(folder)
    if name and Path(name).is_dir():
        raise ModelError(f"{name} holds no {CARD}, so it is not a saved model. List: legible models list")
    raise ModelNotFound(name, [path.name for path in (*card_folders(SHIPPED), *card_folders(RUNS))])


class ModelNotFound(ModelError):
    """No saved model at that path or of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(str(UnknownName("saved model", name, known, "legible models list")))


def open_card(folder: Path) -> Card:
    """Read a card. Raises ModelError, naming the file, when card.json is damaged or incomplete."""
    path = folder / CARD
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Train or copy the model again.") from error
    given = facts if isinstance(facts, dict) else {}
    lacking = [key for key, kind in _NEEDED.items() if not isinstance(given.get(key), kind)]
    if not lacking and not _is_image_shape(given["input"].get("shape")):
        lacking = ["input.shape"]
    if not lacking and set(given["files"]) != {WEIGHTS, NETWORK}:
        lacking = ["files"]
    if lacking:
        raise ModelError(f"{path} lacks a sound {', '.join(lacking)}: it is not a card of this program.")
    if given["format"] != FORMAT:
        raise ModelError(f"{path} has format {given['format']}; this version reads format {FORMAT}.")
    return Card(folder, given)


def _is_image_shape(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)


def check_network(card: Card) -> Path:
    """The path of a card's ONNX file, if it and the weights that it may read are sound. Raises ModelError."""
    check_file(card, WEIGHTS)
    return check_file(card, NETWORK)


def check_file(card: Card, name: str) -> Path:
    """The path of one of a card's files, if its SHA-256 is the one on the card. Raises ModelError if not."""
    path, expected = card.folder / name, card.facts["files"][name]
    if not path.is_file():
        raise ModelError(f"{path} is missing. Copy the whole folder of the model again.")
    if (actual := _hash(path)) != expected:
        raise ModelError(
            f"{path} is damaged or changed: its SHA-256 starts {actual[:12]}, the card says {expected[:12]}. "
            "Copy the whole folder of the model again."
        )
    return path


def verify_files(card: Card) -> list[str]:
    """Recompute each file's SHA-256 and the number of weights; return what was found right.

    Raises ModelError, naming the file and both values, on the first difference.
    """
    found = []
    for name, expected in card.facts["files"].items():
        check_file(card, name)
        found.append(f"{name}: SHA-256 {expected[:12]}...")
    n_weights = count_weights(card.weights)
    if n_weights != card.facts["n_weights"]:
        raise ModelError(
            f"{card.weights} holds {n_weights:,} numbers, the card says {card.facts['n_weights']:,}. "
            "Copy the whole folder of the model again."
        )
    return [*found, f"{WEIGHTS}: {n_weights:,} numbers"]


def count_weights(path: Path) -> int:
    """How many numbers a safetensors file holds, read from its header alone.

    Source: the format's description, an 8-byte little-endian length and a JSON table.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            table = json.loads(file.read(min(length, 100_000_000)))
        return sum(math.prod(tensor["shape"]) for name, tensor in table.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ModelError(f"{path} is not a readable safetensors file: {error}.") from error


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
