"""All figures: each function draws one and returns it; save_figure writes it as PNG."""

from legible.report.charts import curve_sheet, curves, grouped_dots, sweep
from legible.report.classification import confusion, reliability
from legible.report.generation import latent_map, latent_scatter, latent_walk, nearest_digits, samples_grid
from legible.report.line_reading import lines_read
from legible.report.look import save_figure, save_figures
from legible.report.noise_kinds import errors_by_kind
from legible.report.pictures import (
    before_after,
    digits_grid,
    predictions_grid,
    probability_bars,
    sample_images,
    worst_images,
)
from legible.report.restoration import accuracy_curves, error_curve, levels_grid, restored_rows
from legible.report.rows import noise_gallery

__all__ = [
    "accuracy_curves",
    "before_after",
    "confusion",
    "curve_sheet",
    "curves",
    "digits_grid",
    "error_curve",
    "errors_by_kind",
    "grouped_dots",
    "latent_map",
    "latent_scatter",
    "latent_walk",
    "levels_grid",
    "lines_read",
    "nearest_digits",
    "noise_gallery",
    "predictions_grid",
    "probability_bars",
    "reliability",
    "restored_rows",
    "sample_images",
    "samples_grid",
    "save_figure",
    "save_figures",
    "sweep",
    "worst_images",
]
