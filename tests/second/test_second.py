"""The second checker says the same as the kernel over the whole corpus, and finds true what the kernel accepts."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.second.checker import Refused, check, check_collection, claim_is_true

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus"


def named(folder: str) -> list[object]:
    """Return the certificates of one folder as named pytest parameters."""
    return [pytest.param(path, id=f"{folder}-{path.stem}") for path in sorted((CORPUS / folder).glob("*.cert"))]


@pytest.mark.parametrize("path", named("accepted"))
def test_both_accept(path: Path) -> None:
    network = json.loads(path.read_bytes().partition(b"\n")[0])["network"]
    claims = check(path)
    assert claims
    assert [claim for claim in claims if claim_is_true(network, claim) is False] == []


@pytest.mark.parametrize("path", [*named("rejected"), *named("malformed")])
def test_both_refuse(path: Path) -> None:
    with pytest.raises(Refused):
        check(path)


def headers(path: Path) -> list[dict]:
    """Return the first lines of the certificates of a collection."""
    return [line for line in map(json.loads, path.read_bytes().splitlines()) if "orbitproof" in line]


@pytest.mark.parametrize("path", named("collections/accepted"))
def test_both_accept_collections(path: Path) -> None:
    for claims, header in zip(check_collection(path), headers(path), strict=True):
        assert claims == header["claims"]
        assert [claim for claim in claims if claim_is_true(header["network"], claim) is False] == []


@pytest.mark.parametrize("path", [*named("collections/rejected"), *named("collections/malformed")])
def test_both_refuse_collections(path: Path) -> None:
    with pytest.raises(Refused):
        check_collection(path)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_most_claims_are_decided_without_a_witness(every: int) -> None:
    answers = []  # but nobody proves a horseshoe in the plane without its strips
    for path in sorted((CORPUS / "accepted").glob("*.cert"))[::every]:
        network = json.loads(path.read_bytes().partition(b"\n")[0])["network"]
        hard = {"covering_graph", "scrambled_set"} if network["dimension"] > 1 else set()
        answers += [claim_is_true(network, claim) for claim in check(path) if claim["claim"] not in hard]
    assert answers.count(True) >= 0.8 * len(answers)


def test_it_shares_no_import() -> None:
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"proofs", "verify"}], path


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("tent", {"claim": "li_yorke", "point": "1/3", "sup_radius": None}),
        ("tent", {"claim": "odd_period", "bound": 1}),
        ("tent", {"claim": "no_odd_period", "period": 3}),
        ("tent", {"claim": "order", "exponent": 1}),
        ("tent", {"claim": "entropy_lower", "rate": "201/100", "iterate": 1}),
        ("tent", {"claim": "entropy_upper", "rate": "199/100", "iterate": 1}),
        ("tent", {"claim": "exact_cycle", "points": [["2/7"], ["4/7"]]}),
        ("tent", {"claim": "all_cycles", "up_to": 1, "cycles": [{"claim": "exact_cycle", "points": [["0"]]}], "residual": []}),
        ("tent", {"claim": "pieces", "knots": ["0", "1/2"], "values": ["0", "1"], "left": "1", "right": "-2"}),
        ("tent", {"claim": "cycle", "itinerary": ["11"], "points": [["1/3"]], "radius": "1/4"}),
        ("tent", {"claim": "cycle_counts", "up_to": 2, "counts": [2, 0], "residual": []}),
        ("tent", {"claim": "cycle_counts", "up_to": 2, "counts": [2, 2], "residual": []}),
        ("tent", {"claim": "cycle_counts", "up_to": 2, "counts": [2], "residual": []}),
        ("tent", {"claim": "cycle_counts", "up_to": 2, "counts": [2, 0], "residual": [["10", "10"]]}),
        ("tent", {"claim": "cycle_counts", "up_to": 2, "counts": [2, 0], "residual": [["1", "1"]]}),
        ("tent", {"claim": "one_point", "period": 1}),
        ("lozi", {"claim": "cycle_counts", "up_to": 4, "counts": [2, 1, 1, 1], "residual": []}),
        ("lozi", {"claim": "cycle_counts", "up_to": 4, "counts": [2, 1, 0, 0], "residual": []}),
        ("segment", {"claim": "cycle_counts", "up_to": 2, "counts": [1, 0], "residual": []}),
        ("segment", {"claim": "cycle_counts", "up_to": 2, "counts": [1, 5], "residual": []}),
        ("segment", {"claim": "cycle_counts", "up_to": 2, "counts": [2, 0], "residual": [["1", "1"]]}),
        ("segment", {"claim": "cycle_counts", "up_to": 2, "counts": [1, 0], "residual": [["0", "1"]]}),
        ("segment", {"claim": "one_point", "period": 2}),
        ("lozi", {"claim": "cycle", "itinerary": ["01"], "points": [["0", "0"]], "radius": "100"}),
    ],
)
def test_false_claims_are_found_false(text: str, claim: dict) -> None:
    exact = {
        "tent": CORPUS / "accepted" / "covering_intervals-full-tent.cert",
        "lozi": CORPUS / "accepted" / "cycle-fixed-point-exact.cert",
        "segment": CORPUS / "accepted" / "necklaces-segment-of-two-cycles.cert",
    }
    network = json.loads(exact[text].read_bytes().partition(b"\n")[0])["network"]
    assert claim_is_true(network, claim) is False


@pytest.mark.parametrize(
    "claim",
    [
        {"claim": "cycle_counts", "up_to": 2, "counts": [1, 0], "residual": [["1", "1"]]},
        {"claim": "cycle_counts", "up_to": 2, "counts": [1, 1], "residual": [["1", "1"]]},  # the ends of the segment lie on a border
        {"claim": "cycle_counts", "up_to": 2, "counts": [0, 0], "residual": [["1"], ["1", "1"]]},
    ],
)
def test_what_lies_in_a_named_polyhedron_may_be_counted_or_not(claim: dict) -> None:
    path = CORPUS / "accepted" / "necklaces-segment-of-two-cycles.cert"
    network = json.loads(path.read_bytes().partition(b"\n")[0])["network"]
    assert claim_is_true(network, claim) is True
