"""Ctrl-C, twice: the first ends the search in good order, the second at once."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_INSTANT = 1e-3
_LATER = 0.02
_SWALLOWING = ("llvmlite", "numba")


class Interrupts:
    """A switch that SIGINT turns on while ``listening``; outside the main thread nothing is changed."""

    def __init__(self) -> None:
        self.wanted = False
        self.again = False
        self._at_once = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle SIGINT here and restore what handled it before."""
        try:
            before = signal.signal(signal.SIGINT, self._heard)
        except ValueError:  # not the main thread
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def at_once(self, seconds: float | None = None) -> Iterator[None]:
        """Let the first interrupt break off the work inside: it raises KeyboardInterrupt, as the second does everywhere.

        After so many seconds it is broken off by TimeoutError, where the system has timers and this is the main thread.
        """
        self._at_once = True
        try:
            if self.wanted:
                raise KeyboardInterrupt
            with self._alarm(seconds):
                yield
        finally:
            self._at_once = False

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self.again, self.wanted = self.wanted, True
        if self.again or self._at_once:
            self._at_once = False
            raise KeyboardInterrupt

    @contextmanager
    def _alarm(self, seconds: float | None) -> Iterator[None]:
        if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, self._rung)
        try:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, _INSTANT))
            yield
        finally:
            self._at_once = False  # from here on neither bell nor interrupt breaks anything off
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _rung(self, _number: int, frame: FrameType | None) -> None:
        if not self._at_once:
            return
        if _is_swallowed(frame):
            signal.setitimer(signal.ITIMER_REAL, _LATER)
            return
        self._at_once = False
        raise TimeoutError


def _is_swallowed(frame: FrameType | None) -> bool:
    """Whether an exception raised here may end in a callback from C, which prints it and goes on: the compiler's are such."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _SWALLOWING:
            return True
        frame = frame.f_back
    return False
