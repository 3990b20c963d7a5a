"""Recipes: what a campaign stores must prove what it says of its own network, and of no other."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import proofs
from proofs.certificate import Certificate, Remarks
from proofs.claims import Claim, Contraction, EntropyLower, ExactCycle, LiYorke, OddPeriod, Order, ScrambledSet
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.kernel import check_collection
from proofs.network import Network
from proofs.space import CoveringGraph
from tests.corpus import covering as known
from tests.known.maps import layered, tent
from verify.certification.collection import write_collection
from verify.certification.draft import Draft
from verify.certification.sampled import certify_recipe, check_recipe
from verify.models.families import build

GOLDEN = Fraction(1_618_033_988, 10**9)
FULL = tent(2)
STEEP = tent("3/2")  # entropy log 3/2, so no period 3
MIRRORED = layered((-1, -1), (1, "1/2"), (-2, 4), 1)  # 1 - F(1 - x) for the full tent
FLIP = layered((1, -1), (0, 0), (-1, 1))  # -x: every point but 0 has period 2
HALF = tent("1/2")
IDENTITY = layered((1, -1), (0, 0), (1, -1))


def smooth(inner: list[float], biases: list[float], outer: list[float], constant: float) -> Network:
    """Return x -> outer . tanh(inner x + biases) + constant."""
    arrays = {"layers.0.W": np.array([inner]).T, "layers.0.b": np.array(biases)}
    last = {"layers.1.W": np.array([outer]), "layers.1.b": np.array([constant])}
    return build("scalar", {**arrays, **last}, {"layers": ["tanh", "identity"]})


HUMP = smooth([4, 4], [0, -4], [2, -2], -1)  # from -1 up to 2.9 and back
CALM = smooth([1], [0], [0.5], 0)
COVERING = '{"iterate":1,"point":"1/4"}'
CASES: list[tuple[Network, str, str, str, tuple[type[Claim], ...]]] = [
    (FULL, "li_yorke", '{"point":"1/4"}', "chaotic", (LiYorke, EntropyLower)),
    (MIRRORED, "li_yorke", '{"point":"3/4"}', "chaotic", (LiYorke, EntropyLower)),
    (HUMP, "li_yorke", '{"bits":256,"point":"-7p-9"}', "chaotic", (LiYorke, EntropyLower)),
    (FULL, "odd_period", '{"point":"1/4","times":3}', "chaotic", (OddPeriod, EntropyLower, ScrambledSet)),
    (HUMP, "odd_period", '{"bits":256,"point":"-7p-9","times":3}', "chaotic", (OddPeriod, EntropyLower, ScrambledSet)),
    (FULL, "covering_intervals", COVERING, "chaotic", (EntropyLower, ScrambledSet)),
    (FULL, "covering_intervals", '{"iterate":1,"point":"2/7"}', "chaotic", (EntropyLower, ScrambledSet)),  # no room: period 3
    (MIRRORED, "covering_intervals", '{"iterate":1,"point":"3/4"}', "chaotic", (EntropyLower, ScrambledSet)),
    (MIRRORED, "covering_intervals", '{"iterate":1,"point":"5/7"}', "chaotic", (EntropyLower, ScrambledSet)),
    (HUMP, "covering_intervals", '{"bits":256,"iterate":1,"point":"-7p-9"}', "chaotic", (EntropyLower, ScrambledSet)),
    (STEEP, "covering_intervals", '{"iterate":2,"point":"71/128"}', "chaotic", (EntropyLower, ScrambledSet)),
    (HALF, "coppel", '{"exponent":0}', "ordered", (Order,)),
    (FLIP, "coppel", '{"exponent":1}', "ordered", (Order,)),
    (CALM, "coppel", '{"bits":64,"monotone":"increasing"}', "ordered", (Order,)),
    (layered((1,), (0,), (-3,)), "coppel", '{"monotone":"decreasing"}', "ordered", (Order,)),
    (layered((1,), (0,), ("1/2",)), "contraction", '{"rate":"1/2"}', "ordered", (Contraction,)),
    (CALM, "contraction", '{"bits":64,"rate":"1/2"}', "ordered", (Contraction,)),
]


def letter(network: Network, theorem: str, recipe: str) -> str:
    """Return the letter that both ways of asking give."""
    letters = []
    for run in (check_recipe, certify_recipe):
        with pytest.raises(OrbitproofError) as caught:
            run(network, theorem, recipe)
        assert type(caught.value) in {Rejected, Malformed}
        letters.append(str(caught.value))
    assert letters[0] == letters[1]
    return letters[0]


@pytest.mark.parametrize(("network", "theorem", "recipe", "verdict", "kinds"), CASES)
def test_accepted(network: Network, theorem: str, recipe: str, verdict: str, kinds: tuple[type[Claim], ...]) -> None:
    assert check_recipe(network, theorem, recipe) == verdict
    certificate = certify_recipe(network, theorem, recipe, Remarks("a name"))
    proved = proofs.check(certificate, network)
    assert tuple(map(type, proved.claims)) == kinds
    assert theorem in proved.theorems
    assert proved.remarks.name == "a name"
    assert certify_recipe(network, theorem, recipe).claims == certificate.claims


def test_a_recipe_of_another_network_is_refused() -> None:
    for network, theorem, recipe, _, _ in CASES:
        other = {"chaotic": HALF, "ordered": FULL}[check_recipe(network, theorem, recipe)]
        assert letter(other, theorem, recipe).startswith("Rejected at step ")


@pytest.mark.parametrize(
    ("network", "theorem", "recipe", "said"),
    [
        (FULL, "li_yorke", '{"point":"3/10"}', "theorem li_yorke, check 2"),
        (FULL, "li_yorke", '{"point":"0"}', "theorem li_yorke, check 2"),
        (MIRRORED, "li_yorke", '{"point":"1/4"}', "theorem li_yorke, check 2"),
        (STEEP, "li_yorke", '{"point":"1/4"}', "theorem li_yorke, check 2"),
        (HUMP, "li_yorke", '{"bits":8,"point":"-17/128"}', "theorem li_yorke, check 2"),
        (HUMP, "li_yorke", '{"point":"-7p-9"}', "a field bits"),
        (FULL, "odd_period", '{"point":"1/4","times":4}', "theorem odd_period, check 2"),
        (FULL, "odd_period", '{"point":"2/3","times":3}', "theorem odd_period, check 3"),
        (FLIP, "odd_period", '{"point":"1","times":5}', "theorem odd_period, check 3"),
        (FULL, "covering_intervals", '{"iterate":1,"point":"3/10"}', "theorem covering_intervals, check 4"),
        (FULL, "covering_intervals", '{"iterate":1,"point":"2/3"}', "theorem covering_intervals, check 2"),
        (FULL, "covering_intervals", '{"iterate":1,"point":"1"}', "theorem covering_intervals, check"),
        (STEEP, "covering_intervals", '{"iterate":1,"point":"71/128"}', "theorem covering_intervals, check"),
        (FLIP, "covering_intervals", '{"iterate":1,"point":"1"}', "theorem covering_intervals, check"),
        (HUMP, "covering_intervals", '{"bits":64,"iterate":1,"point":"1"}', "theorem covering_intervals, check"),
        (HUMP, "covering_intervals", '{"iterate":1,"point":"-7p-9"}', "a field bits"),
        (FLIP, "coppel", '{"exponent":0}', "theorem coppel, check"),
        (FULL, "coppel", '{"exponent":0}', "theorem coppel, check 4"),
        (FULL, "coppel", '{"exponent":2}', "theorem coppel, check 4"),
        (FULL, "coppel", '{"monotone":"increasing"}', "theorem coppel, check 2"),
        (FLIP, "coppel", '{"monotone":"sideways"}', "theorem coppel, check 2"),
        (CALM, "coppel", '{"exponent":0}', "theorem pieces, check 1"),
        (HALF, "contraction", '{"rate":"1/3"}', "theorem contraction, check 2"),
        (HALF, "contraction", '{"rate":"0"}', "theorem contraction, check 1"),
        (HALF, "contraction", '{"rate":"2"}', "a step that proves chaos or order"),
        (known.PLANE, "li_yorke", '{"point":"1/4"}', "theorem li_yorke, check 1"),
    ],
)
def test_rejected(network: Network, theorem: str, recipe: str, said: str) -> None:
    assert said in letter(network, theorem, recipe)


@pytest.mark.parametrize(
    ("theorem", "recipe"),
    [
        ("li_yorke", "{"),
        ("li_yorke", ""),
        ("li_yorke", "[]"),
        ("li_yorke", "{}"),
        ("li_yorke", '{"point":0.25}'),
        ("li_yorke", '{"point":"0.25"}'),
        ("li_yorke", '{"point":"1/4","point":"1/4"}'),
        ("li_yorke", '{"point":"1/4","times":3}'),
        ("li_yorke", '{"point":"1/4","bits":0}'),
        ("odd_period", '{"point":"1/4"}'),
        ("odd_period", '{"point":"1/4","times":1}'),
        ("odd_period", '{"point":"1/4","times":10001}'),
        ("covering_intervals", '{"point":"1/4"}'),
        ("covering_intervals", '{"point":"1/4","iterate":0}'),
        ("coppel", "{}"),
        ("coppel", '{"exponent":21}'),
        ("coppel", '{"monotone":1}'),
        ("contraction", '{"rate":0.5}'),
        ("exact_cycle", '{"point":"2/7"}'),
        ("steps", '{"point":"1/4"}'),
        ("", '{"point":"1/4"}'),
        ("steps", '{"claims":[1]}'),
        ("steps", '{"claims":[],"steps":null}'),
        ("steps", '{"claims":[1],"steps":[["li_yorke",{"point":"1/4"}]]}'),
        ("steps", '{"claims":[1],"steps":[["magic",[],{}]]}'),
        ("steps", '{"claims":[1],"steps":[["li_yorke",[true],{"point":"1/4"}]]}'),
        ("steps", '{"claims":[1],"steps":[["li_yorke",["1"],{"point":"1/4"}]]}'),
        ("steps", '{"claims":[1],"steps":[["li_yorke",[],{"point":"1/4","why":1}]]}'),
        ("steps", '{"claims":[1],"steps":[["li_yorke",[1],{"point":"1/4"}]]}'),
        ("steps", '{"claims":[1],"steps":[["sharkovskii",[1],{}]]}'),
        ("steps", '{"claims":[2],"steps":[["li_yorke",[],{"point":"1/4"}]]}'),
        ("steps", '{"claims":[0],"steps":[["li_yorke",[],{"point":"1/4"}]]}'),
        ("coppel", '{"claims":[1],"steps":[["li_yorke",[],{"point":"1/4"}]]}'),
        ("steps", '{"claims":[1],"point":"1","steps":[["li_yorke",[],{"point":"1/4"}]]}'),
    ],
)
def test_malformed(theorem: str, recipe: str) -> None:
    assert letter(FULL, theorem, recipe).startswith("Malformed at ")


def test_fields_that_nobody_asked_for() -> None:
    linear = layered((1,), (0,), ("1/2",))
    assert "no further fields" in letter(HALF, "coppel", '{"exponent":0,"max_knots":5}')
    assert "no further fields" in letter(linear, "coppel", '{"exponent":0,"monotone":"increasing"}')
    assert "no further fields" in letter(linear, "contraction", '{"rate":"1/2","weights":["1"]}')


def test_a_map_whose_only_periods_are_1_and_2() -> None:
    assert check_recipe(FLIP, "coppel", '{"exponent":1}') == "ordered"
    for k in range(-8, 9):
        point = f'"point":"{Fraction(k, 4)}"'
        assert letter(FLIP, "li_yorke", f"{{{point}}}").startswith("Rejected")
        for times in (3, 5, 7):
            assert letter(FLIP, "odd_period", f'{{{point},"times":{times}}}').startswith("Rejected")
        for iterate in (1, 2, 3):
            assert letter(FLIP, "covering_intervals", f'{{"iterate":{iterate},{point}}}').startswith("Rejected")


def test_two_intervals_carry_the_golden_ratio_and_short_numbers() -> None:
    for network, point in ((FULL, "1/4"), (MIRRORED, "3/4")):
        recipe = json.dumps({"iterate": 1, "point": point})
        certificate = certify_recipe(network, "covering_intervals", recipe)
        bound = certificate.claims[0]
        assert isinstance(bound, EntropyLower)
        assert GOLDEN < bound.rate < GOLDEN + Fraction(1, 10**9)
        assert bound.rate**2 < bound.rate + 1
    deep = build("scalar", random_arrays(1, 64), {"layers": ["relu", "clip"]})
    certificate = certify_recipe(deep, "covering_intervals", '{"iterate":2,"point":"211p-8"}')
    assert len(json.dumps(certificate.steps[0][2])) < 600


def random_arrays(seed: int, width: int) -> dict[str, np.ndarray]:
    """Return the weights of the theory's model with s = 8."""
    rng = np.random.default_rng(seed)
    first = {"layers.0.W": np.ones((width, 1)), "layers.0.b": -rng.random(width)}
    return {**first, "layers.1.W": rng.normal(0, 8 / width**0.5, (1, width)), "layers.1.b": np.zeros(1)}


