"""Report B, row B3: text on scanned pages, cleaned by autoencoders. All rows of its table.

25 epochs, batch 16, Adam, MSE of pixels in [0, 1] (the report calls it RMSE), pages scaled to 540 x 420. Its
random split puts the same texts and sheets of paper into training and test; rows called honest learn from
NoisyOffice's partition TR and are evaluated on VA. models/autoencoder.py says where the pools and norms sit.
The nets see pages as light, paper = 1, with which they learn faster than with ink; and the report's count of
pools is of pools and enlargements together: with two of each, B3.8's net has an MSE of 0.017 after 90 epochs
of cross-entropy and Adam, where the report has 0.0056 after 25.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from legible.cleaning.clean import load_cleaner
from legible.data import DATASETS
from legible.data.pages import KINDS, read_test_page
from legible.models import MODELS, build_model, count_parameters, describe_layers
from legible.registry import Setting
from legible.report import figures
from legible.report.rows import Row, draw_rows
from legible.runs.image_codec import decode_images
from legible.runs.run import Run, over_seeds, recipe_of
from legible.studies.report_b_beside import (
    HONEST,
    LEAKING,
    SPLITS,
    clean_ink,
    errors_of_filter,
    errors_of_ours,
    measure_filter,
    measure_look_up,
    measure_ours,
    root_of,
)
from legible.studies.results import Results
from legible.studies.study import WITH_MUON, Line, Study
from legible.training.settings import Settings

CONV, DENSE = "conv-autoencoder:light=yes,filters=", "dense-autoencoder:light=yes,widths=2000-2000"
AS_PUBLISHED = Run(
    model="conv-autoencoder",
    dataset=LEAKING,
    task="restore:mse",
    settings=Settings(n_epochs=25, batch_size=16, schedule="constant"),
    watch="test",
)
PATIENT = replace(AS_PUBLISHED.settings, n_epochs=100, batch_size=8)


@dataclass(frozen=True)
class Published:
    """A row of the report: a model, in words, and its MSE on training and validation pages."""

    row: str
    model: str
    words: str
    train: float
    held: float


def _conv(number: int, filters: str, more: str, train: float, held: float) -> Published:
    """filters: of each layer, joined by '-'; more: settings of conv-autoencoder."""
    each = filters.split("-")
    same = each[0] if len(set(each)) == 1 else ", ".join(each)
    model = f"{CONV}{filters}" + f",{more}" * bool(more)
    settings = dict(MODELS.parse(model).settings)
    kernel = settings.get("kernel", 3)
    words = ", ".join([f"{len(each)} conv {same}; {kernel}x{kernel}", *_say(settings)])
    return Published(f"B3.{number}", model, words, train, held)


def _dense(number: int, more: str, train: float, held: float) -> Published:
    model = DENSE + f",{more}" * bool(more)
    words = ", ".join(["dense 2000, 2000, 226800", *_say(dict(MODELS.parse(model).settings))])
    return Published(f"B3.{number}", model, words, train, held)


def _say(settings: dict[str, Setting]) -> list[str]:
    """Pools, dropouts and norms in words."""
    counts = {name: n for name, n in settings.items() if name in ("pools", "dropouts", "norms")}
    named = {name: name.removesuffix("s") if n == 1 else name for name, n in counts.items()}
    rates = {"dropouts": f" of {settings['rate']}"} if "rate" in settings else {}
    return [f"{n} {named[name]}{rates.get(name, '')}" for name, n in counts.items()]


ROWS = (
    _conv(1, "8", "", 0.0423, 0.0431),
    _conv(2, "8-8-8", "", 0.004, 0.0036),
    _conv(3, "16-16-16", "", 0.0039, 0.0034),
    _conv(4, "32-32-32", "", 0.0024, 0.0021),
    _conv(5, "1-1-1-1-1", "", 0.1832, 0.1852),
    _conv(6, "8-8-8-8-8", "", 0.005, 0.0045),
    _conv(7, "8-8-8-8-8", "kernel=1,pools=1", 0.0466, 0.0412),
    _conv(8, "8-8-8-8-8", "pools=1", 0.0054, 0.0056),
    _conv(9, "8-8-8-8-8", "kernel=5,pools=1", 0.009, 0.008),
    _conv(10, "16-16-16-16-16", "pools=1", 0.0023, 0.0023),
    _conv(11, "16-16-8-8-8", "pools=1", 0.0121, 0.0118),
    _conv(12, "8-8-8-8-8-8-8-8", "pools=2", 0.0257, 0.0289),
    _conv(13, "16-8-8-4-4", "pools=1", 0.0166, 0.0172),
    _conv(14, "16-8-8-4-4", "kernel=5,pools=1", 0.0185, 0.0195),
    _conv(15, "16-8-8-8-8", "pools=1", 0.0180, 0.0163),
    _dense(16, "", 0.4011, 0.3972),
    _dense(17, "dropouts=2,rate=0.2", 0.2453, 0.1368),
    _dense(18, "dropouts=2,rate=0.4,norms=2", 0.0791, 0.0661),
    _dense(19, "dropouts=2,rate=0.2,norms=2", 0.0556, 0.1722),
    _conv(20, "16-16-16-16", "pools=1,dropouts=1,rate=0.3,norms=4", 0.0145, 0.0745),
    _conv(21, "16-16-16-16", "norms=4", 0.0075, 0.0642),
    _conv(22, "16-16-32-128", "norms=4", 0.0034, 0.0658),
    _conv(23, "32-32-64-128", "norms=1", 0.0024, 0.0273),
    _conv(24, "32-32-64-128", "", 0.0014, 0.0015),
    _conv(25, "32-32-64-128", "", 3.7641e-4, 4.5381e-4),
)
SHOWN, LONGEST = "B3.24", "B3.25"
AT_RANDOM = Run(  # ours, where texts and sheets leak: as large as patience allows, since nobody will use it
    model="page-net:filters=32,place=1,fine=96,layers=3",
    dataset="noisy-office-tiles",
    task="restore:mse",
    settings=replace(recipe_of("page-net"), n_epochs=80, batch_size=4),
)
AT_RANDOM_ROW = "B3 ours, at random"
SHORT = ("B3.2", "B3.5", "B3.7", "B3.8", "B3.9", "B3.10", "B3.12", "B3.13", "B3.14", "B3.25")  # have ours too
BY_PIXEL = "B3.7"  # its kernels see one pixel, all but the last
NOTHING_LEARNT = ("identity", "background", "sauvola")


def page_lines() -> list[Line]:
    """B3's table on both splits, ours, and what filters that learn nothing reach."""
    lines = [line for published in ROWS for line in (_line(published, LEAKING), *_line_of_ours(published))]
    lines += [_line(published, HONEST) for published in ROWS]  # each learns anew from TR
    ours = Line(
        "B3 ours", "page-cleaner, trained on TR and made pages: RMSE on VA in its own sizes, by kind",
        "0.0213 at best, at random", prove=measure_ours, quick_epochs=0,
    )  # fmt: skip
    at_random = Line(
        AT_RANDOM_ROW, "page-net, sharpened at full size, 80 epochs; MSE of tiles in their own size",
        "0.0014 / 4.54e-4 at best", (AT_RANDOM,), measure="mse", also="rmse", quick_epochs=1,
    )  # fmt: skip
    pictures = Line(
        "B3.26", "cleaned pages of TE, as pictures; the layers of B3.24", "figure", prove=_tell_best,
        quick_epochs=0,
    )  # fmt: skip
    look_up = Line(
        "B3 look-up", "the training's page that is most alike, as the answer: RMSE at random, TR to VA",
        "nothing", prove=measure_look_up, quick_epochs=0,
    )  # fmt: skip
    return [*lines, pictures, ours, at_random, look_up, *(_filter_line(name) for name in NOTHING_LEARNT)]


