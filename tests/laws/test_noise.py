"""Every noise obeys the contract of legible.noise: images in, images out, reproducible by seed."""

from pathlib import Path

import numpy as np
import pytest

from legible.errors import ArgumentError, InputError, UnknownName
from legible.noise import NOISES, add_noise, chunks
from legible.registry import Entry

every_noise = pytest.mark.parametrize("noise", list(NOISES), ids=NOISES.names())
random_noise = pytest.mark.parametrize(
    "noise", [n for n in NOISES if n.facts.get("is_random", True)], ids=lambda noise: noise.name
)
SHAPES = [(7, 1, 28, 28), (1, 1, 28, 28), (3, 3, 40, 17), (2, 1, 5, 64), (1, 1, 1, 1)]


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, dtype=np.float32)


@every_noise
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_noise_keeps_shape_dtype_and_range(noise: Entry[np.ndarray], shape: tuple[int, ...]) -> None:
    noisy = noise.build(_images(*shape), np.random.default_rng(0))
    assert noisy.shape == shape and noisy.dtype == np.float32
    assert noisy.min() >= 0 and noisy.max() <= 1


@every_noise
def test_a_noise_does_not_change_its_input(noise: Entry[np.ndarray]) -> None:
    images = _images(5, 1, 28, 28)
    before = images.copy()
    images.flags.writeable = False
    assert not np.shares_memory(noise.build(images, np.random.default_rng(0)), images)
    np.testing.assert_array_equal(images, before)


@every_noise
def test_a_noise_changes_every_image_at_its_default_amount(noise: Entry[np.ndarray]) -> None:
    images = _images(200, 1, 28, 28)
    changed = (noise.build(images, np.random.default_rng(0)) != images).any(axis=(1, 2, 3))
    assert changed.mean() > 0.95  # a shift by 0, 0 is one draw of 81


@every_noise
def test_equal_generators_give_equal_noise(noise: Entry[np.ndarray]) -> None:
    images = _images(9, 1, 28, 28)
    first, second = (noise.build(images, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@every_noise
def test_a_generator_restored_from_its_state_gives_equal_noise(noise: Entry[np.ndarray]) -> None:
    """A resumed training restores generators this way; `Generator.spawn` would break it."""
    images, rng = _images(9, 1, 28, 28), np.random.default_rng(1)
    noise.build(images, rng)
    restored = np.random.default_rng(99)
    restored.bit_generator.state = rng.bit_generator.state
    np.testing.assert_array_equal(noise.build(images, restored), noise.build(images, rng))


@random_noise
def test_noise_differs_between_seeds_and_between_calls(noise: Entry[np.ndarray]) -> None:
    images, rng = _images(50, 1, 28, 28), np.random.default_rng(1)
    first, again = noise.build(images, rng), noise.build(images, rng)
    assert (first != again).any()
    assert (first != noise.build(images, np.random.default_rng(2))).any()


@random_noise
def test_images_of_one_batch_get_different_noise(noise: Entry[np.ndarray]) -> None:
    """Fifty equal images give more than five results: a net would memorise a handful of fixed masks.

    The noise with the fewest results has nine, as many as shifts by one pixel; of nine equally likely ones,
    fifty images show five or fewer with probability 2e-11.
    """
    noisy = noise.build(np.repeat(_images(1, 1, 28, 28), 50, axis=0), np.random.default_rng(1))
    assert len({image.tobytes() for image in noisy}) > 5


@every_noise
def test_the_number_of_cores_changes_nothing(
    noise: Entry[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_PIXELS", 3 * 28 * 28)  # 20 images in 7 chunks
    images, noisy = _images(20, 1, 28, 28), []
    for n_cores in (1, 3):
        monkeypatch.setattr(chunks, "count_cores", lambda n=n_cores: n)
        noisy.append(noise.build(images, np.random.default_rng(0)))
    np.testing.assert_array_equal(*noisy)


@every_noise
def test_the_layout_in_memory_changes_nothing(noise: Entry[np.ndarray]) -> None:
    images = _images(4, 3, 28, 28)
    channels_last = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    noisy = noise.build(channels_last, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy, noise.build(images, np.random.default_rng(0)))
    assert noisy.flags.c_contiguous


@pytest.mark.parametrize("noise", [n for n in NOISES if "none" in n.facts], ids=lambda noise: noise.name)
def test_the_amount_that_means_none_changes_nothing(noise: Entry[np.ndarray]) -> None:
    images = _images(6, 3, 20, 28)
    noisy = NOISES.call(f"{noise.name}:{noise.facts['none']}", images, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy, images)


@every_noise
@pytest.mark.parametrize("value", [-1e9, 1e9, float("nan")])
def test_a_setting_out_of_range_is_refused_by_name(noise: Entry[np.ndarray], value: float) -> None:
    for setting in noise.defaults:
        with pytest.raises(ArgumentError, match=f"'{noise.name}': {setting} must .* not "):
            noise.build(_images(1, 1, 28, 28), np.random.default_rng(0), **{setting: value})


@every_noise
def test_images_of_wrong_range_dtype_or_shape_are_refused(noise: Entry[np.ndarray]) -> None:
    for images in (_images(2, 1, 9, 9) * 255, _images(2, 1, 9, 9).astype(np.float64), _images(2, 9, 9)):
        with pytest.raises(InputError):
            noise.build(images, np.random.default_rng(0))


@every_noise
def test_a_noise_is_documented_with_its_settings_and_defaults(noise: Entry[np.ndarray]) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "noise.md").read_text(encoding="utf-8")
    line = next((row for row in docs.splitlines() if row.startswith(f"| `{noise.name}` |")), "")
    for setting, default in noise.defaults.items():
        value = default if isinstance(default, str) else f"{default:g}"
        assert f"{setting} {value}" in line


def test_noises_are_applied_in_the_order_given() -> None:
    ink = np.ones((1, 1, 8, 8), np.float32)
    erased_then_grey = add_noise(ink, np.random.default_rng(0), ["occlusion:8", "low-contrast:0"])
    grey_then_erased = add_noise(ink, np.random.default_rng(0), ["low-contrast:0", "occlusion:8"])
    assert (erased_then_grey == 0.5).all() and (grey_then_erased == 0).all()


def test_an_unknown_noise_suggests_a_near_name() -> None:
    with pytest.raises(UnknownName, match="'gaussian'"):
        add_noise(_images(1, 1, 8, 8), np.random.default_rng(0), ["gausian:0.5"])
