"""The corpus of covering graphs (B5): horseshoes in one to three dimensions, and everything that can be wrong with a strip."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial

from proofs.network import Network, Operation
from tests.corpus.parts import Case, affine, hinges, lozi, plrnn
from tests.corpus.strips import Box, Path, covering, strip

LINE = plrnn([["5/2"]], [[-5]], [1])
LINE_BOX = [([0], [["4/5"]])]
LINE_PATHS: list[Path] = [(0, 0, ["0"]), (0, 0, ["1"])]
PLANE = lozi("3", "1/4")
PLANE_BOX = [([0, 0], [["7/10", 0], [0, "1/5"]])]
PLANE_PATHS: list[Path] = [(0, 0, ["00"]), (0, 0, ["10"])]  # the second hinge of Lozi's map is idle
MIXED_PATHS: list[Path] = [(0, 0, ["00"]), (0, 0, ["10", "00"]), (0, 0, ["10", "10"])]
TINY = plrnn([["3~1p-10", 1], ["1/4~1p-10", 0]], [["-6~1p-10", "0~1p-10"], ["0~1p-10", "0~1p-10"]], [1, 0])
STEEP = lozi("7/2", "1/4")
PARTED = Network(
    2,
    (
        affine([0, 1], ([[1, 0], ["-7/2", 1]], 0)),
        Operation("relu", (1,)),
        affine([1, 0], ([["7/2", 1], ["1/4", 0]], 0), ([[-7, "1/1024"], [0, 0]], 2)),
    ),
)
HALVES = [(["-13/40", 0], [["59/200", 0], [0, "17/100"]]), (["13/40", 0], [["59/200", 0], [0, "17/100"]])]
SPACE = plrnn([[3, 1, 0], ["1/4", 0, 0], [0, 0, "1/3"]], [[-6, 0, 0], [0, 0, 0], ["1/8", 0, 0]], [1, 0, 0])
SPACE_BOX = [([0, 0, 0], [["7/10", 0, 0], [0, "1/5", 0], [0, 0, "1/2"]])]
SQUARE = plrnn([["5/2", 0], ["1/10", "5/2"]], [[-5, "1/20"], [0, -5]], [1, 1])
SQUARE_BOX = [([0, 0], [["4/5", 0], [0, "4/5"]])]
SQUARE_PATHS: list[Path] = [(0, 0, [word]) for word in ("00", "01", "10", "11")]
CUBE = plrnn([["5/2", 0, 0], ["1/10", "5/2", 0], ["1/4", "1/8", "1/8"]], [[-5, "1/20", 0], [0, -5, 0], [0, 0, 0]], [1, 1, 0])
CUBE_BOX = [([0, 0, 0], [["4/5", 0, 0], [0, "4/5", 0], [0, 0, "1/2"]])]
CUBE_PATHS: list[Path] = [(0, 0, [word]) for word in ("000", "010", "100", "110")]
PRODUCT = plrnn([["5/2", 0], [0, "5/2"]], [[-5, 0], [0, -5]], [1, 1])
BUMP = Network(1, (affine([3, -3], ([[6], [6]], 0)), Operation("tanh", (1,)), affine([-2], ([[2, -2]], 2))))
SHEAR = Network(
    2,
    (
        affine([3, -3, 0], ([[6, 0], [6, 0], [0, 1]], 0)),
        Operation("tanh", (1,)),
        affine([-2, 0], ([[2, -2, 0], [0, 0, "1/4"]], 2), ([[0, "1/10"], ["1/8", 0]], 0)),
    ),
)
SHEAR_RADIUS = Network(
    2, (*SHEAR.program[:2], affine([-2, 0], ([["2~1p-12", -2, 0], [0, 0, "1/4~1p-12"]], 2), ([[0, "1/10"], ["1/8", 0]], 0)))
)
Witness = dict


def smooth(sign: str = "", steps: int = 1, **more: object) -> dict[str, object]:
    """Return the strip around a steep place of BUMP."""
    return {"from": 0, "to": 0, "steps": steps, "offset": [f"{sign}5/7"], "width": [["1/7"]], **more}


def bump_witness() -> Witness:
    """Return the horseshoe of BUMP."""
    return {
        "unstable": 1, "bits": 60, "boxes": [{"center": ["0"], "basis": [["7/10"]]}],
        "paths": [smooth("-"), smooth()], "weights": ["1"], "rate": "2",
    }  # fmt: skip


def shear_witness() -> Witness:
    """Return the horseshoe of SHEAR."""
    found = bump_witness()
    found["boxes"] = [{"center": ["0", "0"], "basis": [["7/10", "0"], ["0", "1/4"]]}]
    for path in found["paths"]:
        path |= {"tilt": [["0"]], "height": "17/16"}
    return found


def halves_witness() -> Witness:
    """Return four strips of one step each, told apart only by the letter after it."""
    found = covering(STEEP, HALVES, [], "2", weights=[1, 1])
    found["paths"] = [strip(STEEP, HALVES, (i, j, [f"{i}0", f"{j}0"]), 1, steps=1) for i in (0, 1) for j in (0, 1)]
    return found


plane_witness = partial(covering, PLANE, PLANE_BOX, PLANE_PATHS, "2")
line_witness = partial(covering, LINE, LINE_BOX, LINE_PATHS, "2")
mixed_witness = partial(covering, PLANE, PLANE_BOX, MIXED_PATHS, "2")
square_witness = partial(covering, SQUARE, SQUARE_BOX, SQUARE_PATHS, "4", unstable=2)
cube_witness = partial(covering, CUBE, CUBE_BOX, CUBE_PATHS, "4", unstable=2)


def accepted_coverings() -> Iterator[tuple[str, bytes]]:
    """Yield horseshoes."""
    wide = lozi("3", "1/4", "~1p-10")
    whole: list[tuple[str, Network, Witness]] = [
        ("line", LINE, line_witness()),
        ("line-told-apart-by-the-first-form", LINE, wordless(line_witness())),
        ("plane", PLANE, plane_witness()),
        ("plane-rounded", PLANE, {**plane_witness(), "bits": 24}),
        ("plane-radius", wide, {**plane_witness(), "bits": 40}),
        ("plane-radius-by-slopes", wide, wordless(plane_witness())),
        ("plane-radius-and-an-open-hinge", TINY, {**opened(plane_witness()), "bits": 40}),
        ("plane-open-hinge", PLANE, opened(plane_witness())),
        ("plane-idle-letters-as-they-come", PLANE, changed(plane_witness(), 0, itinerary=["01"])),
        ("plane-mixed-times", PLANE, mixed_witness()),
        ("plane-golden-mean", PLANE, covering(PLANE, PLANE_BOX, [MIXED_PATHS[0], MIXED_PATHS[2]], "16180339887/10000000000")),
        ("halves-longer-itineraries", STEEP, halves_witness()),
        ("halves-told-apart-by-a-second-hinge", PARTED, parted_witness()),
        ("three-states", SPACE, covering(SPACE, SPACE_BOX, [(0, 0, ["000"]), (0, 0, ["101"])], "2")),
        ("two-unstable-told-apart-by-words", SQUARE, square_witness()),
        ("two-unstable-of-two", SQUARE, {**square_witness(), "forms": [[["1", "1"]]]}),
        ("two-unstable-told-apart-by-forms", PRODUCT, literal(forms=[["1", "10"], ["1", "0"]])),
        ("two-unstable-of-three", CUBE, {**cube_witness(), "forms": [[["1", "0", "0"], ["0", "1", "0"]]]}),
        ("tanh", BUMP, bump_witness()),
        ("tanh-two-states", SHEAR, shear_witness()),
        ("tanh-two-states-radius", SHEAR_RADIUS, shear_witness()),
    ]  # fmt: skip
    for name, network, witness in whole:
        case = Case(network, name)
        case.good("covering_graph", witness)
        case.good("entropy_gives_scrambling", {}, 1)
        yield f"covering_graph-{name}", case.claiming()


def without(path: dict[str, object], field: str) -> dict[str, object]:
    """Return a copy without a field."""
    return {name: value for name, value in path.items() if name != field}


def wordless(witness: Witness) -> Witness:
    """Return a copy of a witness without itineraries."""
    return {**witness, "paths": [without(path, "itinerary") for path in witness["paths"]]}


def parted_witness() -> Witness:
    """Return three strips of one step; those of the right box are told apart by the letter of a hinge that hardly bends F."""
    found = covering(PARTED, HALVES, [], "3/2", weights=[1, "7/4"])
    words = [(0, 1, ["01"]), (1, 0, ["10"]), (1, 1, ["11"])]
    found["paths"] = [strip(PARTED, HALVES, path, 1, steps=1) for path in words]
    return found


def opened(witness: Witness) -> Witness:
    """Return a copy of a witness that leaves the second hinge open."""
    return {**witness, "paths": [{**path, "itinerary": [f"{pattern[0]}?" for pattern in path["itinerary"]]} for path in witness["paths"]]}


def changed(witness: Witness, number: int, **fields: object) -> Witness:
    """Return a copy of a witness with fields of one path replaced."""
    found: Witness = deepcopy(witness)
    found["paths"][number] |= fields
    return found


def fold(sign: str, word: str) -> dict[str, object]:
    """Return the strip 1/2 +- 9/20 of a fold of the line."""
    return {"from": 0, "to": 0, "steps": 1, "itinerary": [word], "offset": [f"{sign}1/2"], "width": [["9/20"]]}


def boxed(witness: Witness, **fields: object) -> Witness:
    """Return a copy of a witness with fields of the first box replaced."""
    found: Witness = deepcopy(witness)
    found["boxes"][0] |= fields
    return found


def rejected_coverings() -> Iterator[tuple[str, bytes]]:
    """Yield what is no horseshoe."""
    for part in (wrong_boxes, wrong_strips, wrong_words, wrongly_open, wrong_images, overlapping, wrong_rates):
        for name, network, witness in part():
            yield f"covering_graph-{name}", Case(network).bad("covering_graph", witness)


def wrong_boxes() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 1."""
    good = plane_witness()
    yield "more-unstable-directions-than-states", PLANE, {**good, "unstable": 3}
    yield "singular-basis", PLANE, boxed(good, basis=[["7/10", "1/5"], ["7/5", "2/5"]])
    yield "basis-of-zeros", LINE, boxed(line_witness(), basis=[["0"]])
    yield "basis-with-a-radius", PLANE, boxed(good, basis=[["7/10~1p-20", "0"], ["0", "1/5"]])
    yield "center-with-a-radius", PLANE, boxed(good, center=["0~1p-20", "0"])
    yield "forms-of-the-wrong-length", PLANE, {**good, "forms": [[["1"]]]}
    yield "forms-for-other-boxes", PLANE, {**good, "forms": [[["1", "0"]], []]}
    yield "no-boxes", PLANE, {**good, "boxes": [], "paths": [], "weights": []}
    large = Network(129, (Operation("relu", (0,)),))
    yield "too-many-states", large, {**good, "boxes": [], "paths": [], "weights": []}


