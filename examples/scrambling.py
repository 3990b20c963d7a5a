"""Two trajectories 1e-7 apart that separate and return, over and over, and what is proved of the map behind the picture."""

from verify.sampling.figures import save, scrambling_figure
from verify.sampling.scrambling import NEAR_TENT, scrambling

found = scrambling(NEAR_TENT, "0.175421", "1e-7", 150, model="scalar", exact=True, name="a map that is nearly the tent")
print(
    f"exact orbits: distance {found.distances[0]:.1g} at time 0, at most {max(found.distances):.3f}, {found.distances[107]:.1g} at time 107"
)
for statement in found.statements:
    print(f"- {statement}")

pair = found.pair
if pair is None:
    raise SystemExit("no two cycles were proved")
for cycle in pair.cycles:
    print(f"- {cycle.statement}")
print(f"The two cycles stay at least {float(pair.gap):.6f} apart.")
print(f"wrote {save(scrambling_figure(found), 'scrambling.svg')}")
