"""Run a card's ONNX file, without PyTorch: images in, outputs out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np

from legible.cards import Card, check_network
from legible.cores import count_cores
from legible.errors import InputError, ModelError
from legible.images import check_images

BATCH_PIXELS = 500 * 28 * 28  # per request: enough to keep a core busy, little enough for its cache
_ANY = -1  # images at once, said to OpenVINO
Predict = Callable[[np.ndarray], np.ndarray]


def load_runtime(card: Card, *, n_cores: int | None = None, ahead: bool = False) -> Runtime:
    """A function that maps images (N, C, H, W) to the card's outputs, float32.

    A classifier gives logits (N, K), a restorer the restored images (N, C, H, W), a reader of lines logits
    (N, 1 + K, T). Batches run side by side on all cores, or on n_cores. ahead: images will come soon, of
    other sizes than the card's if it takes such; make ready for them while the caller goes on. Raises
    ModelError when the file is missing or damaged; the function raises InputError for other shapes.
    """
    file = _File(check_network(card))
    own = _Network(file, [_pad_shape(card.image_shape, card.multiple)], n_cores)
    channels, height, _ = card.image_shape
    free = (channels, _ANY if card.any_height else height, _ANY)
    others = _Network(file, [free], n_cores) if card.multiple else own
    if ahead:
        Thread(target=others.get_ready).start()
    return Runtime(card, own, others)


@dataclass(frozen=True)
class Runtime:
    """A card's network as a function, see load_runtime: for images of its own size, and of others."""

    card: Card
    own: _Network
    others: _Network

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Map images to outputs, float32."""
        check_images(images)
        shape = images.shape[1:]
        _check_shape(self.card, shape)
        padded = _pad(images, self.card.multiple)
        network = self.own if shape == self.card.image_shape else self.others
        outputs = network.run([np.ascontiguousarray(padded)])
        if padded is images or not self.card.any_height:
            return outputs
        return outputs[..., : shape[1], : shape[2]]

    def release(self) -> None:
        """Hand back the memory kept for the next images, which will ask for it again."""
        for network in (self.own, self.others):
            network.release()


def load_decoder(card: Card) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function that draws: numbers (N, card.n_latents) and rows of class weights (N, K) -> images.

    Images (N, C, H, W) float32 in [0, 1]. Raises ModelError when the file is missing or damaged.
    """
    network = _Network(_File(check_network(card)), [(card.n_latents,), (len(card.classes),)])
    return lambda latents, rows: network.run([latents, rows])


