"""Every bifurcation of the skew tent along one weight, proved: where, of which type, and why nothing happens at 24/5."""

from verify.bifurcation_answers import bifurcations_text, cycle_text
from verify.certification.bifurcations import bifurcations
from verify.loading import load
from verify.paths import vary

# z' = z / 5 + 1 for z <= 0 and (1/5 + w) z + 1 for z > 0
tent = load({"A": ["1/5"], "W": [["-3"]], "h": [1]}, "plrnn")
answer = bifurcations(vary(tent, "W[0,0]=-6:6"), up_to=2, budget=20)

for event in answer.events:
    print(f"w = {event.closed_form:<6} {event.kind:<17} of the {cycle_text(event.itinerary, event.period)}")
for item in answer.found.virtual:
    print(f"w = 24/5   nothing: itinerary {' '.join(item.itinerary)} has a multiplier 1, but unit {item.unit} has the wrong sign there")
print(f"every mu accounted for: {not any(answer.gaps.values())}\n")
print(bifurcations_text(answer)[-1])
