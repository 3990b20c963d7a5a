"""Bad input by name: each ends in one letter with its exit code, never in a traceback."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.verify.command import CONTRACTION, TENT, lozi, orbitproof, saved


def refused(path: Path, *options: object) -> str:
    """Run ``certify``: exit code 2, a letter in text and the same one as JSON. Return the text."""
    done = orbitproof("certify", path, *options)
    assert (done.code, done.err) == (2, "")
    letter = orbitproof("certify", path, *options, "--json").json()
    assert done.out.startswith(f"{letter['verdict']} at {letter['where']}, {letter['law']}\n")
    assert orbitproof("cycles", path, "--up-to", 1, *options).out == done.out
    return done.out


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", '"inf"', '"nan"', "null", "true", '"1/0"'])
def test_numbers_that_are_none(tmp_path: Path, word: str) -> None:
    path = tmp_path / "net.json"
    path.write_text(f'{{"model": "plrnn", "A": [0.5, {word}], "W": [[0, 0], [0, 0]], "h": [0, 0]}}', encoding="utf-8")
    assert refused(path).startswith("Malformed at net.json")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_in_an_archive(tmp_path: Path, value: float) -> None:
    np.savez(tmp_path / "net.npz", A=np.array([0.5, 0.5]), W=np.array([[0.0, value], [0.0, 0.0]]), h=np.zeros(2))
    text = refused(tmp_path / "net.npz", "--model", "plrnn")
    assert text.startswith("Malformed at ")
    assert "array W" in text


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"W": [[1, 2, 3], [4, 5, 6]]}, "W"),
        ({"A": [1, 2, 3]}, "A"),
        ({"W": [[1, 2], [3]]}, "W"),
        ({"h": [[1, 2], [3, 4]]}, "h"),
        ({"h": []}, "h"),
        ({"W": "many"}, "W"),
    ],
)
def test_shapes_that_do_not_fit(tmp_path: Path, change: dict[str, object], name: str) -> None:
    text = refused(saved(tmp_path, {**CONTRACTION, **change}))
    assert text.startswith("Malformed at net.json")
    assert name in text.partition("got ")[0]


def test_a_missing_array(tmp_path: Path) -> None:
    text = refused(saved(tmp_path, {key: value for key, value in CONTRACTION.items() if key != "h"}))
    assert "h" in text


@pytest.mark.parametrize("suffix", [".json", ".npz", ".pt", ".mat", ".bson", ".jld2", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"\0", b"\x93NUMPY", b"PK\x03\x04", b"{", b"\xff" * 100])
def test_empty_and_senseless_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    done = orbitproof("certify", path)
    assert done.code == 2
    assert done.out.startswith(("Malformed at net", "Unsupported at net"))
    assert content or "got       an empty file" in done.out


@pytest.mark.parametrize("suffix", [".json", ".npz", ".mat", ".bson"])
def test_truncated_files(tmp_path: Path, suffix: str) -> None:
    net = saved(tmp_path, {**CONTRACTION, "W": [[0, 0.125], [0.125, 0]]}, "source.json")
    whole = tmp_path / f"net{suffix}"
    if orbitproof("convert", net, "-o", whole).code != 0:
        pytest.skip(f"{suffix} is not written")
    content = whole.read_bytes()
    for size in (1, len(content) // 3, len(content) - 4):
        whole.write_bytes(content[:size])
        assert refused(whole).startswith("Malformed at ")


class Bomb:
    """Writes a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return (open, (str(self.target), "w"))


@pytest.mark.parametrize("name", ["net.pt", "net.pkl", "net.pth", "net.npz"])
def test_a_pickle_that_runs_code_does_not(tmp_path: Path, name: str) -> None:
    path, target = tmp_path / name, tmp_path / "ran"
    path.write_bytes(pickle.dumps({"A": Bomb(target)}))
    assert orbitproof("certify", path).code == 2
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"A": Bomb(target)}, protocol=2))
        archive.writestr("archive/version", "3\n")
    assert refused(path).startswith(("Malformed at ", "Unsupported at "))
    np.savez(tmp_path / "object.npz", A=np.array([Bomb(target)], dtype=object))
    assert refused(tmp_path / "object.npz").startswith("Malformed at ")
    assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target))).close()  # noqa: S301 - the bomb is real
    assert target.exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent.json").splitlines() == [
        "Malformed at absent.json, the file can be read",
        "  expected  a readable file",
        "  got       No such file or directory",
    ]
    (tmp_path / "folder.json").mkdir()
    assert "  got       a folder or a device\n" in refused(tmp_path / "folder.json")
    (tmp_path / "net.txt").write_text("{}", encoding="utf-8")
    assert refused(tmp_path / "net.txt").startswith("Unsupported at net.txt, a known file format\n")


@pytest.mark.parametrize("verb", ["check", "explain"])
def test_certificates_that_are_none(tmp_path: Path, verb: str) -> None:
    (tmp_path / "empty.cert").touch()
    (tmp_path / "noise.cert").write_bytes(bytes(range(256)) + b"\n")
    for name, got in (("absent.cert", "No such file or directory"), ("", "Is a directory"), ("empty.cert", "an empty file")):
        done = orbitproof(verb, tmp_path / name)
        assert (done.code, f"  got       {got}\n" in done.out) == (2, True)
    assert orbitproof(verb, tmp_path / "noise.cert").out.startswith("Malformed at line 1")


