"""Why gradients explode or vanish at a bifurcation: what is proved, what is predicted, and what is measured beside it."""

from fractions import Fraction
from pathlib import Path

import verify
from verify.certification import Effort
from verify.certification.named import certify_theorem
from verify.loading import load

effort = Effort(budget_seconds=5)

# z' = 0.2 z + w relu(z) + h. As w rises to 0.8 the fixed point h / (0.8 - w) goes to infinity, and its gradients with it.
line = load({"A": ["0.2"], "W": [["0.3"]], "h": [1]}, "plrnn")
answers = [certify_theorem(line, "gradient_divergence", vary="W[0,0]=0:1.4", period=1, effort=effort)]

# As h passes through 0 the fixed point meets the border: only the gradient by the weights of the unit that switches off vanishes.
answers.append(certify_theorem(line, "gradient_vanishing", vary="h[0]=-1:2", period=1, effort=effort))

# Where that unit is active at another time of the cycle nothing vanishes, and the theorem says so.
refused = certify_theorem(line, "gradient_vanishing", vary="W[0,0]=-2:-1.1", period=2, effort=effort)
if not isinstance(refused, verify.NotFound):
    raise SystemExit("a unit that is active elsewhere on the cycle keeps its gradient")
print(f"refused: {refused.got}\n")

# Generalised teacher forcing: from some share of the teacher on the training map is a contraction, whatever the free network does.
plane = load(Path(__file__).with_name("plrnn.json"))
answers.append(certify_theorem(plane, "teacher_forcing", effort=effort))
answers.append(certify_theorem(plane, "teacher_forcing", alpha=Fraction(9, 10), effort=effort))

for answer in answers:
    if isinstance(answer, verify.NotFound):
        raise SystemExit(str(answer))
    print("\n".join(answer.report.notes))
    print(*(f"proved: {claim.statement()}" for claim in answer.claims), sep="\n", end="\n\n")
