"""Every verb and option of the contract: exit codes, the last line, and the JSON, field by field."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.verify.command import CONTRACTION, TENT, Done, lozi, orbitproof, saved

COMMAND = Path(sys.executable).parent / "orbitproof"
NETWORK = {"digest": str, "name": str, "model": str, "dimension": int, "hinges": int, "assumptions": list}
LETTER = {"verdict", "where", "law", "expected", "got", "remedy"}
CYCLE = {"period", "itinerary", "points", "multipliers", "stability", "margin"}


@pytest.fixture
def lozi_file(tmp_path: Path) -> Path:
    return saved(tmp_path, lozi(), "lozi.json")


@pytest.fixture
def tent_file(tmp_path: Path) -> Path:
    return saved(tmp_path, dict(TENT), "tent.json")


def pairs(entry: dict) -> Iterator[tuple[Fraction, Fraction]]:
    """Return every enclosure of a cycle's entry."""
    for point in entry["points"]:
        yield from ((Fraction(low), Fraction(high)) for low, high in point)
    for multiplier in entry["multipliers"] or []:
        yield from ((Fraction(low), Fraction(high)) for low, high in multiplier)


def is_letter(done: Done, verdict: str) -> dict:
    letter = done.json()
    assert letter["verdict"] == verdict
    assert letter.keys() - {"decision"} == LETTER
    assert all(isinstance(text, str) for text in letter.values())
    return letter


