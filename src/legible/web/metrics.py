"""Prometheus metrics of a running server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from legible.web.work_queue import WorkQueue

_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Requests by route, method and status, their duration and size, and the length of each work queue."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("legible_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "legible_request_seconds", "Seconds from the first byte received to the last byte sent.",
            ("route",), buckets=_BUCKETS_S, registry=self._registry,
        )  # fmt: skip
        self._bytes = Counter(
            "legible_received_bytes", "Bytes of request bodies.", ("route",), registry=self._registry
        )
        self._queue_length = Gauge(
            "legible_queue_length", "Requests running or waiting.", ("queue",), registry=self._registry
        )

    def watch(self, queue: WorkQueue) -> None:
        """Export the length of a work queue, as it is at each scrape."""
        self._queue_length.labels(queue.name).set_function(lambda: queue.length)

    def add(self, route: str, method: str, status: int, seconds: float, n_bytes: int) -> None:
        """Count one request."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)
        self._bytes.labels(route).inc(n_bytes)

    def write(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)
