"""Draw where the fixed points and the 2-cycle of the skew tent exist over the plane of its two slopes, and print the closed forms."""

from pathlib import Path

from verify.certification.drafts import save_drafts
from verify.loading import load
from verify.parameters.figures import plane_figure, save
from verify.parameters.plane import closed_forms, plane
from verify.parameters.surfaces import Entry

tent = load(Path(__file__).parent / "skew_tent_slopes.json")
slopes = ("a_l:layers.2.W[0,1]=-2:2", "a_r:layers.2.W[0,0]=-2:2")

# for every slope and height: z' = a_l z + mu for z <= 0, a_r z + mu for z > 0
entries = [*(Entry.read(slope) for slope in slopes), Entry.read("mu:layers.2.b[0]=-1:1")]
for name, word in (("right fixed point", ("10",)), ("left fixed point", ("01",)), ("2-cycle", ("01", "10"))):
    form, events = closed_forms(tent, entries, word)
    points = ", ".join(point[0] for point in form.texts)
    print(f"{name}: z = {points}; events on {', '.join(dict.fromkeys(event.equation for event in events))}")

found = plane(tent, *slopes, depth=5, budget=60)
print("\n".join(found.lines()))
print(f"{save_drafts(Path('skew_tent_plane.cert'), found.proofs)} certificates, each checked again, in skew_tent_plane.cert")
print(f"wrote {save(plane_figure(found), 'skew_tent_plane.svg')}")
