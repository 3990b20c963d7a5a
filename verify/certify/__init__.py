"""From candidates to certificates; the only room that writes them."""

from verify.certify.find import Effort
from verify.certify.prove import certify, cycles

__all__ = ["Effort", "certify", "cycles"]
