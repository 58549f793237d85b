"""The training loop handles images, weights and randomness as stated; models have their published sizes.

Source of the expected values: by hand; the sizes that the reports and papers publish.
"""

import copy
import math
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from legible.data import load_dataset
from legible.data.split import Labelled
from legible.errors import ExitCode, ModelError
from legible.evaluation.metrics import accuracy
from legible.models import build_model, count_parameters
from legible.training import loop
from legible.training.loop import fit, predictor, prepare
from legible.training.settings import Settings
from legible.training.tasks.classify import Classify


@dataclass(frozen=True)
class Recorded(Classify):
    """A task that records its input images and the images it makes of them."""

    given: list = field(default_factory=list)
    shown: list = field(default_factory=list)

    def pair(self, images, labels, streams):
        inputs, targets = super().pair(images, labels, streams)
        self.given.append(images.numpy().copy())
        self.shown.append(inputs.numpy().copy())
        return inputs, targets


@pytest.fixture
def data(rng) -> Labelled:
    """Forty small images, image i marked by its first pixel, i / 100."""
    images = rng.random((40, 1, 6, 6), dtype=np.float32)
    images[:, 0, 0, 0] = np.arange(40) / 100
    return Labelled(images, np.arange(40) % 4, ("a", "b", "c", "d"))


def small_net(seed: int = 0) -> nn.Module:
    return build_model("mlp:8", (1, 6, 6), 4, seed=seed)


def train(data, settings, task=None, *, seed=0, model=None):
    """The epochs' records and the final state."""
    state = prepare(model or small_net(), settings)
    return list(fit(state, task or Classify(), data, settings, seed=seed)), state


def marks(batches) -> list[int]:
    """The images in the order of use, identified by their marks."""
    return [round(100 * float(image[0, 0, 0])) for batch in batches for image in batch]


@pytest.mark.parametrize(
    ("spec", "n_parameters"),
    [("mlp:64-64", 55_050), ("mlp:500-300", 545_810), ("cnn-one-conv", 542_230), ("cnn-two-conv", 1_111_946)],
)
def test_the_reports_models_have_their_published_sizes(spec, n_parameters):
    """Sources: report E2's and D1's printed summaries; by hand for LeCun's 500-300 and C1's 1024."""
    assert count_parameters(build_model(spec, (1, 28, 28), 10, seed=0)) == n_parameters


def test_report_es_net_has_the_size_computed_by_hand():
    """By hand: conv 32 * 9 + 32, conv 32 * 32 * 9 + 32, dense 11 * 11 * 32 * 64 + 64, output 64 * 10 + 10."""
    model = build_model("cnn-dropout:filters=32,dense=64,dropout=0.5", (1, 28, 28), 10, seed=0)
    assert count_parameters(model) == 320 + 9248 + 247_872 + 650


def test_an_epoch_uses_every_image_once_in_a_new_order(data):
    task = Recorded()
    train(data, Settings(n_epochs=2, batch_size=16), task)
    assert [len(batch) for batch in task.given] == [14, 13, 13] * 2  # nearly equal: no batch of one
    first, second = marks(task.given[:3]), marks(task.given[3:])
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second and first != list(range(40))


@pytest.mark.parametrize(
    ("n_epochs", "n_shown"), [(0.5, [20]), (1.5, [40, 20]), (2, [40, 40]), (0.01, [10]), (1.01, [40, 10])]
)
def test_half_an_epoch_uses_half_the_images_and_at_least_one_batch(data, n_epochs, n_shown):
    records, _ = train(data, Settings(n_epochs=n_epochs, batch_size=10))
    assert [record.n_shown for record in records] == n_shown
    assert [record.number for record in records] == list(range(1, len(n_shown) + 1))


def test_the_schedule_spans_all_steps(data, monkeypatch):
    """By hand: 6 steps of a triangle with its peak in the middle."""
    rates = []
    monkeypatch.setattr(loop, "set_learning_rate", lambda optimiser, rate: rates.append(rate))
    settings = Settings(n_epochs=1.5, batch_size=10, learning_rate=0.3, schedule="triangle:warmup=0.5")
    train(data, settings)
    np.testing.assert_allclose(rates, 0.3 * np.array([1 / 3, 2 / 3, 1, 2 / 3, 1 / 3, 0]), atol=1e-12)


