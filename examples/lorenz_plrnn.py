"""A piecewise-linear RNN trained on Lorenz-63 as train_lorenz_alrnn.json says: its theorems are checked again, then it runs in floats."""

from pathlib import Path

import numpy as np

import proofs
import verify
from verify.numerics.batch import FloatNetwork

HERE = Path(__file__).resolve().parent
STEPS, SETTLE = 5_000, 1_000

network = verify.load_network(HERE / "lorenz_plrnn.json")
print(f"network {network.digest[:12]}: {network.dimension} states, {network.hinges} ReLUs")

# The certificates are read by the standard library alone, and must speak of this very network.
for name in ("cycles", "chaos"):
    path = HERE / f"lorenz_plrnn_{name}.cert"
    proved = proofs.check(path, network)
    print(f"\n{path.name}, {path.stat().st_size / 1000:.1f} kB, by {', '.join(dict.fromkeys(proved.theorems))}")
    for claim in proved.claims:
        print(f"proved: {claim.statement()}"[:240])

# A free run of the same map: the sign of its first coordinate says in which wing it is. A turn takes some 35 steps of 0.02, so that of the
# cycles up to period 10 only the fixed points are there.
floats, z, orbit = FloatNetwork(network), np.zeros((1, network.dimension)), []
for _ in range(STEPS):
    z = floats.step(z)
    orbit.append(z[0, :3])
x = np.array(orbit[SETTLE:])[:, 0]
changes = np.count_nonzero(np.diff(np.sign(x)))
print(f"\nsimulated, not proved: {len(x)} steps of 0.02, x from {x.min():.2f} to {x.max():.2f} deviations, {changes} changes of side")
