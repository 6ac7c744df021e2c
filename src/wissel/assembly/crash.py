"""Named crash points: a process that ends itself with SIGKILL at the n-th passing of one. For fault tests only.

`crash = "commit.after:7"` (the environment: `WISSEL_CRASH`). Points: `commit.before` and `commit.after` of every
SQLite file of the process, and those of the key store (`slots.written`, `slots.synced`, `slots.zeroing` and so on).
"""

import os
import re
import signal
from collections.abc import Callable
from threading import Lock
from typing import Final

from wissel.assembly.settings import SettingWrong

Crash = Callable[[str], None]

_SETTING: Final = re.compile(r"([a-z][a-z.]{0,60}):([1-9][0-9]{0,8})")


def never(_point: str) -> None:
    """Pass every point."""


def crash_at(setting: str, *, demo: bool) -> Crash:
    """Return what is called at each crash point. Raises SettingWrong where a real store would be meant."""
    if not setting:
        return never
    if not demo:
        raise SettingWrong("Setting crash: only a store made for a demo may be killed on purpose.", field="crash")
    found = _SETTING.fullmatch(setting)
    if found is None:
        raise SettingWrong("Setting crash: say <point>:<n>, such as commit.after:7.", field="crash")
    return _Countdown(found[1], int(found[2]))


class _Countdown:
    """Counts the passings of one point by all threads; at the last one the process is no more."""

    def __init__(self, point: str, passings: int) -> None:
        self._point = point
        self._left = passings
        self._lock = Lock()

    def __call__(self, point: str) -> None:
        """Pass a point, or end here: nothing is flushed, closed or said."""
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