def test_certify_says_each_cycle_and_its_stability(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "lozi.cert"
    done = orbitproof("certify", lozi_file, "--claim", "cycles", "-o", path)
    assert (done.code, done.err) == (0, "")
    assert done.last == "Proved  cycles of F: 2 of period 1, 1 of period 2, 1 of period 4 (searched to period 4; there may be others)"
    assert done.out.count("saddle (multipliers: 1 inside, 1 outside)") == 4
    assert f"certificate  {path} (" in done.out
    assert [entry.name for entry in path.parent.iterdir()] == ["lozi.cert"]


@pytest.mark.usefixtures("few_paths")
def test_the_main_job_on_one_screen(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "lozi.cert"
    done = orbitproof("certify", lozi_file, "--budget", 2, "-o", path)
    assert (done.code, done.err) == (0, "")
    starts = [line.split("  ")[0] for line in done.out.splitlines()]
    theorems = ["theorem"] * 4
    cycles = ["fixed point", "fixed point", "2-cycle", "4-cycle"]
    assert starts == ["network", "digest", "decision", "entropy", "note", *theorems, *cycles, "certificate", "Proved"]
    assert done.last == "Proved  F has an uncountable scrambled set (Li-Yorke chaos) (and 11 more claims above)"
    content = orbitproof("certify", lozi_file, "--claim", "chaos", "--budget", 1, "--json").json()
    assert content["decision"] == "chaotic"
    assert content["entropy"]["lower"] > 0
    assert content["entropy"]["upper"] is None
    assert [claim["theorem"] for claim in content["claims"]] == ["entropy_gives_scrambling", "covering_graph"]


def test_certify_as_json(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "lozi.cert"
    done = orbitproof("certify", lozi_file, "--claim", "cycles", "--period", 2, "--json", "-o", path)
    content = done.json()
    assert (done.code, content["verdict"], content["decision"]) == (0, "Proved", "undecided")
    assert {"verdict", "network", "decision", "claims", "undecided", "entropy", "radius", "certificate"} <= content.keys()
    assert {key: type(value) for key, value in content["network"].items()} == NETWORK
    assert [claim["theorem"] for claim in content["claims"]] == ["stability", "multiplier_moduli"]
    assert all(isinstance(claim["statement"], str) for claim in content["claims"])
    assert (content["entropy"], content["radius"], content["undecided"]) == (None, None, [])
    assert content["certificate"] == str(path)


def test_certify_chaos_as_json_rounds_the_entropy_outward(tent_file: Path) -> None:
    content = orbitproof("certify", tent_file, "--claim", "chaos", "--json").json()
    assert content["decision"] == "chaotic"
    assert content["claims"][0]["theorem"] == "li_yorke"
    assert content["sup_radius"] == "1/28"
    lower, upper = content["entropy"]["lower"], content["entropy"]["upper"]
    assert isinstance(lower, float)
    assert isinstance(upper, float)
    assert lower <= 0.6931471805599453094 <= upper <= lower + 1e-9  # log 2, for the full tent


def test_cycles_as_json(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.cert"
    done = orbitproof("cycles", lozi_file, "--up-to", 4, "--json", "-o", path)
    content = done.json()
    assert (done.code, content["verdict"]) == (0, "Proved")
    assert {key: type(value) for key, value in content["network"].items()} == NETWORK
    assert content["cycles_by_least_period"] == {"1": 2, "2": 1, "4": 1}
    assert (content["complete"], content["up_to"], content["residual"]) == (False, 4, [])
    assert content["index_sum"] == {"1": 0, "2": 0, "3": 0, "4": 0}
    assert {"seconds", "nodes"} <= content["effort"].keys()
    assert content["certificate"] == str(path)
    for entry in content["cycles"]:
        assert entry.keys() >= CYCLE
        assert len(entry["itinerary"]) == len(entry["points"]) == entry["period"]
        assert all(set(letter) <= {"0", "1"} and len(letter) == 2 for letter in entry["itinerary"])
        assert all(low <= high for low, high in pairs(entry))
        assert entry["stability"] == {"inside": 1, "outside": 1, "label": "saddle"}
        assert entry["margin"] > 0


def test_the_enclosures_enclose(lozi_file: Path) -> None:
    """The fixed point of the right half is exactly (1 / (1 + a - b), b / (1 + a - b)); its multipliers solve l^2 + a l - b = 0."""
    entry = next(e for e in orbitproof("cycles", lozi_file, "--up-to", 1, "--json").json()["cycles"] if e["itinerary"] == ["11"])
    for (low, high), exact in zip(entry["points"][0], (Fraction(5, 11), Fraction(5, 22)), strict=True):
        assert Fraction(low) <= exact <= Fraction(high)
    for (low, high), _ in entry["multipliers"]:
        signs = [x * x + Fraction(17, 10) * x - Fraction(1, 2) for x in (Fraction(low), Fraction(high))]
        assert signs[0] * signs[1] < 0
    assert Fraction(entry["margin"]) <= Fraction(5, 22)


def test_cycles_complete_on_a_line(tent_file: Path) -> None:
    done = orbitproof("cycles", tent_file, "--up-to", 5, "--complete", "--json")
    content = done.json()
    assert (done.code, content["verdict"], content["complete"]) == (0, "Proved", True)
    assert content["cycles_by_least_period"] == {"1": 2, "2": 1, "3": 2, "4": 3, "5": 6}


def test_box_keeps_what_lies_inside(lozi_file: Path) -> None:
    content = orbitproof("cycles", lozi_file, "--up-to", 2, "--box", "-1/2", 1, "--json").json()
    assert content["cycles_by_least_period"] == {"1": 1, "2": 1}
    assert orbitproof("cycles", lozi_file, "--up-to", 2, "--box", 5, "6").code == 3
    assert is_letter(orbitproof("cycles", lozi_file, "--up-to", 2, "--box", 1, "-1", "--json"), "Malformed")["got"] == "1 -1"


def test_seed_budget_and_jobs(lozi_file: Path) -> None:
    one = orbitproof("cycles", lozi_file, "--up-to", 4, "--seed", 7, "--budget", 5, "--json").json()
    two = orbitproof("cycles", lozi_file, "--up-to", 4, "--seed", 7, "--jobs", 2, "--json").json()
    assert one["cycles_by_least_period"] == two["cycles_by_least_period"] == {"1": 2, "2": 1, "4": 1}


def test_check_explain_and_the_kernel_alone_agree(lozi_file: Path, tmp_path: Path, root: Path) -> None:
    path = tmp_path / "lozi.cert"
    orbitproof("certify", lozi_file, "--claim", "cycles", "-o", path)
    shutil.copytree(root / "proofs", tmp_path / "alone" / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    text, content = orbitproof("check", path), orbitproof("check", path, "--json").json()
    assert (text.code, content["verdict"]) == (0, "Proved")
    assert text.out == alone(tmp_path, "check", str(path)).out
    assert text.last.startswith("Proved  F has a fixed point within 1e-8 (max norm) of the stated points")
    assert text.last.endswith(" more, listed above).")
    assert orbitproof("explain", path).out == alone(tmp_path, "explain", str(path)).out
    assert orbitproof("explain", path, "--json").json()["lines"][-1].startswith("Proved  F has a fixed point")
    assert content.keys() == {"verdict", "claim", "statement", "digest", "theorems", "assumptions", "seconds"}
    assert content["theorems"] == ["cycle", "stability", "multiplier_moduli"]
    assert content["claim"][0]["cycle"]["radius"] == "1/1073741824"
    assert isinstance(content["seconds"], float)
    cards = [name.split("``")[0] for name in alone(tmp_path, "theorems").out.splitlines()]
    assert len(cards) == len(orbitproof("theorems").out.splitlines())


def alone(tmp_path: Path, *arguments: str) -> Done:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-S", "-m", "proofs", *arguments]
    done = subprocess.run(command, cwd=tmp_path / "alone", env=environment, capture_output=True, text=True, check=False, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def test_check_against_the_same_network_in_other_formats(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    net = {"model": "plrnn", "A": [0.5, 0.25], "W": [[0, 0.125], [0.25, 0]], "h": [1, -1]}
    source, path = saved(tmp_path, net), tmp_path / "n.cert"
    orbitproof("certify", source, "-o", path)
    arrays = {key: np.array(value, dtype=float) for key, value in net.items() if key != "model"}
    torch.save({key: torch.tensor(value) for key, value in arrays.items()}, tmp_path / "net.pt")
    assert orbitproof("convert", source, "-o", tmp_path / "net.npz").code == 0
    for other in ("net.json", "net.npz", "net.pt"):
        assert orbitproof("check", path, "--network", tmp_path / other, "--model", "plrnn").code == 0
    assert orbitproof("convert", tmp_path / "net.pt", "-o", tmp_path / "back.json", "--model", "plrnn").code == 0
    assert orbitproof("check", path, "--network", tmp_path / "back.json").code == 0


def test_check_against_another_network_is_rejected(lozi_file: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "lozi.cert", saved(tmp_path, lozi("16/10"), "other.json")
    orbitproof("certify", lozi_file, "--claim", "cycles", "--period", 1, "-o", path)
    done = orbitproof("check", path, "--network", other)
    assert done.code == 1
    assert done.out.startswith("Rejected at line 1, network digest\n  expected  ")
    assert "this certificate speaks of another network" in done.out
    assert is_letter(orbitproof("check", path, "--network", other, "--json"), "Rejected")["law"] == "network digest"


def test_a_single_claim_is_said_once(tmp_path: Path) -> None:
    source = saved(tmp_path, dict(CONTRACTION))
    done = orbitproof("certify", source, "--theorem", "contraction")
    claim = orbitproof("certify", source, "--theorem", "contraction", "--json").json()["claims"][0]["statement"]
    assert (done.out.count(claim), done.last) == (1, f"Proved  {claim}")


def test_check_at_a_radius(tmp_path: Path) -> None:
    source, path = saved(tmp_path, dict(CONTRACTION)), tmp_path / "r.cert"
    assert orbitproof("certify", source, "--claim", "order", "--radius", "1/1024", "-o", path).code == 0
    assert orbitproof("check", path).code == 0
    assert orbitproof("check", path, "--network", source, "--radius", "1/1024").code == 0
    assert orbitproof("check", path, "--network", source).code == 1


def test_theorems(root: Path) -> None:
    done = orbitproof("theorems")
    assert done.code == 0
    listed = orbitproof("theorems", "--json").json()["theorems"]
    assert [line.split()[0] for line in done.out.splitlines()] == [card["name"] for card in listed]
    assert {"exact_cycle", "cycle", "stability", "li_yorke", "contraction", "coppel"} <= {card["name"] for card in listed}
    assert orbitproof("theorems", "coppel").out.startswith("C3 ``coppel``")
    assert [card["name"] for card in orbitproof("theorems", "coppel", "--json").json()["theorems"]] == ["coppel"]
    assert [card["name"] for card in orbitproof("theorems", "B3", "--json").json()["theorems"]] == ["entropy_from_period", "sharkovskii"]
    unknown = is_letter(orbitproof("theorems", "period_three_anywhere", "--json"), "Malformed")
    assert unknown["got"] == "period_three_anywhere"
    assert root.is_dir()


def test_convert(lozi_file: Path, tmp_path: Path) -> None:
    content = orbitproof("convert", lozi_file, "-o", tmp_path / "again.json", "--json").json()
    again = orbitproof("convert", tmp_path / "again.json", "-o", tmp_path / "third.json").out
    assert content["path"] == str(tmp_path / "again.json")
    assert f"digest {content['network']['digest']}" in again
    refused = orbitproof("convert", lozi_file, "-o", tmp_path / "again.npz")
    assert (refused.code, "the format holds float64 only" in refused.out) == (2, True)
    assert orbitproof("convert", lozi_file, "-o", tmp_path / "again.xyz").out.startswith("Unsupported at again.xyz, a known file format")


def test_model_and_settings(tmp_path: Path) -> None:
    arrays: dict[str, object] = {"A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]}
    path = saved(tmp_path, arrays, "bare.json")
    done = orbitproof("certify", path)
    assert (done.code, "these fit: plrnn, mean_centred_plrnn, alrnn" in done.out) == (2, True)
    content = orbitproof("cycles", path, "--model", "alrnn", "--set", "P=1", "--up-to", 1, "--json").json()
    assert (content["network"]["model"], content["network"]["hinges"]) == ("alrnn", 1)


def test_chaos_asked_of_an_ordered_network_says_ordered(tmp_path: Path) -> None:
    falling = {"model": "scalar", "layers": [{"W": [[-0.5]], "b": [1], "activation": "relu"}]}
    for net in (CONTRACTION, falling):
        done = orbitproof("certify", saved(tmp_path, dict(net)), "--claim", "chaos", "--json")
        letter = is_letter(done, "NotFound")
        assert (done.code, letter["decision"]) == (3, "ordered")
        assert letter["got"].startswith("decision ordered: ")


def test_order_asked_of_a_chaotic_network_says_chaotic(tent_file: Path) -> None:
    done = orbitproof("certify", tent_file, "--claim", "order", "--json")
    assert (done.code, is_letter(done, "NotFound")["decision"]) == (3, "chaotic")


def test_auto_says_what_stayed_undecided(tmp_path: Path) -> None:
    done = orbitproof("certify", saved(tmp_path, lozi("1"), "lozi.json"), "--budget", 1, "--json")
    assert done.code == 0
    undecided = done.json()["undecided"]
    assert [text.split(":")[0] for text in undecided][:3] == ["order", "order", "chaos"]  # and exponent bounds where the second was over


def test_a_radius_and_an_exact_only_card(tmp_path: Path) -> None:
    steps = [0, "-.2", "-.4", "-.5", "-.6", "-.7"]
    hidden = {"W": [[1]] * 6, "b": steps, "activation": "relu"}
    steep = {"model": "scalar", "layers": [hidden, {"W": [[".8", "-1.5", 5, -9, 11, "-8.4"]], "b": [0], "activation": "relu"}]}
    path = saved(tmp_path, steep)
    assert orbitproof("certify", path, "--claim", "order").code == 0
    done = orbitproof("certify", path, "--claim", "order", "--radius", "1e-9")
    assert (done.code, "coppel" in done.out) == (3, True)
    assert "coppel" in orbitproof("certify", path, "--claim", "order", "--max-radius").out
    zero = saved(tmp_path, {"model": "plrnn", "A": [0, 0], "W": [[0, 0], [0, 0]], "h": [0, 0]}, "zero.json")
    done = orbitproof("certify", zero, "--claim", "cycles", "--radius", "1/1024")
    assert (done.code, "exact_cycle" in done.out) == (3, True)


def test_both_radius_options_are_misuse(lozi_file: Path) -> None:
    done = orbitproof("certify", lozi_file, "--radius", "1e-6", "--max-radius", "--json")
    assert (done.code, is_letter(done, "Malformed")["law"]) == (2, "one radius")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["certify"], "NETWORK"),
        (["cycles", "net.json"], "--up-to"),
        (["cycles", "net.json", "--up-to", "two"], "--up-to"),
        (["certify", "net.json", "--claim", "peace"], "--claim"),
        (["certify", "net.json", "--seed", "-1"], "--seed"),
        (["certify", "net.json", "--jobs", "0"], "--jobs"),
        (["certify", "net.json", "--budget", "nan"], "--budget"),
        (["nonsense", "net.json"], "nonsense"),
    ],
)
def test_misuse(arguments: list[str], word: str) -> None:
    done = orbitproof(*arguments)
    assert (done.code, done.out) == (2, "")
    assert word in done.err
    assert word in is_letter(orbitproof(*arguments, "--json"), "Malformed")["got"]


@pytest.mark.parametrize("setting", ["period=1", "radius=1", "source=x", "model=plrnn", "effort=1", "up_to=3", "foo=1", "foo", "=1"])
def test_settings_that_are_none(lozi_file: Path, setting: str) -> None:
    for verb in (["certify"], ["cycles", "--up-to", "1"]):
        assert is_letter(orbitproof(*verb, lozi_file, "--set", setting, "--json"), "Malformed")["law"] in {"settings", "known settings"}
    assert orbitproof("certify", lozi_file, "--set", "P=1", "--set", "P=2").code == 2


def test_output_that_cannot_be_written(lozi_file: Path, tmp_path: Path) -> None:
    for target in (tmp_path, Path("/proc/nowhere/x.cert"), lozi_file / "x.cert"):
        done = orbitproof("certify", lozi_file, "--claim", "cycles", "--period", 1, "-o", target)
        assert done.code == 2
        assert done.out.startswith(f"Malformed at {target}, the file can be written\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["lozi.json"]


def test_the_installed_command(lozi_file: Path) -> None:
    done = subprocess.run([COMMAND, "cycles", str(lozi_file), "--up-to", "2"], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "Proved  cycles of least period at most 2: 2 of period 1, 1 of period 2"


TELLING = """
import functools, os, pathlib
from verify.certification import find
from verify.cli import main
def begun(*given, **named):
    pathlib.Path(os.environ["BEGUN"]).touch()
    return functools.partial(*given, **named)
find.partial = begun
main()
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupting_leaves_nothing_behind(lozi_file: Path, tmp_path: Path, jobs: str) -> None:
    target = tmp_path / "part" / "x.cert"
    begun = tmp_path / "begun"
    options = ["cycles", str(lozi_file), "--up-to", "40", "--budget", "600", "--jobs", jobs, "-o", str(target)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "BEGUN": str(begun)}
    command = [sys.executable, "-c", TELLING, *options]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    while not begun.exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    begun.unlink()
    time.sleep(0.2)  # somewhere in the search
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=300)
    assert (running.returncode, out) == (130, "")
    assert err == "Interrupted; no file was left half-written.\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["lozi.json"]


def test_help_names_every_verb() -> None:
    done = orbitproof("--help")
    assert done.code == 0
    assert all(verb in done.out for verb in ("certify", "cycles", "check", "explain", "theorems", "convert"))


def test_json_has_no_surprises(lozi_file: Path) -> None:
    done = orbitproof("certify", lozi_file, "--claim", "cycles", "--json")
    assert json.loads(done.out) == done.json()
