"""Records of tracking: written and read back, refused when damaged, and told as text and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from proofs.errors import Malformed
from tests.verify.training.tracked import checkpoint, event, tracking
from verify.training.track_answers import SHOWN, CheckpointRecord, SegmentRecord, as_plain, checkpoint_of, segment_of, track_text


def written(record: CheckpointRecord | SegmentRecord) -> dict[str, Any]:
    found = json.loads(json.dumps(as_plain(record), allow_nan=False))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("record", [checkpoint(10, 0.5), checkpoint(0, None, 0.25), checkpoint(7, float("inf"), escaped="it left")])
def test_a_checkpoint_is_read_back(record: CheckpointRecord) -> None:
    found = checkpoint_of(written(record), "file")
    assert repr(found) == repr(record)  # nan is not equal to itself
    assert (found.by_period, found.stable) == ({1: 1, 2: 1}, 1)


def test_a_segment_is_read_back() -> None:
    told = event(), event("to_infinity", "1/3", proved=False)
    record = SegmentRecord(10, 20, ("a", "b"), told, 3, ("left",), 1, "segments/x.cert", 0.25)
    assert segment_of(written(record), "file") == record
    assert record.proved == 1
    assert record.update_of(told[0]) == pytest.approx(12.5)


@pytest.mark.parametrize("damage", [{"events": 3}, {"digests": ["a"]}, {"events": [{"type": "flip"}]}, {"unresolved": None}])
def test_damaged_segments_are_refused(damage: dict[str, object]) -> None:
    content = written(SegmentRecord(10, 20, ("a", "b"), (event(),), 3))
    with pytest.raises(Malformed) as caught:
        segment_of(content | damage, "file")
    assert (caught.value.where, caught.value.law, caught.value.remedy) == ("file", "a record of tracking", "remove the file")


@pytest.mark.parametrize("damage", [{"cycles": [1]}, {"loss": "much"}, {"exponents": [[1.0]]}])
def test_damaged_checkpoints_are_refused(damage: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        checkpoint_of(written(checkpoint(10, 0.5)) | damage, "file")


def test_stability_counts_multipliers_outside() -> None:
    saddle, stable = checkpoint(0, 1.0).cycles
    assert [cycle.stability for cycle in (saddle, stable, replace(saddle, outside=2))] == ["saddle", "stable", "repelling"]


def test_ratios_and_jumps() -> None:
    run = tracking((1.0, 2.0, 4.5, None, 1.0, float("inf")), [[]] * 5)
    assert run.ratios() == [2.0, 2.25, None, None, float("inf")]
    assert run.jumps() == [False, True, False, False, True]


def test_text_names_place_type_and_proof() -> None:
    run = tracking((1.0, 3.0, 1.0), [[event()], [event("to_infinity", "1/2", proved=False)]], 0.5)
    run = replace(run, segments=(run.segments[0], replace(run.segments[1], unresolved=("too close",))))
    lines = track_text(run)
    assert lines[0] == "run: 3 checkpoints, cycles up to period 2 (estimates)"
    assert lines[3] == "       0           1         0.5     0.5     0.75  -0.1250 ± 0.01  1: 1, 2: 1 (1)"
    assert "  0 to 10: loss x 3; 1 border_collision" in lines
    gate = "period 1 (10), unit 2 at time 1, exists before; meets period 1, which exists after; proved by border_collision"
    assert f"  0 to 10 at 0.250000000000: border_collision, {gate}" in lines
    assert "  10 to 20 at 0.500000000000: to_infinity, period 1 (10), exists before; stability is lost; found, not proved" in lines
    assert lines[-4:] == ["not resolved, not guessed", "  10 to 20: too close", "", lines[-1]]
    assert lines[-1] == "Estimate  1 of 2 events between checkpoints are proved; not resolved: 1, see above; certificates in run/tracking"


def test_long_lists_are_cut_and_say_so() -> None:
    run = tracking((1.0, 1.0), [[event()] * (SHOWN + 3)])
    assert "  ... and 3 more" in track_text(run)
    assert track_text(run)[-1].startswith(f"Proved  {SHOWN + 3} of {SHOWN + 3} events")
    assert track_text(tracking((1.0, 1.0), [[]]))[-1] == "Estimate  no event was found on 1 segments; none is excluded"


def test_json_is_whole() -> None:
    content = json.loads(json.dumps(tracking((1.0, 3.0), [[event()]], 0.5).as_json(), allow_nan=False))
    assert (content["verdict"], content["events"], content["events_proved"], content["jumps"]) == ("Proved", 1, 1, 1)
    assert content["unresolved"] == 0
    assert content["events_by_type"] == {"border_collision": 1}
    assert content["segments"][0]["jump"] is True
    assert content["segments"][0]["events"][0]["parameter"] == ["1/4", "274877906945/1099511627776"]
    assert content["checkpoints"][0]["cycles_by_least_period"] == {"1": 1, "2": 1}