def passes(network: Network, theorem: str, recipe: str) -> bool:
    """Say whether a recipe is accepted."""
    try:
        check_recipe(network, theorem, recipe)
    except Rejected:
        return False
    return True


def test_random_networks_are_never_both() -> None:
    both = {"chaotic": 0, "ordered": 0}
    for seed in range(24):
        network = build("scalar", random_arrays(seed, 16), {"layers": ["relu", "clip"]})
        chaotic = [k for k in range(0, 257, 4) if passes(network, "li_yorke", f'{{"point":"{k}p-8"}}')]
        ordered = [n for n in range(3) if passes(network, "coppel", f'{{"exponent":{n}}}')]
        assert not (chaotic and ordered)
        both["chaotic"] += bool(chaotic)
        both["ordered"] += bool(ordered)
        for k in chaotic[:1]:
            assert passes(network, "odd_period", f'{{"point":"{k}p-8","times":3}}')
            assert passes(network, "covering_intervals", f'{{"iterate":1,"point":"{k}p-8"}}')
    assert both["chaotic"] > 0
    assert both["ordered"] > 0


CYCLE: tuple[object, ...] = ("exact_cycle", [], {"point": ["2/7"], "period": 3})
TWO: tuple[object, ...] = ("exact_cycle", [], {"point": ["2/5"], "period": 2})
RATE: tuple[object, ...] = ("entropy_from_period", [1], {"rate": "8/5"})