def wrong_strips() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 2."""
    good = plane_witness()
    yield "height-one", PLANE, changed(good, 0, height="1")
    yield "height-below-one", PLANE, changed(good, 0, height="-21/20")
    yield "strip-touches-the-side-of-its-box", LINE, changed(line_witness(), 0, offset=["-1/2"], width=[["1/2"]])
    yield "strip-sticks-out-of-its-box", LINE, changed(line_witness(), 0, offset=["-3/4"], width=[["-1/2"]])
    yield "tilt-of-one", PLANE, changed(good, 1, tilt=[["-1"]])
    yield "tilt-that-makes-the-row-one", PLANE, changed(good, 1, offset=["1/4"], width=[["1/2"]], tilt=[["1/4"]])
    square = square_witness()
    yield "second-row-sticks-out", SQUARE, changed(square, 2, width=[["3/8", "0"], ["1/4", "3/8"]], offset=["1/2", "-1/2"])
    yield "strip-with-a-radius", PLANE, changed(good, 0, offset=["-1/2~1p-9"])
    yield "height-and-tilt-with-a-radius", PLANE, changed(good, 0, tilt=[["1/16~1p-9"]])


def wrong_words() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 3."""
    good = plane_witness()
    yield "word-of-the-wrong-region", PLANE, changed(good, 0, itinerary=["10"])
    yield "word-of-the-wrong-region-at-the-second-step", PLANE, changed(mixed_witness(), 1, itinerary=["10", "10"])
    yield "word-of-the-wrong-region-after-the-last-step", STEEP, changed(halves_witness(), 1, itinerary=["00", "00"])
    yield "itinerary-shorter-than-steps", PLANE, changed(mixed_witness(), 2, itinerary=["10"])
    yield "itinerary-empty", PLANE, changed(good, 0, itinerary=[])
    yield "itinerary-of-a-smooth-network", BUMP, changed(bump_witness(), 0, itinerary=[""])
    yield "itinerary-of-other-letters", PLANE, changed(good, 0, itinerary=["2x"])
    yield "itinerary-with-a-letter-too-few", PLANE, changed(good, 0, itinerary=["0"])
    wide = plrnn([["5/2"]], [[-5]], ["1"])
    yield "strip-that-touches-a-border", wide, changed(line_witness(), 0, offset=["-49/100"], width=[["49/100"]])
    yield "strip-across-a-border", wide, changed(line_witness(), 0, offset=["-1/4"], width=[["1/2"]])
    blurred = hinges([1, -1], ["0~1/16", "0~1/16"], ["-5/2", "-5/2"], 1)
    folds = {**line_witness(), "paths": [fold("-", "01"), fold("", "10")]}
    yield "strip-touches-a-border-within-the-radius", blurred, folds
    touching = changed(halves_witness(), 1, itinerary=["00", "10", "00", "00"])
    yield "strip-that-parts-later", STEEP, touching


