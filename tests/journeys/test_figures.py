"""Every figure, drawn and saved as a real PNG file."""

import math
import threading
import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from legible.data.split import Labelled
from legible.errors import InputError, OutputError
from legible.evaluation.classification import evaluate_classifier
from legible.evaluation.evaluation_set import EvaluationSet
from legible.report import figures
from legible.report.charts import Panel
from legible.report.classification import draw_report
from legible.report.look import BLUE, VERMILLION

CLASSES = tuple(str(k) for k in range(10))
SAVERS = ("save_figure", "save_figures")


def make_digits(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 1, 28, 28), dtype=np.float32)


IMAGES, LABELS = make_digits(40), np.arange(40) % 10
PROBABILITIES = np.full((40, 10), 0.01)
PROBABILITIES[np.arange(40), (LABELS + (LABELS == 3)) % 10] = 0.91  # every 3 is taken for a 4
SHOWN = EvaluationSet(Labelled(IMAGES, LABELS, CLASSES), IMAGES)
REPORT = evaluate_classifier(lambda images: np.log(PROBABILITIES), IMAGES, LABELS, CLASSES)


def make_history(n_epochs: int, shift: float = 0.0) -> list[dict[str, float]]:
    return [
        {"epoch": e, "train_accuracy": 1 - 0.1 / e, "watch_accuracy": 0.99 - 0.05 / e + shift,
         "train_loss": 0.3 / e, "watch_loss": 0.1 + shift}
        for e in range(1, n_epochs + 1)
    ]  # fmt: skip


POINTS = np.random.default_rng(1).normal(size=(40, 2))
ARMS = {"plain": [[0.99, 0.98], [0.5, 0.6]], "denoiser first": [[0.99], [0.9]]}
ERRORS = {"untouched": [[0.0], [0.11]], "denoiser": [[0.001, 0.002], [0.007, 0.008]]}
DRAWN = {
    "accuracy_curves": lambda: figures.accuracy_curves([0, 0.5], ARMS, references={"by chance": 0.1}),
    "before_after": lambda: figures.before_after(IMAGES[:9], IMAGES[:9], IMAGES[:9]),
    "confusion": lambda: figures.confusion(REPORT.confusion, CLASSES),
    "curve_sheet": lambda: figures.curve_sheet(
        [Panel("A1, accuracy", make_history(40), "accuracy", 0.95), Panel("A1 ours", make_history(9), "loss")]
        * 3
    ),
    "curves": lambda: figures.curves(make_history(10) + make_history(10, 0.002)),
    "digits_grid": lambda: figures.digits_grid(IMAGES[:20], list(CLASSES) * 2),
    "error_curve": lambda: figures.error_curve([0, 0.5], ERRORS, references={"best documented": 0.016}),
    "errors_by_kind": lambda: figures.errors_by_kind(
        {"at random": {"net": {"coffee": 0.01, "folded": 0.02}}, "TR to VA": {"net": {"coffee": 0.1}}}
    ),
    "grouped_dots": lambda: figures.grouped_dots({"filters": {"32": [0.98, 0.99], "64": [0.985]}}),
    "latent_map": lambda: figures.latent_map(IMAGES[:20], [-1.5, -0.5, 0.5, 1.5], [-2, -1, 0, 1, 2]),
    "latent_scatter": lambda: figures.latent_scatter(POINTS, LABELS),
    "latent_walk": lambda: figures.latent_walk({"3 to 8": IMAGES[:9], "1 to 7": IMAGES[9:18]}),
    "levels_grid": lambda: figures.levels_grid(
        IMAGES[:2], IMAGES[:18].reshape(2, 9, 1, 28, 28), IMAGES[18:36].reshape(2, 9, 1, 28, 28), range(1, 10)
    ),
    "lines_read": lambda: figures.lines_read(
        [IMAGES[0, 0], np.hstack(IMAGES[1:5, 0]), np.hstack(IMAGES[5:9, 0])],
        ["1", "", "4711"],
        ["1", "28", ""],
    ),
    "nearest_digits": lambda: figures.nearest_digits(
        IMAGES[:3], IMAGES[3:15].reshape(3, 4, 1, 28, 28), np.arange(12.0).reshape(3, 4)
    ),
    "noise_gallery": lambda: figures.noise_gallery({"clean": IMAGES[:10], "gaussian:0.5": IMAGES[10:20]}),
    "predictions_grid": lambda: figures.predictions_grid(IMAGES, LABELS, PROBABILITIES),
    "probability_bars": lambda: figures.probability_bars(IMAGES[:4], PROBABILITIES[:4], LABELS[:4]),
    "reliability": lambda: figures.reliability(REPORT.reliability),
    "sample_images": lambda: figures.sample_images(IMAGES, REPORT),
    "restored_rows": lambda: figures.restored_rows(IMAGES[:12], IMAGES[12:24], IMAGES[24:36]),
    "samples_grid": lambda: figures.samples_grid(IMAGES, LABELS),
    "sweep": lambda: figures.sweep(
        [0, 1e-5, 1e-4],
        [[0.98, 0.981]] * 3,
        x_label="L2",
        log_x=True,
        references={
            "a published figure with a long name": 0.98,
            "another one, of which as much is said": 0.97,
        },
    ),
    "worst_images": lambda: figures.worst_images(IMAGES, REPORT),
}


