"""Attacks on trees (A4, A5): what they must not prove, and what is no tree at all."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.network import Network
from tests.corpus.parts import Case, affine, plrnn, tanh_net, tent
from tests.corpus.trees import BOTH, EIGHTHS, LIMIT, SIGNS, TURNED, bent, exact, grown, taken
from tests.proofs.trees import BEND, FOLD, GROW, KNOT, SEESAW, cyclic_system, every_sign, every_word
from tests.proofs.workbench import FLIP, HALF


def rejected_trees() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield from rejected_systems()
    yield from rejected_signs()
    yield from rejected_ends()
    yield from rejected_unique()
    yield from rejected_necklaces()


def rejected_systems() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the cyclic system."""
    good = cyclic_system(BEND, 2, "1")
    for name, network, change in (
        ("of-a-smooth-network", tanh_net([["1/2"]], [0]), {}),
        ("of-a-network-with-radius", tent("2", "~1p-30"), {"base": "11"}),
        ("without-hinges", HALF, {"base": "", "inverse": [["4/3"]]}),
        ("too-many-unknowns", BEND, {"period": 1025}),
        ("base-too-short", BEND, {"base": ""}),
        ("base-too-long", BEND, {"base": "10"}),
        ("base-of-other-digits", BEND, {"base": "2"}),
        ("inverse-with-a-radius", BEND, {"inverse": [["-1/3~1p-40"]]}),
        ("inverse-rounded-in-exact-arithmetic", BEND, {"inverse": [["-0x5555555555555555p-64"]]}),
        ("inverse-of-another-period", BEND, {"inverse": [["1/3"]]}),
        ("inverse-zero", BEND, {"inverse": [["0"]], "bits": 60}),
        ("inverse-twice-as-large", BEND, {"inverse": [["-2/3"]], "bits": 60}),
        ("root-of-unity", BEND, {"base": "0", "bits": 60}),
        ("square-root-of-unity", FOLD, {"base": "1", "bits": 60}),
    ):
        yield f"cyclic_system-{name}", Case(network).bad("cyclic_system", {**good, **change})


