"""The variational autoencoders have the right bound, and their task trains it.

Source of the expected values: sums over all possible images, by hand; PyTorch's distributions; ONNX Runtime.
"""

import io
import math
import re
import warnings

import numpy as np
import pytest
import torch

from legible.errors import ArgumentError
from legible.models import build_model, count_parameters, vae
from legible.models.vae import Decoder, LadderOutput, LatentBlock, pixel_nats
from legible.models.vae_dense import build_dense
from legible.models.vae_ladder import build_ladder
from legible.seeds import rng_for
from legible.training.loop import prepare
from legible.training.optimisers import set_learning_rate
from legible.training.settings import Settings
from legible.training.tasks import RandomStreams
from legible.training.tasks.generate import Generate, generate

SMALL = ("vae-dense:latents=3,hidden=24", "vae-ladder:filters=4,latents=2,top_latents=3")
small_models = pytest.mark.parametrize("spec", SMALL)
SHAPE = (1, 8, 8)


def some_binary(n: int, shape=SHAPE) -> torch.Tensor:
    return torch.from_numpy((rng_for("binary", n).random((n, *shape)) < 0.4).astype(np.float32))


def small(spec: str, *, n_classes: int = 10, shape=SHAPE) -> torch.nn.Module:
    return build_model(spec, shape, n_classes, seed=1).eval()


def quadrature(n_latents: int, n_points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (P, n_latents) and weights (P,) whose sums are expectations over standard normal numbers."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_points)
    points = np.stack(np.meshgrid(*[nodes] * n_latents), axis=-1).reshape(-1, n_latents)
    shares = np.stack(np.meshgrid(*[weights / math.sqrt(2 * math.pi)] * n_latents), axis=-1)
    shares = shares.reshape(-1, n_latents).prod(axis=1)
    return torch.from_numpy(points).float(), torch.from_numpy(shares)


@small_models
def test_an_output_has_the_images_shape_and_a_divergence_for_each_latent_block(spec):
    model = small(spec)
    output = model((some_binary(6), torch.arange(6)))
    assert output.logits.shape == (6, *SHAPE) and output.kl_nats.shape == (6, len(model.rungs))
    assert (output.kl_nats >= 0).all() and output.logits.std(0).min() > 0


def test_a_ladder_for_digits_has_latents_at_three_scales():
    """By hand: 32 for the whole image, 8 at each of 4 x 4 positions, twice, and 8 at each of 7 x 7, twice."""
    model = build_model("vae-ladder", (1, 28, 28), 10, seed=0)
    assert [block.shape for block in model.rungs] == [(32, 1, 1), *[(8, 4, 4)] * 2, *[(8, 7, 7)] * 2]
    assert model.n_latents == 32 + 2 * 8 * 16 + 2 * 8 * 49


@pytest.mark.parametrize("build", [build_dense, build_ladder])
def test_the_docstring_states_the_right_parameter_count(build):
    stated = int(re.search(r"([\d,]+) parameters", build.__doc__)[1].replace(",", ""))
    assert stated == count_parameters(build((1, 28, 28), 10))


@small_models
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 9), (1, 28, 28)])
def test_images_of_any_size_are_generated(spec, shape):
    model = small(spec, shape=shape)
    assert model((some_binary(3, shape), torch.arange(3))).logits.shape == (3, *shape)
    assert model.decode(torch.zeros(3, model.n_latents), torch.arange(3)).shape == (3, *shape)


@small_models
def test_gradients_reach_every_weight(spec):
    model = small(spec).train()
    images = some_binary(20)
    Generate(free_nats=0).loss(model((images, torch.arange(20) % 10)), images).backward()
    unreached = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert unreached == []


@small_models
def test_equal_latents_generate_equal_images_and_another_label_another(spec):
    model, latents = small(spec), torch.randn(4, small(spec).n_latents)
    first = model.decode(latents, torch.arange(4))
    torch.testing.assert_close(model.decode(latents, torch.arange(4)), first, rtol=0, atol=0)
    torch.testing.assert_close(model.decode(latents, torch.eye(10)[:4]), first)
    assert (model.decode(latents, torch.arange(4) + 1) - first).abs().flatten(1).amax(1).min() > 1e-4


