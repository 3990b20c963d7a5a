"""Prove that a random scalar RNN is chaotic, and that the tent map of slope 1.05 is, though no grid would show it."""

from pathlib import Path

import verify

answer = verify.certify(Path(__file__).with_name("scalar_rnn.json"))
if isinstance(answer, verify.NotFound):
    raise SystemExit(str(answer))
print(answer.report.decision)
for claim in answer.claims:
    print(f"- {claim.statement()}")

tent = {
    "layers": [
        {"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"},
        {"W": [["1.05", "-2.1"]], "b": [0], "activation": "identity"},
    ]
}
small = verify.certify(tent, "chaos", model="scalar", name="tent of slope 1.05")
if isinstance(small, verify.NotFound) or small.report.entropy is None:
    raise SystemExit(str(small))
low, high = small.report.entropy
if high is None:
    raise SystemExit("no upper bound of the entropy")
print(f"tent of slope 1.05: {small.report.decision}, entropy between {float(low):.5f} and {float(high):.5f} (log 1.05 = 0.04879)")