def test_loss_and_score_are_means_over_the_training_images(data):
    """By hand: with a negligible learning rate, they are those of the initial model."""
    model = small_net()
    logits = model(torch.from_numpy(data.images))
    wanted = F.cross_entropy(logits, torch.from_numpy(data.labels)).item()
    settings = Settings(n_epochs=1, batch_size=11, learning_rate=1e-9, optimiser="sgd", precision="float32")
    records, _ = train(data, settings, model=model)
    assert records[0].loss == pytest.approx(wanted, rel=1e-5)
    assert records[0].score == pytest.approx(float((logits.argmax(1).numpy() == data.labels).mean()))


def test_the_average_is_an_exponential_moving_average(data):
    """By hand: average = d * average + (1 - d) * weights after step n, d = n / (n + 10), at most 0.15."""
    settings = Settings(n_epochs=3, batch_size=40, learning_rate=0.1, average=0.15)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 4), nn.BatchNorm1d(4))
    expected = copy.deepcopy(model.state_dict())
    state = prepare(model, settings)
    for epoch in fit(state, Classify(), data, settings, seed=0):
        decay = min(0.15, epoch.number / (epoch.number + 10))  # one step an epoch: 1/11, then 0.15
        for name, value in state.model.state_dict().items():
            if value.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * value
    for name, value in state.kept.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, expected[name])
    assert state.kept is state.average
    assert not torch.equal(state.average[1].weight, state.model[1].weight)
    assert not any(p.requires_grad for p in state.average.parameters())
    assert (
        prepare(small_net(), Settings()).kept is not None and prepare(small_net(), Settings()).average is None
    )


def test_label_smoothing_distributes_a_share_of_the_target_equally():
    """By hand: for 0.1 and four classes the target is 0.925, 0.025, 0.025, 0.025 (Szegedy et al., 2016)."""
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
    logs = logits[0] - torch.log(torch.exp(logits[0]).sum())
    expected = -(0.925 * logs[0] + 0.025 * logs[1:].sum())
    found = Classify(label_smoothing=0.1).loss(logits, torch.tensor([0]))
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert Classify().loss(logits, torch.tensor([0])).item() == pytest.approx(-logs[0].item(), rel=1e-6)


def test_noise_and_augmentation_differ_between_epochs(data):
    settings = Settings(n_epochs=2, batch_size=40)
    for task in (Recorded(noise=("gaussian:0.2",)), Recorded(augment=("rotation:20",))):
        train(data, settings, task)
        shown = [
            batch[np.argsort(marks([given]))] for given, batch in zip(task.given, task.shown, strict=True)
        ]
        assert (np.abs(shown[0] - shown[1]).max(axis=(1, 2, 3)) > 0.01).all()  # of the same images
        assert all(batch.min() >= 0 and batch.max() <= 1 for batch in shown)


def test_every_epoch_has_new_noise_and_dropout(data):
    """With constant grey images in one batch, the noise of two epochs must differ at each position."""
    grey = replace(data, images=np.full_like(data.images, 0.5))
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 4))
    dropped = []
    model[1].register_forward_hook(lambda module, inputs, output: dropped.append((output == 0).numpy()))
    task = Recorded(noise=("gaussian:0.02",))
    train(grey, Settings(n_epochs=3, batch_size=40), task, model=model)
    for drawn in (task.shown, dropped):
        assert not any(np.array_equal(drawn[i], drawn[k]) for i, k in ((0, 1), (0, 2), (1, 2)))


def test_noise_and_augmentation_do_not_change_batch_order_or_dropout(data):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 4))
    dropped = []
    model[1].register_forward_hook(lambda module, inputs, output: dropped.append((output == 0).numpy()))
    settings = Settings(n_epochs=2, batch_size=16, learning_rate=1e-9, optimiser="sgd")
    plain, changed = Recorded(), Recorded(noise=("gaussian:0.01",), augment=("shift:1",))
    for task in (plain, changed):
        train(data, settings, task, model=copy.deepcopy(model))
    assert marks(plain.given) == marks(changed.given)
    before, after = dropped[:6], dropped[6:]
    # both drop the same units, about half of them
    agree = [np.mean(a[:, 1:] == b[:, 1:]) for a, b in zip(before, after, strict=True)]
    assert min(agree) > 0.75
    assert 0.4 < np.mean([a.mean() for a in before]) < 0.6


