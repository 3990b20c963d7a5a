"""Tracking a run: on a skew tent whose events are known in closed form, and on a short training; kept, resumed, refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import proofs
from proofs.errors import Malformed
from verify.events import Word
from verify.formats import Stored, write
from verify.loading import Loaded, load
from verify.numerics.batch import FloatNetwork
from verify.training.config import read_config
from verify.training.records import Record
from verify.training.run import read_run, train
from verify.training.segments import proved_segment
from verify.training.track_answers import SegmentRecord, Tracking
from verify.training.tracking import Settings, checkpoint_record, forced_norm, forced_states, track

QUICK = Settings(up_to=2, budget=5.0, steps=64, exponents=1)
ELLIPSE = {
    "name": "ellipse",
    "model": {"family": "plrnn", "M": 3},
    "data": {"system": "ellipse", "steps": 60},
    "forcing": {"kind": "generalised", "alpha": 0.25},
    "training": {"epochs": 4, "batches_per_epoch": 5, "batch_size": 4, "sequence_length": 10},
    "optimiser": {"kind": "gradient_descent", "rate": 0.05, "final_rate": 0.05},
    "checkpoints": {"every_updates": 10},
}


def tent_run(folder: Path, slopes: Sequence[float], losses: Sequence[float]) -> Path:
    """Write a run by hand: z' = z / 4 + 1 for z <= 0, slope z + 1 for z > 0, a checkpoint a slope."""
    (folder / "checkpoints").mkdir(parents=True)
    config = read_config(ELLIPSE | {"model": {"family": "plrnn", "M": 2}}).as_json()
    (folder / "config.json").write_text(json.dumps({"config": config}), encoding="utf-8")
    lines = [Record(10 * i, i, loss, 0.0, 1.0 + i, None, float(i)).line() for i, loss in enumerate(losses)]
    (folder / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    for i, slope in enumerate(slopes):
        arrays = {"A": np.array([0.25]), "W": np.array([[slope - 0.25]]), "h": np.array([1.0])}
        write(folder / "checkpoints" / f"model_{10 * i:08d}.safetensors", Stored(arrays, {"model": "plrnn", "name": f"tent {i}"}))
    return folder


@pytest.fixture
def tent(tmp_path: Path) -> Path:
    return tent_run(tmp_path / "tent", (-2.0, 0.5, 1.5), (1.0, 0.25, 2.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "ellipse"
    train(ELLIPSE, folder)
    return folder


def test_events_are_where_the_closed_form_has_them(tent: Path) -> None:
    found = track(tent, QUICK)
    told = [(s.first, event.type, event.side, event.theorem) for s in found.segments for event in s.events if event.period == 1]
    assert told == [(0, "flip", None, "flip"), (10, "to_infinity", "before", "to_infinity")]
    flip, escape = (event for s in found.segments for event in s.events if event.period == 1)
    assert flip.parameter[0] < Fraction(2, 5) < flip.parameter[1]  # slope -1 between -2 and 1/2
    assert escape.parameter[0] < Fraction(1, 2) < escape.parameter[1]  # slope 1 between 1/2 and 3/2
    assert max(event.parameter[1] - event.parameter[0] for event in (flip, escape)) < Fraction(1, 10**9)
    assert found.segments[1].update_of(escape) == pytest.approx(15.0)
    assert (found.verdict, found.proved) == ("Proved", found.events)


def test_certificates_are_about_the_first_checkpoint(tent: Path) -> None:
    found = track(tent, QUICK)
    for segment, checkpoint in zip(found.segments, read_run(tent).checkpoints, strict=False):
        assert segment.certificate is not None
        proved = proofs.check(Path(found.folder) / segment.certificate, load(checkpoint.path).network)
        assert {event.theorem for event in segment.events} <= set(proved.theorems)


def test_checkpoints_are_estimated(tent: Path) -> None:
    first, second, third = track(tent, QUICK).checkpoints
    fixed, (attractor,) = next(cycle for cycle in first.cycles if cycle.period == 1), second.cycles
    assert (fixed.stability, attractor.stability) == ("repelling", "stable")
    assert (fixed.radius, attractor.point[0]) == pytest.approx((2.0, 2.0))
    assert second.exponents[0][0] == pytest.approx(np.log(0.5), abs=1e-6)
    assert (third.cycles, third.escaped) == ((), "")
    assert third.exponents[0][0] == pytest.approx(np.log(1.5), abs=1e-6)
    assert [record.loss for record in (first, second, third)] == [1.0, 0.25, 2.0]


def test_orbits_that_leave_the_floats_are_told(tent: Path) -> None:
    run = read_run(tent)
    record = checkpoint_record(run, run.checkpoints[2], load(run.checkpoints[2].path), replace(QUICK, steps=2000))
    assert record.exponents == ()
    assert "finite" in record.escaped


def test_jumps_are_losses_that_more_than_double(tent: Path) -> None:
    found = track(tent, QUICK)
    assert (found.ratios(), found.jumps(), found.jumps(8.0)) == ([0.25, 8.0], [False, True], [False, False])


def test_a_trained_run_is_tracked_to_its_end(trained: Path, tmp_path: Path) -> None:
    found = track(trained, replace(QUICK, branches=False), output=tmp_path / "out")
    assert [record.update for record in found.checkpoints] == [0, 10, 20]
    losses = {record.update: record.loss for record in read_run(trained).metrics}
    assert [record.loss for record in found.checkpoints] == [losses[0], losses[10], losses[20]]
    assert {record.alpha for record in found.checkpoints} == {0.25}
    assert all(record.forced_norm is not None for record in found.checkpoints)
    assert len(list((tmp_path / "out" / "checkpoints").glob("*.json"))) == 3
    assert not (trained / "tracking").exists()


def test_what_is_kept_is_not_done_again(tent: Path) -> None:
    once = track(tent, QUICK)
    assert track(tent, QUICK, segment=_never) == once
    again = track(tent, replace(QUICK, seed=1), segment=_found)
    assert [segment.branches for segment in again.segments] == [7, 7]


def test_a_certificate_that_is_gone_is_made_again(tent: Path) -> None:
    found = track(tent, Settings(up_to=2))
    segment = next(one for one in found.segments if one.certificate is not None)
    certificate = Path(found.folder) / str(segment.certificate)
    certificate.unlink()
    again = track(tent, Settings(up_to=2))
    assert again.verdict == found.verdict
    assert certificate.is_file()


def test_an_interruption_loses_nothing(tent: Path) -> None:
    calls: list[int] = []

    def interrupted(one: Loaded, two: Loaded, words: Sequence[Word], settings: Settings) -> tuple[SegmentRecord, Iterable[bytes] | None]:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return proved_segment(one, two, words, settings)

    with pytest.raises(KeyboardInterrupt):
        track(tent, QUICK, segment=interrupted)
    assert sorted(path.name for path in (tent / "tracking" / "segments").iterdir()) == ["00000000-00000010.cert", "00000000-00000010.json"]
    done: list[str] = []
    resumed = track(tent, QUICK, progress=lambda what, *_: done.append(what))
    assert (len(resumed.segments), done) == (2, ["checkpoints"] * 3 + ["segments"] * 2)
    assert (tent / "tracking" / "segments" / "00000010-00000020.json").exists()


def test_a_checkpoint_that_changed_is_tracked_anew(tent: Path) -> None:
    track(tent, QUICK)
    path = tent / "checkpoints" / "model_00000020.safetensors"
    path.write_bytes((tent / "checkpoints" / "model_00000000.safetensors").read_bytes())
    assert track(tent, QUICK).checkpoints[2].digest == load(path).network.digest


def test_range_and_every(tent: Path) -> None:
    assert [record.update for record in track(tent, replace(QUICK, every=2), segment=_found).checkpoints] == [0, 20]
    assert [record.update for record in track(tent, replace(QUICK, low=5), segment=_found).checkpoints] == [10, 20]
    with pytest.raises(Malformed) as caught:
        track(tent, replace(QUICK, low=11))
    assert (caught.value.expected, caught.value.got) == ("at least 2", "1 of 3, which are from update 0 to 20")


@pytest.mark.parametrize(
    ("changes", "law"),
    [({"up_to": 0}, "up_to"), ({"budget": 0.0}, "budget"), ({"every": 0}, "every"), ({"low": 5, "high": 5}, "a range of updates")],
)
def test_settings_out_of_range(changes: dict[str, Any], law: str) -> None:
    with pytest.raises(Malformed) as caught:
        Settings(**changes)
    assert caught.value.law == law


def test_a_damaged_record_is_named(tent: Path) -> None:
    track(tent, QUICK, segment=_found)
    path = tent / "tracking" / "checkpoints" / "00000010.json"
    for text in ("{", "[]", json.dumps({"key": json.loads(path.read_text(encoding="utf-8"))["key"]})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Malformed) as caught:
            track(tent, QUICK, segment=_found)
        assert (caught.value.where, caught.value.law, caught.value.remedy) == (str(path), "a record of tracking", "remove the file")


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        track(tmp_path / "nothing")


def test_checkpoints_of_different_shapes(tent: Path) -> None:
    arrays = {"A": np.array([0.5, 0.5]), "W": np.zeros((2, 2)), "h": np.ones(2)}
    write(tent / "checkpoints" / "model_00000020.safetensors", Stored(arrays, {"model": "plrnn"}))
    with pytest.raises(Malformed) as caught:
        track(tent, QUICK)
    assert caught.value.law == "ends of one shape"


def test_forced_norm_is_the_largest_over_patterns(trained: Path) -> None:
    run = read_run(trained)
    one = run.checkpoints[-1]
    network = FloatNetwork(load(one.path).network)
    assert forced_states(run, one, 3) == 2  # the two coordinates of the ellipse
    A, W = (np.asarray(load(one.path).arrays[name], dtype=float) for name in ("A", "W"))
    T = np.diag([0.75, 0.75, 1.0])
    masks = [np.array([i & 1, i >> 1 & 1, i >> 2], dtype=float) for i in range(8)]
    brute = max(np.linalg.norm((np.diag(A.ravel()) if A.size == 3 else A) @ T + W @ np.diag(mask) @ T, 2) for mask in masks)
    assert forced_norm(network, 0.25, 2) == pytest.approx(brute, rel=1e-12)


def _never(*_: object) -> tuple[SegmentRecord, Iterable[bytes] | None]:
    raise AssertionError


def _found(one: Loaded, two: Loaded, words: Sequence[Word], settings: Settings) -> tuple[SegmentRecord, Iterable[bytes] | None]:
    del words, settings
    return SegmentRecord(0, 1, (one.network.digest, two.network.digest), (), 7), None


def test_tracking_of_nothing_proved_is_an_estimate(tent: Path) -> None:
    found = track(tent, QUICK, segment=_found)
    assert isinstance(found, Tracking)
    assert (found.verdict, found.events) == ("Estimate", 0)
