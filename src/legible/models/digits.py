"""This project's classifiers of digits: fast ones, a deep one for noisy images, and more accurate ones."""

from __future__ import annotations

from torch import nn

from legible.models import MODELS, ImageShape
from legible.models.layers import flat_size

FAST = {
    "batch_size": 256,
    "optimiser": "muon",
    "learning_rate": 0.2,
    "label_smoothing": 0.1,
    "schedule": "triangle:warmup=0.2,final=0.02",
}

STRONG = {
    "n_epochs": 45,
    "batch_size": 256,
    "optimiser": "muon",
    "learning_rate": 0.1,
    "label_smoothing": 0.1,
    "schedule": "triangle:warmup=0.1,final=0.005",
    "augment": ("pen:0.5", "affine:15,0.15,2.5,0.2", "elastic:28"),
    "average": 0.998,
}


@MODELS.register(
    "digits-fast",
    paper="this project",
    smallest=15,
    recipe=FAST | {"n_epochs": 1},
)
def build_fast(image_shape: ImageShape, n_classes: int, *, filters: int = 16, dense: int = 128) -> nn.Module:
    """A stride-2 convolution, a max-pool, a second convolution, one dense layer: 99 % in seconds.

    filters: of the first convolution, 5x5; the second, 3x3, has twice as many.
    72,170 parameters for 28x28 grey pixels and ten classes. Smallest image: 15x15.
    """
    features = nn.Sequential(
        nn.Conv2d(image_shape[0], filters, 5, stride=2),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(filters, 2 * filters, 3, bias=False),
        nn.BatchNorm2d(2 * filters),
        nn.ReLU(),
        nn.Flatten(),
    )
    return _add_head(features, flat_size(features, image_shape), dense, n_classes)


@MODELS.register(
    "digits-wide",
    paper="this project",
    smallest=19,
    recipe=FAST | {"n_epochs": 1.5, "augment": ("shift:1",)},
)
def build_wide(image_shape: ImageShape, n_classes: int, *, filters: int = 16, dense: int = 128) -> nn.Module:
    """A stride-2 convolution, two more with norms, one dense layer: 99.4 % in a few seconds.

    filters: of the first convolution, 5x5; the two 3x3 that follow have twice and four times as many.
    98,922 parameters for 28x28 grey pixels and ten classes. Smallest image: 19x19.
    """
    features = nn.Sequential(
        nn.Conv2d(image_shape[0], filters, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(filters, 2 * filters, 3, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(2 * filters),
        nn.ReLU(),
        nn.Conv2d(2 * filters, 4 * filters, 3, bias=False),
        nn.BatchNorm2d(4 * filters),
        nn.ReLU(),
        nn.Flatten(),
    )
    return _add_head(features, flat_size(features, image_shape), dense, n_classes)


@MODELS.register(
    "digits-deep",
    paper="this project",
    smallest=12,
    recipe=FAST | {"n_epochs": 10, "augment": ("shift:1",)},
)
def build_deep(image_shape: ImageShape, n_classes: int, *, filters: int = 32, dense: int = 128) -> nn.Module:
    """Six 3x3 convolutions with norms, the first two at full size, and one dense layer: for noisy images.

    filters: of the first two convolutions; the second pair has twice, the third four times as many.
    698,026 parameters for 28x28 grey pixels and ten classes. Smallest image: 12x12.
    """
    layers: list[nn.Module] = []
    n_in = image_shape[0]
    for n_out in (filters, 2 * filters):
        layers += [*_convolve(n_in, n_out), *_convolve(n_out, n_out, pool=True)]
        n_in = n_out
    layers += [*_convolve(n_in, 2 * n_in), *_convolve(2 * n_in, 2 * n_in, padding=0), nn.Flatten()]
    features = nn.Sequential(*layers)
    return _add_head(features, flat_size(features, image_shape), dense, n_classes)


@MODELS.register(
    "digits-strong",
    paper="this project",
    smallest=24,
    recipe=STRONG,
)
def build_strong(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, dense: int = 256
) -> nn.Module:
    """Five convolutions, two pools and a dense layer: high accuracy at low cost.

    filters: of the first, 5x5; the 3x3 ones that follow have two, two, four and four times as many.
    412,266 parameters for 28x28 grey pixels and ten classes. Smallest image: 24x24.
    """
    wide, wider = 2 * filters, 4 * filters
    features = nn.Sequential(
        nn.Conv2d(image_shape[0], filters, 5, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
        *_convolve(filters, wide, padding=0),
        *_convolve(wide, wide, padding=0, pool=True),
        *_convolve(wide, wider),
        *_convolve(wider, wider, padding=0),
        nn.Flatten(),
    )
    return _add_head(features, flat_size(features, image_shape), dense, n_classes)


@MODELS.register(
    "digits-plain",
    paper="An et al. 2020",
    smallest=21,
    recipe=STRONG | {"n_epochs": 24},
)
def build_plain(image_shape: ImageShape, n_classes: int, *, filters: int = 8) -> nn.Module:
    """Ten 3x3 convolutions without pooling: full resolution at four times the cost of digits-strong.

    filters: the first convolution has twice as many; each of the others adds this number to the one before.
    309,802 parameters for 28x28 grey pixels and ten classes. Smallest image: 21x21.
    Source: An et al., arXiv:2008.10400, its M3; half as wide here, and the logits have no norm.
    """
    layers: list[nn.Module] = []
    n_in = image_shape[0]
    for i in range(10):
        layers += _convolve(n_in, (2 + i) * filters, padding=0)
        n_in = (2 + i) * filters
    features = nn.Sequential(*layers, nn.Flatten())
    return nn.Sequential(*features, nn.Linear(flat_size(features, image_shape), n_classes))


def _convolve(n_in: int, n_out: int, *, padding: int = 1, pool: bool = False) -> list[nn.Module]:
    """A 3x3 convolution with norm and ReLU, and optionally a pool."""
    pooled = [nn.MaxPool2d(2)] if pool else []
    kernel = nn.Conv2d(n_in, n_out, 3, padding=padding, bias=False)
    return [kernel, *pooled, nn.BatchNorm2d(n_out), nn.ReLU()]


def _add_head(features: nn.Sequential, n_features: int, dense: int, n_classes: int) -> nn.Module:
    """The features, one dense layer with a norm, and the logits."""
    return nn.Sequential(
        *features,
        nn.Linear(n_features, dense, bias=False),
        nn.BatchNorm1d(dense),
        nn.ReLU(),
        nn.Linear(dense, n_classes),
    )
