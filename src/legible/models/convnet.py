"""The reports' convolutional classifiers.

They pool before the ReLU: it is then applied to the largest of four values instead of to each of the four,
which gives the same numbers and the same gradients in two thirds of the time (docs/log.md).
"""

from __future__ import annotations

from torch import nn

from legible.models import MODELS, ImageShape
from legible.models.layers import flat_size, glorot


@MODELS.register("cnn-one-conv", paper="reports A (A1) and D (D1)", smallest=4)
def build_one_conv(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, dense: int = 100
) -> nn.Module:
    """One 3x3 convolution, a max-pool and one hidden dense layer: reports A and D.

    filters: of the convolution (no padding). dense: units of the hidden layer (report A doesn't give it).
    542,230 parameters for 28x28 grey pixels and ten classes, as report D prints. Smallest image: 4x4.
    """
    features = nn.Sequential(nn.Conv2d(image_shape[0], filters, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten())
    head = [nn.Linear(flat_size(features, image_shape), dense), nn.ReLU(), nn.Linear(dense, n_classes)]
    return glorot(nn.Sequential(*features, *head))


@MODELS.register("cnn-two-conv", paper="report C (C1)", smallest=16)
def build_two_conv(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, dense: int = 1024, dropout: float = 0.5
) -> nn.Module:
    """Two 5x5 convolutions with max-pools, a wide dense layer and dropout: report C.

    filters: of the first convolution; the second has twice as many. dropout: rate after the dense layer.
    1,111,946 parameters for 28x28 grey pixels and ten classes. Smallest image: 16x16.
    """
    features = nn.Sequential(
        nn.Conv2d(image_shape[0], filters, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(filters, 2 * filters, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(),
    )  # fmt: skip
    head = [nn.Linear(flat_size(features, image_shape), dense), nn.ReLU(), nn.Dropout(dropout)]
    return glorot(nn.Sequential(*features, *head, nn.Linear(dense, n_classes)))


@MODELS.register("cnn-dropout", paper="report E (E4)", smallest=8)
def build_dropout(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, dense: int = 0, dropout: float = 0.5
) -> nn.Module:
    """Convolution, max-pool, dropout, convolution, dense: the family of report E's sweeps.

    filters: of both 3x3 convolutions (no padding). dense: units of an extra hidden layer, 0 for none.
    dropout: rate after the pool. 48,298 parameters with the defaults for 28x28 grey pixels and ten classes.
    Smallest image: 8x8.
    """
    features = nn.Sequential(
        nn.Conv2d(image_shape[0], filters, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(dropout),
        nn.Conv2d(filters, filters, 3), nn.ReLU(), nn.Flatten(),
    )  # fmt: skip
    n_features = flat_size(features, image_shape)
    hidden = [nn.Linear(n_features, dense), nn.ReLU()] if dense else []
    return glorot(nn.Sequential(*features, *hidden, nn.Linear(dense or n_features, n_classes)))
