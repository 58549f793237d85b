"""Exported models compute the same: ONNX, and report D's pair of JSON and HDF5 in Keras's layout.

Source of the expected values: ONNX Runtime, h5py, and the order of weights that Keras documents.
"""

import json

import h5py
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load
from torch import nn

from legible.errors import InputError, ModelError, OutputError
from legible.kinds import CLASSIFY
from legible.models import build_model
from legible.training.exchange import round_weights, to_onnx, to_safetensors
from legible.training.keras_pair import load_pair, save_pair
from legible.training.loop import predictor

SHAPE = (3, 22, 24)  # all different, so that swapped axes are noticed
CHAINS = (
    "cnn-one-conv:filters=4,dense=6",
    "cnn-two-conv:filters=4,dense=8",
    "cnn-dropout:filters=4,dense=0",
    "digits-fast:filters=4,dense=6",
    "digits-wide:filters=4,dense=6",
    "digits-deep:filters=4,dense=6",
    "mlp:7-6",
)


def perturbed(spec: str = "cnn-one-conv:filters=4,dense=6", shape=SHAPE) -> nn.Module:
    """A model whose biases and norm statistics are not the initial ones."""
    model = build_model(spec, shape, 5, seed=0)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.01 * torch.rand(tensor.shape, generator=torch.Generator().manual_seed(1)))
    return model.eval()


def to_text(name: bytes | str) -> str:
    """A name from an HDF5 attribute, which may be bytes or text."""
    return name.decode() if isinstance(name, bytes) else str(name)


