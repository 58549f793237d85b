"""Each augmentation follows its formula.

Geometric ones are applied to images of the coordinates x and y, which then show where each pixel came from.

Source of the expected values: each formula, worked out by hand.
"""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from legible.training.augment import AUGMENTS

WIDTH, HEIGHT = 80, 64


def _origins(spec: str, n: int = 60) -> Tensor:
    """The source coordinates x, y in px of the central pixels: (n, 2, 16, 16)."""
    x = ((torch.arange(WIDTH) + 0.5) / WIDTH).expand(HEIGHT, -1)
    y = ((torch.arange(HEIGHT) + 0.5) / HEIGHT).view(-1, 1).expand(-1, WIDTH)
    changed = AUGMENTS.call(spec, torch.stack([x, y]).expand(n, -1, -1, -1), _seeded())
    return changed[:, :, 24:40, 32:48] * torch.tensor([WIDTH, HEIGHT]).view(2, 1, 1)


def _jacobians(origins: Tensor) -> Tensor:
    """The derivative of the source coordinates by the coordinates: (n, 2, 2), rows and columns x, y."""
    right = (origins[..., :, -1] - origins[..., :, 0]).mean(2) / 15
    down = (origins[..., -1, :] - origins[..., 0, :]).mean(2) / 15
    return torch.stack([right, down], 2)


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_rotation_turns_without_stretching_up_to_its_angle_both_ways() -> None:
    jacobians = _jacobians(_origins("rotation:20"))
    torch.testing.assert_close(jacobians @ jacobians.mT, torch.eye(2).expand_as(jacobians), atol=1e-4, rtol=0)
    degrees = torch.atan2(jacobians[:, 1, 0], jacobians[:, 0, 0]).rad2deg()
    assert -20 <= degrees.min() < -15 and 15 < degrees.max() <= 20


def test_rotation_keeps_the_centre() -> None:
    centre = _origins("rotation:90")[:, :, 7:9, 7:9].mean((2, 3))
    torch.testing.assert_close(centre, torch.tensor([40.0, 32.0]).expand_as(centre), atol=1e-3, rtol=0)


def test_scale_is_uniform_and_up_to_its_share() -> None:
    jacobians = _jacobians(_origins("scale:0.3"))
    factor = 1 / jacobians[:, 0, 0]
    torch.testing.assert_close(jacobians, torch.eye(2) / factor.view(-1, 1, 1), atol=1e-4, rtol=0)
    assert 0.7 <= factor.min() < 0.76 and 1.24 < factor.max() <= 1.3


def test_affine_shifts_by_up_to_its_pixels() -> None:
    origins = _origins("affine:0,0,4")
    moved = (origins - _origins("affine:0,0,0")).mean((2, 3))
    assert moved.abs().max() <= 4.001 and moved.min() < -3.5 and moved.max() > 3.5
    torch.testing.assert_close(_jacobians(origins), torch.eye(2).expand(60, -1, -1), atol=1e-4, rtol=0)


def test_affine_shears_by_up_to_its_amount() -> None:
    jacobians = _jacobians(_origins("affine:0,0,0,max_shear=0.3"))
    slant = -jacobians[:, 0, 1]
    assert -0.3 <= slant.min() < -0.25 and 0.25 < slant.max() <= 0.3
    upright = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(60, 1, 1)
    upright[:, 0, 1] = -slant
    torch.testing.assert_close(jacobians, upright, atol=1e-4, rtol=0)


def test_affine_without_scale_preserves_areas() -> None:
    area = torch.linalg.det(_jacobians(_origins("affine:40,0,3,max_shear=0.5")))
    torch.testing.assert_close(area, torch.ones(60), atol=1e-3, rtol=0)


def test_elastic_moves_pixels_as_far_as_simards_formula_says() -> None:
    """Uniform -1 ... 1 has std 0.577; smoothing in 2-D by a Gaussian of std s divides it by 2 s sqrt(pi)."""
    moved_px = _origins("elastic:34,sigma_px=4") - _origins("affine:0,0,0")
    for direction in (0, 1):
        expected = 34 * 0.577 / (2 * 4 * math.sqrt(math.pi))
        assert moved_px[:, direction].std().item() == pytest.approx(expected, rel=0.1)
    assert moved_px.diff(dim=2).abs().mean() < 0.5  # neighbours move together


def test_shift_moves_by_whole_pixels_evenly_over_the_range() -> None:
    dot = torch.zeros(2000, 2, 9, 11)
    dot[:, :, 4, 5] = torch.tensor([1.0, 0.5])
    changed = AUGMENTS.call("shift:2", dot, _seeded())
    image, channel, row, column = changed.nonzero().T
    assert image.tolist() == [n for n in range(2000) for _ in range(2)]
    assert channel.tolist() == [0, 1] * 2000
    assert torch.equal(changed.sum((2, 3)), dot.sum((2, 3)))
    for moves in (row - 4, column - 5):
        counts = np.bincount(moves + 2, minlength=5) // 2
        assert len(counts) == 5 and counts.min() > 320  # 400 expected, std 18


def test_erasing_erases_one_rectangle_of_the_requested_share() -> None:
    erased = AUGMENTS.call("erasing:0.5,max_share=0.2", torch.ones(2000, 1, 60, 60), _seeded()) == 0
    share = erased.float().mean((1, 2, 3))
    touched = share > 0
    assert touched.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert share[touched].min() > 0.015 and 0.18 < share.max() < 0.21
    tall, wide = erased.any(3).sum((1, 2)), erased.any(2).sum((1, 2))
    assert torch.equal(erased.sum((1, 2, 3)), tall * wide)
    aspect = (tall / wide)[touched]
    assert 0.25 < aspect.min() < 0.4 and 2.5 < aspect.max() < 4  # 0.3 to 3.3, rounded to pixels
