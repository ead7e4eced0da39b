"""Command line: flags -> one command -> exit code.

0 means it ended well, 1 that the configuration is bad, the start failed or the program
has a flaw, 2 that it was called wrongly. What went wrong is one line on stderr. The
report has two codes more, see ``report.run``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from nats_idle_exporter.config.overrides import UsageError
from nats_idle_exporter.errors import ConfigError, StartError
from nats_idle_exporter.flags import (
    PROGRAM,
    ServeOptions,
    parse_demo,
    parse_serve,
)
from nats_idle_exporter.healthcheck import check_health
from nats_idle_exporter.log import configure_logging
from nats_idle_exporter.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats_idle_exporter.config import Config

_FAILED = 1
_WRONG_USAGE = 2
_DEMO_PACKAGES = frozenset({"nats", "rich"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name and return the exit code.

    Raises:
        SystemExit: by argparse: 2 for wrong usage, 0 for help and version.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = arguments[0] if arguments else "serve"
    try:
        if command == "demo":
            return _demo(parse_demo(arguments[1:]))
        if command == "report":
            return _report(arguments[1:])
        return _serve(parse_serve(arguments[command == "serve" :]))
    except StartError as error:
        return _fail(str(error))


def _serve(options: ServeOptions) -> int:
    if options.is_healthcheck:
        trouble = check_health(options.web)
        return _fail(trouble) if trouble else 0
    source = options.source
    try:
        config = source.load()
        if options.is_config_check:
            _check_files(options, config)
            sys.stdout.write(f"{source.name}: ok\n")
            return 0
        return _run(options, config)
    except UsageError as error:
        return _fail(f"{source.name}: {error}", code=_WRONG_USAGE)
    except ConfigError as error:
        return _fail(f"{source.name}: {error}")


def _run(options: ServeOptions, config: Config) -> int:
    # The daemon brings a web server and a client: --version need not wait for them.
    from nats_idle_exporter.daemon import serve  # noqa: PLC0415 - slow to import

    configure_logging(options.log_level, options.log_format, sys.stderr)
    return serve(config, options.source, options.web)


def _check_files(options: ServeOptions, config: Config) -> None:
    from nats_idle_exporter.setup import prepare  # noqa: PLC0415 - slow to import
    from nats_idle_exporter.web.security import (  # noqa: PLC0415 - slow to import
        check_web_file,
    )

    prepare(config, os.environ)
    if options.web.config_file is None:
        return
    try:
        check_web_file(options.web.config_file)
    except ConfigError as error:
        raise StartError(f"{options.web.config_file}: {error}") from error


def _report(arguments: Sequence[str]) -> int:
    from nats_idle_exporter.report.flags import parse_report  # noqa: PLC0415 - slow
    from nats_idle_exporter.report.run import run_report  # noqa: PLC0415 - slow

    options = parse_report(arguments)
    configure_logging(options.log_level, options.log_format, sys.stderr)
    name = options.source.name
    try:
        return run_report(options)
    except UsageError as error:
        return _fail(f"{name}: {error}", code=_WRONG_USAGE)
    except ConfigError as error:
        return _fail(f"{name}: {error}")


def _demo(duration_seconds: float | None) -> int:
    try:
        from nats_idle_exporter.demo import run_demo  # noqa: PLC0415 - an extra

        return run_demo(duration_seconds)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _DEMO_PACKAGES:
            raise
        return _fail(
            f"the demo needs the package {error.name}:"
            f" pip install '.[demo]' in a checkout of {PROGRAM}"
        )


def _fail(what: str, code: int = _FAILED) -> int:
    sys.stderr.write(f"{PROGRAM}: {one_line(what)}\n")
    return code
