"""Prove that a random tanh network with twenty states forgets its past, and how far its weights may be off before that is in doubt."""

import numpy as np

import proofs
import verify
from verify.certification import Effort

M, GAIN = 20, 0.6
rng = np.random.default_rng(0)
network = {
    "model": "rnn",
    "activation": "tanh",
    "W": (GAIN * rng.standard_normal((M, M)) / np.sqrt(M)).tolist(),
    "b": rng.standard_normal(M).tolist(),
}

rows = np.abs(network["W"]).sum(axis=1)
print(f"absolute row sums of W up to {rows.max():.2f}, spectral norm {np.linalg.norm(network['W'], 2):.2f}")

effort = Effort(budget_seconds=10)
answer = verify.certify(network, "order", effort=effort)
if isinstance(answer, verify.NotFound):
    raise SystemExit(str(answer))
print(f"{answer.report.decision}: {answer.claims[0].statement()}")

robust = verify.certify(network, "order", max_radius=True, effort=effort)
if isinstance(robust, verify.NotFound) or robust.report.radius is None:
    raise SystemExit(str(robust))
proofs.check(b"".join(robust.lines()))
print(f"so has every network whose weights all lie within {float(robust.report.radius):.2e} of these; with that radius:")
print(robust.claims[0].statement())