def wrongly_open() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks with open hinges, on checks 3 to 5."""
    good = opened(plane_witness())
    yield "hinge-open-in-one-pattern-only", PLANE, changed(good, 1, itinerary=["10"])
    yield "hinge-open-in-the-second-pattern-only", PLANE, changed(mixed_witness(), 1, itinerary=["10", "0?"])
    yield "hinge-closed-in-the-second-pattern-only", PLANE, changed(opened(mixed_witness()), 2, itinerary=["1?", "10"])
    yield "open-hinge-whose-letter-would-part-two-words", PARTED, opened(parted_witness())
    yield "open-hinge-that-bends-the-image", LINE, {**line_witness(), "paths": [{**x, "itinerary": ["?"]} for x in line_witness()["paths"]]}
    yield "cross-border-with-the-other-hinge-open", TINY, {**changed(good, 0, itinerary=["1?"]), "bits": 40}
    yield "tiny-hinge-not-open", TINY, {**plane_witness(), "bits": 40}


def wrong_images() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 4."""
    good = plane_witness()
    exactly = {"offset": ["-1/2"], "width": [["2/5"]]}
    yield "image-that-only-reaches-the-sides", LINE, changed(line_witness(), 0, **exactly)
    yield "image-that-falls-short", LINE, changed(line_witness(), 0, offset=["-1/2"], width=[["1/4"]])
    yield "image-off-centre", LINE, changed(line_witness(), 0, offset=["-9/16"])
    yield "width-zero", LINE, changed(line_witness(), 0, width=[["0"]])
    yield "image-too-tall", PLANE, boxed(good, basis=[["7/10", "0"], ["0", "1/8"]])
    flat = lozi("3", "2/7")
    exact_height = {"offset": ["-11/20"], "tilt": [["0"]], "width": [["2/5"]], "height": "21/20"}
    yield "image-as-tall-as-its-box", flat, boxed(changed(good, 0, **exact_height), basis=[["7/10", "0"], ["0", "19/100"]])
    yield "image-sheared", PLANE, changed(good, 0, tilt=[["0"]], offset=["-1/2"], width=[["1/2"]])
    yield "image-of-another-box", STEEP, changed(halves_witness(), 1, to=0)
    yield "fewer-steps-than-the-word-was-made-for", PLANE, changed(mixed_witness(), 1, steps=1)
    yield "stable-direction-first", PLANE, boxed(good, basis=[["0", "7/10"], ["1/5", "0"]])
    both = square_witness()
    yield "two-unstable-directions-as-one", PLANE, {
        **good, "unstable": 2, "paths": [{**without(without(path, "tilt"), "height"), "offset": [*path["offset"], "0"],
        "width": [[path["width"][0][0], "0"], ["0", "9/10"]]} for path in good["paths"]],
    }  # fmt: skip
    tall = {"tilt": [["0"]], "height": "21/20"}
    paths = [{**path, "offset": path["offset"][:1], "width": [path["width"][0][:1]], **tall} for path in both["paths"]]
    yield "one-unstable-direction-of-two", SQUARE, {**both, "unstable": 1, "paths": paths}
    yield "singular-width", SQUARE, changed(both, 0, width=[["1/8", "1/8"], ["1/8", "1/8"]])
    yield "tanh-too-wide", BUMP, changed(bump_witness(), 0, offset=["-1/2"], width=[["12/25"]])
    yield "tanh-too-narrow", BUMP, changed(bump_witness(), 0, width=[["1/16"]])
    yield "tanh-off-the-steep-place", BUMP, changed(bump_witness(), 0, offset=["0"])
    yield "radius-too-wide", lozi("3", "1/4", "~1/5"), plane_witness()


