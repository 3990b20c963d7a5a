"""List all fixed points and cycles of two small networks, with the proof that there are no others, and check that proof."""

from pathlib import Path

import proofs
import verify

for name, up_to in {"plrnn.json": 8, "lozi.json": 10}.items():
    network = Path(__file__).with_name(name)
    answer = verify.cycles(network, up_to=up_to, complete=True)
    if not answer.complete or answer.certificate is None:
        raise SystemExit("\n".join(answer.unresolved))
    print(f"{answer.network['name']}: method {answer.effort['method']}, {answer.effort['nodes']} nodes")
    for period in answer.cycles_by_least_period:
        labels = sorted(str(entry.label) for entry in answer.cycles if entry.period == period)
        print(f"  period {period:>2}: {', '.join(f'{labels.count(one)} {one}' for one in dict.fromkeys(labels))}")

    # The first claim counts the cycles and says that there are no others; the claims after it say where each one is.
    proved = proofs.check(answer.certificate, verify.load_network(network))
    print(f"{proved.claims[0].statement()}.")
    print(f"accepted, with {len(proved.claims) - 1} claims about single cycles")

    # A plausibility check, not part of the proof: rare networks apart, the sum over all points of period k does not depend on the biases.
    print(f"sums of indices: {', '.join(f'k = {k}: {total}' for k, total in answer.index_sum.items())}\n")
