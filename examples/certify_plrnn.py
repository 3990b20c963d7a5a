"""Find the cycles of a small PLRNN, prove them, and ask for how large an error of the weights the proofs still hold."""

from pathlib import Path

import proofs
import verify

network = Path(__file__).with_name("plrnn.json")

found = verify.cycles(network, up_to=6)
for entry in found.cycles:
    first = ", ".join(f"{float(x.lo):.4f}" for x in entry.points[0])
    print(f"period {entry.period}: {entry.label}, first point near ({first})")

# The certificate is what convinces: the checker reads it without the finder.
if found.certificate is None:
    raise SystemExit("no cycle was found")
proved = proofs.check(found.certificate, verify.load_network(network))
print(f"{len(proved.claims)} claims accepted for network {proved.digest[:12]}")

robust = verify.certify(network, "cycles", period=3, max_radius=True)
if isinstance(robust, verify.NotFound) or robust.report.radius is None:
    raise SystemExit(str(robust))
print(f"the {len(robust.report.cycles)} cycles of period 3 persist for all weights within {float(robust.report.radius):.2e}")