def draw_pages(study: Study, results: Results) -> dict[str, Figure]:
    """A page as the report's best net cleans it, on both splits; pages that `page-cleaner` never saw; and the
    errors of all rows on each kind of noise.

    Nothing where NoisyOffice is not at hand.
    """
    if not results.has(HONEST):
        return {}
    drawn = {}
    for row in (SHOWN, f"{SHOWN} honest"):
        line = study.line(row)
        for record in results.rows_of(line)[:1]:
            test, sample = results.splits(line.runs[0].dataset).test, record["samples"][line.test]
            drawn[f"{row}-page"] = figures.restored_rows(
                test.images[sample["indices"]],
                test.as_input().images[sample["indices"]],
                decode_images(sample["restored"]),
                title=f"{row}: a page of the test, clean, dirty and cleaned",
            )
    return drawn | {"B3.26": _draw_unknown(), "B3-kinds": _draw_kinds(study, results)}


def _draw_kinds(study: Study, results: Results) -> Figure:
    panels: dict[str, dict[str, dict[str, float]]] = {}
    for dataset, split in SPLITS.items():
        lines = {published.row: _line(published, dataset) for published in ROWS}
        if dataset == LEAKING:
            lines["ours"] = study.line(AT_RANDOM_ROW)
        found = {name: results.rows_of(line)[:1] for name, line in lines.items()}
        panel = {name: root_of(rows[0]["scores"]["clean"]["kinds"]) for name, rows in found.items() if rows}
        if dataset == HONEST:
            panel["ours"] = root_of(errors_of_ours())
        panels[split] = panel | {name: root_of(errors_of_filter(name, dataset)) for name in NOTHING_LEARNT}
    return figures.errors_by_kind(panels, title="B3: the error on each kind of noise")


