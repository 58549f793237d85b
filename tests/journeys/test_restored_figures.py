"""The figures of restored and of drawn images: what stands where, and what is refused."""

import math
import re

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.transforms import Bbox

from legible.errors import InputError
from legible.evaluation.restoration import evaluate_restorer
from legible.report import figures
from legible.report.look import BLUE
from legible.report.tables import markdown, restoration_table

SIZE = (1, 14, 14)


def flat(*shades: float) -> np.ndarray:
    """One image of even grey for each shade, so that every error is known."""
    return np.stack([np.full(SIZE, shade, np.float32) for shade in shades])


CLEAN, NOISY = flat(0, 0, 1), flat(0.5, 1, 0.5)
RESTORED = flat(0.1, 0, 0.999)
LEVELS = [0.0, 0.3, 0.6]
ARMS = {"plain": [[0.99, 0.97], [0.8], [0.2, 0.4]], "denoiser first": [[0.98], [], [0.9]]}
ERRORS = {"untouched": [[0.0], [0.05], [0.12]], "denoiser": [[0.001], [0.004, 0.006], [0.01]]}


def texts_of(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def shown_in(figure) -> np.ndarray:
    """All pictures of a figure in reading order, 1 = ink again."""
    pictures = sorted(figure.axes[0].images, key=lambda p: (p.get_extent()[3], p.get_extent()[0]))
    return 1 - np.stack([np.asarray(picture.get_array()) for picture in pictures])


def draw_dots(figure) -> None:
    """Lay the figure out, as saving does."""
    figure.canvas.draw()


def test_each_restored_image_is_below_its_original_with_its_own_error():
    figure = figures.restored_rows(CLEAN, NOISY, RESTORED)
    shades = [0, 0, 1, 0.5, 1, 0.5, 0.1, 0, 0.999]
    np.testing.assert_allclose(shown_in(figure)[:, 0, 0], shades, atol=1e-6)
    words = texts_of(figure)
    assert [w for w in words if not re.match(r"<?\d", w)] == [
        "Original, noisy and restored", "original", "noisy", "MSE", "restored", "MSE"
    ]  # fmt: skip
    assert [w for w in words if re.match(r"<?\d", w)] == ["0.250", "1.000", "0.250", "0.010", "0", "<0.0001"]


def test_many_restored_images_make_blocks_of_about_equal_length():
    figure = figures.restored_rows(*[np.concatenate([CLEAN] * 4)] * 3, columns=10)
    tops = [round(picture.get_extent()[3], 3) for picture in figure.axes[0].images]
    assert [tops.count(top) for top in sorted(set(tops))] == [6] * 6


def test_the_levels_stand_above_their_columns_and_each_digit_has_its_three_rows():
    noisy = np.stack([flat(0.1, 0.2), flat(0.3, 0.4)])
    figure = figures.levels_grid(flat(0, 1), noisy, 1 - noisy, [0.1, 0.9])
    expected = [0, 0, 0.1, 0.2, 0.9, 0.8, 1, 1, 0.3, 0.4, 0.7, 0.6]
    np.testing.assert_allclose(shown_in(figure)[:, 0, 0], expected, atol=1e-6)
    heads = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    lefts = sorted({picture.get_extent()[0] for picture in figure.axes[0].images})
    assert lefts[0] < heads["0.1"] < lefts[1] < heads["0.9"]
    assert "noise level" in heads


def test_rows_of_many_columns_get_narrower_cells_and_not_a_wider_page():
    few, many = (figures.latent_walk({"a": np.concatenate([CLEAN] * n)}) for n in (3, 8))
    assert many.get_figwidth() < 10.1
    widths = [np.diff(figure.axes[0].images[0].get_extent()[:2])[0] for figure in (few, many)]
    assert widths[1] < widths[0] == pytest.approx(0.7)


def written_in(figure) -> list[tuple[str, Bbox]]:
    """Every text that can be seen, and the box it fills."""
    draw_dots(figure)
    texts = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    for axes in (axes for axes in figure.axes if axes.axison):
        low, high = axes.get_xlim()
        texts += [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.restored_rows(CLEAN, NOISY, RESTORED),
        lambda: figures.nearest_digits(
            CLEAN, np.stack([np.concatenate([CLEAN, CLEAN])] * 3), np.full((3, 6), 1234.5)
        ),
        lambda: figures.latent_map(np.concatenate([CLEAN] * 133), range(-10, 11), np.linspace(-10, 10, 19)),
        lambda: figures.accuracy_curves(
            LEVELS,
            {f"arm {k} with quite a long name": ARMS["plain"] for k in range(5)},
            references={"by chance": 0.1},
            stretched=True,
        ),
    ],
)
def test_no_text_of_a_figure_runs_into_another_or_off_the_page(draw):
    figure = draw()
    written = written_in(figure)
    for i, (text, box) in enumerate(written):
        assert 0 < box.x0 < box.x1 < figure.bbox.width and 0 < box.y0 < box.y1 < figure.bbox.height, text
        assert [other for other, its_box in written[:i] if box.overlaps(its_box)] == [], text


