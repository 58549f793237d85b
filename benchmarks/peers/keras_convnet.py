"""The Keras MNIST convnet example: the same layers and settings, timed until it reaches a test accuracy.

    python benchmarks/peers/keras_convnet.py --data mnist.npz --target 99.0

Source: https://keras.io/examples/vision/mnist_convnet. Needs TensorFlow and nothing of Legible. Prints one
line of JSON per epoch: {"epoch": 1, "seconds": 17.4, "accuracy": 97.6}. seconds: of training so far, from
images in memory, building the model included; evaluation the test images is left out. accuracy: in percent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np
from arguments import read_arguments

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
NO_TENSORFLOW = 5  # the exit code that says so


def build_model(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def measure_accuracy(model: Any, images: np.ndarray, labels: np.ndarray) -> float:
    batches = [np.asarray(model(images[i : i + 1000], training=False)) for i in range(0, len(images), 1000)]
    return round(100 * float((np.concatenate(batches).argmax(1) == labels).mean()), 4)


def main() -> None:
    arguments = read_arguments(__doc__, max_epochs=15)
    try:
        import tensorflow  # noqa: F401  (Keras alone may run on something else)
        from tensorflow import keras
    except ModuleNotFoundError:
        print(f"TensorFlow is not installed for {sys.executable}", file=sys.stderr)
        sys.exit(NO_TENSORFLOW)
    with np.load(arguments.data) as file:
        images, test_images = (file[x][..., None].astype("float32") / 255 for x in ("x_train", "x_test"))
        targets, test_labels = np.eye(10, dtype="float32")[file["y_train"]], file["y_test"]
    keras.utils.set_random_seed(arguments.seed)
    start, evaluation_seconds = time.perf_counter(), 0.0
    model = build_model(keras)

    def evaluate(epoch: int, logs: object = None) -> None:
        nonlocal evaluation_seconds
        began = time.perf_counter()
        accuracy = measure_accuracy(model, test_images, test_labels)
        record = {"epoch": epoch + 1, "seconds": began - start - evaluation_seconds, "accuracy": accuracy}
        print(json.dumps(record), flush=True)
        evaluation_seconds += time.perf_counter() - began
        model.stop_training = accuracy >= arguments.target

    watcher = keras.callbacks.LambdaCallback(on_epoch_end=evaluate)
    model.fit(images, targets, batch_size=128, epochs=arguments.max_epochs, validation_split=0.1,
              callbacks=[watcher], verbose=0)  # fmt: skip


if __name__ == "__main__":
    main()
