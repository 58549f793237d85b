"""Report E, rows E5 to E7: denoising autoencoders, and whether to denoise before reading.

Every way of reading in E7 is the same net, trained for as long, and meets the same noisy images.
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from legible.cards import find_card
from legible.report import figures
from legible.runs.run import Run, canonical_test, over_seeds, recipe_of
from legible.studies.noise_levels import KINDS, LEVELS, at_levels, draw_levels, measure_levels
from legible.studies.results import Results
from legible.studies.study import Line, Study
from legible.training.settings import Settings

GRAIN, SPECKS = "gaussian:0.5", "salt-and-pepper:0.4"
REPORTED = "salt-and-pepper"  # the noise of the row E5
ANY_NOISE = "mixed:0.9,grain=0.95,draws=3"
DENOISER = Run(
    model="dense-autoencoder:128-96-128",
    settings=Settings(n_epochs=32, batch_size=64, schedule="constant"),
    train_noise=(SPECKS,),
    fresh_noise=False,
    tests=(SPECKS, *(test for test in at_levels("salt-and-pepper") if test != canonical_test(SPECKS))),
    watch="test",
)
OURS = Run(
    model="unet:filters=32,growth=1.5,whole=512,blind=yes",
    settings=replace(recipe_of("unet"), n_epochs=52),
    train_noise=(ANY_NOISE,),
    task="restore:mse",
    tests=(ANY_NOISE, *(f"{kind}:{level}" for level in LEVELS for kind in KINDS)),
)
READING_LEVELS = (0.0, *LEVELS)
READER = Run(model="digits-wide", settings=replace(recipe_of("digits-wide"), n_epochs=10))
EVERY_NOISE = ("mixed:0.9",)
ARMS = {
    "plain": "trained on clean digits, reads noisy ones",
    "plain, denoised": "trained on clean digits, reads denoised ones",
    "noise-trained": "trained on noisy digits, any level of either noise, reads noisy ones",
    "denoise-trained": "trained on those after our denoiser, reads denoised ones",
}


def denoising_lines() -> list[Line]:
    """E5's and E6's denoisers, and E7's four ways of reading."""
    net = "784-128-96-128-784, sigmoid, BCE, Adam; salt-and-pepper 0.4, 32 epochs, batch 64"
    ours = "U-Net, any level of Gaussian or salt-and-pepper noise, 52 epochs; "
    return [
        Line("E5", net, "figure", over_seeds(DENOISER, 1), measure="mse", test=SPECKS),
        Line("E5 ours", ours + SPECKS, "figure", (OURS,), 0.004, "mse", SPECKS, quick_epochs=1),
        Line(
            "E5 ours, grain", ours + GRAIN, "figure", (OURS,), 0.0075, "mse", GRAIN, quick_epochs=1,
            note="the targets of E5 ours are our own.",
        ),
        Line("E6", "original, noisy and denoised at noise 0.1 ... 0.9, by E5 and by ours",
             "readable to about 0.7"),
        *(line for kind in KINDS for line in _arm_lines(kind)),
    ]  # fmt: skip


def _arm_lines(kind: str) -> list[Line]:
    published, at_half = "denoising first is better", READING_LEVELS.index(0.5)
    return [
        Line(f"E7 {kind} {arm}", f"digits-wide, {ARMS[arm]}; {kind} 0.5", published, over_seeds(run, 1),
             test=tests[at_half], quick_epochs=1)
        for arm, (run, tests) in _arms(kind).items()
    ]  # fmt: skip


def _arms(kind: str) -> dict[str, tuple[Run, tuple[str, ...]]]:
    """For each way of reading the run that trains it, and its test conditions with that noise, by level."""
    denoiser = find_card("digit-denoiser").reference
    noisy, denoised = (
        {k: at_levels(k, restorer, READING_LEVELS) for k in KINDS} for restorer in ("", denoiser)
    )
    all_noisy, all_denoised = (tuple(t for k in KINDS for t in tests[k]) for tests in (noisy, denoised))
    plain = replace(READER, tests=all_noisy + all_denoised)
    after_noise = replace(READER, train_noise=EVERY_NOISE, tests=all_noisy)
    after_denoiser = replace(after_noise, after=denoiser, tests=all_denoised)
    return {
        "plain": (plain, noisy[kind]),
        "plain, denoised": (plain, denoised[kind]),
        "noise-trained": (after_noise, noisy[kind]),
        "denoise-trained": (after_denoiser, denoised[kind]),
    }


def draw_denoising(study: Study, results: Results) -> dict[str, Figure]:
    """E5's curves, E6's grids and errors by level, E7's accuracies by level."""
    drawn = {}
    if records := results.histories(study.line("E5")):
        drawn["E5-curves"] = figures.curves(
            records, watched="test", title="E5: a dense denoising autoencoder"
        )
    for name, line, kind, title in (
        ("E6-levels", "E5", "salt-and-pepper", "E6: salt and pepper at each level, taken off by E5"),
        ("E6-ours-specks", "E5 ours", "salt-and-pepper", "E6: salt and pepper, taken off by our denoiser"),
        ("E6-ours-grain", "E5 ours", "gaussian", "E6: Gaussian noise, taken off by our denoiser"),
    ):
        if levels := draw_levels(study.line(line), results, kind, title):
            drawn[name] = levels
    for kind in KINDS:
        if errors := _draw_errors(study, results, kind):
            drawn[f"E6-errors-{kind}"] = errors
        if arms := _draw_arms(study, results, kind):
            drawn[f"E7-{kind}"] = arms
    return drawn


def _draw_errors(study: Study, results: Results, kind: str) -> Figure | None:
    tests, ours = at_levels(kind), study.line("E5 ours")
    lines = {"ours": ours} | ({"E5": study.line("E5")} if kind == REPORTED else {})
    arms = {name: measure_levels(line, results, tests, "mse") for name, line in lines.items()}
    arms["nothing done"] = measure_levels(ours, results, tests, "noisy_mse")
    if not any(arms["ours"]):
        return None
    return figures.error_curve(LEVELS, arms, log_y=True, title=f"E6: what is left of {kind} noise")


def _draw_arms(study: Study, results: Results, kind: str) -> Figure | None:
    arms = {
        arm: measure_levels(study.line(f"E7 {kind} {arm}"), results, tests, "accuracy")
        for arm, (_, tests) in _arms(kind).items()
    }
    if not (arms := {arm: runs for arm, runs in arms.items() if any(runs)}):
        return None
    title = f"E7: four ways of reading digits under {kind} noise"
    return figures.accuracy_curves(READING_LEVELS, arms, stretched=True, title=title)
