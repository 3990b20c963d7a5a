"""The finder's own two answers, in the same five-field form as those of ``proofs``."""

from __future__ import annotations

from proofs.errors import OrbitproofError


class Unsupported(OrbitproofError):
    """The request is understood and outside what the tool covers; the reason is in ``law``."""

    verdict = "Unsupported"


class NotFound(OrbitproofError):
    """The search ended without the proof asked for; ``got`` says what was tried and how far it went. Nothing is refuted.

    ``decision`` says what was proved instead: chaotic, ordered or undecided.
    """

    verdict = "NotFound"
    decision = "undecided"
    longest = 20_000
