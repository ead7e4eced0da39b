"""Who may ask: TLS, client certificates and passwords, read again when changed."""

from nats_idle_exporter.web.security.guard import Guard, check_web_file

__all__ = ["Guard", "check_web_file"]
