"""Wrong hearts that misread what jsz tells."""

from __future__ import annotations

from nats_idle_exporter.activity import JetStreamRound, Reading, Stream
from tests.simulator.mutants.wrapper import Wrapper, replaced


class _RoundWrapper(Wrapper):
    """A heart that sees altered rounds of jsz."""

    def reading(self, reading: Reading) -> Reading:
        """Alter the round, if there is one."""
        if reading.jetstream is None:
            return reading
        told = self.round(reading, reading.jetstream)
        return replaced(reading, jetstream=told)

    def round(self, reading: Reading, told: JetStreamRound) -> JetStreamRound | None:
        """Return the altered round, stream by stream."""
        streams = tuple(self.stream(reading, stream) for stream in told.streams)
        return told._replace(streams=streams)

    def stream(self, reading: Reading, stream: Stream) -> Stream:
        """Return the altered stream."""
        del reading
        return stream


class IgnoresJetStream(_RoundWrapper):
    """Believe that counters and connections show every use."""

    def round(self, reading: Reading, told: JetStreamRound) -> None:
        """Hide it."""
        del reading, told


class JoinsByName(_RoundWrapper):
    """Give streams to whoever bears the name first."""

    def stream(self, reading: Reading, stream: Stream) -> Stream:
        """Take the name tag for the account's identity."""
        names = {row.account: row.name for row in reading.rows if row.name}
        name = names.get(stream.account)
        namesakes = [each for each, other in names.items() if other == name]
        return stream._replace(account=min(namesakes, default=stream.account))


class MissingIsQuiet(_RoundWrapper):
    """Take a stream that no server tells for one that nobody used."""

    def round(self, reading: Reading, told: JetStreamRound) -> JetStreamRound:
        """Tell what is missing as it was told last."""
        del reading
        known: dict[tuple[str, str], Stream]
        known = self.__dict__.setdefault("known", {})
        now = {(stream.account, stream.name): stream for stream in told.streams}
        known |= now
        missing = (known[key] for key in sorted(known.keys() - now.keys()))
        return told._replace(streams=(*told.streams, *missing))


class IgnoresConsumers(_RoundWrapper):
    """Believe that whoever reads a stream writes to it too."""

    def stream(self, reading: Reading, stream: Stream) -> Stream:
        """Hide who reads it."""
        del reading
        return stream._replace(has_consumers=False, consumers=())


class CountsMirrors(_RoundWrapper):
    """Take what a mirror copies for use of the mirror's owner."""

    def stream(self, reading: Reading, stream: Stream) -> Stream:
        """Hide that it is a copy."""
        del reading
        return stream._replace(is_copy=False)
