"""The measures of reports: their labels, units and formats, and whether more is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from legible.kinds import KINDS


@dataclass(frozen=True)
class Measure:
    """How a figure is shown: its label, unit and number of decimals, and whether more is better."""

    label: str
    unit: str
    digits: int
    more_is_better: bool
    scale: float = 1.0

    def write(self, value: float, spread: float | None = None) -> str:
        """Write a value, or a mean with its standard deviation: "98.98 ± 0.05 %", "0.0026"."""
        plus_minus = "" if spread is None else f" ± {spread * self.scale:.{self.digits}f}"
        return f"{value * self.scale:.{self.digits}f}{plus_minus}{self.unit}"

    def shortfall(self, value: float, target: float) -> float:
        """How far a value falls short of a target, in the displayed unit; 0 if it is reached."""
        gap = (target - value) * self.scale
        short = gap if self.more_is_better else -gap
        return short if short > 1e-9 else 0.0  # tolerance for rounding errors


MEASURES = {
    "accuracy": Measure("accuracy", " %", 2, True, 100.0),
    "loss_nats": Measure("loss", " nats", 4, False),
    "calibration_error": Measure("calibration error", " %", 2, False, 100.0),
    "strings_right": Measure("strings read correctly", " %", 2, True, 100.0),
    "digit_error_rate": Measure("digit error rate", " %", 2, False, 100.0),
    "falsely_read": Measure("lines without digits misread", " %", 2, False, 100.0),
    "mse": Measure("MSE", "", 5, False),
    "rmse": Measure("RMSE", "", 4, False),
    "psnr_db": Measure("PSNR", " dB", 2, True),
    "ssim": Measure("SSIM", "", 4, True),
    "bce_nats": Measure("BCE", " nats per pixel", 4, False),
    "elbo_nats": Measure("-ELBO", " nats", 2, False),
    "bound_nats": Measure("bound", " nats", 2, False),
    "bound_without_label_nats": Measure("bound without label", " nats", 2, False),
    "read_as_asked": Measure("read as requested", " %", 2, True, 100.0),
    "frechet": Measure("Fréchet distance", "", 2, False),
    "diversity": Measure("diversity", "", 3, True),
    "distinct": Measure("distinct", " %", 1, True, 100.0),
}


def say_score(score: dict[str, Any]) -> str:
    """A card's score in short: "accuracy 99.24 % on mnist (clean)"."""
    if not score:
        return "none"
    name = next(kind.headline for kind in KINDS.values() if kind.headline in score)
    measure = MEASURES[name]
    return f"{measure.label} {measure.write(score[name])} on {score['dataset']} ({score['noise']})"


def duration(seconds: float) -> str:
    """Format a duration: "0.034 s", "2.41 s", "58.2 s", "2 min 29 s", "1 h 05 min"."""
    if seconds < 9.995:
        return f"{seconds:.{3 if seconds < 0.0995 else 2}f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"