def steps(claims: list[int], *listed: tuple[object, ...]) -> str:
    """Write a recipe of steps."""
    return json.dumps({"claims": claims, "steps": listed}, sort_keys=True)


def test_recipes_of_any_steps() -> None:
    recipe = steps([1], CYCLE, RATE)
    assert check_recipe(FULL, "steps", recipe) == check_recipe(FULL, "exact_cycle", recipe) == "chaotic"
    kinds = [type(claim) for claim in certify_recipe(FULL, "steps", recipe).claims]
    assert kinds == [ExactCycle, EntropyLower, ScrambledSet]
    ordered = steps([2], ("pieces", [], {"max_knots": 99}), ("coppel", [1], {"exponent": 0, "max_knots": 99}))
    assert check_recipe(HALF, "steps", ordered) == "ordered"
    assert letter(FULL, "steps", ordered).startswith("Rejected at step 2, theorem coppel, check 4")
    graph = steps([1], ("covering_graph", [], known.plane_witness()))
    assert check_recipe(known.PLANE, "covering_graph", graph) == "chaotic"
    assert [type(claim) for claim in certify_recipe(known.PLANE, "steps", graph).claims] == [CoveringGraph, ScrambledSet]
    chaos = steps([2, 1], ("li_yorke", [], {"point": "1/4"}), ("sharkovskii", [1], {}))
    assert [claim.kind for claim in certify_recipe(FULL, "steps", chaos).claims] == ["forced_periods", "li_yorke", "entropy_lower"]