@small_models
def test_every_latent_changes_the_image(spec):
    model = small(spec)
    latents = torch.zeros(model.n_latents, model.n_latents)
    moved = model.decode(
        latents + torch.eye(model.n_latents), torch.zeros(model.n_latents, dtype=torch.int64)
    )
    still = model.decode(latents, torch.zeros(model.n_latents, dtype=torch.int64))
    assert (moved - still).abs().flatten(1).amax(1).min() > 0


@small_models
def test_encode_returns_posterior_means_that_decode_as_in_forward(spec, monkeypatch):
    """Without sampling noise, forward equals decode(encode)."""
    model, images, labels = small(spec), some_binary(5), torch.arange(5)
    monkeypatch.setattr(vae.torch, "randn_like", torch.zeros_like)
    torch.testing.assert_close(
        model.decode(model.encode(images, labels), labels), model((images, labels)).logits, rtol=0, atol=1e-5
    )


@small_models
def test_an_unconditional_model_ignores_labels(spec):
    for model in (small(spec + ",condition=no"), small(spec, n_classes=0)):
        latents = torch.randn(3, model.n_latents)
        drawn = model.decode(latents)
        assert torch.equal(model.decode(latents, torch.arange(3)), drawn)
        assert torch.equal(model.decode(latents, torch.ones(3, 1)), drawn)
    with pytest.raises(ArgumentError, match="say which"):
        small(spec).decode(latents)


@pytest.mark.parametrize("setting", ["latents=0", "condition=none"])
@small_models
def test_an_unusable_setting_is_an_error_that_names_it(spec, setting):
    name = spec.partition(":")[0]
    with pytest.raises(ArgumentError, match=f"{name}.*{setting.partition('=')[0]}"):
        build_model(f"{name}:{setting}", SHAPE, 10, seed=0)


@pytest.mark.parametrize(
    ("spec", "gain"),
    [("vae-dense:latents=3,hidden=6", 2), ("vae-ladder:filters=2,latents=1,top_latents=1,rungs=1", 14)],
)
def test_the_mean_weight_is_the_probability_of_the_image_by_integration(spec, gain):
    """p(image | label) by quadrature over the latents, for all 16 images of 2 x 2 pixels; their sum is 1."""
    model = small(spec, n_classes=2, shape=(1, 2, 2))
    assert model.n_latents == 3
    with torch.no_grad():
        for block in model.rungs:  # posteriors much narrower than the priors would need many more samples
            block.suggest[-1].weight *= 0.3
            block.add.weight *= gain  # in an untrained net of this size latents have almost no effect
    images = torch.tensor([[int(bit) for bit in f"{i:04b}"] for i in range(16)]).float().view(16, 1, 2, 2)
    labels = torch.arange(16) % 2
    points, shares = quadrature(3, 13)
    with torch.no_grad():
        expected = []
        for image, label in zip(images, labels, strict=True):
            logits = model.decode(points, label.expand(len(points)))
            likelihoods = (-pixel_nats(logits, image.expand(len(points), -1, -1, -1)).double()).exp()
            expected.append(float(likelihoods @ shares))
        generator = torch.Generator().manual_seed(0)
        weights = model.log_weights(images, labels, n_samples=4000, generator=generator).exp()
        one_label = model.log_weights(images, 0 * labels, n_samples=2000, generator=generator).exp()
    assert weights.std() > 1e-3  # the latents matter
    np.testing.assert_allclose(weights.mean(1), expected, atol=4 * float(weights.std(1).max()) / 4000**0.5)
    np.testing.assert_allclose(weights.mean(1), expected, rtol=0.08)
    assert one_label.mean(1).sum().item() == pytest.approx(1, abs=0.01)


@small_models
def test_the_lower_bound_of_the_task_is_the_mean_log_weight(spec):
    """The KL divergence in closed form against -mean(log p / q) over samples."""
    model, image = small(spec), some_binary(1)
    with torch.no_grad():
        for block in model.rungs:
            block.suggest[-1].bias.fill_(-0.5)
        shown, labels = image.expand(4000, -1, -1, -1), torch.full((4000,), 3)
        torch.manual_seed(0)
        score = Generate().score(model((shown, labels)), shown).item() / 4000
        weights = model.log_weights(image, labels[:1], n_samples=4000)
    assert weights.shape == (1, 4000)
    assert -weights.mean().item() == pytest.approx(score, abs=4 * weights.std().item() / math.sqrt(4000))


def test_the_divergence_of_two_normal_distributions_equals_pytorch():
    mean, log_std = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, log_std.exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(vae.Posterior(mean, log_std, mean).kl_nats(), kl.flatten(1).sum(1))


