"""Run a card's ONNX file, without PyTorch: images in, outputs out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

import numpy as np

from legible.cards import Card, check_network
from legible.cores import count_cores
from legible.errors import InputError, ModelError
from legible.images import check_images

BATCH_PIXELS = 500 * 28 * 28  # per request: enough to keep a core busy, and few enough for its cache
_ANY = -1  # OpenVINO's value for a dynamic dimension


def load_runtime(card: Card, *, n_cores: int | None = None, ahead: bool = False) -> Runtime:
    """A function that maps images (N, C, H, W) to the card's outputs, float32.

    A classifier returns logits (N, K), a restorer restored images (N, C, H, W), a line reader logits
    (N, 1 + K, T). Batches run in parallel on all cores, or on n_cores. ahead: compile in the background now,
    for images of other sizes than the card's if the model takes any size. Raises ModelError if the file is
    missing or damaged; the function raises InputError for other shapes.
    """
    shape = _pad_shape(card.image_shape, card.multiple)
    own = _Network(card, [shape], n_cores)
    channels, height, _ = card.image_shape
    free = (channels, _ANY if card.any_height else height, _ANY)
    others = _Network(card, [free], n_cores, file=own.file) if card.multiple else own
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
        """Free the memory that is kept for the next images; they will allocate it again."""
        for network in (self.own, self.others):
            network.release()


def load_decoder(card: Card) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function that generates images: latents (N, card.n_latents) and class weights (N, K) -> (N, C, H, W).

    Images are float32 in [0, 1]. Raises ModelError if the file is missing or damaged.
    """
    network = _Network(card, [(card.n_latents,), (len(card.classes),)])
    return lambda latents, rows: network.run([latents, rows])


class _File:
    """A network's file, read once. Raises ModelError if it is damaged."""

    def __init__(self, card: Card) -> None:
        ov = import_openvino()
        self.path, self.core = check_network(card), ov.Core()
        with self.naming():
            self.network = self.core.read_model(self.path)

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Raise errors of OpenVINO as ModelError that names this file."""
        try:
            yield
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]  # the lines before name OpenVINO's source files
            raise ModelError(f"{self.path} cannot be loaded: {reason}") from error


class _Network:
    """A card's network for inputs of these shapes. file: already read, for other shapes.

    It is compiled at first use: for batches of a fixed size if there are enough images for one, which is up
    to twice as fast, else for any number of images. Raises ModelError for a damaged file.
    """

    def __init__(
        self,
        card: Card,
        shapes: list[tuple[int, ...]],
        n_cores: int | None = None,
        file: _File | None = None,
    ) -> None:
        self.file, self._shapes, self._compiled = file or _File(card), shapes, dict[int, Any]()
        self._n_cores, self._compiling = n_cores or count_cores(), Lock()
        with self.file.naming():
            self._network = self.file.network.clone()
            self._set_batch(_ANY)
        output_shape = list(self._network.output(0).partial_shape)[1:]
        # a dynamic dimension equals that of the input, as in restorers
        self._shape = [_ANY if side.is_dynamic else side.get_length() for side in output_shape]

    def run(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Map N inputs to N outputs, in order.

        No callbacks: a callback that is being freed on a worker thread can wait forever for the interpreter,
        which is waiting for that thread.
        """
        n, in_shape = len(inputs[0]), inputs[0].shape[1:]
        out_shape = in_shape if _ANY in self._shape else tuple(self._shape)
        size = max(1, BATCH_PIXELS // max(math.prod(out_shape[1:]), math.prod(in_shape[1:])))
        outputs = np.empty((0,), np.float32)
        network = self.compile(size if n >= size and _ANY not in self._shape else _ANY)
        starts = range(0, n, size)
        # two for each core (one computes while the other's outputs are fetched), but at most one per batch
        requests = [network.create_infer_request() for _ in starts[: 2 * self._n_cores]]
        running: dict[int, slice] = {}

        def finish(number: int) -> None:
            nonlocal outputs
            if number not in running:
                return
            requests[number].wait()
            output = requests[number].get_output_tensor().data
            if not outputs.size:
                outputs = np.empty((n, *output.shape[1:]), np.float32)
            outputs[running.pop(number)] = output

        for i, start in enumerate(starts):
            first = max(0, min(start, n - size))  # the last batch overlaps, so that it has the full size
            number, part = i % len(requests), slice(first, first + size)
            finish(number)
            requests[number].start_async({k: each[part] for k, each in enumerate(inputs)}, share_inputs=True)
            running[number] = part
        for number in list(running):
            finish(number)
        return outputs

    def compile(self, batch: int = _ANY) -> Any:
        """The network compiled for batches of this size, once."""
        with self._compiling:
            if batch not in self._compiled:
                # float32 even if the CPU has bfloat16, so that all machines give the same outputs
                hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
                hints |= {"NUM_STREAMS": str(self._n_cores), "INFERENCE_NUM_THREADS": str(self._n_cores)}
                with self.file.naming():
                    self._set_batch(batch)
                    self._compiled[batch] = self.file.core.compile_model(self._network, "CPU", hints)
            return self._compiled[batch]

    def release(self) -> None:
        """Free the memory of the activations."""
        with self._compiling:
            for compiled in self._compiled.values():
                compiled.release_memory()

    def get_ready(self) -> None:
        """Compile; errors are raised when the network is used."""
        with suppress(ModelError):
            self.compile()

    def _set_batch(self, batch: int) -> None:
        """Set the input shapes; fixed sizes run faster than dynamic ones."""
        self._network.reshape({i: [batch, *shape] for i, shape in enumerate(self._shapes)})


def _check_shape(card: Card, shape: tuple[int, ...]) -> None:
    expected, given = card.image_shape, shape
    n_fixed = 3 if not card.multiple else 1 if card.any_height else 2
    if given[:n_fixed] == expected[:n_fixed]:
        return
    channels = f"{expected[0]} channel{'s' * (expected[0] > 1)}"
    height = "" if card.any_height else f", {expected[1]} pixels high and"
    free = f"{channels}{height} of any {'size' if card.any_height else 'width'}"
    size = free if card.multiple else _describe(expected)
    raise InputError(f"model {card.name!r} takes images of {size}, got {_describe(given)}.")


def _pad_shape(shape: tuple[int, ...], multiple: int) -> tuple[int, ...]:
    """The shape with its sides rounded up to multiples; 0 leaves them unchanged."""
    return (shape[0], *(math.ceil(side / multiple) * multiple for side in shape[1:])) if multiple else shape


def _pad(images: np.ndarray, multiple: int) -> np.ndarray:
    """The images padded with paper (0) below and to the right."""
    _, _, height, width = images.shape
    _, full_height, full_width = _pad_shape(images.shape[1:], multiple)
    if (full_height, full_width) == (height, width):
        return images
    return np.pad(images, ((0, 0), (0, 0), (0, full_height - height), (0, full_width - width)))


def import_openvino() -> Any:
    """Import OpenVINO without its model converter, which reports every import over the network."""
    converter = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[converter] = None  # type: ignore[assignment]  # its import then fails, which OpenVINO handles
    try:
        import openvino
    finally:
        del sys.modules[converter]
    return openvino


def _describe(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)}, {height} x {width} pixels"