def _draw_unknown() -> Figure:
    """Pages of partition TE, whose clean form nobody has published, under each kind of noise."""
    dirty = np.stack([read_test_page(kind) for kind in KINDS.values()])[:, None]
    cleaner = load_cleaner()
    cleaned = np.stack([clean_ink(cleaner, page[0]) for page in dirty])[:, None]
    names = list(KINDS.values())
    blocks = [
        [Row("dirty", dirty[part], names[part]), Row("cleaned", cleaned[part])]
        for part in (slice(2), slice(2, 4))
    ]
    return draw_rows(blocks, title="B3.26: pages of partition TE, cleaned by page-cleaner")


def _line(published: Published, dataset: str) -> Line:
    settings = PATIENT if published.row == LONGEST else AS_PUBLISHED.settings
    run = replace(AS_PUBLISHED, model=published.model, dataset=dataset, settings=settings)
    honest = dataset == HONEST
    longer = "; 100 epochs, batch 8" * (settings is PATIENT)
    return Line(
        published.row + " honest" * honest,
        f"{published.words}{longer}; MSE" + ", TR to VA" * honest,
        f"{published.train:.4g} / {published.held:.4g}",
        (run,),
        None if honest else published.held,
        "mse",
        quick_epochs=1,
        also="rmse",
    )


def _line_of_ours(published: Published) -> list[Line]:
    """The same net in as many epochs and batches, trained as we would, where it falls short as published."""
    if published.row not in SHORT:
        return []
    line = _line(published, LEAKING)
    (run,) = line.runs
    n_epochs, batch_size = run.settings.n_epochs, run.settings.batch_size
    plain = replace(WITH_MUON, label_smoothing=0.0, augment=())
    settings = replace(plain, n_epochs=n_epochs, batch_size=batch_size)
    task, words, n_seeds = "restore:bce", "cross-entropy, Muon", 1
    if published.row == BY_PIXEL:  # too few weights for what cross-entropy asks, and seeds differ
        settings = replace(settings, optimiser="adam", learning_rate=0.003)
        task, words, n_seeds = "restore:mse", "Adam at 0.003", 3
    runs = over_seeds(replace(run, task=task, settings=settings), n_seeds)
    system = f"{line.system.removesuffix('; MSE')}; {words}, a rate that rises and falls; MSE"
    return [replace(line, row=f"{line.row} ours", system=system, runs=runs)]


def _filter_line(name: str) -> Line:
    return Line(
        f"B3 {name}", f"the filter {name!r}, which learns nothing: RMSE at random, TR to VA, and by kind",
        "nothing", prove=lambda: measure_filter(name), quick_epochs=0,
    )  # fmt: skip


def _tell_best() -> str:
    spec = next(published.model for published in ROWS if published.row == SHOWN)
    shape = DATASETS.get(HONEST).facts["image_shape"]
    model = build_model(spec, shape, 1, seed=0)
    return f"{count_parameters(model):,} parameters\n{describe_layers(model, shape)}"