def literal(*more: dict[str, object], forms: list[list[str]] | None = None) -> Witness:
    """Return the strips 1/2 +- 9/20 of a product of two folds, without words; the form (1, 9) just touches on two of them."""
    paths = [
        {"from": 0, "to": 0, "steps": 1, "offset": [one, two], "width": [["9/20", "0"], ["0", "9/20"]]}
        for one in ("1/2", "-1/2")
        for two in ("1/2", "-1/2")
    ]
    found = square_witness()
    return {**found, "paths": [*paths, *more], "forms": [forms or [["1", "9"], ["1", "0"]]]}


def timed(**fields: object) -> Witness:
    """Return a fold of the line with one strip used twice: across the whole box in two steps, across a smaller one in other ways."""
    boxes: list[Box] = [*LINE_BOX, (["2/5"], [["3/10"]])]
    found = covering(LINE, boxes, [(0, 0, ["0", "1"]), (0, 0, ["1"]), (1, 1, ["1"])], "9/8", weights=[1, 1])
    found["paths"].append({**found["paths"][0], "to": 1, **fields})
    return found


def overlapping() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 5."""
    good, line, halves = plane_witness(), line_witness(), halves_witness()
    paths = good["paths"]
    yield "same-strip-twice", PLANE, {**good, "paths": [*paths, paths[0]], "rate": "3"}
    almost = strip(PLANE, PLANE_BOX, (0, 0, ["10"]), 1, reach="11/10")
    yield "overlapping-strips-with-the-same-word", PLANE, {**good, "paths": [*paths, almost], "rate": "3"}
    yield "words-differ-in-an-idle-letter-only", PLANE, {**good, "paths": [*paths, {**paths[1], "itinerary": ["11"]}], "rate": "3"}
    two = strip(PLANE, PLANE_BOX, (0, 0, ["10", "10"]), 1)
    yield "one-word-begins-the-other", PLANE, {**good, "paths": [*paths, two], "rate": "21/10"}
    inner = strip(LINE, LINE_BOX, (0, 0, ["0", "1"]), 1)
    yield "one-word-begins-the-other-on-the-line", LINE, {**line, "paths": [*line["paths"], inner], "rate": "21/10"}
    yield "return-time-that-depends-on-the-target", LINE, timed(steps=1)
    yield "return-time-that-depends-on-the-target-short-word", LINE, timed(steps=1, itinerary=["0"])
    yield "same-strip-to-two-boxes", LINE, timed()
    yield "halves-without-the-second-letter", STEEP, {
        **halves, "paths": [{**path, "itinerary": path["itinerary"][:1]} for path in halves["paths"]],
    }  # fmt: skip
    yield "form-ranges-that-touch", PRODUCT, literal()
    yield "form-of-zeros", PRODUCT, literal(forms=[["0", "0"]])
    yield "form-that-parts-some-pairs-only", PRODUCT, literal(forms=[["1", "0"]])
    worded = {"from": 0, "to": 0, "steps": 1, "itinerary": ["11"], "offset": ["1/2", "1/2"], "width": [["9/20", "0"], ["0", "9/20"]]}
    yield "one-strip-with-and-without-its-word", PRODUCT, literal(worded, forms=[["1", "0"], ["0", "1"]])
    yield "tanh-same-strip-twice", BUMP, {**bump_witness(), "paths": [smooth(), smooth()]}
    yield "tanh-strips-that-overlap", BUMP, {**bump_witness(), "paths": [smooth(), smooth(offset=["23/32"])]}


def wrong_rates() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 6."""
    good, halves = plane_witness(), halves_witness()
    yield "rate-a-little-too-high", PLANE, {**good, "rate": "2000001/1000000"}
    yield "rate-one", PLANE, {**good, "rate": "1"}
    yield "rate-below-one", PLANE, {**good, "rate": "1/2"}
    yield "rate-negative", PLANE, {**good, "rate": "-2"}
    yield "rate-rounded-up", PLANE, covering(PLANE, PLANE_BOX, [MIXED_PATHS[0], MIXED_PATHS[2]], "16180339888/10000000000")
    yield "rate-of-the-mixed-times-too-high", PLANE, {**mixed_witness(), "rate": "2001/1000"}
    yield "weight-zero", STEEP, {**halves, "weights": ["1", "0"]}
    yield "weights-negative", PLANE, {**good, "weights": ["-1"]}
    yield "weight-missing", STEEP, {**halves, "weights": ["1"]}
    yield "weights-of-more-boxes", PLANE, {**good, "weights": ["1", "1"]}
    yield "weights-out-of-balance", STEEP, {**halves, "weights": ["1", "11/10"]}
    yield "a-strip-missing", PLANE, {**good, "paths": good["paths"][:1]}
    yield "no-strips", PLANE, {**good, "paths": []}
    yield "box-that-nothing-leaves", STEEP, {**halves, "paths": halves["paths"][:2]}
    yield "rate-with-too-many-digits", LINE, {**forty_steps(), "rate": f"0x{'f' * 500}1/0x{'e' * 500}1"}
    yield "tanh-rate-too-high", BUMP, {**bump_witness(), "rate": "2001/1000"}


