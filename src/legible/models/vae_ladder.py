"""A convolutional ladder VAE; vae.py explains ladders."""

from __future__ import annotations

from torch import Tensor, nn

from legible.models import MODELS, ImageShape
from legible.models.vae import RECIPE, Ladder, LatentBlock, check_counts


@MODELS.register(
    "vae-ladder", kind="generate", paper="after Sønderby et al., 2016", smallest=1, recipe=RECIPE
)
def build_ladder(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, latents: int = 8, top_latents: int = 32,
    rungs: int = 2, condition: str = "label",
) -> Ladder:  # fmt: skip
    """A convolutional ladder VAE with latents at three scales: the whole image, 1/8 and 1/4 of its size.

    filters: channels at half size; twice as many at 1/4 and 1/8, four times as many for the whole image.
    latents: per position, in each block at 1/8 and 1/4. top_latents: for the whole image. rungs: number of
    latent blocks at 1/8, and again at 1/4. condition: `label` generates the class asked for, `no` is
    unconditional. 1,203,457 parameters for 28x28 grey pixels and ten classes.
    """
    counts = {"filters": filters, "latents": latents, "top_latents": top_latents, "rungs": rungs}
    check_counts("vae-ladder", condition, **counts)
    whole = image_shape[1:]
    half = _halve(whole)
    quarter = _halve(half)
    eighth = _halve(quarter)
    width, n_last = 2 * filters, max(filters // 2, 1)
    stages: list[nn.Module] = [
        nn.Sequential(
            nn.Conv2d(image_shape[0], filters, 5, stride=2, padding=2), Block(filters),
            _shrink(filters, width), Block(width),
        ),
        nn.Sequential(_shrink(width, width), Block(width)),
        nn.Sequential(nn.SiLU(), nn.Conv2d(width, 2 * width, eighth)),
    ]  # fmt: skip
    unfold = nn.Sequential(nn.SiLU(), nn.ConvTranspose2d(2 * width, width, eighth), Block(width))
    grow = nn.Sequential(Block(width), _grow(width, width, eighth, quarter), Block(width))
    pixels = nn.Sequential(
        Block(width), _grow(width, filters, quarter, half), Block(filters), nn.SiLU(),
        _grow(filters, n_last, half, whole), nn.SiLU(), nn.Conv2d(n_last, image_shape[0], 3, padding=1),
    )  # fmt: skip
    ladder = [LatentBlock(2 * width, (top_latents, 1, 1), 2, unfold)]
    for stage, size, onward in ((1, eighth, grow), (0, quarter, pixels)):
        ladder += [LatentBlock(width, (latents, *size), stage, Block(width)) for _ in range(rungs - 1)]
        ladder.append(LatentBlock(width, (latents, *size), stage, onward))
    return Ladder(stages, ladder, width=2 * width, n_classes=n_classes if condition == "label" else 0)


class Block(nn.Module):
    """A residual block of two 3x3 convolutions. Source: He et al., "Identity Mappings", 2016."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same."""
        return x + self.path(x)  # type: ignore[no-any-return]


def _halve(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def _shrink(n_in: int, n_out: int) -> nn.Module:
    return nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)


def _grow(n_in: int, n_out: int, size: tuple[int, int], target: tuple[int, int]) -> nn.Module:
    """Upsample from `size` to `target`, which is twice as large or one less: the reverse of _shrink."""
    even = (target[0] - 2 * size[0] + 1, target[1] - 2 * size[1] + 1)  # 1 for an even side
    return nn.ConvTranspose2d(n_in, n_out, 3, stride=2, padding=1, output_padding=even)
