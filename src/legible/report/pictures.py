"""Figures of images. In all functions, images are (N, C, H, W) in [0, 1], 1 = ink, shown dark on white."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from legible.errors import InputError
from legible.evaluation.classification import ClassificationReport, Prediction
from legible.report.look import (
    GREY,
    INK,
    LETTER_IN,
    NORMAL_PT,
    PALE,
    RIGHT,
    SMALL_PT,
    WRONG,
    new_chart,
    new_sheet,
    paste,
    style_axes,
    to_paper,
    write,
)

CELL_IN, GAP_IN, LINE_IN = 0.7, 0.12, 0.155  # 0.7 inch: three dots for each of 28 pixels
LEAST_WIDTH_IN, MOST_WIDTH_IN = 3.2, 9.7


def digits_grid(
    images: np.ndarray,
    titles: Sequence[str] | None = None,
    *,
    right: Sequence[bool] | np.ndarray | None = None,
    columns: int = 10,
    title: str = "Digits",
) -> Figure:
    """Show images in rows, each with a title above.

    titles: N texts of one or more lines. right: N booleans; they colour the titles, and wrong images get a
    frame. columns: the largest number, fewer if titles are long. Raises InputError if the counts differ or
    there are no images.
    """
    titles = [""] * len(images) if titles is None else list(titles)
    check_counts(images, titles=titles, right=titles if right is None else right)
    lines = [text.split("\n") for text in titles]
    step_in = max(CELL_IN, LETTER_IN * max(len(line) for text in lines for line in text)) + GAP_IN
    columns = max(1, min(columns, len(images), int(MOST_WIDTH_IN / step_in)))
    n_rows = -(-len(images) // columns)
    columns = -(-len(images) // n_rows)  # rows of similar lengths
    head_in = LINE_IN * max(len(text) for text in lines) if any(titles) else 0.0
    row_in = head_in + CELL_IN * images.shape[2] / images.shape[3] + GAP_IN
    grid_in = columns * step_in - GAP_IN
    figure, axes = new_sheet(max(grid_in, LEAST_WIDTH_IN), n_rows * row_in - GAP_IN, title)
    start_in = max(0.0, LEAST_WIDTH_IN - grid_in) / 2 + (step_in - GAP_IN - CELL_IN) / 2
    for i, (image, text) in enumerate(zip(images, titles, strict=True)):
        left_in, top_in = start_in + i % columns * step_in, i // columns * row_in
        colour = INK if right is None else RIGHT if right[i] else WRONG
        write(axes, text, left_in + CELL_IN / 2, top_in, colour=colour)
        frame = WRONG if colour == WRONG else PALE
        paste(axes, image, left_in, top_in + head_in, width_in=CELL_IN, frame=frame)
    return figure


def before_after(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray | None = None,
    *,
    names: Sequence[str] = ("before", "after noise", "restored"),
    columns: int = 3,
    title: str = "Digits before and after noise",
) -> Figure:
    """Show blocks of the same images side by side: clean, noisy and, if given, restored.

    names: the title of each block. Raises InputError if the counts differ.
    """
    blocks = [clean, noisy] + ([] if restored is None else [restored])
    check_counts(clean, noisy=noisy, restored=blocks[-1])
    columns = min(columns, len(clean))
    height_in, step_in = CELL_IN * clean.shape[2] / clean.shape[3], CELL_IN + 0.04
    block_in, apart_in, head_in = columns * step_in, 0.3, 0.22
    n_rows = -(-len(clean) // columns)
    width_in = len(blocks) * (block_in + apart_in) - apart_in
    figure, axes = new_sheet(max(width_in, LEAST_WIDTH_IN), head_in + n_rows * (height_in + 0.04), title)
    start_in = max(0.0, LEAST_WIDTH_IN - width_in) / 2
    for b, (block, name) in enumerate(zip(blocks, names, strict=False)):
        left_in = start_in + b * (block_in + apart_in)
        write(axes, name, left_in + block_in / 2, 0, size_pt=NORMAL_PT)
        for i, image in enumerate(block):
            paste(
                axes,
                image,
                left_in + i % columns * step_in,
                head_in + i // columns * (height_in + 0.04),
                width_in=CELL_IN,
            )
    return figure


def predictions_grid(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str] | None = None,
    columns: int = 10,
    title: str = "Predictions",
) -> Figure:
    """Show images with predictions and probabilities; wrong ones have a frame and the true class.

    labels: (N,) integers; probabilities: (N, K). Raises InputError if the counts differ.
    """
    check_counts(images, labels=labels, probabilities=probabilities)
    names = class_names(classes, probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    titles = [
        _describe_prediction(names[p], names[t], float(row[p]))
        for row, p, t in zip(probabilities, predicted, labels, strict=True)
    ]
    return digits_grid(images, titles, right=predicted == labels, columns=columns, title=title)


def worst_images(
    images: np.ndarray,
    report: ClassificationReport,
    *,
    columns: int = 10,
    title: str = "The images with the highest loss",
) -> Figure:
    """Show the images with the highest loss: prediction, true class and probability.

    images: all evaluated images. Raises InputError if their number differs, or the report has no worst
    images.
    """
    return _draw_predictions(images, report, report.worst, columns, title)


def sample_images(
    images: np.ndarray,
    report: ClassificationReport,
    *,
    columns: int = 10,
    title: str = "A sample of the predictions",
) -> Figure:
    """Show images evenly spaced in the evaluated set, with predictions and probabilities.

    images: all evaluated images. Raises InputError if their number differs.
    """
    return _draw_predictions(images, report, report.samples, columns, title)


def _draw_predictions(
    images: np.ndarray,
    report: ClassificationReport,
    predictions: Sequence[Prediction],
    columns: int,
    title: str,
) -> Figure:
    if len(images) != report.n_images:
        raise InputError(
            f"the report is of {report.n_images} images, but {len(images)} are given: give those that were "
            "evaluated."
        )
    names = report.classes
    titles = [_describe_prediction(names[p.predicted], names[p.label], p.probability) for p in predictions]
    return digits_grid(
        images[[p.index for p in predictions]],
        titles,
        columns=columns,
        title=title,
        right=[p.predicted == p.label for p in predictions],
    )


def probability_bars(
    images: np.ndarray,
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    classes: Sequence[str] | None = None,
    columns: int = 4,
    title: str = "The probability of each class",
) -> Figure:
    """Show each image above the probabilities of all classes, as bars with numbers.

    probabilities: (N, K); labels: (N,). The prediction's colour shows whether it is right. Raises InputError
    if the counts differ.
    """
    check_counts(images, probabilities=probabilities, labels=labels)
    names = class_names(classes, probabilities.shape[1])
    columns = min(columns, len(images))
    n_rows, bars_in = -(-len(images) // columns), 0.4 + 0.19 * len(names)
    figure = new_chart(max(1.9 * columns, LEAST_WIDTH_IN), 0.4 + n_rows * (bars_in + 1.1), title)
    panels = figure.subplots(2 * n_rows, columns, squeeze=False, height_ratios=[0.9, bars_in] * n_rows)
    for axes in panels.flat:
        axes.set_axis_off()
    for i, (image, row, label) in enumerate(zip(images, probabilities, labels, strict=True)):
        picture, bars = panels[2 * (i // columns), i % columns], panels[2 * (i // columns) + 1, i % columns]
        picture.set_axis_on()
        picture.imshow(to_paper(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        picture.set_title(f"true: {names[label]}", fontsize=SMALL_PT, color=INK, parse_math=False)
        picture.set(xticks=[], yticks=[])
        picture.spines[:].set(color=PALE, linewidth=0.6)
        bars.set_axis_on()
        _draw_bars(bars, row, int(label), names)
    return figure


def _draw_bars(axes: Axes, probabilities: np.ndarray, label: int, names: Sequence[str]) -> None:
    """Draw the probabilities (K,) of one image as bars, one line per class, with numbers."""
    classes, best = range(len(names)), int(probabilities.argmax())
    style_axes(axes, x_label="probability", grid=False)
    colours = [(RIGHT if best == label else WRONG) if k == best else GREY for k in classes]
    axes.barh(classes, probabilities, color=colours, height=0.7)
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.6), xticks=(0, 0.5, 1))
    axes.set_yticks(classes, names, parse_math=False)
    for k, p in enumerate(probabilities.tolist()):
        inside = p > 0.6  # longer bars leave no space on the right
        place = {"x": p - 0.03, "ha": "right"} if inside else {"x": p + 0.03, "ha": "left"}
        colour = "white" if inside else INK
        axes.text(y=k, s=_small(p), va="center", fontsize=SMALL_PT - 1, color=colour, **place)


def class_names(classes: Sequence[str] | None, n_classes: int) -> list[str]:
    """The given names of the classes, or their numbers."""
    return [str(k) for k in range(n_classes)] if classes is None else list(classes)


def _describe_prediction(predicted: str, label: str, probability: float) -> str:
    text = predicted if predicted == label else f"{predicted}, is {label}"
    return f"{text}\n{_share(probability)}"


def _share(p: float) -> str:
    """Format a probability as a percentage that is never rounded to 100 %."""
    return ">99.9 %" if p > 0.9995 else f"{100 * p:.1f} %"


def _small(p: float) -> str:
    """Format a probability with four decimals, or as a power of ten if it is smaller."""
    if p >= 0.0005:
        return ">0.9999" if p >= 0.99995 else f"{p:.4f}"
    mantissa, _, exponent = f"{p:.0e}".partition("e")
    superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{superscript}" if p > 0 else "0"


def check_counts(images: np.ndarray, **others: Sequence[object] | np.ndarray) -> None:
    """Raise InputError without images, or if anything else has another length."""
    if len(images) == 0:
        raise InputError("no images to show: give at least one.")
    for what, values in others.items():
        if len(values) != len(images):
            raise InputError(f"{what}: {len(values)} for {len(images)} images: give one per image.")
