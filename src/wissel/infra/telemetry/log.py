"""A log line is an event and plain metadata. There is no free text, so there is nothing to leak into it.

Fields are names and small values that the program chose: counts, codes, statuses, participants' URNs, ids of
processes. Payload, a learner's attributes and addresses of vaults are never given to a log.
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from wissel.core.clock import Clock
from wissel.core.moments import rfc3339

Plain = str | int | float | bool

VALUE_CHARS_MAX: Final = 200


class Log(Protocol):
    """Where log lines go."""

    def write(self, event: str, **fields: Plain) -> None:
        """Write one line: `event` is a dotted name such as "http.answered"."""
        ...


class JsonLog:
    """One JSON object per line, `at` and `event` first. `write` gets the line without its line end."""

    def __init__(self, clock: Clock, write: Callable[[str], None]) -> None:
        self._clock = clock
        self._write = write
        self._encode = msgspec.json.Encoder().encode

    def write(self, event: str, **fields: Plain) -> None:
        """Write one line; texts are cut at 200 characters."""
        line: dict[str, Plain] = {"at": rfc3339(self._clock.now()), "event": event}
        for name, value in fields.items():
            line[name] = value[:VALUE_CHARS_MAX] if isinstance(value, str) else value
        self._write(self._encode(line).decode())


class SilentLog:
    """Says nothing. For tools and tests that look elsewhere."""

    def write(self, event: str, **fields: Plain) -> None:
        """Drop the line."""
