"""Run the program: ``python -m nats_idle_exporter``."""

from nats_idle_exporter.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
