"""The steps of runs that train restorers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from legible.data.split import Labelled
from legible.runs.image_codec import encode_images
from legible.runs.steps import Steps

if TYPE_CHECKING:
    from legible.runs.execution import Execution

N_RESTORED, N_PIXELS = 6, 300_000  # of test images whose restored pixels a row keeps, at most: of pages, one


class RestorationSteps(Steps):
    """Rows keep some restored images."""

    def sample(self, execution: Execution, data: Labelled) -> dict[str, Any]:
        """The first test images of different labels, restored: bytes (N, C, H, W), encoded as text."""
        _, first = np.unique(data.labels, return_index=True)
        most = min(N_RESTORED, max(1, N_PIXELS // data.images[0].size))
        indices = sorted(first.tolist())[:most]
        restored = self.predictor(execution)(data.images[indices])
        return {"indices": indices, "restored": encode_images(restored)}
