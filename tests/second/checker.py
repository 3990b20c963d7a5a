"""A naive second checker, written from the theorem cards and the file format alone; it shares no line with proofs or verify.

check(path or bytes)               the claims that hold, as JSON objects, or Refused
check_collection(path or bytes)    such a list for each certificate of a collection, or Refused
claim_is_true(network, claim)      True, False or None (cannot say), without any witness
"""

from __future__ import annotations

from pathlib import Path

from tests.second.boxes_on_lines import CARDS as BOX_CARDS
from tests.second.boxes_on_lines import FIELDS as BOX_FIELDS
from tests.second.cards import CARDS as LINE_CARDS
from tests.second.cards import Step
from tests.second.contractions_in_boxes import CARDS as CONTRACTION_CARDS
from tests.second.contractions_in_boxes import FIELDS as CONTRACTION_FIELDS
from tests.second.cycles import CARDS as CYCLE_CARDS
from tests.second.cycles import step_fields
from tests.second.cycles_in_boxes import CARDS as ALL_IN_BOX_CARDS
from tests.second.cycles_in_boxes import FIELDS as ALL_IN_BOX_FIELDS
from tests.second.events import CARDS as EVENT_CARDS
from tests.second.events import FIELDS as EVENT_FIELDS
from tests.second.exponents import CARDS as EXPONENT_CARDS
from tests.second.families import CARDS as FAMILY_CARDS
from tests.second.finite_times import CARDS as FINITE_CARDS
from tests.second.finite_times import FIELDS as FINITE_FIELDS
from tests.second.necklaces import CARDS as NECKLACE_CARDS
from tests.second.nets import Net, read_net
from tests.second.pairs import CARDS as PAIR_CARDS
from tests.second.regions import CARDS as REGION_CARDS
from tests.second.strips import CARDS as STRIP_CARDS
from tests.second.text import MOST_STEPS, Refused, canonical, integer, items, lines_of, need, number, string, take
from tests.second.trees import CARDS as TREE_CARDS
from tests.second.truth import claim_is_true

__all__ = ["Refused", "check", "check_collection", "claim_is_true"]

CARDS = {
    **LINE_CARDS,
    **CYCLE_CARDS,
    **TREE_CARDS,
    **NECKLACE_CARDS,
    **REGION_CARDS,
    **STRIP_CARDS,
    **EXPONENT_CARDS,
    **FAMILY_CARDS,
    **PAIR_CARDS,
    **EVENT_CARDS,
    **BOX_CARDS,
    **FINITE_CARDS,
    **CONTRACTION_CARDS,
    **ALL_IN_BOX_CARDS,
}
FIELDS = {
    "exact_cycle": "points",
    "cycle": "itinerary points radius",
    "ball_cycle": "points radius",
    "stability": "cycle inside outside",
    "multiplier_moduli": "cycle rates counts",
    "pieces": "knots values left right",
    "all_cycles": "up_to cycles residual",
    "cycle_counts": "up_to counts residual",
    "one_point": "period",
    "no_odd_period": "period",
    "li_yorke": "point sup_radius",
    "odd_period": "bound",
    "forced_periods": "period",
    "entropy_lower": "rate iterate",
    "entropy_upper": "rate iterate",
    "scrambled_set": "",
    "contraction": "rate",
    "exponent_upper": "rate",
    "order": "exponent",
    "covering_graph": "rate unstable boxes paths",
    "snap_back_repeller": "point steps",
    "trapping_box": "low high",
    "trapping_polytope": "facets",
    "trapping_ellipsoid": "center form",
    "exponent_bounds": "lower upper inside",
    "markov_exponent": "spans form slopes weights",
    "volume_bounds": "lower upper rank states low high",
    "driven_exponents": "symbols edges low high lower upper",
    "driven_contraction": "rate",
    "attracted": "rate",
    **EVENT_FIELDS,
    **BOX_FIELDS,
    **FINITE_FIELDS,
    **CONTRACTION_FIELDS,
    **ALL_IN_BOX_FIELDS,
}


def check(certificate: str | Path | bytes) -> list[dict]:
    """Return the claims of a certificate if every one is the conclusion of a step that passes; otherwise raise Refused."""
    return _certificate(lines_of(certificate if isinstance(certificate, bytes) else Path(certificate).read_bytes()))