def rejected_signs() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the tree over signs."""
    for name, path, nodes in (
        ("multiplier-of-the-wrong-sign", [], [0, "cycle", {"farkas": ["0", "1"]}]),
        ("multiplier-zero", [], [0, "cycle", {"farkas": ["0", "0"]}]),
        ("no-multipliers", [], [0, "cycle", {"farkas": []}]),
        ("multipliers-of-the-sibling", [], [0, {"farkas": ["0", "-1"]}, {"farkas": ["0", "-1"]}]),
        ("multipliers-before-the-branch", [], [{"farkas": ["0", "-1"]}]),
        ("branch-twice", [], [0, 0, "cycle", "cycle", {"farkas": ["0", "-1"]}]),
        ("branch-beyond-the-system", [], [1, "cycle", {"farkas": ["0", "-1"]}]),
        ("branch-decided-by-the-path", [-1], [0, "cycle", {"farkas": ["0", "-1"]}]),
        ("path-with-zero", [0], [{"farkas": ["0", "-1"]}]),
        ("path-of-both-signs", [1, -1], [{"farkas": ["0", "-1"]}]),
        ("cycle-before-the-branch", [], ["cycle"]),
        ("residual-before-the-branch", [], ["residual"]),
        ("residual-at-a-regular-word", [], [0, "residual", {"farkas": ["0", "-1"]}]),
        ("residual-at-an-empty-word", [], [0, "cycle", "residual"]),
        ("token-left-over", [], [0, "cycle", {"farkas": ["0", "-1"]}, "residual"]),
        ("null-and-more-left-over", [], [0, "cycle", {"farkas": ["0", "-1"]}, None, 7, "part"]),
    ):
        yield f"cyclic_tree-{name}", grown().bad("cyclic_tree", {"path": path, "nodes": nodes}, *((1, 2) if "cycle" in nodes else (1,)))
    still = Network(1, (*GROW.program[:2], affine([0], ([["1/2"]], 2))))
    case = taken(still, [("cyclic_system", (), cyclic_system(still, 1, "0")), exact("0", 1)])
    yield "cyclic_tree-constant-zero", case.bad("cyclic_tree", {"path": [], "nodes": [0, "cycle", {"farkas": ["0", "-1"]}]}, 1, 2)
    for name, nodes, cites in (
        ("cycle-of-another-word", SIGNS, (1, 3, 3, 3)),
        ("fixed-point-for-a-two-cycle", SIGNS, (1, 2, 2, 3)),
        ("cycle-for-an-empty-word", [0, 1, "cycle", "cycle", 1, "cycle", "cycle"], (1, 2, 3, 3, 3)),
    ):
        yield f"cyclic_tree-{name}", bent().bad("cyclic_tree", {"path": [], "nodes": nodes}, *cites)
    case = taken(BEND, [("cyclic_system", (), cyclic_system(BEND, 3, "1")), exact("2/3", 2)])
    yield "cyclic_tree-cycle-whose-period-does-not-divide", case.bad("cyclic_tree", {"path": [1, -2, 3], "nodes": ["cycle"]}, 1, 2)
    case = taken(BEND, [("cyclic_system", (), cyclic_system(BEND, 5, "1")), exact("-1/9", 5)])
    yield "cyclic_tree-letters-in-another-order", case.bad("cyclic_tree", {"path": [-1, -2, 3, 4, 5], "nodes": ["cycle"]}, 1, 2)
    for name, point, period in (("divisor-cycle", "1/2", 1), ("end-of-a-segment", "1", 2)):
        case = taken(FOLD, [("cyclic_system", (), cyclic_system(FOLD, 2, "0")), exact(point, period)])
        yield f"cyclic_tree-{name}-at-a-singular-word", case.bad("cyclic_tree", {"path": [1, 2], "nodes": ["cycle"]}, 1, 2)
    for name, order, turned in (
        ("not-stated", {}, TURNED),
        ("turned-round", {"order": 0}, {**TURNED, "order": ["1", "-1"]}),
        ("at-time-zero", {"order": 0}, {**TURNED, "order": ["0", "1"]}),
        ("too-weak", {"order": 0}, {**TURNED, "order": ["1", "100"]}),
    ):
        case = bent()
        witness = {**order, "path": [], "nodes": [0, 1, "cycle", "cycle", turned]}
        yield f"cyclic_tree-order-{name}", case.bad("cyclic_tree", witness, 1, 2, 3)
    yield from rejected_parts()


def rejected_parts() -> Iterator[tuple[str, bytes]]:
    """Yield parts of something else."""
    for name, witness, cites in (
        ("of-the-sibling", {"path": [1], "nodes": [1, "cycle", "cycle"]}, (1, 2, 3)),
        ("decided-further", {"path": [-1, -2], "nodes": [BOTH]}, (1,)),
        ("that-is-the-whole", {"path": [], "nodes": SIGNS}, (1, 2, 3, 3)),
        ("with-an-order", {"order": 0, "path": [-1], "nodes": [1, "cycle", BOTH]}, (1, 3)),
    ):
        case = bent()
        case.good("cyclic_tree", witness, *cites)
        yield (
            f"cyclic_tree-part-{name}",
            case.bad("cyclic_tree", {"path": [], "nodes": [0, 1, "cycle", "cycle", "part"]}, 1, 2, 3, 4),
        )
    case = bent()
    case.good("cyclic_system", cyclic_system(BEND, 1, "1"))
    case.good("cyclic_tree", {"path": [-1], "nodes": [{"farkas": ["0", "1"]}]}, 4)
    yield (
        "cyclic_tree-part-of-another-period",
        case.bad("cyclic_tree", {"path": [], "nodes": [0, 1, "cycle", "cycle", "part"]}, 1, 2, 3, 5),
    )
    yield "cyclic_tree-part-that-is-a-cycle", grown().bad("cyclic_tree", {"path": [], "nodes": [0, "part", "part"]}, 1, 2, 2)
    yield "cyclic_tree-of-a-cycle", grown().bad("cyclic_tree", {"path": [], "nodes": [0, "cycle", "cycle"]}, 2, 2, 2)


def rejected_ends() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the counts."""
    steps = list(every_sign(BEND, 3) or [])[:-1]
    two, three = (i for i, (theorem, _, _) in enumerate(steps, 1) if theorem == "cyclic_tree")
    for name, up_to, cites in (
        ("trees-in-the-wrong-order", 3, (three, two)),
        ("one-tree-twice", 3, (two, two)),
        ("tree-of-another-period", 2, (three,)),
        ("periods-that-leave-one-out", 4, (two, three)),
        ("system-for-a-tree", 3, (1, three)),
    ):
        yield f"every_cycle-{name}", taken(BEND, steps).bad("every_cycle", {"up_to": up_to}, *cites)
    case = bent()
    case.good("cyclic_tree", {"path": [-1], "nodes": [1, "cycle", BOTH]}, 1, 3)
    yield "every_cycle-of-a-partial-tree", case.bad("every_cycle", {"up_to": 2}, 4)
    case = bent()
    case.good("cyclic_tree", {"path": [], "nodes": SIGNS}, 1, 2, 3, 3)
    case.good("exact_cycle", {"point": ["0"], "period": 3})
    yield "every_cycle-with-a-further-cycle-that-is-too-long", case.bad("every_cycle", {"up_to": 2}, 4, 5)
    case.steps.pop()
    yield "every_cycle-with-a-system-for-a-further-cycle", case.bad("every_cycle", {"up_to": 2}, 4, 1)
    yield "every_cycle-of-counts", taken(BEND, every_word(BEND, 2)).bad("every_cycle", {"up_to": 2}, 2)
    case = taken(SEESAW, [("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {}), exact("4", 2)])
    yield "every_cycle-a-two-cycle-for-the-one-point", case.bad("every_cycle", {"up_to": 1}, 2, 3)
    case = taken(SEESAW, [("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {}), exact("2/3", 1)])
    yield "every_cycle-one-point-of-a-smaller-period", case.bad("every_cycle", {"up_to": 2}, 2, 3)
    case = taken(BEND, every_word(BEND, 2))
    claim = case.facts[-1].as_json()
    for name, change in (
        ("one-more", {"counts": [1, 2]}),
        ("one-less", {"counts": [1, 0]}),
        ("true-for-one", {"counts": [True, 1]}),
        ("up-to-more", {"up_to": 3, "counts": [1, 1, 0]}),
        ("a-residual", {"residual": [["1", "1"]]}),
    ):
        yield f"verdict-counts-{name}", case.claiming({**claim, **change})
    case = taken(FOLD, every_word(FOLD, 2))
    yield "verdict-counts-without-the-residual", case.claiming({**case.facts[-1].as_json(), "residual": []})


def rejected_unique() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A5."""
    for name, witness in (
        ("scaling-zero", {"scaling": ["0"]}),
        ("scaling-negative", {"scaling": ["-1"]}),
        ("scaling-with-a-radius", {"scaling": ["1~1p-60"]}),
    ):
        yield f"unique_for_every_bias-{name}", taken(SEESAW, [("cyclic_system", (), EIGHTHS)]).bad("unique_for_every_bias", witness, 1)
    one = ("cyclic_system", (), cyclic_system(BEND, 1, "1"))
    for name, witness in (("a-minor-that-vanishes", {}), ("a-form-that-is-not-definite", {"scaling": ["1"]})):
        yield f"unique_for_every_bias-{name}", taken(BEND, [one]).bad("unique_for_every_bias", witness, 1)
    crossed = plrnn([[0, 0], [0, 0]], [[0, 2], [2, 0]], [1, 1])
    case = taken(crossed, [("cyclic_system", (), cyclic_system(crossed, 1, "00"))])
    yield "unique_for_every_bias-a-large-minor-negative", case.bad("unique_for_every_bias", {}, 1)
    case = taken(GROW, [("cyclic_system", (), cyclic_system(GROW, 13, "0"))])
    yield "unique_for_every_bias-thirteen-unknowns", case.bad("unique_for_every_bias", {}, 1)
    case = taken(SEESAW, [("cyclic_system", (), {**EIGHTHS, "inverse": [["17/64"]], "bits": 60})])
    yield "unique_for_every_bias-minors-of-a-rounded-system", case.bad("unique_for_every_bias", {}, 1)
    yield "unique_for_every_bias-of-a-cycle", grown().bad("unique_for_every_bias", {}, 2)


def rejected_necklaces() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on forbidden words and necklaces."""
    for name, network, words in (
        ("of-a-smooth-network", tanh_net([["1/2"]], [0]), []),
        ("of-a-network-with-radius", tent("2", "~1p-30"), [["00", 0]]),
        ("of-too-many-states", LIMIT, []),
        ("without-hinges", HALF, [["0", 0]]),
        ("that-an-orbit-follows", GROW, [["01", 1]]),
        ("that-a-fixed-point-follows", GROW, [["1", 0]]),
        ("by-no-rows", GROW, [["00"]]),
        ("by-one-row-twice", GROW, [["00", 0, 0]]),
        ("by-rows-that-agree", BEND, [["00", 0, 1]]),
        ("the-second-of-two", GROW, [["00", 1], ["11", 1]]),
        ("that-a-border-point-follows", KNOT, [["11", 0, 1]]),
    ):
        yield f"forbidden_words-{name}", Case(network).bad("forbidden_words", {"words": words})
    free = {"up_to": 2, "singular": []}
    for name, network, witness in (
        ("of-a-smooth-network", tanh_net([["1/2"]], [0]), free),
        ("of-a-network-with-radius", tent("2", "~1p-30"), free),
        ("of-too-many-states", LIMIT, free),
        ("of-too-many-bits", tent(), {**free, "up_to": 4000}),
        ("singular-word-not-told-of", FOLD, free),
        ("segment-called-empty", FOLD, {**free, "singular": [{"word": ["1", "1"], "told": {"empty": [0, 1]}}]}),
        ("segment-called-a-point", FOLD, {**free, "singular": [{"word": ["1", "1"], "told": {"tight": [0, 1]}}]}),
        ("empty-by-a-true-equation", FOLD, {**free, "singular": [{"word": ["1", "1"], "told": {"empty": [2]}}]}),
        ("told-of-another-rotation", FLIP, {**free, "singular": [{"word": [""], "told": "residual"}]}),
    ):
        yield f"necklaces-{name}", Case(network).bad("necklaces", witness)
    yield "necklaces-nothing-told", taken(FOLD, every_word(FOLD, 3)[:1]).bad("necklaces", {"up_to": 3, "singular": []}, 1)
    yield "necklaces-of-a-cycle", taken(BEND, [exact("1/3", 1)]).bad("necklaces", free, 1)
    half = {"word": ["1", "1"], "told": "residual"}
    for name, entries in (
        ("told-twice", [half, half]),
        ("told-of-a-word-that-is-not-met", [half, {"word": ["1", "1", "1"], "told": "residual"}]),
        ("told-of-a-regular-word", [half, {"word": ["1"], "told": "residual"}]),
    ):
        yield f"necklaces-{name}", Case(FOLD).bad("necklaces", {"up_to": 2, "singular": entries})
    case = taken(FOLD, every_word(FOLD, 2))
    yield "verdict-necklaces-without-the-residual", case.claiming({**case.facts[-1].as_json(), "residual": []})
    yield "verdict-forbidden-words-are-no-counts", case.claiming({**case.facts[-1].as_json(), "counts": [1, 1]})


def malformed_necklaces() -> Iterator[tuple[str, bytes]]:
    """Yield forbidden words and necklaces of the wrong form."""
    for name, words in (
        ("word-missing", [[]]),
        ("word-empty", [["", 0]]),
        ("word-of-other-digits", [["02", 0]]),
        ("word-too-long", [["0" * 4097, 0]]),
        ("word-a-list", [[["0", "0"], 1]]),
        ("words-without-rows-around", ["00"]),
        ("row-beyond-the-word", [["00", 2]]),
        ("row-negative", [["00", -1]]),
        ("row-true", [["00", True]]),
        ("row-in-a-string", [["00", "1"]]),
        ("more-rows-than-any-word-needs", [["00", *[1] * 34]]),
    ):
        yield f"forbidden_words-{name}", Case(GROW).bad("forbidden_words", {"words": words})
    yield "forbidden_words-that-cite-themselves", Case(GROW).bad("forbidden_words", {"words": []}, 1)
    for name, change in (
        ("period-zero", {"up_to": 0}),
        ("period-true", {"up_to": True}),
        ("told-of-no-word", {"singular": [{"told": "residual"}]}),
        ("told-of-a-string", {"singular": [{"word": "11", "told": "residual"}]}),
        ("told-nothing", {"singular": [{"word": ["1", "1"]}]}),
        ("told-null", {"singular": [{"word": ["1", "1"], "told": None}]}),
        ("told-another-word", {"singular": [{"word": ["1", "1"], "told": "full"}]}),
        ("told-too-much", {"singular": [{"word": ["1", "1"], "told": {"empty": [0], "tight": [0]}}]}),
        ("told-and-more", {"singular": [{"word": ["1", "1"], "told": "residual", "sure": 1}]}),
        ("row-beyond-the-word", {"singular": [{"word": ["1", "1"], "told": {"tight": [3]}}]}),
        ("row-true", {"singular": [{"word": ["1", "1"], "told": {"tight": [True]}}]}),
    ):
        witness = {"up_to": 2, "singular": [{"word": ["1", "1"], "told": "residual"}], **change}
        yield f"necklaces-{name}", Case(FOLD).bad("necklaces", witness)


def malformed_trees() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield from malformed_necklaces()
    for name, told in (
        ("multiplier-that-is-no-integer", {"farkas": ["0", "-1/2"]}),
        ("multiplier-true", {"farkas": [0, True]}),
        ("multiplier-a-float", {"farkas": ["0", "-1.0"]}),
        ("index-without-multiplier", {"farkas": ["0"]}),
        ("index-twice", {"farkas": ["0", "-1", "0", "-1"]}),
        ("index-beyond-the-system", {"farkas": ["1", "-1"]}),
        ("index-negative", {"farkas": ["-1", "-1"]}),
        ("farkas-with-more", {"farkas": ["0", "-1"], "sum": "1"}),
        ("farkas-null", {"farkas": None}),
        ("turns-null", {"farkas": ["0", "-1"], "order": None}),
        ("time-beyond-the-period", {"farkas": ["0", "-1"], "order": ["1", "1"]}),
        ("token-false", False),
        ("token-null", None),
        ("token-of-another-word", "empty"),
        ("token-a-list", [0, -1]),
        ("token-an-empty-object", {}),
    ):
        yield f"cyclic_tree-{name}", grown().bad("cyclic_tree", {"path": [], "nodes": [0, "cycle", told]}, 1, 2)
    yield "cyclic_tree-branch-missing", grown().bad("cyclic_tree", {"path": [], "nodes": [0, "cycle"]}, 1, 2)
    yield "cyclic_tree-path-beyond-the-system", grown().bad("cyclic_tree", {"path": [2], "nodes": ["residual"]}, 1)
    yield "cyclic_tree-order-of-no-hinge", grown().bad("cyclic_tree", {"order": 1, "path": [1], "nodes": ["residual"]}, 1)
    yield "cyclic_tree-order-null", grown().bad("cyclic_tree", {"order": None, "path": [-1], "nodes": [{"farkas": [0, -1]}]}, 1)
    yield "cyclic_tree-cycle-not-cited", grown().bad("cyclic_tree", {"path": [1], "nodes": ["cycle"]}, 1)
    yield "cyclic_system-inverse-of-another-shape", Case(GROW).bad("cyclic_system", {"period": 1, "base": "0", "inverse": [["1", "0"]]})
    yield "cyclic_system-bits-null", Case(GROW).bad("cyclic_system", {"period": 1, "base": "0", "inverse": [["1"]], "bits": None})
    yield "every_cycle-cites-nothing", Case(GROW).bad("every_cycle", {"up_to": 1})
    for name, scaling in (("of-numbers", [1]), ("missing", []), ("too-long", ["1", "1"]), ("a-string", "1")):
        case = taken(SEESAW, [("cyclic_system", (), EIGHTHS)])
        yield f"unique_for_every_bias-scaling-{name}", case.bad("unique_for_every_bias", {"scaling": scaling}, 1)
    case = taken(BEND, every_sign(BEND, 2) or [])
    yield (
        "claim-that-is-only-a-tree",
        case.claiming({"claim": "cyclic_part", "period": 2, "order": None, "path": [], "cycles": [], "residual": []}),
    )
    case = taken(GROW, every_word(GROW, 2)[:1])
    yield "claim-of-forbidden-words", case.claiming({"claim": "forbidden_words", "words": ["00"]})
