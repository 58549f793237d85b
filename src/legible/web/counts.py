"""What is counted while the server runs, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from legible.web.desk import Desk

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Counts:
    """Requests by route, method and status, their seconds and bytes, and the places taken at each desk."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("legible_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "legible_request_seconds", "From the first byte to the last.", ("route",),
            buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._bytes = Counter(
            "legible_received_bytes", "Bytes of bodies.", ("route",), registry=self._registry
        )
        self._taken = Gauge(
            "legible_places_taken", "What is worked on or waits.", ("desk",), registry=self._registry
        )

    def watch(self, desk: Desk) -> None:
        """Tell how many places are taken at a desk, whenever that is asked."""
        self._taken.labels(desk.name).set_function(lambda: desk.n_taken)

    def add(self, route: str, method: str, status: int, seconds: float, n_bytes: int) -> None:
        """Count one request."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)
        self._bytes.labels(route).inc(n_bytes)

    def write(self) -> bytes:
        """All counts, as Prometheus reads them."""
        return generate_latest(self._registry)