@small_models
def test_the_exported_decoder_generates_equal_images_without_pytorch(spec):
    import onnxruntime

    for model in (small(spec), small(spec, n_classes=0)):
        latents, labels = torch.randn(1, model.n_latents), torch.eye(model.n_classes)[:1]
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                Decoder(model), (latents, labels), buffer, dynamo=False, opset_version=17,
                input_names=["latents", "labels"], output_names=["logits"],
                dynamic_axes={name: {0: "n"} for name in ("latents", "labels", "logits")},
            )  # fmt: skip
        session = onnxruntime.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])
        assert [given.name for given in session.get_inputs()] == ["latents", "labels"]
        latents, labels = torch.randn(5, model.n_latents), torch.full((5, model.n_classes), 1.0)
        found = session.run(None, {"latents": latents.numpy(), "labels": labels.numpy()})[0]
        np.testing.assert_allclose(found, model.decode(latents, labels).sigmoid().detach(), atol=1e-4)


def test_the_posteriors_standard_deviation_is_bounded():
    block = LatentBlock(2, (1, 2, 2), 0, torch.nn.Identity())
    with torch.no_grad():
        block.suggest[-1].bias.fill_(1e6)
        posterior = block.posterior(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2), torch.randn_like)
    assert posterior.log_std.max() <= 5 and torch.isfinite(posterior.kl_nats()).all()


def test_the_task_binarises_images_and_uses_them_as_targets():
    images = torch.full((1, 1, 200, 200), 0.3)
    task, streams = Generate(("binary",)), RandomStreams(rng_for("noise"), torch.Generator())
    (shown, labels), target = task.pair(images, torch.tensor([4]), streams)
    again = task.pair(images, torch.tensor([4]), streams)[1]
    assert set(shown.unique().tolist()) == {0.0, 1.0} and torch.equal(shown, target) and labels.item() == 4
    assert shown.mean().item() == pytest.approx(0.3, abs=0.01)  # 4 standard errors
    assert not torch.equal(again, target)  # binarised anew each time


def test_a_latent_blocks_divergence_has_no_gradient_below_its_free_nats():
    """By hand: pixels at logit 0 cost log 2 each; blocks of 0.2 and 3 nats count as 0.5 and 3."""
    output = LadderOutput(torch.zeros(2, 1, 2, 2), torch.tensor([[0.1, 2.0], [0.3, 4.0]], requires_grad=True))
    loss = Generate(free_nats=0.5).loss(output, torch.ones(2, 1, 2, 2))
    loss.backward()
    assert loss.item() == pytest.approx(4 * math.log(2) + 0.5 + 3)
    assert output.kl_nats.grad.tolist() == [[0, 0.5], [0, 0.5]]
    assert Generate().score(output, torch.ones(2, 1, 2, 2)).item() == pytest.approx(2 * 4 * math.log(2) + 6.4)


def test_the_task_refuses_label_smoothing_and_negative_free_nats():
    assert generate(("binary",), ("shift:1",), 0.0, free_nats=0.25) == Generate(
        ("binary",), ("shift:1",), 0.25
    )
    with pytest.raises(ArgumentError, match="no labels to smooth"):
        generate((), (), 0.1)
    with pytest.raises(ArgumentError, match="free_nats"):
        generate((), (), 0.0, free_nats=-1)


@small_models
def test_training_lowers_the_bound_of_unseen_digits(spec):
    """Untrained, 64 pixels cost about 64 log 2 = 44 nats; forty steps bring digits of 8 x 8 below 34."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.from_numpy((digits.images / 16).astype(np.float32))[:, None]
    labels = torch.from_numpy(digits.target)
    state, task = (
        prepare(small(spec).train(), Settings(optimiser="adam", learning_rate=0.01)),
        Generate(("binary",)),
    )
    streams = RandomStreams(rng_for("noise"), torch.Generator().manual_seed(0))
    set_learning_rate(state.optimiser, 0.01)
    torch.manual_seed(0)
    for step in range(40):
        part = slice(64 * step % 1500, 64 * step % 1500 + 64)
        inputs, targets = task.pair(images[part], labels[part], streams)
        state.optimiser.zero_grad()
        task.loss(state.model(inputs), targets).backward()
        state.optimiser.step()
    inputs, targets = task.pair(images[1600:], labels[1600:], streams)
    with torch.no_grad():
        assert task.score(state.model(inputs), targets).item() / len(targets) < 34
