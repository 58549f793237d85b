"""Runs: a training as a value, its images, doing it, resuming it, keeping what came of it."""