@pytest.mark.parametrize(
    "recipe",
    [
        steps([1], TWO),
        steps([1], CYCLE),
        steps([1], ("pieces", [], {"max_knots": 99})),
        steps([1, 2], TWO, ("sharkovskii", [1], {})),
        steps([], CYCLE),
    ],
)
def test_steps_that_prove_neither_chaos_nor_order(recipe: str) -> None:
    assert "a step that proves chaos or order" in letter(FULL, "steps", recipe)


@pytest.mark.parametrize(
    "recipe",
    [
        steps([1], ("exact_cycle", [], {"point": ["2/7"], "period": 2}), RATE),
        steps([1], TWO, RATE),
        steps([1], CYCLE, ("entropy_from_period", [1], {"rate": "17/10"})),
        steps([1], ("sharkovskii", [], {})),
    ],
)
def test_steps_that_do_not_hold(recipe: str) -> None:
    assert letter(FULL, "steps", recipe).startswith(("Rejected at step ", "Malformed at step "))


def drawn(counts: list[int]) -> Callable[[int], Certificate]:
    def make(number: int) -> Certificate:
        counts.append(number)
        network, theorem, recipe, _, _ = CASES[number % len(CASES)]
        return certify_recipe(network, theorem, recipe, Remarks(f"case {number}"))

    return make


