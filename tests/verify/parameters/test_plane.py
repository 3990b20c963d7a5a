"""Planes of parameters: surfaces, cells and tubes that the kernel accepts, the answer, the figure, and refusals."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from time import monotonic

import pytest

import proofs
from proofs.arithmetic import Interval
from proofs.errors import Malformed
from verify.certification.drafts import finished
from verify.certification.orbits import PieceTable, closed_orbit
from verify.errors import Unsupported
from verify.loading import Loaded, load
from verify.parameters.floats import FloatSurface
from verify.parameters.marching import march
from verify.parameters.plane import Plane, closed_forms, plane
from verify.parameters.regions import settle
from verify.parameters.surfaces import Cell, Entry, Surface, surface
from verify.parameters.words import words_on

TENT = Path(__file__).resolve().parents[3] / "examples" / "skew_tent_slopes.json"
A_L, A_R = "a_l:layers.2.W[0,1]=-2:2", "a_r:layers.2.W[0,0]=-2:2"
TOY = {"A": [["0.83777", "0"], ["0", "0.96461"]], "W": [["0", "-0.64375"], ["0.52505", "0"]], "h": ["0.37298", "-0.97931"]}


def tent() -> Surface:
    return surface(load(TENT), [Entry.read(A_L), Entry.read(A_R)])


def toy() -> Loaded:
    return load(TOY, model="plrnn")


@pytest.fixture(scope="module")
def found() -> Plane:
    return plane(load(TENT), A_L, A_R, depth=3, budget=600, strips=4)


def test_a_surface_is_the_networks_with_these_entries() -> None:
    sheet = tent()
    piece = sheet.at(Fraction(1, 3), Fraction(-7, 5)).piece("01")
    assert piece.jacobian.middle(0, 0) == Fraction(1, 3)
    assert sheet.at(Fraction(1, 3), Fraction(-7, 5)).piece("10").jacobian.middle(0, 0) == Fraction(-7, 5)


def test_an_entry_may_move_several_stored_ones() -> None:
    loaded = load({"A": [0], "W": [[0]], "h": [1]}, model="plrnn")
    sheet = surface(loaded, [Entry.read("a_l:A[0]-W[0,0]=-2:2"), Entry.read("a_r:W[0,0]=-2:2")])
    network = sheet.at(Fraction(1, 3), Fraction(-7, 5))
    assert [network.piece(letter).jacobian.middle(0, 0) for letter in "01"] == [Fraction(1, 3), Fraction(-7, 5)]


def test_the_hull_holds_every_network_of_a_rectangle() -> None:
    loaded = load({"A": [0, 0], "W": [[1, 2], [3, 4]], "h": [1, 1]}, model="plrnn")
    sheet = surface(loaded, [Entry.read("A[0]=-1:1"), Entry.read("W[1,0]=-1:1")])
    wide = sheet.over(Interval(Fraction(0), Fraction(1, 2)), Interval(Fraction(-1), Fraction(0)))
    matrices = wide.program[-1].matrices
    assert [matrices[0].interval(0, 0), matrices[0].interval(1, 1)] == [
        Interval(Fraction(0), Fraction(1, 2)),
        Interval(Fraction(0), Fraction(0)),
    ]
    assert matrices[1].interval(1, 0) == Interval(Fraction(-1), Fraction(0))
    assert matrices[1].interval(0, 1) == Interval(Fraction(2), Fraction(2))


def test_bilinear_weights_are_one_surface() -> None:
    loaded = load({"A": [0, 0], "W": [[1, 2], [3, 4]], "h": [1, 1], "C": [[1], [2]], "input": [3]}, model="plrnn")
    sheet = surface(loaded, [Entry.read("C[0,0]=-1:1"), Entry.read("input[0]=-1:1")])
    assert max(sum(powers) for powers, _ in sheet.terms) == 2
    cell = Cell(Interval(Fraction(-1), Fraction(1)), Interval(Fraction(-1), Fraction(1)))
    wide, inner = sheet.over(cell.x, cell.y), sheet.at(Fraction(1, 3), Fraction(-1, 2))
    for one, two in zip(wide.program, inner.program, strict=True):
        outers, inners = ((*o.matrices, *([o.bias] if o.bias else [])) for o in (one, two))
        for outer, entry in zip(outers, inners, strict=True):
            rows, columns = outer.shape
            assert all(
                outer.interval(i, j).lo <= entry.middle(i, j) <= outer.interval(i, j).hi for i in range(rows) for j in range(columns)
            )


def test_floats_are_the_exact_orbits() -> None:
    import numpy as np

    sheet = surface(toy(), [Entry.read("A[0,0]=-1:1"), Entry.read("A[1,1]=-1:1")])
    sampled = FloatSurface(sheet).sample(("10", "11"), np.array([0.5, 0.25]), np.array([-0.5, 0.75]))
    orbit = closed_orbit(PieceTable(sheet.at(Fraction(1, 4), Fraction(3, 4))), ("10", "11"))
    assert sampled.gates[1] == pytest.approx(np.array([[float(gate) for gate in row] for row in orbit.gates]))
    assert bool(sampled.real[1]) == orbit.is_real


def test_the_words_of_the_tent_are_found_without_dead_letters() -> None:
    words, how = words_on(tent(), 2)
    assert words == (("01",), ("10",), ("01", "10"))
    assert how == "all 10 itineraries up to period 2 tried at 576 points"


def test_cells_tell_existence_stability_and_index(found: Plane) -> None:
    for item in found.regions.settled:
        a_l, a_r = (Interval(side.lo, side.hi) for side in (item.cell.x, item.cell.y))
        if item.itinerary == ("10",):
            assert (a_r.hi < 1) if item.exists else (a_r.lo > 1)
            if item.exists:
                assert item.outside == (0 if a_r.lo > -1 else 1)
                assert item.index == 1
        if item.itinerary == ("01",):
            assert (a_l.lo > 1) if item.exists else (a_l.hi < 1)
            assert not item.exists or (item.outside, item.index) == (1, -1)
    exists, absent, left = found.regions.shares(("10",), found.area)
    assert exists + absent + left == 1
    assert exists > Fraction(1, 3)


def test_a_coarse_cell_across_a_boundary_is_left_open() -> None:
    sheet = surface(load(TENT), [Entry.read("a_l:layers.2.W[0,1]=0:1/8"), Entry.read("a_r:layers.2.W[0,0]=1/2:3/2")])
    regions = settle(sheet, [("10",)], 1, monotonic() + 20)
    assert not [item for item in regions.settled if item.cell.y.lo <= 1 <= item.cell.y.hi]
    assert regions.open["10",]


def test_no_time_leaves_everything_open() -> None:
    regions = settle(tent(), [("10",)], 3, monotonic() - 1)
    assert not regions.settled
    assert not regions.in_time
    assert sum(cell.area for cell in regions.open["10",]) == 16


def test_tubes_prove_one_event_for_every_value(found: Plane) -> None:
    tubes = [tube for tube in found.marched.tubes if tube.place.itinerary == ("10",)]
    assert {tube.place.kind for tube in tubes} == {"to_infinity", "flip"}
    for kind, value in (("to_infinity", 1), ("flip", -1)):
        chain = [tube for tube in tubes if tube.place.kind == kind]
        assert all(tube.cell.y.lo < value < tube.cell.y.hi for tube in chain)
        assert sum(tube.cell.x.hi - tube.cell.x.lo for tube in chain) == 4
    reasons = {place.unit: why for place, why in found.marched.refused.items() if place.kind == "border_collision"}
    assert reasons[1] == "unit 2 at time 1 reaches its border there too, and the card takes one unit alone"


def test_border_and_pair_of_the_two_dimensional_network() -> None:
    sheet = surface(toy(), [Entry.read("a_1:A[0,0]=3/4:5/4"), Entry.read("a_2:A[1,1]=1/2:3/4")])
    marched = march(sheet, [("11",)], monotonic() + 60, strips=2)
    kinds = {tube.place.kind for tube in marched.tubes}
    assert kinds == {"border_collision", "complex_pair"}
    for tube in marched.tubes:
        if tube.place.kind == "border_collision":
            assert (tube.place.unit, tube.place.time) == (2, 1)
            assert tube.cell.x.lo < Fraction("0.80002946053854") < tube.cell.x.hi
        else:
            low, high = (tube.cell.x.lo * tube.cell.y.lo, tube.cell.x.hi * tube.cell.y.hi)
            assert low < Fraction("0.6619990625") < high


def test_everything_accepted_can_be_checked_again(found: Plane, tmp_path: Path) -> None:
    few = Plane(
        found.surface,
        found.words,
        found.looked,
        (),
        (),
        type(found.regions)(found.regions.settled[:5], {}, 5, in_time=True),
        found.marched,
        4,
    )
    saved = few.saved(tmp_path / "cells.cert")
    lines = (tmp_path / "cells.cert").read_bytes().splitlines()
    assert json.loads(lines[0]) == {"orbitproof_collection": 1}
    assert json.loads(lines[-1]) == {"collection_end": 5 + len(found.marched.tubes)}
    assert saved.path == str(tmp_path / "cells.cert")
    for certificate in finished(few.proofs[::20]):
        assert isinstance(proofs.check(certificate), proofs.Proved)


def test_the_answer_says_what_is_proved_and_what_is_not(found: Plane) -> None:
    content = json.loads(json.dumps(found.as_json()))
    assert content["verdict"] == "Proved"
    assert content["plane"][0] == {"entry": "a_l", "low": "-2", "high": "2"}
    assert {curve["kernel_checked"] for curve in content["curves"]} == {False}
    text = "\n".join(found.lines())
    assert "multiplier 1, to infinity: a_l*a_r = 1" in text
    assert "a_l in (-1, -0.5): exists for a_l*a_r < 1" in text
    assert "closed forms and arcs: exact, by computer algebra, not kernel-checked; cells and tubes: proved by the kernel" in text


def test_general_closed_forms() -> None:
    form, surfaces = closed_forms(load(TENT), [Entry.read(A_L), Entry.read(A_R), Entry.read("mu:layers.2.b[0]=-1:1")], ("10",))
    assert form.texts == (("mu/(1 - a_r)",),)
    assert [surface.equation for surface in surfaces] == ["a_r = 1", "a_r = -1", "mu = 0"]


def test_the_figure_is_written(found: Plane, tmp_path: Path) -> None:
    from verify.parameters.figures import plane_figure, save

    figure = plane_figure(found)
    assert len([axes for axes in figure.axes if axes.axison]) == 3
    text = save(figure, tmp_path / "plane.svg").read_text()
    assert text.startswith("<?xml")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "fixed point, itinerary 01",
        "fixed point, itinerary 10",
        "2-cycle, itinerary 01.10",
    ]


@pytest.mark.parametrize(
    ("x", "y", "kind", "words"),
    [
        ("A[0,0]=1:0", "A[1,1]=0:1", Malformed, "LO < HI"),
        ("A[0,0]=0:1", "A[0,0]=0:1", Malformed, "different entries"),
        ("A[7,0]=0:1", "A[1,1]=0:1", Malformed, "indices from 0"),
        ("B[0,0]=0:1", "A[1,1]=0:1", Malformed, "one of A, W, h"),
        ("A[0,0]=nan:1", "A[1,1]=0:1", Malformed, "nan"),
        ("A[0,0]", "A[1,1]=0:1", Malformed, "NAME[i,j]=LO:HI"),
    ],
)
def test_bad_entries_are_refused(x: str, y: str, kind: type[Malformed], words: str) -> None:
    with pytest.raises(kind) as failure:
        plane(toy(), x, y)
    assert words in str(failure.value)


def test_other_refusals() -> None:
    with pytest.raises(Malformed, match="depth from 1 to 10"):
        plane(toy(), "A[0,0]=0:1", "A[1,1]=0:1", depth=0)
    with pytest.raises(Malformed, match="no power of a shorter itinerary"):
        plane(toy(), "A[0,0]=0:1", "A[1,1]=0:1", words=[("11", "11")])
    smooth = load({"model": "rnn", "W": [[1]], "b": [0], "activation": "tanh"})
    with pytest.raises(Unsupported, match="affine, relu and add"):
        plane(smooth, "W[0,0]=0:1", "b[0]=0:1")


def test_the_border_collision_of_the_two_cycle_with_one_hinge() -> None:
    loaded = load({"A": [0], "W": [[0]], "h": [1]}, model="plrnn")
    sheet = surface(loaded, [Entry.read("a_l:A[0]-W[0,0]=1/4:1/2"), Entry.read("a_r:W[0,0]=-7/4:1/4")])
    marched = march(sheet, [("0", "1")], monotonic() + 60, strips=4)
    assert {(tube.place.kind, tube.place.unit, tube.place.time) for tube in marched.tubes} == {("border_collision", 1, 1)}
    assert all(tube.cell.y.lo < -1 < tube.cell.y.hi and tube.is_real for tube in marched.tubes)
    assert sum(tube.cell.x.hi - tube.cell.x.lo for tube in marched.tubes) == Fraction(1, 4)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_ranges_beyond_the_floats() -> None:
    loaded = load({"A": ["1/5", "1/2"], "W": [[0, -3], [1, 0]], "h": [1, 2]}, model="plrnn")
    found = plane(loaded, "A[0]=-1e200:1e200", "A[1]=0:1", up_to=1, depth=1, budget=2)
    assert found.verdict in {"Proved", "NotFound"}
