"""The finder's own two answers, in the same five-field form as those of ``proofs``."""

from __future__ import annotations

from proofs.errors import OrbitproofError


class Unsupported(OrbitproofError):
    """The request is understood and outside what the tool covers; the reason is in ``law``."""

    verdict = "Unsupported"


class NotFound(OrbitproofError):
    """The search ended without a proof; ``got`` says what was tried and how far it went. Nothing is refuted."""

    verdict = "NotFound"
