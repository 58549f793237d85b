"""Reporting: results as tables and figures."""