def test_a_training_depends_on_its_seed_alone_and_does_not_use_the_global_generator(data):
    settings = Settings(n_epochs=2, batch_size=10, learning_rate=0.01)
    torch.manual_seed(1)
    first = train(data, settings, Classify(("gaussian:0.1",), ("shift:1",)))[1].model.state_dict()
    before = torch.get_rng_state()
    again = train(data, settings, Classify(("gaussian:0.1",), ("shift:1",)))[1].model.state_dict()
    assert torch.equal(before, torch.get_rng_state())
    other = train(data, settings, Classify(("gaussian:0.1",), ("shift:1",)), seed=1)[1].model.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_an_infinite_loss_stops_the_training_with_advice(data):
    settings = Settings(n_epochs=9, batch_size=10, learning_rate=100, optimiser="sgd", l2=10)
    with pytest.raises(ModelError, match=r"infinite or NaN in epoch [1-9]: the training diverged") as caught:
        train(data, settings)
    assert "learning rate below 100" in str(caught.value) and caught.value.exit_code == ExitCode.MODEL


@pytest.mark.parametrize(
    ("precision", "has_it", "kind"),
    [
        ("float32", True, torch.float32),
        ("bfloat16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_training_computes_in_bfloat16_if_asked_or_fast_and_keeps_float32_weights(
    data, monkeypatch, precision, has_it, kind
):
    monkeypatch.setattr(loop, "has_bfloat16", lambda device: has_it)
    model, kinds = small_net(), []
    model[1].register_forward_hook(lambda module, inputs, output: kinds.append(output.dtype))
    records, state = train(data, Settings(n_epochs=1, batch_size=20, precision=precision), model=model)
    assert set(kinds) == {kind}
    assert all(p.dtype == torch.float32 for p in state.model.parameters()) and math.isfinite(records[0].loss)
    assert predictor(state.model)(data.images).dtype == np.float32


def test_the_cpu_reports_whether_it_has_bfloat16():
    assert isinstance(loop.has_bfloat16(torch.device("cpu")), bool)
    assert isinstance(loop.autocast("float32", torch.device("cpu")), nullcontext)


def test_predictions_have_no_dropout_and_do_not_depend_on_batches(data, monkeypatch):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(36, 4)).train()
    first = predictor(model)(data.images)
    monkeypatch.setattr(loop, "PIXELS_AT_ONCE", 7 * 36)
    np.testing.assert_allclose(predictor(model)(data.images), first, atol=1e-6)
    assert first.shape == (40, 4)


def test_a_net_learns_the_embedded_digits_in_six_epochs():
    """Measured here: trained on 1,197 digits it reads more than 90 % of other writers' digits."""
    splits = load_dataset("digits-embedded")
    settings = Settings(n_epochs=6, batch_size=64, optimiser="muon", learning_rate=0.1, schedule="triangle")
    state = prepare(build_model("digits-fast", (1, 28, 28), 10, seed=0), settings)
    for _ in fit(state, Classify(), splits.train, settings, seed=0):
        pass
    logits = predictor(state.kept)(splits.test.images)
    assert accuracy(splits.test.labels, logits.argmax(1)) > 0.9


def test_training_flushes_denormal_numbers_to_zero(data):
    """Products below 1e-38 would otherwise be denormal and ten times as slow."""
    torch.set_flush_denormal(False)
    assert (torch.full((4,), 1e-30) * torch.full((4,), 1e-12)).tolist() != [0] * 4
    settings = Settings(n_epochs=1, batch_size=20)
    list(
        fit(
            prepare(nn.Sequential(nn.Flatten(), nn.Linear(36, 4)), settings),
            Classify(),
            data,
            settings,
            seed=0,
        )
    )
    assert (torch.full((4,), 1e-30) * torch.full((4,), 1e-12)).tolist() == [0] * 4


def test_only_small_nets_keep_freed_memory(data, monkeypatch):
    """With a lowered limit the loss is the same."""
    entered, losses = [], []
    monkeypatch.setattr(loop, "freed_memory_kept", lambda: nullcontext(entered.append("kept")))
    for limit in (10**9, 1):
        monkeypatch.setattr(loop, "LARGE_BYTES", limit)
        ((epoch,), _) = train(data, Settings(n_epochs=1, batch_size=8))
        losses.append(epoch.loss)
    assert entered == ["kept"] and losses[0] == losses[1]