def test_a_collection_of_all_cases(tmp_path: Path) -> None:
    counts: list[int] = []
    path = tmp_path / "deep" / "all.cert"
    assert write_collection(path, map(drawn(counts), range(20))) == 20
    assert counts == list(range(20))
    with path.open("rb") as stream:
        assert [proved.remarks.name for proved in check_collection(stream)] == [f"case {number}" for number in range(20)]
    first = drawn([])(0)
    assert path.read_bytes().startswith(b'{"orbitproof_collection":1}\n' + b"".join(first.lines()))
    assert path.read_bytes().endswith(b'}\n{"collection_end":20}\n')
    assert [file.name for file in path.parent.iterdir()] == ["all.cert"]


def test_a_collection_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "all.cert"
    path.write_bytes(b"before")

    def failing(number: int) -> Certificate:
        if number == 3:
            raise Rejected(where="here", law="a law", expected="this", got="that")
        return drawn([])(number)

    with pytest.raises(Rejected):
        write_collection(path, map(failing, range(9)))
    with pytest.raises(Malformed, match="at least one certificate"):
        write_collection(path, ())
    with pytest.raises(Malformed, match="can be written"):
        write_collection(tmp_path, map(drawn([]), range(2)))
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["all.cert"]


def test_moved_by_a_little_a_point_without_room_is_refused() -> None:
    assert check_recipe(FULL, "li_yorke", '{"point":"2/7"}') == "chaotic"
    assert letter(FULL, "li_yorke", f'{{"point":"{Fraction(2, 7) + Fraction(1, 10**6)}"}}').startswith("Rejected at step 1")
    assert check_recipe(FULL, "covering_intervals", '{"iterate":1,"point":"2/7"}') == "chaotic"
    moved = f'{{"iterate":1,"point":"{Fraction(2, 7) + Fraction(1, 10**30)}"}}'
    assert letter(FULL, "covering_intervals", moved).startswith("Rejected at step 2")  # behind the table


def test_the_draft_keeps_nothing_of_a_refused_try() -> None:
    certificate = certify_recipe(FULL, "covering_intervals", '{"iterate":1,"point":"2/7"}')
    assert [theorem for theorem, _, _ in certificate.steps] == ["pieces", "covering_intervals", "entropy_gives_scrambling"]
    draft = Draft(FULL)
    draft.absorb(certificate)
    proofs.check(io.BytesIO(b"".join(certificate.lines())), FULL)
