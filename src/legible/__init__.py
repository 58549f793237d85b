"""Legible makes ink readable."""
