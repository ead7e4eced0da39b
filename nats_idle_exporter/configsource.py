"""Where the configuration comes from: a file and flags, or flags alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nats_idle_exporter.config.loading import config_without_file, load_config
from nats_idle_exporter.config.overrides import NO_OVERRIDES, Overrides
from nats_idle_exporter.config.schema import Config
from nats_idle_exporter.text import one_line
from nats_idle_exporter.watched import WatchedFiles


@dataclass(slots=True, kw_only=True)
class ConfigSource:
    """Loads the configuration, again and again; flags outrank the file each time.

    ``path`` None: there is no file. ``look_seconds`` is how often the file is looked
    at, to load it when it changed; None for never.
    """

    path: Path | None = None
    overrides: Overrides = NO_OVERRIDES
    look_seconds: float | None = None
    _files: WatchedFiles = field(default_factory=WatchedFiles)

    @property
    def name(self) -> str:
        """What it is called in errors; one line."""
        return one_line(str(self.path or "command line"))

    def load(self) -> Config:
        """Return the checked configuration as it is now; blocking.

        Raises:
            ConfigError: the file cannot be read or used.
            UsageError: flags and file both name endpoints.
        """
        if self.path is None:
            return config_without_file(self.overrides)
        self._files = WatchedFiles()
        self._files.watch(self.path)
        return load_config(self.path, self.overrides)

    def has_changed(self) -> bool:
        """Say whether the file looks unlike it did before it was loaded; blocking."""
        return self._files.have_changed()
