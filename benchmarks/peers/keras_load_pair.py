"""Read pairs of JSON and HDF5 with Keras, as its manual says, and answer the images that lie beside them.

    python benchmarks/peers/keras_load_pair.py FOLDER...

Each folder holds pair.json, pair.h5 and images.npy (N, H, W, C); keras.npy is written there. Needs TensorFlow
and nothing of Legible.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def answer(folder: Path) -> None:
    from tensorflow import keras

    model = keras.models.model_from_json((folder / "pair.json").read_text())
    model.load_weights(folder / "pair.h5")
    np.save(folder / "keras.npy", model.predict(np.load(folder / "images.npy"), verbose=0))


if __name__ == "__main__":
    try:
        import tensorflow
    except ModuleNotFoundError:
        sys.exit(f"{sys.executable} has no TensorFlow; give --keras-python an interpreter that has it.")
    print(f"TensorFlow {tensorflow.__version__}, Keras {tensorflow.keras.__version__}", flush=True)
    for name in sys.argv[1:]:
        answer(Path(name))