def texts_of(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("name", [name for name in figures.__all__ if name not in SAVERS])
def test_every_figure_becomes_a_white_png_with_nothing_cut_off(name, tmp_path):
    path = figures.save_figure(DRAWN[name](), tmp_path / "new" / f"{name}.png")
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L"))
    edge = np.concatenate(
        [pixels[:3].ravel(), pixels[-3:].ravel(), pixels[:, :3].ravel(), pixels[:, -3:].ravel()]
    )
    assert (edge == 255).all()
    assert pixels.min() < 100
    assert [p.name for p in path.parent.iterdir()] == [f"{name}.png"]


def test_equal_figures_give_equal_files(tmp_path):
    paths = [figures.save_figure(DRAWN["digits_grid"](), tmp_path / f"{i}.png") for i in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_figure_is_not_overwritten_unasked(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("precious")
    with pytest.raises(OutputError, match="--overwrite"):
        figures.save_figures({"b": DRAWN["confusion"](), "a": DRAWN["confusion"]()}, tmp_path)
    assert path.read_text() == "precious"
    assert not (tmp_path / "b.png").exists()
    assert figures.save_figures({"a": DRAWN["confusion"]()}, tmp_path, overwrite=True) == [path]


def test_all_figures_of_a_report_come_with_its_curves():
    drawn = draw_report(SHOWN, REPORT, history=make_history(3))
    assert set(drawn) == {"predictions", "worst", "confusion", "reliability", "curves"}


def test_figures_are_drawn_in_threads_without_pyplot(tmp_path):
    failed = []

    def draw(number: int) -> None:
        try:
            figures.save_figure(DRAWN["before_after"](), tmp_path / f"{number}.png")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_real_digits_are_drawn_dark_on_white(real_data):
    import gzip

    raw = gzip.decompress((real_data / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(raw, np.uint8, offset=16)[: 9 * 784].reshape(9, 1, 28, 28) / np.float32(255)
    shown = figures.digits_grid(images, title="Nine digits").axes[0].images
    assert len(shown) == 9
    np.testing.assert_array_equal(shown[0].get_array(), 1 - images[0, 0])
    assert np.mean([picture.get_array().mean() for picture in shown]) > 0.8


def test_colour_images_are_drawn_in_colour():
    [shown] = figures.digits_grid(np.concatenate([IMAGES[:1]] * 3, axis=1)).axes[0].images
    assert shown.get_array().shape == (28, 28, 3)


def test_wrong_predictions_are_marked_by_word_colour_and_frame():
    axes = figures.predictions_grid(IMAGES[2:4], LABELS[2:4], PROBABILITIES[2:4]).axes[0]
    right, wrong = [text for text in axes.texts if "%" in text.get_text()]
    assert (right.get_text(), wrong.get_text()) == ("2\n91.0 %", "4, is 3\n91.0 %")
    assert (right.get_color(), wrong.get_color()) == (BLUE, VERMILLION)
    assert to_hex(axes.patches[1].get_edgecolor()).upper() == VERMILLION


def test_certainty_is_never_claimed_by_rounding():
    probabilities = np.array([[1 - 3e-9, 3e-9], [0.25, 0.75]])
    figure = figures.probability_bars(IMAGES[:2], probabilities, np.array([0, 0]))
    assert texts_of(figure) == [">0.9999", "3·10⁻⁹", "0.2500", "0.7500"]
    grid = figures.predictions_grid(IMAGES[:2], np.array([0, 1]), probabilities)
    assert [text for text in texts_of(grid) if "%" in text] == ["0\n>99.9 %", "1\n75.0 %"]


def test_curves_of_several_runs_are_their_mean_with_a_band():
    axes = figures.curves(make_history(3) + make_history(3, 0.01)).axes[0]
    watched = axes.lines[1]
    np.testing.assert_allclose(watched.get_ydata(), [94.5, 97.0, 100 * (0.99 - 0.05 / 3 + 0.005)])
    assert len(axes.collections) == 2


def test_a_curve_does_not_cross_an_epoch_without_a_value():
    history = make_history(5)
    history[2]["train_accuracy"] = math.nan
    del history[3]["train_accuracy"]
    line = figures.curves(history).axes[0].lines[0]
    assert np.isnan(line.get_ydata()).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("n_epochs", [1, 2, 3, 10, 60])
def test_epochs_are_whole_numbers_on_the_axis(n_epochs):
    figure = figures.curves(make_history(n_epochs))
    figure.canvas.draw()
    low, high = figure.axes[0].get_xlim()
    ticks = [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) >= 1 for tick in ticks)


def test_only_what_was_recorded_is_drawn():
    figure = figures.curves([{"epoch": 1, "train_loss": 0.5, "train_accuracy": None}])
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]
    assert len(figure.axes[0].lines) == 1


def test_a_sheet_has_a_panel_for_each_training_and_a_line_where_something_was_published():
    panels = [
        Panel("A1", make_history(40), "accuracy", 0.95),
        Panel("A2", make_history(9) + make_history(9, 0.01), "loss"),
        Panel("A3", make_history(9), "loss", published=5.0),
    ]
    first, second, third = figures.curve_sheet(panels).axes
    assert [axes.get_title("left") for axes in (first, second, third)] == ["A1", "A2", "A3"]
    assert (
        list(first.lines[2].get_ydata()) == [95, 95]
        and len(second.lines) == 2
        and len(second.collections) == 2
    )
    np.testing.assert_allclose(second.lines[1].get_ydata(), 0.105)
    assert (first.get_yscale(), second.get_yscale(), third.get_yscale()) == ("linear", "linear", "log")


def test_on_a_logarithmic_axis_zero_is_left_and_is_not_joined():
    xs = [0, 1e-5, 1e-4, 1e-3]
    axes = figures.sweep(xs, [[0.98, 0.982]] * 4, x_label="L2 factor", log_x=True).axes[0]
    ticks = axes.get_xticks()
    assert 0 < ticks[0] < ticks[1] == 1e-5
    assert axes.get_xticklabels()[0].get_text() == "0"
    assert axes.lines[0].get_xdata().tolist() == xs[1:]
    assert texts_of(axes.figure) == ["//"]


@pytest.mark.parametrize("xs", [[0], [1e-3], [0, 1e-3]])
def test_a_sweep_that_has_only_begun_can_be_drawn(xs):
    axes = figures.sweep(xs, [[0.98]] * len(xs), x_label="L2 factor", log_x=True).axes[0]
    axes.figure.canvas.draw()
    low, high = axes.get_xlim()
    assert all(low < tick < high for tick in axes.get_xticks())


def test_a_sweep_shows_every_run_and_the_sample_deviation():
    axes = figures.sweep(
        [1, 2], [[0.97, 0.98, 0.99], [0.9, 0.9, 0.9]], x_label="x", references={"theirs": 0.95}
    ).axes[0]
    assert sorted(axes.lines[1].get_ydata().tolist()) == pytest.approx([90, 90, 90, 97, 98, 99])
    [bars] = axes.containers
    low, high = bars.lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == (pytest.approx(97), pytest.approx(99))
    assert 95 in axes.lines[-1].get_ydata()


def test_single_runs_have_no_error_bar():
    axes = figures.grouped_dots({"filters": {"32": [0.98], "64": [0.99]}}).axes[0]
    assert not axes.containers
    assert axes.lines[0].get_xdata().tolist() == [0, 1]


def test_names_from_folders_are_shown_as_they_stand():
    """Dollar signs would otherwise begin a formula."""
    names = ("$5", "cost $a_b$", *CLASSES[2:])
    figure = figures.confusion(REPORT.confusion, names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
        figures.predictions_grid(IMAGES, LABELS, PROBABILITIES, classes=names).canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()][:2] == list(names[:2])
    assert not figure.axes[0].get_xticklabels()[1].get_parse_math()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.digits_grid(IMAGES[:0]),
        lambda: figures.digits_grid(IMAGES[:3], ["one", "two"]),
        lambda: figures.before_after(IMAGES[:9], IMAGES[:8]),
        lambda: figures.predictions_grid(IMAGES[:3], LABELS[:3], PROBABILITIES[:2]),
        lambda: figures.worst_images(IMAGES[:3], REPORT),
        lambda: figures.noise_gallery({}),
        lambda: figures.noise_gallery({"clean": IMAGES[:3], "fog": IMAGES[:2]}),
        lambda: figures.curves([]),
        lambda: figures.curves([{"epoch": 1, "train_loss": math.nan}]),
        lambda: figures.curve_sheet([]),
        lambda: figures.curve_sheet([Panel("A1", make_history(3), "mse")]),
        lambda: figures.sweep([1, 2], [[0.9]], x_label="x"),
        lambda: figures.sweep([1, 2], [[0.9], []], x_label="x"),
        lambda: figures.sweep([-1, 1], [[0.9], [0.9]], x_label="x", log_x=True),
        lambda: figures.grouped_dots({}),
        lambda: figures.grouped_dots({"filters": {}}),
        lambda: figures.confusion([[1, 2], [3, 4]], CLASSES),
        lambda: figures.reliability([]),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw):
    with pytest.raises(InputError, match=r"\w+ \w+"):
        draw()


def test_what_was_read_wrongly_is_shown_with_the_truth():
    figure = figures.lines_read([IMAGES[0, 0]] * 3, ["1", "", "47"], ["1", "28", ""])
    notes = [axes.get_title(loc="left") for axes in figure.axes]
    assert notes == ["1", "28, not nothing", "nothing, not 47"]
    with pytest.raises(InputError, match="give equally many"):
        figures.lines_read([IMAGES[0, 0]], ["1", "2"], ["1"])


def test_readings_that_go_on_and_on_are_cut(tmp_path):
    figure = figures.lines_read([IMAGES[0, 0]] * 3, ["1", "2" * 90, ""], ["8" * 200, "3", "0" * 16])
    assert [axes.get_title("left") for axes in figure.axes] == [
        "8" * 15 + "…, not 1", "3, not " + "2" * 15 + "…", "0" * 16 + ", not nothing",
    ]  # fmt: skip
    figures.save_figure(figure, tmp_path / "cut.png")
