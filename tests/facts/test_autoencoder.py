"""Autoencoders have the reports' parameters and layers.

Source of the expected values: the reports' tables of layers; parameters by hand; ONNX Runtime for the
exported nets.
"""

from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from legible.errors import ArgumentError
from legible.inference.runtime import import_openvino
from legible.kinds import RESTORE
from legible.models import MODELS, build_model, count_parameters
from legible.models.autoencoder import spread
from legible.training.exchange import to_onnx

SHAPE = (1, 28, 28)
SIXTEENS = {n: "-".join(["16"] * n) for n in (4, 6, 10, 14)}
CONV_ROWS = {  # row: settings, filters of each layer, layers with a norm
    "B1.1": ("filters=16-8-8-8-8-16,pools=3", [16, 8, 8, 8, 8, 16], 0),
    "B1.2": (f"filters={SIXTEENS[6]}", [16] * 6, 0),
    "B1.3": (f"filters={SIXTEENS[6]},norms=2", [16] * 6, 2),
    "B1.4": (f"filters={SIXTEENS[14]},pools=1,dropouts=2,norms=6", [16] * 14, 6),
    "B2.1": ("filters=16-8-8-8-8-16,pools=3", [16, 8, 8, 8, 8, 16], 0),
    "B2.2": (f"filters={SIXTEENS[10]},pools=1,dropouts=2,norms=6", [16] * 10, 6),
    "B2.3": ("filters=32-32-64-128", [32, 32, 64, 128], 0),
    "B2.4": (f"filters={SIXTEENS[4]},pools=2,norms=4", [16] * 4, 4),
}
DENSE_ROWS = {  # row: settings, units of each hidden layer, those of the layers with a norm
    "B1.5": (
        "widths=784-784-784-784-21952,dropouts=4,norms=4",
        [784] * 4 + [28 * 28 * 28],
        [784] * 3 + [28 * 28 * 28],
    ),
    "B1.6": ("widths=784-784-784-784-784,dropouts=4,norms=4", [784] * 5, [784] * 4),
    "B1.7": (f"widths={'-'.join(['784'] * 9)},dropouts=8,norms=8", [784] * 9, [784] * 8),
    "B2.5": ("widths=2000-2000,dropouts=2,norms=2", [2000] * 2, [2000] * 2),
    "E5": ("widths=128-96-128", [128, 96, 128], []),
}


def build(spec: str) -> nn.Module:
    """The model without weights in memory: B1.5 has 37 million, and counting them needs none."""
    with torch.device("meta"):
        return MODELS.call(spec, SHAPE, 10)


def kinds(model: nn.Module) -> list[str]:
    """The classes of the leaf layers, in order."""
    return [type(part).__name__ for part in model.modules() if not list(part.children())]


@pytest.mark.parametrize("row", CONV_ROWS)
def test_each_convolutional_row_of_report_b_has_the_parameters_of_the_formula(row):
    """A 3x3 convolution of a to b maps has 9ab + b, a norm of b maps 2b; the last one gives 1 map."""
    settings, filters, n_norms = CONV_ROWS[row]
    maps = [1, *filters, 1]
    by_hand = sum(9 * a * b + b for a, b in pairwise(maps)) + n_norms * 2 * 16
    assert count_parameters(build(f"conv-autoencoder:{settings}")) == by_hand


def test_the_best_net_of_report_b_has_the_parameters_it_prints():
    assert count_parameters(build("conv-autoencoder:filters=32-32-64-128")) == 103_073
    assert count_parameters(build("conv-autoencoder")) == 103_073


@pytest.mark.parametrize("row", DENSE_ROWS)
def test_each_dense_row_has_the_parameters_of_the_formula(row):
    """A dense layer of a to b units has ab + b, a norm of b units 2b; the last one gives 784 pixels."""
    settings, hidden, normed = DENSE_ROWS[row]
    units = [784, *hidden, 784]
    by_hand = sum(a * b + b for a, b in pairwise(units)) + 2 * sum(normed)
    assert count_parameters(build(f"dense-autoencoder:{settings}")) == by_hand


@pytest.mark.parametrize(
    ("count", "n_layers", "places"),
    [
        (0, 6, []), (2, 6, [2, 5]), (6, 6, [1, 2, 3, 4, 5, 6]), (2, 10, [3, 8]), (6, 10, [2, 3, 4, 7, 8, 9]),
        (2, 14, [4, 11]), (6, 14, [2, 4, 6, 9, 11, 13]), (1, 4, [2]), (1, 5, [3]), (4, 5, [1, 2, 4, 5]),
        (5, 5, [1, 2, 3, 4, 5]), (8, 9, [1, 2, 3, 4, 6, 7, 8, 9]),
    ],
)  # fmt: skip
def test_extras_are_spaced_evenly_and_symmetrically(count, n_layers, places):
    assert spread(count, n_layers) == places


def test_each_extra_is_in_a_layer_of_its_own():
    for n_layers in range(1, 30):
        assert all(len(set(spread(n, n_layers))) == n for n in range(n_layers + 1))


