"""Logits as probabilities."""

from __future__ import annotations

import numpy as np


def softmax(logits: np.ndarray, *, axis: int = 1) -> np.ndarray:
    """Probabilities from logits, which sum to 1 along the axis; in the logits' dtype, without overflow."""
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))  # the largest is 1
    probabilities: np.ndarray = powers / powers.sum(axis=axis, keepdims=True)
    return probabilities


def log_softmax(logits: np.ndarray, *, axis: int = 1) -> np.ndarray:
    """The natural logarithm of softmax."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    logs: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return logs
