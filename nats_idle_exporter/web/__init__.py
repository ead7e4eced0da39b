"""What we answer by HTTP: the metrics page, the landing page, health."""

from nats_idle_exporter.web.app import ServingState, make_app

__all__ = ["ServingState", "make_app"]
