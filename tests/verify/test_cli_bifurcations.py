"""``orbitproof bifurcations``: text, JSON, certificates, exit codes, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.verify.command import CONTRACTION, Done, orbitproof, saved

SKEW = {"model": "plrnn", "A": ["1/5"], "W": [["-3"]], "h": [1]}
SMOOTH = {"model": "rnn", "W": [["2"]], "b": ["0"], "activation": "tanh"}

KEYS = {"verdict", "network", "path", "up_to", "events", "branches", "absent", "virtual", "clusters", "undecided", "itineraries"}
KEYS |= {"complete", "why_not_complete", "box", "notes", "not_kernel_checked", "effort", "figure", "certificate"}
EVENT = {"parameter", "type", "itinerary", "period", "unit", "time", "theorem"}  # of INTERFACE.md; more may stand beside them


def run(*arguments: object) -> Done:
    return orbitproof("bifurcations", *arguments, "--samples", 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return saved(tmp_path, SKEW, "skew.json")


def test_text_certificate_and_the_reason_why_nothing_happens(file: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "skew.cert"
    done = run(file, "--vary", "W[0,0]=4:6", "--up-to", 2, "-o", certificate)
    assert (done.code, done.err) == (3, "")  # no cycle, so no event: only absences are proved
    assert "multiplier 1 of itinerary" not in done.out
    done = run(file, "--vary", "W[0,0]=-4:6", "--up-to", 2, "-o", certificate)
    assert (done.code, done.err) == (0, "")
    nothing = (
        "multiplier 1 of itinerary 0 1 at 4.8: virtual, unit 1 at time 1 has the wrong sign (proved: no cycle has this itinerary there)"
    )
    assert nothing in done.out
    assert "(exactly -6/5; not kernel-checked)  flip of the fixed point 1; before: fixed point 1 (repelling); after: fixed" in done.out
    assert "settled      2 of 2 itineraries for every mu of the path, without a gap: 1; 0 1\n" in done.out
    assert "complete     not proved complete: " in done.out
    assert f"certificate  {certificate} (" in done.out
    assert done.last.startswith(
        "Proved  3 events (1 border collision, 1 flip, 1 escape to infinity) and 3 stretches of branches of cycles of least period"
    )
    assert orbitproof("check", certificate, "--json").json()["verdict"] == "Proved"


def test_json(file: Path) -> None:
    done = run(file, "--vary", "W[0,0]=-3:2", "--up-to", 1, "--complete", "--box", -20, 20, "--json")
    content = done.json()
    assert done.code == 0
    assert content.keys() == KEYS
    assert content["complete"] is True
    assert content["box"] == ["-20", "20"]
    assert content["path"]["parameter"] == "W[0,0]"
    flip, escape = content["events"]
    assert flip.keys() >= EVENT
    assert [(event["type"], event["theorem"], event["side"]) for event in (flip, escape)] == [
        ("flip", "flip", None),
        ("to_infinity", "to_infinity", "before"),
    ]
    low, high = map(Fraction, escape["parameter"])
    assert low < Fraction(4, 5) < high
    assert all(entry["settled_everywhere"] for entry in content["itineraries"])


def test_two_networks(file: Path, tmp_path: Path) -> None:
    other = saved(tmp_path, SKEW | {"W": [["0"]]}, "other.json")
    done = run(file, other, "--up-to", 1, "--json")
    (event,) = done.json()["events"]
    low, high = map(Fraction, event["parameter"])
    assert (event["type"], low < Fraction(3, 5) < high) == ("flip", True)  # -3 + 3 mu = -6/5


def test_completeness_that_is_not_proved_is_not_found(file: Path) -> None:
    done = run(file, "--vary", "W[0,0]=-6/5:0", "--up-to", 1, "--complete", "--box", -5, 5, "--budget", 2)
    assert done.code == 3
    assert done.last.startswith("NotFound  ")
    assert "unresolved   [-6/5, " in done.out


def test_smooth(tmp_path: Path) -> None:
    done = run(saved(tmp_path, SMOOTH), "--vary", "b[0]=1/2:3/5", "--up-to", 1, "--budget", 200)
    assert done.code == 0
    assert "fold of the fixed point; before: two such cycles near it; after: none near it" in done.out
    refused = run(saved(tmp_path, SMOOTH), "--vary", "b[0]=0:1", "--up-to", 1, "--complete", "--box", -1, 1)
    assert (refused.code, refused.out.splitlines()[0]) == (2, "Unsupported at completeness along a path, piecewise-linear networks")


def test_a_figure_of_one_path(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figure = tmp_path / "diagram.svg"
    done = run(file, "--vary", "W[0,0]=-3:0", "--up-to", 1, "--samples", 2, "--budget", 60, "--figure", figure)
    assert f"figure       {figure} (" in done.out
    assert done.last.startswith("Proved  ")
    assert "<svg" in figure.read_text()


def test_refusals(file: Path, tmp_path: Path) -> None:
    larger = saved(tmp_path, CONTRACTION, "larger.json")
    vary = ("--vary", "W[0,0]=-3:2")
    cases: list[tuple[tuple[object, ...], str]] = [
        ((file,), "a path or a plane"),
        ((file, larger, *vary), "a path or a plane"),
        ((file, larger), "ends of one shape"),
        ((file, "--vary", "W[0,0]=2:2"), "a range"),
        ((file, "--vary", "W[0,0]=nan:2"), "exact numbers"),
        ((file, "--vary", "W=0:2"), "an entry of the array"),
        ((file, "--vary", "W[0,1]=0:2"), "an entry of the array"),
        ((file, "--vary", "Q[0,0]=0:2"), "a stored parameter"),
        ((file, *vary, "--complete"), "completeness along a path is proved inside a bounded box"),
        ((file, *vary, "--box", 2, 1), "LO < HI"),
        ((file, *vary, *vary, "--complete"), "completeness along a path"),
        ((file, *vary, *vary, "--figure", tmp_path / "a.txt"), "kinds of figures"),
        ((file, *vary, "--figure", tmp_path / "a.txt"), "kinds of figures"),
        ((file, *vary, "-o", file), "files stay apart"),
        ((file, *vary, "-o", tmp_path), "the file can be written"),
    ]
    for arguments, law in cases:
        done = run(*arguments, "--json")
        assert (done.code, done.json()["law"]) == (2, law), arguments
    assert {entry.name for entry in tmp_path.iterdir()} == {"skew.json", "larger.json"}


def test_a_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    class Found:
        verdict = "NotFound"

        def lines(self) -> list[str]:
            return ["NotFound  nothing"]

        def as_json(self) -> dict[str, object]:
            return {"verdict": self.verdict}

    def plane(_loaded: object, *moving: str, **wishes: object) -> Found:
        asked.append((*moving, wishes["up_to"]))
        return Found()

    monkeypatch.setattr("verify.parameters.plane.plane", plane)
    done = run(saved(tmp_path, SKEW), "--vary", "A[0]=0:1", "--vary", "W[0,0]=-3:2", "--up-to", 2)
    assert (done.code, done.last) == (3, "NotFound  nothing")
    assert asked == [("A[0]=0:1", "W[0,0]=-3:2", 2)]
