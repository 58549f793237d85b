"""A card: a folder with a trained model and its description. No file in it is ever unpickled.

NAME/card.json             the model, its input, its training and its scores
NAME/weights.safetensors   to continue training
NAME/model.onnx            for inference; it may read its weights from the other file (ONNX's "external data")
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
from legible.kinds import KINDS, Kind
from legible.notebook import html_table
from legible.stored_names import from_stored

FORMAT = 1
SHIPPED = Path(__file__).parent / "weights"
RUNS = Path("runs")  # in the current folder: the default folder of trainings
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
        """The model's name."""
        return str(self.facts["name"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs."""
        return tuple(self.facts["classes"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width in pixels of its input images."""
        channels, height, width = self.facts["input"]["shape"]
        return channels, height, width

    @property
    def kind(self) -> Kind:
        """The kind of model. Raises ModelError for an unknown kind."""
        name = from_stored(str(self.facts["task"]))
        if name not in KINDS:
            raise ModelError(
                f"{self.folder} has a model of kind {name!r}, which is unknown to this version of Legible."
            )
        return KINDS[name]

    @property
    def model(self) -> str:
        """The spec that it was built from, as for `legible train`."""
        return from_stored(str(self.facts["model"]))

    @property
    def n_latents(self) -> int:
        """The number of standard normal latents of one image; 0 if it is not a generator."""
        return int(self.facts["input"].get("latents", 0))

    @property
    def sees_whole_pictures(self) -> bool:
        """Whether it was trained on whole pictures, only scaled, and not on digits centred like MNIST's."""
        return bool(self.facts["input"].get("whole_pictures", False)) or self.image_shape != (1, 28, 28)

    @property
    def multiple(self) -> int:
        """The number that images' sides are padded to multiples of; 0 if it takes one size only."""
        return int(self.facts["input"].get("multiple", 0))

    @property
    def any_height(self) -> bool:
        """Whether images may have any height, and not only any width, like lines of writing."""
        return self.multiple > 0 and not self.kind.fixed_height

    @property
    def confidence(self) -> dict[str, Any]:
        """The calibration of its probabilities by evaluation.calibrate; empty if unknown."""
        return dict(self.facts.get("confidence", {}))

    @property
    def identity(self) -> str:
        """Twelve hex digits, a hash of its weights, by which results refer to it."""
        return str(self.facts.get("identity", self.facts["files"][NETWORK][:12]))

    @property
    def reference(self) -> str:
        """Its name and identity, `digit-denoiser@1a2b3c4d5e6f`, which change with its weights."""
        return f"{self.name}@{self.identity}"

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
        """The first score: on the test images of its own dataset. Empty if there is none."""
        return dict(self.facts["scores"][0]) if self.facts["scores"] else {}

    def _repr_html_(self) -> str:
        trained = {k: v for k, v in self.facts["trained"].items() if isinstance(v, str | int | float)}
        facts = {"model": self.model, "kind": self.kind.name, "parameters": self.facts["n_parameters"]}
        facts |= {"input": self.image_shape, "classes": ", ".join(self.classes)}
        rows = [(k, str(v)) for d in (facts, self.main_score, trained) for k, v in d.items()]
        return html_table((self.name, ""), rows)


def write_card(folder: Path, facts: dict[str, Any], network: bytes) -> Card:
    """Complete a card in a folder with weights.safetensors: write the ONNX file, hashes and card.json."""
    (folder / NETWORK).write_bytes(network)
    files = {name: _hash(folder / name) for name in (WEIGHTS, NETWORK)}
    identity = facts.get("identity") or hashlib.sha256("".join(files.values()).encode()).hexdigest()[:12]
    n_weights = count_weights(folder / WEIGHTS)
    whole = {"format": FORMAT, **facts, "n_weights": n_weights, "identity": identity, "files": files}
    (folder / CARD).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return Card(folder, whole)


def list_cards(folder: Path = SHIPPED) -> Iterator[Card]:
    """All cards directly in a folder, by default those of the package."""
    for path in card_folders(folder):
        yield open_card(path)


def card_folders(folder: Path) -> list[Path]:
    """The subfolders of a folder that have a card, damaged or not."""
    return [path.parent for path in sorted(folder.glob(f"*/{CARD}")) if not path.parent.name.startswith(".")]


def find_card(name: str, kind: Kind | None = None) -> Card:
    """The card at a path, or the shipped one of this name, or the one in ./runs.

    kind: the required kind. Raises ModelNotFound with similar names, ModelError if the card is damaged or of
    another kind.
    """
    for folder in (Path(name), SHIPPED / name, RUNS / name):
        if name and (folder / CARD).is_file():
            card = open_card(folder)
            if kind is not None and card.kind != kind:
                raise ModelError(f"model {name!r} is a {card.kind.noun}; a {kind.noun} is needed here.")
            return card
    if name and Path(name).is_dir():
        raise ModelError(f"{name} has no {CARD}, so it is not a saved model. List: legible models list")
    raise ModelNotFound(name, [path.name for path in (*card_folders(SHIPPED), *card_folders(RUNS))])


class ModelNotFound(ModelError):
    """There is no saved model at this path or with this name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(str(UnknownName("saved model", name, known, "legible models list")))


def open_card(folder: Path) -> Card:
    """Read a card. Raises ModelError that names the file if card.json is damaged or incomplete."""
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
        raise ModelError(f"{path} lacks a valid {', '.join(lacking)}: it is not a card of Legible.")
    if given["format"] != FORMAT:
        raise ModelError(f"{path} has format {given['format']}; this version reads format {FORMAT}.")
    return Card(folder, given)


def _is_image_shape(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)


def check_network(card: Card) -> Path:
    """The path of a card's ONNX file, after checking it and the weights. Raises ModelError."""
    check_file(card, WEIGHTS)
    return check_file(card, NETWORK)


def check_file(card: Card, name: str) -> Path:
    """The path of one of a card's files. Raises ModelError if its SHA-256 differs from the card's."""
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
    """Recompute each file's SHA-256 and the number of weights; return a sentence for each.

    Raises ModelError that names the file and both values at the first difference.
    """
    found = []
    for name, expected in card.facts["files"].items():
        check_file(card, name)
        found.append(f"{name}: SHA-256 {expected[:12]}...")
    n_weights = count_weights(card.weights)
    if n_weights != card.facts["n_weights"]:
        raise ModelError(
            f"{card.weights} has {n_weights:,} weights, the card says {card.facts['n_weights']:,}. "
            "Copy the whole folder of the model again."
        )
    return [*found, f"{WEIGHTS}: {n_weights:,} weights"]


def count_weights(path: Path) -> int:
    """The number of values in a safetensors file, from its header.

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
