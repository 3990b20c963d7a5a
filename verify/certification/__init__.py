"""From candidates to certificates; the only room that writes them."""

from verify.certification.find import Effort
from verify.certification.prove import certify, cycles

__all__ = ["Effort", "certify", "cycles"]