def forty_steps() -> Witness:
    """Return a strip of one step and one of forty."""
    found = covering(LINE, LINE_BOX, [(0, 0, ["0"])], "3/2")
    found["paths"].append(strip(LINE, LINE_BOX, (0, 0, ["1"] * 40), 1, bits=80))
    return found


def malformed_coverings() -> Iterator[tuple[str, bytes]]:
    """Yield witnesses of B5 that follow no format."""
    good, line, paths = plane_witness(), line_witness(), plane_witness()["paths"]
    for name, network, witness in (
        ("no-unstable-direction", PLANE, {**good, "unstable": 0}),
        ("unstable-true", LINE, {**line, "unstable": True}),
        ("path-to-a-box-that-is-not-there", PLANE, changed(good, 0, to=1)),
        ("path-from-a-negative-box", PLANE, changed(good, 0, **{"from": -1})),
        ("no-steps", PLANE, changed(good, 0, steps=0)),
        ("steps-in-a-string", PLANE, changed(good, 0, steps="1")),
        ("too-many-steps", BUMP, {**bump_witness(), "paths": [smooth(steps=100_001)]}),
        ("basis-of-another-shape", PLANE, boxed(good, basis=[["7/10", "0"]])),
        ("center-of-another-length", PLANE, boxed(good, center=["0"])),
        ("box-with-a-further-field", PLANE, boxed(good, size="1")),
        ("tilt-of-another-shape", PLANE, changed(good, 0, tilt=[["0", "0"]])),
        ("tilt-missing", PLANE, {**good, "paths": [without(paths[0], "tilt"), paths[1]]}),
        ("height-missing", PLANE, {**good, "paths": [without(paths[0], "height"), paths[1]]}),
        ("tilt-without-stable-directions", LINE, changed(line, 0, tilt=[[]])),
        ("height-without-stable-directions", LINE, changed(line, 0, height="2")),
        ("height-with-a-radius", PLANE, changed(good, 0, height="2~1p-9")),
        ("width-of-another-shape", PLANE, changed(good, 0, width=[["1/2", "0"], ["0", "1/2"]])),
        ("offset-of-another-length", PLANE, changed(good, 0, offset=["0", "0"])),
        ("itinerary-of-numbers", PLANE, changed(good, 0, itinerary=[0])),
        ("itinerary-null", PLANE, changed(good, 0, itinerary=None)),
        ("strip-with-its-own-form", PLANE, changed(good, 0, form=["1", "0"])),
        ("forms-that-are-no-lists", PLANE, {**good, "forms": ["10"]}),
        ("rate-of-a-float", PLANE, {**good, "rate": 1.5}),
        ("rate-missing", PLANE, {**good, "rate": None}),
        ("tanh-without-bits", BUMP, {name: value for name, value in bump_witness().items() if name != "bits"}),
        ("too-few-bits", PLANE, {**good, "bits": 7}),
        ("inverse-that-nobody-asked-for", PLANE, {**good, "inverse": [["1"]]}),
    ):
        yield f"covering_graph-{name}", Case(network).bad("covering_graph", witness)
    case = Case(PLANE)
    case.good("covering_graph", good)
    yield "covering_graph-that-cites", case.bad("covering_graph", good, 1)