def test_large_tensors_are_stored_in_half_precision_if_that_is_lossless():
    exact, rounded = (build_model("mlp:200", (1, 28, 28), 5, seed=0) for _ in range(2))
    round_weights(rounded)
    assert 0 < (exact[1].weight - rounded[1].weight).abs().max() < 1e-3
    images = np.random.default_rng(0).random((4, 1, 28, 28), dtype=np.float32)
    for model, type_name in ((exact, "F32"), (rounded, "F16")):
        weights, network = to_safetensors(model), to_onnx(model, (1, 28, 28), CLASSIFY)
        tensors = load(weights)
        assert all(torch.equal(tensors[k].float(), v) for k, v in model.state_dict().items())
        assert (tensors["1.weight"].dtype == torch.float16) is (type_name == "F16")
        assert tensors["1.bias"].dtype == torch.float32
        assert (len(network) < 4 * 784 * 200) is (type_name == "F16")
        session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
        with torch.no_grad():
            expected = model.eval()(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(session.run(None, {"images": images})[0], expected, atol=1e-5)


def read_pair(stem):
    """The layers of the JSON, and each layer's arrays as Keras finds them: by the attributes."""
    layers = json.loads(stem.with_suffix(".json").read_text())["config"]["layers"]
    with h5py.File(stem.with_suffix(".h5")) as file:
        arrays = {
            to_text(name): [np.asarray(file[name][to_text(w)]) for w in file[name].attrs["weight_names"]]
            for name in file.attrs["layer_names"]
        }
    return layers, arrays


def run_as_keras(layers, arrays, images: np.ndarray) -> np.ndarray:
    """Evaluate a pair by hand, channels-last, as Keras's documentation defines each layer.

    images: (N, H, W, C).
    """
    x = images.astype(np.float64)
    for layer in layers[1:]:
        config, kind = layer["config"], layer["class_name"]
        if kind == "Conv2D":
            kernel, bias = arrays[config["name"]]  # (h, w, in, out)
            if config["padding"] == "same":
                assert kernel.shape[:2] == (3, 3) and config["strides"] == [1, 1]
                x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
            windows = windows[:, :: config["strides"][0], :: config["strides"][1]]
            x = np.einsum("nyxchw,hwco->nyxo", windows, kernel) + bias
        elif kind == "BatchNormalization":
            assert config["axis"] == [x.ndim - 1]
            scale, shift, mean, variance = arrays[config["name"]]  # in Keras's order
            x = scale * (x - mean) / np.sqrt(variance + config["epsilon"]) + shift
        elif kind == "MaxPooling2D":
            n, height, width, channels = x.shape
            x = x[:, : height // 2 * 2, : width // 2 * 2]
            x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
        elif kind == "Flatten":
            x = x.reshape(len(x), -1)
        elif kind == "Dense":
            kernel, bias = arrays[config["name"]]
            x = x @ kernel + bias
        else:
            assert kind in ("Dropout", "Activation")
        if config.get("activation") == "relu":
            x = np.maximum(x, 0)
    return x


@pytest.mark.parametrize("spec", CHAINS)
def test_keras_would_compute_the_same_from_a_pair(tmp_path, rng, spec):
    """Source: Keras's layers, channels-last: kernels (h, w, in, out), flattened in the order H, W, C."""
    model, images = perturbed(spec), rng.random((4, *SHAPE), dtype=np.float32)
    save_pair(model, SHAPE, tmp_path / "model")
    layers, arrays = read_pair(tmp_path / "model")
    found = run_as_keras(layers, arrays, np.moveaxis(images, 1, -1))
    np.testing.assert_allclose(found, predictor(model)(images), atol=1e-5)


@pytest.mark.parametrize("spec", CHAINS)
def test_a_pair_loads_back_to_the_same_predictions(tmp_path, rng, spec):
    shape = (1, 28, 28)
    model, images = perturbed(spec, shape), rng.random((9, *shape), dtype=np.float32)
    paths = save_pair(model, shape, tmp_path / "new" / "model")
    assert [path.name for path in paths] == ["model.json", "model.h5"]
    loaded, loaded_shape = load_pair(tmp_path / "new" / "model")
    assert loaded_shape == shape
    np.testing.assert_allclose(predictor(loaded)(images), predictor(model)(images), atol=1e-6)


def test_the_file_has_the_attributes_that_keras_reads(tmp_path):
    """Source: keras/src/legacy/saving/legacy_h5_format.py: layer_names, weight_names, one group a layer."""
    save_pair(perturbed(), SHAPE, tmp_path / "model")
    with h5py.File(tmp_path / "model.h5") as file:
        names = [to_text(name) for name in file.attrs["layer_names"]]
        assert to_text(file.attrs["backend"]) == "tensorflow" and file.attrs["keras_version"]
        assert sorted(file) == sorted(names)
        weights = {name: [to_text(w) for w in file[name].attrs["weight_names"]] for name in names}
        assert all(file[name][w].dtype == np.float32 for name in names for w in weights[name])
    layers = json.loads((tmp_path / "model.json").read_text())["config"]["layers"]
    assert [layer["config"]["name"] for layer in layers[1:]] == names
    filled = [found for found in weights.values() if found]
    assert len(filled) == 3  # a convolution and two dense layers, each kernel first, then bias
    assert all([w.split("/")[-1] for w in found] == ["kernel:0", "bias:0"] for found in filled)


def test_layers_without_a_keras_form_are_refused_with_advice(tmp_path):
    for model in (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(2 * 26 * 26, 3)),
        nn.Sequential(nn.Conv2d(1, 2, 5, padding=1), nn.Flatten(), nn.Linear(2 * 26 * 26, 3)),
    ):
        with pytest.raises(ModelError, match="ONNX"):
            save_pair(model, (1, 28, 28), tmp_path / "model")
    with pytest.raises(ModelError, match="Linear is not a plain chain of layers"):
        save_pair(nn.Linear(2, 2), (1, 28, 28), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["model.json", "model.h5"])
def test_a_pair_overwrites_only_if_asked_and_is_never_half_written(tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(OutputError, match=f"{there} exists already"):
        save_pair(perturbed(), SHAPE, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    save_pair(perturbed(), SHAPE, tmp_path / "model", overwrite=True)
    load_pair(tmp_path / "model")


@pytest.mark.parametrize(
    "damage", ["no json", "no h5", "cut json", "cut h5", "no layers", "another layer", "no weights"]
)
def test_a_damaged_pair_is_an_input_error_that_names_it(tmp_path, damage):
    stem = tmp_path / "model"
    architecture, weights = save_pair(perturbed(), SHAPE, stem)
    whole = json.loads(architecture.read_text())
    if damage in ("no json", "no h5"):
        (architecture if damage == "no json" else weights).unlink()
    elif damage.startswith("cut"):
        path = architecture if damage == "cut json" else weights
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "no weights":
        with h5py.File(weights, "a") as file:
            del file[to_text(file.attrs["layer_names"][0])]
    else:
        whole["config"]["layers"] = [] if damage == "no layers" else whole["config"]["layers"]
        for layer in whole["config"]["layers"][1:2]:
            layer["class_name"] = "LSTM"
        architecture.write_text(json.dumps(whole))
    with pytest.raises(
        InputError, match=r"model.json and .*model.h5 are not a pair of architecture and weights"
    ):
        load_pair(stem)


def test_the_onnx_file_has_named_inputs_and_takes_any_number_of_images():
    network = onnx.load_from_string(to_onnx(perturbed(), SHAPE, CLASSIFY))
    onnx.checker.check_model(network)
    [images], [logits] = network.graph.input, network.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    shape = images.type.tensor_type.shape.dim
    assert shape[0].dim_param and [axis.dim_value for axis in shape[1:]] == list(SHAPE)
    assert images.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_exporting_removes_dropout():
    network = onnx.load_from_string(to_onnx(perturbed("cnn-dropout:filters=4").train(), SHAPE, CLASSIFY))
    assert "Dropout" not in {node.op_type for node in network.graph.node}