def test_the_parts_of_a_layer_are_in_the_documented_order():
    model = build("conv-autoencoder:filters=4-4,pools=1,dropouts=2,norms=2")
    assert kinds(model.encoder) == ["Conv2d", "MaxPool2d", "ReLU", "BatchNorm2d", "Dropout"]
    assert kinds(model.decoder) == ["Conv2d", "ReLU", "BatchNorm2d", "Dropout", "Upsample", "Conv2d"]
    assert {part.p for part in model.modules() if isinstance(part, nn.Dropout)} == {0.2}
    dense = build("dense-autoencoder:widths=9-5-9,dropouts=1,rate=0.4,norms=3")
    assert kinds(dense.encoder) == [
        "Flatten", "Linear", "ReLU", "BatchNorm1d", "Linear", "ReLU", "BatchNorm1d", "Dropout",
    ]  # fmt: skip
    assert kinds(dense.decoder) == ["Linear", "ReLU", "BatchNorm1d", "Linear", "Unflatten"]
    assert [part.p for part in dense.modules() if isinstance(part, nn.Dropout)] == [0.4]


def test_three_pools_make_a_code_of_4_x_4_as_in_the_net_that_report_b_follows():
    """F. Chollet, Building Autoencoders in Keras, 2016: 28 x 28 pixels to 8 maps of 4 x 4 and back."""
    model = build_model("conv-autoencoder:16-8-8-8-8-16,pools=3", SHAPE, 10, seed=0).eval()
    code = model.encoder(torch.zeros(2, 1, 32, 32))
    assert code.shape == (2, 8, 4, 4) and model.decoder(code).shape == (2, 1, 32, 32)
    assert model(torch.zeros(2, *SHAPE)).shape == (2, *SHAPE) and model.multiple == 8


def test_the_kernel_setting_applies_to_all_but_the_last_layer():
    sides = [p.kernel_size for p in build("conv-autoencoder:8-8,kernel=5").modules() if hasattr(p, "stride")]
    assert sides == [(5, 5), (5, 5), (3, 3)]


def test_encoder_and_decoder_of_report_es_net_work_alone(rng):
    model = build_model("dense-autoencoder", SHAPE, 10, seed=0).eval()
    images = torch.from_numpy(rng.random((3, *SHAPE), dtype=np.float32))
    code = model.encoder(images)
    assert code.shape == (3, 96) and (code >= 0).all()
    assert torch.equal(model.decoder(code), model(images))


@pytest.mark.parametrize(("widths", "code"), [("8-3-5-8", 3), ("8-8-8", 8), ("9-7-4", 4), ("6", 6)])
def test_the_code_is_the_narrowest_layer(widths, code):
    encoder = build(f"dense-autoencoder:{widths}").encoder
    assert encoder[-1][0].out_features == code
    assert len(encoder) - 1 == {"8-8-8": 2}.get(widths, widths.split("-").index(str(code)) + 1)


@pytest.mark.parametrize("spec", ["conv-autoencoder:8-8-8,pools=1", "dense-autoencoder:widths=9-5-9"])
def test_light_inverts_input_and_output(spec):
    """With the same weights, a net that sees paper as 1 returns the negated logits of the inverted image."""
    images = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    plain, light = (build_model(f"{spec},light={word}", SHAPE, 10, seed=0).eval() for word in ("no", "yes"))
    torch.testing.assert_close(light(images), -plain(1 - images))
    torch.testing.assert_close(light.decoder(light.encoder(images)), light(images))


@pytest.mark.parametrize("spec", ["conv-autoencoder:8-8-8-8,pools=2,norms=4", "unet:filters=4,levels=3"])
def test_padding_for_an_odd_size_is_cropped_again(spec, rng):
    """One net used in three ways: directly, padded by hand, and as an ONNX file for any size."""
    model = build_model(spec, (3, 28, 28), 10, seed=0).eval()
    images = rng.random((2, 3, 29, 13), dtype=np.float32)
    padded = np.pad(images, ((0, 0), (0, 0), (0, -29 % model.multiple), (0, -13 % model.multiple)))
    with torch.no_grad():
        restored = model(torch.from_numpy(images))
        by_hand = model(torch.from_numpy(padded))[:, :, :29, :13]
    np.testing.assert_allclose(restored, by_hand, atol=1e-6)
    network = to_onnx(model, (3, 28, 28), RESTORE)
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    answer = session.run(None, {"images": images})[0]
    np.testing.assert_allclose(answer, restored.sigmoid().numpy(), atol=1e-5)


def test_the_exported_unet_has_no_norms():
    model = build_model("unet:filters=4,levels=3,blocks=2", SHAPE, 10, seed=0)
    core = import_openvino().Core()
    network = core.read_model(to_onnx(model, SHAPE, RESTORE))
    used = core.compile_model(network, "CPU").get_runtime_model().get_ops()
    names = [op.get_friendly_name() for op in used]
    layers = [str(op.rt_info["layerType"].value) for op in used]
    assert kinds(model).count("BatchNorm2d") > 10 and not [name for name in names if "Norm" in name]
    assert layers.count("Convolution") == kinds(model).count("Conv2d")