class _File:
    """A network as its file tells it, read once. Raises ModelError for a damaged one."""

    def __init__(self, path: Path) -> None:
        ov = import_openvino()
        self.path, self.core = path, ov.Core()
        with self.naming():
            self.network = self.core.read_model(path)

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Errors of OpenVINO in here are told as those of this file."""
        try:
            yield
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]  # the lines before tell places in OpenVINO's source
            raise ModelError(f"{self.path} cannot be loaded: {reason}") from error


class _Network:
    """A network for inputs of these shapes.

    It is compiled when first used: for batches of a known size where there are enough images to fill one,
    which is up to twice as fast, else for any number. Raises ModelError for a damaged file.
    """

    def __init__(self, file: _File, shapes: list[tuple[int, ...]], n_cores: int | None = None) -> None:
        self._file, self._shapes, self._compiled = file, shapes, dict[int, Any]()
        self._n_cores, self._compiling = n_cores or count_cores(), Lock()
        with file.naming():
            self._network = file.network.clone()
            self._set_batch(_ANY)
        gives = list(self._network.output(0).partial_shape)[1:]
        # a side that is not known beforehand is that of the input, as restorers have it
        self._shape = [_ANY if side.is_dynamic else side.get_length() for side in gives]

    def run(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Inputs of N each -> outputs of N, in order.

        No callbacks: a callback still being freed on a worker thread can wait for ever for the interpreter,
        which is itself waiting for that thread.
        """
        n, takes = len(inputs[0]), inputs[0].shape[1:]
        gives = takes if _ANY in self._shape else tuple(self._shape)
        size = max(1, BATCH_PIXELS // max(math.prod(gives[1:]), math.prod(takes[1:])))
        outputs = np.empty((0,), np.float32)
        network = self.compile(size if n >= size and _ANY not in self._shape else _ANY)
        starts = range(0, n, size)
        # two for each core, one computes while the other's outputs are fetched; no more than there is to do
        requests = [network.create_infer_request() for _ in starts[: 2 * self._n_cores]]
        under_way: dict[int, slice] = {}

        def finish(number: int) -> None:
            nonlocal outputs
            if number not in under_way:
                return
            requests[number].wait()
            answer = requests[number].get_output_tensor().data
            if not outputs.size:
                outputs = np.empty((n, *answer.shape[1:]), np.float32)
            outputs[under_way.pop(number)] = answer

        for i, start in enumerate(starts):
            first = max(0, min(start, n - size))  # the last batch is a full one too: it overlaps
            number, part = i % len(requests), slice(first, first + size)
            finish(number)
            requests[number].start_async({k: each[part] for k, each in enumerate(inputs)}, share_inputs=True)
            under_way[number] = part
        for number in list(under_way):
            finish(number)
        return outputs

    def compile(self, batch: int = _ANY) -> Any:
        """The network for batches of this size, made once."""
        with self._compiling:
            if batch not in self._compiled:
                # float32 also where the processor has bfloat16, so that every machine gives the same answers
                hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
                hints |= {"NUM_STREAMS": str(self._n_cores), "INFERENCE_NUM_THREADS": str(self._n_cores)}
                with self._file.naming():
                    self._set_batch(batch)
                    self._compiled[batch] = self._file.core.compile_model(self._network, "CPU", hints)
            return self._compiled[batch]

    def release(self) -> None:
        """Hand back the memory between the layers."""
        with self._compiling:
            for compiled in self._compiled.values():
                compiled.release_memory()

    def get_ready(self) -> None:
        """Compile; what goes wrong is told when the network is used."""
        with suppress(ModelError):
            self.compile()

    def _set_batch(self, batch: int) -> None:
        """Sizes that are known run faster than any size."""
        self._network.reshape({i: [batch, *shape] for i, shape in enumerate(self._shapes)})


def _check_shape(card: Card, shape: tuple[int, ...]) -> None:
    takes, given = card.image_shape, shape
    n_fixed = 3 if not card.multiple else 1 if card.any_height else 2
    if given[:n_fixed] == takes[:n_fixed]:
        return
    height = "" if card.any_height else f", {takes[1]} pixels high and"
    free = f"{takes[0]} channel{'s' * (takes[0] > 1)}{height} of any {'size' if card.any_height else 'width'}"
    size = free if card.multiple else _say(takes)
    raise InputError(f"model {card.name!r} takes images of {size}, got {_say(given)}.")


def _pad_shape(shape: tuple[int, ...], multiple: int) -> tuple[int, ...]:
    """The shape with its sides enlarged to multiples; 0 leaves them."""
    return (shape[0], *(math.ceil(side / multiple) * multiple for side in shape[1:])) if multiple else shape


def _pad(images: np.ndarray, multiple: int) -> np.ndarray:
    """The images with paper (0) added below and to the right."""
    _, _, height, width = images.shape
    _, full_height, full_width = _pad_shape(images.shape[1:], multiple)
    if (full_height, full_width) == (height, width):
        return images
    return np.pad(images, ((0, 0), (0, 0), (0, full_height - height), (0, full_width - width)))


def import_openvino() -> Any:
    """OpenVINO without its model converter, which reports every import to its makers over the network."""
    converter = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[converter] = None  # type: ignore[assignment]  # makes its import fail, which OpenVINO allows for
    try:
        import openvino
    finally:
        del sys.modules[converter]
    return openvino


def _say(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)}, {height} x {width} pixels"
