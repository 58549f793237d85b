"""Every augmentation obeys its contract: batches in, batches out, reproducible by seed."""

import pytest
import torch
from torch import Tensor

from legible.errors import ArgumentError, UnknownName
from legible.registry import Entry
from legible.training.augment import AUGMENTS, augment

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SHAPES = [(7, 1, 28, 28), (1, 1, 28, 28), (3, 3, 40, 17), (2, 1, 1, 1)]
every_augmentation = pytest.mark.parametrize("augmentation", list(AUGMENTS), ids=AUGMENTS.names())
every_device = pytest.mark.parametrize("device", DEVICES)


def _images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(5))


def _seeded(seed: int, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


@every_device
@every_augmentation
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_an_augmentation_keeps_shape_dtype_and_range(
    augmentation: Entry[Tensor], shape: tuple[int, ...], dtype: torch.dtype, device: str
) -> None:
    images = _images(*shape).to(device, dtype)
    changed = augmentation.build(images, _seeded(0, device))
    assert changed.shape == shape and changed.dtype == dtype and changed.device == images.device
    assert changed.min() >= 0 and changed.max() <= 1


@every_augmentation
def test_an_augmentation_never_exceeds_1(augmentation: Entry[Tensor]) -> None:
    """The four weights of bilinear sampling may add up to a little more than 1."""
    assert augmentation.build(torch.ones(200, 1, 28, 28), _seeded(0)).max() <= 1


@every_augmentation
def test_an_augmentation_does_not_change_its_input(augmentation: Entry[Tensor]) -> None:
    images = _images(20, 1, 28, 28)
    before = images.clone()
    changed = augmentation.build(images, _seeded(0))
    changed.zero_()
    assert torch.equal(images, before)


@every_augmentation
def test_equal_seeds_give_equal_images_and_others_do_not(augmentation: Entry[Tensor]) -> None:
    images = _images(20, 1, 28, 28)
    first = augmentation.build(images, _seeded(1))
    assert torch.equal(first, augmentation.build(images, _seeded(1)))
    assert not torch.equal(first, augmentation.build(images, _seeded(2)))


@every_augmentation
def test_images_of_one_batch_are_changed_differently(augmentation: Entry[Tensor]) -> None:
    changed = augmentation.build(_images(1, 1, 28, 28).expand(50, -1, -1, -1), _seeded(0))
    assert len({image.numpy().tobytes() for image in changed}) > 15


@every_augmentation
def test_all_channels_of_an_image_move_together(augmentation: Entry[Tensor]) -> None:
    changed = augmentation.build(_images(9, 1, 20, 28).expand(-1, 3, -1, -1), _seeded(0))
    assert torch.equal(changed[:, 0], changed[:, 1]) and torch.equal(changed[:, 0], changed[:, 2])


@every_augmentation
def test_the_settings_that_mean_none_change_nothing(augmentation: Entry[Tensor]) -> None:
    images = _images(9, 3, 20, 28)
    changed = augment(images, _seeded(0), [f"{augmentation.name}:{augmentation.facts['none']}"])
    torch.testing.assert_close(
        changed, images, atol=1e-5, rtol=0
    )  # coordinates are exact to 1e-6 of the width


@every_augmentation
def test_the_memory_format_is_kept_and_changes_nothing(augmentation: Entry[Tensor]) -> None:
    images = _images(5, 3, 28, 28)
    channels_last = images.contiguous(memory_format=torch.channels_last)
    changed = augment(channels_last, _seeded(0), [augmentation.name])
    assert changed.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(changed, augment(images, _seeded(0), [augmentation.name]), atol=1e-6, rtol=0)


@every_augmentation
@pytest.mark.parametrize("value", [-1e9, 1e9, float("nan")])
def test_a_setting_out_of_range_is_refused_by_name(augmentation: Entry[Tensor], value: float) -> None:
    for setting in augmentation.defaults:
        with pytest.raises(ArgumentError, match=f"{setting} must .* not "):
            augmentation.build(_images(2, 1, 9, 9), _seeded(0), **{setting: value})


@every_device
def test_a_cpu_generator_works_for_images_on_any_device(device: str) -> None:
    changed = augment(_images(4, 1, 28, 28).to(device), _seeded(0), AUGMENTS.names())
    assert changed.device.type == device


def test_without_augmentations_the_images_are_returned() -> None:
    images = _images(4, 1, 28, 28)
    assert augment(images, _seeded(0), []) is images


def test_augmentations_are_applied_in_the_order_given() -> None:
    images = _images(4, 1, 28, 28)
    generator, expected = _seeded(0), images
    for spec in ("shift:3", "erasing:1"):
        expected = AUGMENTS.call(spec, expected, generator)
    assert torch.equal(augment(images, _seeded(0), ["shift:3", "erasing:1"]), expected)


def test_an_unknown_augmentation_suggests_a_near_name() -> None:
    with pytest.raises(UnknownName, match="'rotation'"):
        augment(_images(1, 1, 9, 9), _seeded(0), ["rotatoin:5"])