def test_the_blind_unet_copies_grey_pixels_by_their_weight():
    """With the last layer set to weigh them 0, then 1: only grey pixels of the output change."""
    model = build_model("unet:filters=4,blind=yes", SHAPE, 10, seed=0).eval()
    images = torch.tensor([0.0, 0.25, 1.0, 0.5]).repeat(2, 1, 28, 7)
    last = model.body.body[-2]
    with torch.no_grad():
        trust = [c for c in range(8) if c >= 4]  # before the PixelShuffle: logits first, then weights
        last.weight[trust] = 0
        last.bias[trust] = -30
        distrusting = model(images).sigmoid()
        last.bias[trust] = 30
        trusting = model(images).sigmoid()
    is_grey = (images > 0) & (images < 1)
    np.testing.assert_allclose(trusting[is_grey], images[is_grey], atol=1e-5)
    assert torch.equal(trusting[~is_grey], distrusting[~is_grey])
    assert (distrusting[is_grey] - images[is_grey]).abs().max() > 0.01


def test_the_blind_unet_has_the_same_output_as_its_onnx_file(rng):
    model = build_model("unet:filters=4,whole=8,blind=yes", (3, 28, 28), 10, seed=0).eval()
    images = rng.random((5, 3, 28, 28), dtype=np.float32).round(1)
    network = to_onnx(model, (3, 28, 28), RESTORE)
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).sigmoid().numpy()
    np.testing.assert_allclose(session.run(None, {"images": images})[0], expected, atol=1e-5)
    nodes = onnx.load_from_string(network).graph.node
    assert sum(node.op_type == "DequantizeLinear" for node in nodes) == 4  # inputs and weights, twice


def test_the_blind_unet_sees_grey_pixels_a_mask_of_pure_ones_and_their_values():
    """By hand, for four pixels: paper, a quarter, ink, three quarters; multiplied by the survey's scales."""
    model = build_model("unet:filters=4,blind=yes", SHAPE, 10, seed=0).eval().body
    seen = []
    model.stem.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        model.survey[-1].weight.zero_()
        model.survey[-1].bias.zero_()
        model.survey[-1].bias[:3] = torch.tensor([1.0, 2.0, 4.0]).log()
        model(torch.tensor([0.0, 0.25, 1.0, 0.75]).repeat(1, 1, 28, 7))
    by_hand = [[0, -0.5, 0, 0.5], [2, 0, 2, 0], [-4, 0, 4, 0]]
    np.testing.assert_allclose(seen[0][0, :, 0, :4], by_hand, atol=1e-6)


def test_no_layer_of_the_unet_works_at_full_size():
    model, sizes = build_model("unet", SHAPE, 10, seed=0).eval(), []
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(lambda _, __, maps: sizes.append(maps.shape[2]))
    model(torch.zeros(1, *SHAPE))
    assert set(sizes) == {14, 7}


@pytest.mark.parametrize(("place", "size"), [(2, 14), (1, 28)])
def test_page_nets_sharpen_at_the_resolution_that_place_sets(place, size):
    model = build_model(f"page-net:filters=4,levels=2,place={place},fine=6,layers=3", SHAPE, 1, seed=0).eval()
    seen = []
    for part in model.body.sharpen:
        part.register_forward_hook(lambda _, __, maps: seen.append(maps.shape[1:]))
    assert model(torch.zeros(1, 1, 27, 28)).shape == (1, 1, 27, 28)
    assert seen == [(6, size, size)] * 6 + [(place**2, size, size)]  # three layers, each with its ReLU


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("conv-autoencoder:8-x", "filters takes whole numbers joined by '-', like 16-8-8, not '8-x'"),
        ("conv-autoencoder:8-0", "filters takes whole numbers"),
        ("conv-autoencoder:8-8,kernel=4", "kernel must be odd and at least 1, not 4"),
        ("conv-autoencoder:8-8,pools=2", "pools must lie between 0 and 1, not 2"),
        ("conv-autoencoder:8-8,norms=3", "norms must lie between 0 and 2, not 3"),
        ("conv-autoencoder:8-8,rate=1", "rate must lie between 0 and 0.999, not 1"),
        ("dense-autoencoder:8--8", "widths takes whole numbers joined by '-'"),
        ("dense-autoencoder:8-8,dropouts=3", "dropouts must lie between 0 and 2, not 3"),
        ("unet:levels=0", "levels must lie between 1 and 8, not 0"),
        ("page-net:place=3", "place must lie between 1 and 2, not 3"),
        ("page-net:layers=0", "layers must lie between 1 and 8, not 0"),
    ],
)
def test_an_unusable_setting_is_refused_by_name(spec, words):
    with pytest.raises(ArgumentError, match=f"model '{spec.partition(':')[0]}': {words}"):
        build_model(spec, SHAPE, 10, seed=0)