def test_each_arm_is_its_mean_with_a_band_and_a_line_broken_where_it_has_not_run():
    axes = figures.accuracy_curves(LEVELS, ARMS, references={"by chance": 0.1}).axes[0]
    plain, denoiser, chance = axes.lines
    np.testing.assert_allclose(plain.get_ydata(), [98, 80, 30])
    assert np.isnan(denoiser.get_ydata()).tolist() == [False, True, False]
    assert set(chance.get_ydata()) == {10}
    [band] = axes.collections
    reach = 100 * 0.1 * math.sqrt(2)
    last = band.get_paths()[0].vertices[np.isclose(band.get_paths()[0].vertices[:, 0], 0.6)][:, 1]
    assert (last.min(), last.max()) == (pytest.approx(30 - reach), pytest.approx(30 + reach))


def test_arms_are_distinguished_by_colour_and_by_marker():
    arms = {f"arm {k}": [[0.5]] * 3 for k in range(5)}
    lines = figures.accuracy_curves(LEVELS, arms).axes[0].lines
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 5


def test_a_stretched_axis_keeps_good_arms_apart_and_holds_every_value():
    axes = figures.accuracy_curves(LEVELS, ARMS | {"perfect": [[1.0]] * 3}, stretched=True).axes[0]
    draw_dots(axes.figure)
    [bottom, top] = axes.get_ylim()
    heights = [axes.transData.transform((0, percent))[1] for percent in (98, 99, 99.5)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    assert (bottom, top) == (0, 100)
    assert "99.5" in [label.get_text() for label in axes.get_yticklabels()]


def test_errors_begin_at_0_and_on_a_logarithmic_axis_0_is_left_out():
    plain = figures.error_curve(LEVELS, ERRORS, references={"best documented": 0.016}).axes[0]
    np.testing.assert_allclose(plain.lines[1].get_ydata(), [0.001, 0.005, 0.01])
    assert plain.get_ylim()[0] == 0
    assert set(plain.lines[-1].get_ydata()) == {0.016}
    log = figures.error_curve(LEVELS, ERRORS, log_y=True).axes[0]
    draw_dots(log.figure)
    assert log.get_yscale() == "log" and log.get_ylim()[0] > 1e-5


def test_curves_show_the_error_of_a_restorer_per_epoch():
    records = [{"epoch": e, "train_mse": 0.02 / e, "watch_mse": 0.03 / e, "train_loss": 0.1} for e in (1, 2)]
    drawn = figures.curves(records)
    assert [axes.get_ylabel() for axes in drawn.axes] == ["MSE", "loss"]
    np.testing.assert_allclose(drawn.axes[0].lines[1].get_ydata(), [0.03, 0.015])


def test_the_latent_map_has_x_to_the_right_and_y_upwards():
    figure = figures.latent_map(flat(0.0, 0.1, 0.2, 0.3, 0.4, 0.5), [-1, 0, 1], [-2, 2])
    [mosaic] = shown_in(figure)
    np.testing.assert_allclose(mosaic[::14, ::14], [[0.3, 0.4, 0.5], [0.0, 0.1, 0.2]], atol=1e-6)
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places["−1.0"][0] < places["0.0"][0] < places["1.0"][0]
    assert places["2.0"][1] < places["−2.0"][1]  # inches from the top


def test_the_ends_of_a_walk_are_framed_and_drawn_digits_above_their_neighbours():
    walk = figures.latent_walk({"0 to 1": CLEAN})
    assert [to_hex(p.get_edgecolor()).upper() == BLUE for p in walk.axes[0].patches] == [True, False, True]
    near = figures.nearest_digits(
        flat(0, 1), np.stack([flat(0.1, 0.2), flat(0.9, 0.8)]), np.array([[1.4, 2.8], [0, 2]])
    )
    np.testing.assert_allclose(shown_in(near)[:, 0, 0], [0, 1, 0.1, 0.9, 0.2, 0.8], atol=1e-6)
    assert texts_of(near)[1:] == [
        "generated", "nearest", "distance", "1.40", "0.00", "2nd", "distance", "2.80", "2.00"
    ]  # fmt: skip


def test_drawn_digits_stand_in_the_row_of_the_class_that_was_asked_for():
    figure = figures.samples_grid(flat(0.2, 0.0, 0.2, 0.0, 0.0), np.array([2, 0, 2, 0, 0]), columns=2)
    np.testing.assert_allclose(shown_in(figure)[:, 0, 0], [0, 0, 0, 0.2, 0.2], atol=1e-6)
    assert texts_of(figure)[1:] == ["0", "2"]


def test_points_are_coloured_by_class_and_named_in_their_middle():
    points = np.array([[0.0, 0], [2, 0], [1, 9], [-5, -5]])
    axes = figures.latent_scatter(points, np.array([1, 1, 1, 0]), classes=["$a", "b$c"]).axes[0]
    draw_dots(axes.figure)
    assert {t.get_text(): t.get_position() for t in axes.texts} == {"$a": (-5, -5), "b$c": (1, 0)}
    colours = [to_hex(colour) for colour in axes.collections[0].get_facecolors()]
    assert len(set(colours[:3])) == 1 and colours[3] != colours[0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.restored_rows(CLEAN, NOISY[:2], RESTORED),
        lambda: figures.restored_rows(CLEAN, NOISY, RESTORED[..., :9]),
        lambda: figures.restored_rows(CLEAN[:0], NOISY[:0], RESTORED[:0]),
        lambda: figures.restored_rows(CLEAN, NOISY, RESTORED * 3),
        lambda: figures.levels_grid(CLEAN[:1], NOISY[None], RESTORED[None], [0.1, 0.2]),
        lambda: figures.levels_grid(CLEAN[:0], NOISY[None], RESTORED[None], [0.1, 0.2, 0.3]),
        lambda: figures.accuracy_curves(LEVELS, {}),
        lambda: figures.accuracy_curves(LEVELS, {"plain": [[], [], []]}),
        lambda: figures.accuracy_curves(LEVELS, {"plain": [[0.9], [0.8]]}),
        lambda: figures.error_curve(LEVELS, {"plain": [[0.9]] * 4}),
        lambda: figures.errors_by_kind({"at random": {}}),
        lambda: figures.latent_map(CLEAN, [0, 1], [0, 1]),
        lambda: figures.latent_map(CLEAN[:0], [], []),
        lambda: figures.latent_walk({}),
        lambda: figures.latent_walk({"a": CLEAN, "b": CLEAN[..., :9]}),
        lambda: figures.latent_walk({"a": CLEAN[:0]}),
        lambda: figures.latent_scatter(np.zeros((4, 3)), np.zeros(4, int)),
        lambda: figures.latent_scatter(np.zeros((4, 2)), np.zeros(3, int)),
        lambda: figures.samples_grid(CLEAN, np.zeros(2, int)),
        lambda: figures.nearest_digits(CLEAN, CLEAN[None], np.zeros((3, 1))),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw):
    with pytest.raises(InputError, match=r"\w+ \w+"):
        draw()


def test_errors_stand_on_their_systems_line_and_what_is_missing_is_left_out():
    panels = {"at random": {"a": {"coffee": 0.01, "folded": 0.02}}, "TR to VA": {"b": {"coffee": 0.1}}}
    left, right = figures.errors_by_kind(panels).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["a", "b"]
    points = [{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in (left, right)]
    assert points == [{"coffee": [[0.01, 0]], "folded": [[0.02, 0]]}, {"coffee": [[0.1, 1]], "folded": []}]


def test_a_restoration_is_summed_up_beside_the_noisy_images_as_they_are():
    clean, noisy = (images.repeat(100, axis=0) for images in (CLEAN, NOISY))
    table = restoration_table(evaluate_restorer(lambda images: np.abs(clean - 0.1), noisy, clean), title="t")
    cells = {name: values for name, *values in table.rows}
    assert cells["MSE"] == ["0.01000", "0.50000"]
    assert cells["RMSE"] == ["0.1000", "0.7071"]
    assert cells["PSNR"] == ["20.00 dB", "3.01 dB"]
    assert cells["images"] == ["300", ""]
    assert "images per second" in cells["time"][0]
    assert "**t**" in markdown(table)


def test_the_table_of_a_perfect_restoration_of_small_images_says_so_and_leaves_ssim_out():
    small = CLEAN[..., :8, :8]
    cells = {
        name: values
        for name, *values in restoration_table(evaluate_restorer(lambda images: small, small, small)).rows
    }
    assert cells["PSNR"] == ["∞ dB", "∞ dB"]
    assert "SSIM" not in cells
