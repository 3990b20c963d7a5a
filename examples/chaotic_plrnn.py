"""Prove that a random ReLU network with five states is chaotic: a simulation suggests it, the certificate proves it."""

import numpy as np

import proofs
import verify
from verify.certification import Effort

M, SETTLE, STEPS = 5, 1_000, 4_000
W = 3 * np.random.default_rng(65).standard_normal((M, M)) / np.sqrt(M) - 2 / M  # expanding; the mean is negative against escape
network = {"model": "plrnn", "A": [0] * M, "W": W.tolist(), "h": [1] * M}

# The largest Lyapunov exponent of z' = W relu(z) + 1 along one orbit
z, v, growths = np.ones(M), np.ones(M), []
for _ in range(STEPS):
    z, v = W @ np.maximum(z, 0) + 1, W @ (v * (z > 0))
    growths.append(np.linalg.norm(v))
    v /= growths[-1]
print(f"simulated: |z| is {np.linalg.norm(z):.1f} after {STEPS} steps, exponent {np.mean(np.log(growths[SETTLE:])):.3f} per step")

answer = verify.certify(network, "chaos", effort=Effort(budget_seconds=6))
if isinstance(answer, verify.NotFound):
    raise SystemExit(str(answer))
for claim in answer.claims:
    print(f"proved: {claim.statement()}")

# The certificate is what convinces: the checker reads its lines with the standard library alone.
lines = b"".join(answer.lines())
proved = proofs.check(lines, verify.load_network(network))
print(f"a certificate of {len(lines) / 1024:.1f} KB, accepted for the real-number map of network {proved.digest[:12]}")
