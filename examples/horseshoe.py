"""Prove a horseshoe of the Lozi map and draw it: a box, strips that F^m maps right across it, their images. Argument: the file to draw."""

import sys
from itertools import product
from pathlib import Path

import numpy as np

from verify.candidates import Covering, Slab, Strip
from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.loading import load_network
from verify.numerics.batch import FloatNetwork
from verify.numerics.strips import SAFE, Letters, slab_frame, solve_passage, strip_of, told_apart

try:
    from matplotlib.figure import Figure
except ImportError:
    sys.exit("this example draws with matplotlib: pip install 'orbitproof[figures]'")

# x' = 1 - 17/10 |x| + y, y' = x/2, written with one hinge; its saddle to the right of the kink
lozi = {"A": [["17/10", 1], ["1/2", 0]], "W1": [["-17/5"], [0]], "W2": [[1, 0]], "h1": [1, 0], "h2": [0]}
network = load_network(lozi, model="shallow_plrnn")
floats, saddle = FloatNetwork(network), np.array([5 / 11, 5 / 22])
values, vectors = np.linalg.eig(floats.jacobian(saddle[None])[0])
slab = Slab(saddle, vectors[:, np.argsort(-np.abs(values))] * [0.3, 0.24])  # the first column expands, the second contracts

# Every word of at most 6 steps that maps a strip right across the box, unless a shorter word's strip cannot be told from it.
letters, box, strips = Letters(floats), [slab_frame(slab, 1)], list[Strip]()
for word in (word for steps in range(1, 7) for word in product(letters.read(np.array([[False], [True]])), repeat=steps)):
    passage = solve_passage(letters, box, (0, 0), word)
    strip = None if passage is None else strip_of(letters, box, passage)[0]
    if strip is not None and strip.slack > SAFE and all(told_apart(slab, strip, other) for other in strips):
        strips.append(strip)
proved = prove_horseshoe(Draft(network), Covering(1, (slab,), tuple(strips)))
if isinstance(proved, str) or proved.entropy[1].paths < len(strips):
    sys.exit(f"not all of this is proved: {proved}")
print(proved.entropy[1].statement())

corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
orbits = np.random.default_rng(0).uniform(-0.1, 0.1, (400, 2))
seen = np.concatenate([orbits := floats.step(orbits) for _ in range(100)][40:])
whole, close = axes = Figure(figsize=(12, 5.5), layout="constrained").subplots(1, 2)
for axis, size in zip(axes, (0.3, 3.0), strict=True):
    axis.scatter(*seen.T, s=size, color="0.75", linewidths=0, rasterized=True)
    axis.fill(*(slab.center + corners @ slab.basis.T).T, fill=False, edgecolor="black")
    axis.plot(*saddle, "ko", markersize=4, zorder=3)
    for number, strip in enumerate(strips):
        across, upright = corners[:, :1] @ strip.width.T, corners[:, 1:] * strip.height
        points = slab.center + np.hstack([strip.offset + across + upright @ strip.tilt.T, upright]) @ slab.basis.T
        axis.fill(*points.T, facecolor=f"C{number}", alpha=0.6, label=f"$F^{strip.steps}$ along {''.join(strip.itinerary or ())}")
        for _ in range(strip.steps):  # in one region at a time the image of a strip is a parallelogram
            points = floats.step(points)
        axis.fill(*points.T, fill=False, edgecolor=f"C{number}", hatch="////")
whole.set(title="the Lozi map's attractor and a box around its saddle", xlabel="x", ylabel="y")
close.set(title="strips (filled), and their images (hatched) right across the box", xlabel="x", xlim=(0.0, 0.92), ylim=(-0.1, 0.62))
close.legend(loc="upper right", title="strips, mapped by")
(target := Path(sys.argv[1] if len(sys.argv) > 1 else "build/horseshoe.svg")).parent.mkdir(parents=True, exist_ok=True)
whole.figure.savefig(target, dpi=150)
print(f"drawn as {target}")
