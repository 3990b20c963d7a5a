"""List all fixed points and cycles of a small PLRNN up to period 8, with the proof that there are no others, and check that proof."""

from pathlib import Path

import proofs
import verify

network = Path(__file__).with_name("plrnn.json")

answer = verify.cycles(network, up_to=8, complete=True)
if not answer.complete or answer.certificate is None:
    raise SystemExit("\n".join(answer.unresolved))
for period, count in answer.cycles_by_least_period.items():
    labels = sorted(str(entry.label) for entry in answer.cycles if entry.period == period)
    print(f"period {period:>2}: {count:>3}  ({', '.join(f'{labels.count(one)} {one}' for one in dict.fromkeys(labels))})")

# The first claim counts the cycles and says that there are no others; the claims after it say where each one is.
proved = proofs.check(answer.certificate, verify.load_network(network))
print(f"{proved.claims[0].statement()}.")
print(f"method {answer.effort['method']}, {answer.effort['nodes']} nodes, {len(proved.claims)} claims accepted")

# A plausibility check, not part of the proof: rare networks apart, this sum over all points of period k is the same whatever the biases.
print("sums of indices:", ", ".join(f"k = {k}: {total}" for k, total in answer.index_sum.items()))
