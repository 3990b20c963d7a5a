"""The trusted checker of orbitproof: reads certificates about recurrent networks and says Proved, Rejected or Malformed.

Standard library only; the folder works alone: ``python -S -m proofs check FILE``.
"""

from proofs.certificate import Certificate, Remarks
from proofs.claims import Claim
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.explain import explain, theorems
from proofs.kernel import Proved, check
from proofs.load import load
from proofs.network import Network, Operation

__all__ = [
    "Certificate",
    "Claim",
    "Malformed",
    "Network",
    "Operation",
    "OrbitproofError",
    "Proved",
    "Rejected",
    "Remarks",
    "check",
    "explain",
    "load",
    "theorems",
]