def test_certificates_cut_or_without_steps(tmp_path: Path) -> None:
    path = tmp_path / "c.cert"
    orbitproof("certify", saved(tmp_path, lozi()), "--claim", "cycles", "--period", 1, "-o", path)
    lines = path.read_bytes().splitlines(keepends=True)
    for kept, code, word in (
        (lines[:-1], 2, "a closing line"),
        ([lines[0], b'{"end":0}\n'], 1, "a claim that some step concludes"),
        ([*lines[:-1], lines[-1][:-2]], 2, "Malformed"),
        ([*lines, lines[-1]], 2, "nothing after the closing line"),
    ):
        path.write_bytes(b"".join(kept))
        done = orbitproof("check", path)
        assert (done.code, word in done.out) == (code, True), done.out
    header = json.loads(lines[0])
    path.write_bytes(json.dumps({**header, "claims": []}).encode() + b'\n{"end":0}\n')
    assert orbitproof("check", path).code == 2


@pytest.mark.parametrize("period", [0, -1, 100_001, 10**9, 10**30])
def test_periods_that_are_none(tmp_path: Path, period: int) -> None:
    path = saved(tmp_path, lozi())
    for arguments in (["certify", path, "--period", period], ["cycles", path, "--up-to", period]):
        done = orbitproof(*arguments)
        assert done.code == 2
        assert done.out in {
            f"Malformed at period, a possible period\n  expected  an integer from 1 to 100000\n  got       {period}\n",
            "",  # an integer that the option parser itself refuses
        }
        assert done.out or done.err


def test_a_large_period_ends(tmp_path: Path) -> None:
    done = orbitproof("cycles", saved(tmp_path, dict(TENT)), "--up-to", 5_000, "--budget", 1, "--json")
    assert (done.code, done.json()["complete"]) in {(0, False), (3, False)}


def test_unknown_names(tmp_path: Path) -> None:
    path = saved(tmp_path, {key: value for key, value in CONTRACTION.items() if key != "model"})
    assert "perceptron" in refused(path, "--model", "perceptron")
    assert refused(path, "--model", "plrnn", "--set", "colour=red").splitlines()[0] == "Malformed at net.json, key colour, known settings"
    assert refused(path, "--model", "plrnn", "--set", "P").startswith("Malformed at --set, settings\n")
    assert refused(saved(tmp_path, {**CONTRACTION, "model": "lstm"})).startswith(("Malformed", "Unsupported"))


@pytest.mark.parametrize("text", ["0", "-1", "abc", "nan", "inf", "1/0", "1e99999"])
def test_radii_that_are_none(tmp_path: Path, text: str) -> None:
    done = orbitproof("certify", saved(tmp_path, dict(CONTRACTION)), "--radius", text)
    assert done.code == 2
    assert done.out.startswith(("Malformed at radius, a positive radius\n", "Malformed at --radius, exact numbers\n"))


def test_a_radius_that_makes_the_claim_false(tmp_path: Path) -> None:
    for net, claim in ((CONTRACTION, "order"), (CONTRACTION, "cycles"), (TENT, "chaos"), (lozi(), "cycles")):
        done = orbitproof("certify", saved(tmp_path, dict(net)), "--claim", claim, "--radius", 10, "--json")
        letter = done.json()
        assert (done.code, letter["verdict"], letter["decision"]) == (3, "NotFound", "undecided")
        assert letter["got"]
        assert letter["remedy"] == "a smaller --radius, or none"


def test_a_zero_network(tmp_path: Path) -> None:
    path = saved(tmp_path, {"model": "plrnn", "A": [0, 0], "W": [[0, 0], [0, 0]], "h": [0, 0]})
    content = orbitproof("certify", path, "--json").json()
    assert (content["verdict"], content["decision"]) == ("Proved", "ordered")
    assert [(c["period"], c["points"], c["stability"], c["margin"]) for c in content["cycles"]] == [
        (1, [[["0", "0"], ["0", "0"]]], None, 0.0)
    ]
    assert orbitproof("cycles", path, "--up-to", 3, "--json").json()["cycles_by_least_period"] == {"1": 1}


def test_the_identity_is_a_continuum_of_fixed_points(tmp_path: Path) -> None:
    done = orbitproof("cycles", saved(tmp_path, {"model": "plrnn", "A": [1, 1], "W": [[0, 0], [0, 0]], "h": [0, 0]}), "--up-to", 2)
    assert done.code == 3
    assert "unresolved   period 1, itinerary " in done.out
    assert re.fullmatch(r"NotFound  no cycle of least period at most 2 was found in \d+ starts; that excludes none", done.last)


def test_duplicate_and_empty_rows(tmp_path: Path) -> None:
    shallow: dict[str, object] = {"model": "shallow_plrnn", "A": [0.5, -0.5], "W1": [[1, -2], [1, 1]], "h1": [0.1, 0.2]}
    for rows, offsets in (([[1, 1], [1, 1]], [-0.5, -0.5]), ([[1, 1], [0, 0]], [-0.5, 1]), ([[1, 1], [-1, -1]], [-0.5, 0.5])):
        content = orbitproof("cycles", saved(tmp_path, {**shallow, "W2": rows, "h2": offsets}), "--up-to", 3, "--json").json()
        assert content["verdict"] == "Proved"
        words = [tuple(cycle["itinerary"]) for cycle in content["cycles"] if cycle["itinerary"]]
        assert len(words) == len(set(words))


@pytest.mark.parametrize("scale", [1e150, 1e-300, 5e-324])
def test_huge_and_tiny_weights(tmp_path: Path, scale: float) -> None:
    s = scale
    path = saved(tmp_path, {"model": "plrnn", "A": [s, s], "W": [[s, -s], [s, s]], "h": [s, -s]})
    done = orbitproof("certify", path, "--budget", 3)
    assert done.code == 0
    assert done.last.startswith("Proved  F has exactly one fixed point")
    assert ("any other biases" in done.last) == (s > 1)
