"""MATLAB files of both kinds; the readers run apart, since scipy's crashes on damaged bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal, sample
from verify.formats import Stored, apart, mat, read, write

DAMAGED = "\n  remedy    the file is damaged, cut short or of another format; fetch it again"
HEAD = "Malformed at net.mat, the file follows its format\n"


def savemat(path: Path, content: dict[str, Any], **options: Any) -> None:  # noqa: ANN401  (scipy's own options)
    from scipy.io import savemat as save

    save(str(path), content, **options)


def hdf5(path: Path, **variables: tuple[str, np.ndarray]) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, (kind, array) in variables.items():
            file[name] = array
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: none".ljust(128))


@pytest.mark.parametrize("compress", [True, False])
def test_reads_what_matlab_has(tmp_path: Path, *, compress: bool) -> None:
    from scipy.sparse import csc_array

    content = {
        "A": csc_array(np.diag([0.5, 0.25])),
        "W": np.arange(6.0).reshape(2, 3),
        "h": np.array([[1.0], [2.0]]),
        "P": 2.0,
        "clipped": np.array([[True]]),
        "n": np.array([[3]], dtype=np.uint8),
        "model": "alrnn",
        "c": np.array([1, "x"], dtype=object),
        "s": {"a": 1},
    }
    savemat(tmp_path / "net.mat", content, do_compression=compress)
    found = read(tmp_path / "net.mat")
    assert found.arrays["A"].tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert found.arrays["W"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert found.arrays["h"].shape == (2, 1)
    assert found.arrays["n"].tolist() == [[3.0]]
    assert found.meta == {"P": 2, "clipped": True, "model": "alrnn", "ignored": ["c", "s"]}


def test_reads_version_73_in_the_right_order(tmp_path: Path) -> None:
    hdf5(
        tmp_path / "net.mat",
        W=("double", np.arange(6.0).reshape(3, 2)),
        P=("double", np.array([[2.0]])),
        model=("char", np.array([[ord(c)] for c in "plrnn"], dtype=np.uint16)),
        c=("cell", np.zeros(2)),
    )
    found = read(tmp_path / "net.mat")
    assert found.arrays["W"].tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
    assert found.meta == {"P": 2, "model": "plrnn", "ignored": ["c"]}


def test_an_external_link_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    hdf5(tmp_path / "net.mat")
    with h5py.File(tmp_path / "net.mat", "r+") as file:
        file["W"] = h5py.ExternalLink("/etc/passwd", "/W")
    assert letter(lambda: mat.load_here(tmp_path / "net.mat")) == (
        "Malformed at net.mat, array W, a file holds its own data\n  expected  data inside the file\n  got       a soft or external link"
    )


def test_other_headers(tmp_path: Path) -> None:
    assert refusal(tmp_path / "net.mat", b"something else entirely") == (
        f"{HEAD}  expected  a header that begins MATLAB 5.0 or MATLAB 7.3\n  got       b'something else enti'"
    )


def test_truncated_files(tmp_path: Path) -> None:
    write(tmp_path / "net.mat", sample())
    content = (tmp_path / "net.mat").read_bytes()
    for length in (130, 200, len(content) // 2, len(content) - 9):
        assert refusal(tmp_path / "net.mat", content[:length]).startswith(HEAD)


def test_a_file_cut_between_two_variables(tmp_path: Path) -> None:
    write(tmp_path / "net.mat", Stored({"A": np.ones(2), "W": np.ones((2, 2))}))
    content = (tmp_path / "net.mat").read_bytes()
    last = content.rindex(np.ones(4).tobytes()) - 56
    assert refusal(tmp_path / "net.mat", content[:last]) == (
        f"{HEAD}  expected  2 variables, as its settings say\n  got       no variable W\n  remedy    the file is cut short"
    )
    assert refusal(tmp_path / "net.mat", content[:128]) == f"{HEAD}  expected  at least one variable\n  got       none"


def test_a_variable_that_was_resized_in_matlab_has_its_new_shape(tmp_path: Path) -> None:
    from scipy.io import loadmat

    write(tmp_path / "net.mat", Stored({"A": np.ones(2), "h": np.ones(3)}))
    content = {name: value for name, value in loadmat(str(tmp_path / "net.mat")).items() if not name.startswith("__")}
    savemat(tmp_path / "net.mat", {**content, "A": np.ones((3, 3))})
    found = mat.load_here(tmp_path / "net.mat")
    assert (found.arrays["A"].shape, found.arrays["h"].shape) == ((3, 3), (3,))


def test_a_name_that_is_there_twice(tmp_path: Path) -> None:
    savemat(tmp_path / "net.mat", {"A": np.ones(2), "B": np.ones(2)})
    content = (tmp_path / "net.mat").read_bytes().replace(b"\1\0\1\0B", b"\1\0\1\0A")
    (tmp_path / "net.mat").write_bytes(content)
    expected = "Malformed at net.mat, names are unique\n  expected  every name once\n  got       A 2 times"
    assert letter(lambda: mat.load_here(tmp_path / "net.mat")) == expected


def test_entries_that_are_not_finite(tmp_path: Path) -> None:
    savemat(tmp_path / "net.mat", {"W": np.array([[1.0, np.nan]])})
    assert letter(lambda: read(tmp_path / "net.mat")) == (
        "Malformed at net.mat, array W[0, 1], entries are finite\n  expected  finite numbers\n"
        "  got       nan (1 of 2 entries are not finite)\n"
        "  remedy    the network was saved after training diverged; take an earlier checkpoint"
    )


def test_complex_numbers(tmp_path: Path) -> None:
    savemat(tmp_path / "net.mat", {"W": np.array([1j])})
    assert letter(lambda: mat.load_here(tmp_path / "net.mat")) == (
        "Malformed at net.mat, array W, arrays hold real numbers\n  expected  floats or integers\n  got       dtype complex128"
    )


def test_names_that_matlab_does_not_have(tmp_path: Path) -> None:
    for names, got in ((("1x",), "1x"), (("α",), "α"), (("a.b", "a_b"), "a_b"), (("x" * 64,), "x" * 64)):
        text = letter(lambda names=names: write(tmp_path / "net.mat", Stored({name: np.ones(1) for name in names})))  # type: ignore[misc]
        assert text == (
            f"Unsupported at .mat file, array {names[-1]}, MATLAB variable names\n"
            f"  expected  a letter, then letters, digits, underscores\n  got       {got}"
        )


def test_settings_that_were_changed(tmp_path: Path) -> None:
    for text, error in (("{", "JSONDecodeError"), ("{}", "KeyError"), ("[]", "TypeError"), ('{"arrays": {"A": 1}}', "TypeError")):
        savemat(tmp_path / "net.mat", {"orbitproof_settings": text})
        assert letter(lambda: mat.load_here(tmp_path / "net.mat")) == (
            "Malformed at net.mat, variable orbitproof_settings, settings beside the arrays\n"
            f"  expected  the JSON text that convert wrote\n  got       {error}"
        )


def test_a_reader_that_crashes_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "net.mat", sample())
    monkeypatch.setattr(apart, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert letter(lambda: read(tmp_path / "net.mat")) == (
        f"{HEAD}  expected  a complete .mat file\n  got       bytes at which the reader crashed{DAMAGED}"
    )


def test_a_reader_that_never_ends_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "net.mat", sample())
    monkeypatch.setattr(apart, "_CHILD", "import time; time.sleep(60)")
    monkeypatch.setattr(apart, "SECONDS", 0.2)
    assert letter(lambda: read(tmp_path / "net.mat")) == (
        f"{HEAD}  expected  a complete .mat file\n  got       bytes at which the reader did not end within 0.2 s{DAMAGED}"
    )


def test_an_interrupt_ends_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "net.mat", sample())

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path / "net.mat")


def test_the_published_plrnn(shared: Path) -> None:
    from scipy.io import loadmat

    path = shared / "cases" / "models" / "LorenzPLRNN.mat"
    found = read(path)
    assert {name: array.shape for name, array in found.arrays.items() if name in {"A", "W", "h"}} == {
        "A": (10, 10),
        "W": (10, 10),
        "h": (10, 1),
    }
    assert np.array_equal(found.arrays["W"], loadmat(path)["W"])
    assert np.count_nonzero(found.arrays["A"] - np.diag(np.diag(found.arrays["A"]))) == 0
    assert found.meta == {}