def check_collection(collection: str | Path | bytes) -> list[list[dict]]:
    """Return the claims of every certificate between the first line and the last, which counts them; otherwise raise Refused."""
    lines = lines_of(collection if isinstance(collection, bytes) else Path(collection).read_bytes())
    need(len(lines) > 1, "no closing line")
    first, last = take(lines[0], "orbitproof_collection"), take(lines[-1], "collection_end")
    ends = [place for place, line in enumerate(lines) if "end" in line]
    need(ends[-1:] == [len(lines) - 2], "no certificate, or one that is not closed")
    integer(first["orbitproof_collection"], 1, 1)
    integer(last["collection_end"], len(ends), len(ends))
    return [_certificate(lines[before + 1 : end + 1]) for before, end in zip([0, *ends], ends, strict=False)]


def _certificate(lines: list[dict]) -> list[dict]:
    net, claims = _header(lines[0])
    need(len(lines) > 1, "no closing line")
    facts: list[dict] = []
    for line in lines[1:-1]:
        facts.append(_step(net, line, facts))
    take(lines[-1], "end")
    integer(lines[-1]["end"], len(facts), len(facts))
    known = {canonical(_normal(fact)) for fact in facts if fact["claim"] in FIELDS}
    need(all(canonical(_normal(claim)) in known or _follows(net, claim, facts) for claim in claims), "a claim that no step concludes")
    return claims


def _follows(net: Net, claim: dict, facts: list[dict]) -> bool:
    """Say whether a bound is weaker than one concluded; slopes of weight intervals may be bounded more or less sharply."""
    if claim["claim"] == "volume_bounds":
        return any(_is_wider(claim, fact) for fact in facts if fact["claim"] == "volume_bounds")
    if net.exact or claim["claim"] != "entropy_upper":
        return False
    bounds = [number(fact["rate"]) for fact in facts if fact["claim"] == "entropy_upper" and fact["iterate"] == claim["iterate"]]
    return any(bound <= number(claim["rate"]) for bound in bounds)


def _is_wider(claim: dict, fact: dict) -> bool:
    """Say whether a claim of volume is no sharper than a fact; every rounding makes it wider."""
    if {**claim, "lower": 0, "upper": 0} != {**fact, "lower": 0, "upper": 0}:
        return False
    return 0 <= number(claim["lower"]) <= number(fact["lower"]) and number(fact["upper"]) <= number(claim["upper"])


def _header(line: dict) -> tuple[Net, list[dict]]:
    take(line, "orbitproof network digest claims remarks")
    integer(line["orbitproof"], 1, 1)
    net = read_net(line["network"])
    need(string(line["digest"]) == net.digest, "another network's digest")
    remarks = take(line["remarks"], "name model assumptions")
    for words in (remarks["name"], remarks["model"], *items(remarks["assumptions"])):
        string(words)
    claims = items(line["claims"])
    need(len(claims) > 0, "no claim")
    for claim in claims:
        need(isinstance(claim, dict) and isinstance(claim.get("claim"), str) and claim["claim"] in FIELDS, "an unknown claim")
        take(claim, f"claim {FIELDS[claim['claim']]}")
    return net, claims


def _step(net: Net, line: dict, facts: list[dict]) -> dict:
    step_fields(line)
    number = len(facts) + 1
    integer(line["step"], number, min(number, MOST_STEPS))
    cites = [facts[integer(i, 1, len(facts)) - 1] for i in items(line["cites"])]
    need(string(line["theorem"]) in CARDS and isinstance(line["witness"], dict), "an unknown theorem or a witness that is no object")
    step = Step(net, line["witness"], cites)
    claim = CARDS[line["theorem"]](step)
    need(step.cited == [], "an unused citation")
    return claim


def _normal(claim: dict) -> dict:
    """Join neighbouring residual intervals, which a table may cut at a knot that does not bend."""
    residual = claim["residual"] if claim["claim"] == "all_cycles" else None
    if not isinstance(residual, list) or any(not isinstance(part, list) or len(part) != 3 for part in residual):
        return claim
    joined: list = []
    for k, low, high in residual:
        if joined and joined[-1][0] == k and joined[-1][2] is not None and joined[-1][2] == low:
            joined[-1] = [k, joined[-1][1], high]
        else:
            joined.append([k, low, high])
    return {**claim, "residual": joined}
