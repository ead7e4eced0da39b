"""Tell which NATS accounts nobody uses, and never be wrong about it."""

__version__ = "0.1.0"
