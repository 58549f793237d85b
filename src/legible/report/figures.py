"""Every figure, by name: each function draws one and returns it; save_figure writes it as PNG."""

from legible.report.charts import curves, grouped_dots, sweep
from legible.report.judged import confusion, judgement_figures, reliability
from legible.report.look import save_figure, save_figures
from legible.report.pictures import (
    before_after,
    digits_grid,
    noise_gallery,
    predictions_grid,
    probability_bars,
    sample_images,
    worst_images,
)

__all__ = [
    "before_after",
    "confusion",
    "curves",
    "digits_grid",
    "grouped_dots",
    "judgement_figures",
    "noise_gallery",
    "predictions_grid",
    "probability_bars",
    "reliability",
    "sample_images",
    "save_figure",
    "save_figures",
    "sweep",
    "worst_images",
]
