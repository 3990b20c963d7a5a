"""NumPy archives: every dtype that is exact, none that runs code, no bomb."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal, sample
from verify.formats import files, read, write

DAMAGED = "\n  remedy    the file is damaged, cut short or of another format; fetch it again"
FORMAT = "the file follows its format"


class Marker:
    """Unpickling this creates the file it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(self.path), "w"))


def archive(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def test_reads_what_numpy_saves(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    matrix = np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))
    np.savez_compressed(path, W=matrix, P=np.array(2), model=np.array("alrnn"), clipped=np.array(True), mask=np.array([True, False]))
    found = read(path)
    assert found.arrays["W"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert found.arrays["mask"].tolist() == [1.0, 0.0]
    assert found.meta == {"P": 2, "model": "alrnn", "clipped": True}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "i1", "u2", "i4", "i8", "u8"])
def test_number_types_are_read_exactly(tmp_path: Path, dtype: str) -> None:
    np.savez(tmp_path / "net.npz", A=np.array([0, 1, 3], dtype=dtype))
    assert read(tmp_path / "net.npz").arrays["A"].tolist() == [0.0, 1.0, 3.0]


def test_an_integer_that_no_float64_equals(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", A=np.array([[2**53, 2**53 + 1]]))
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        "Malformed at net.npz, array A[0, 1], entries are exact in float64\n"
        "  expected  a number with at most 53 significant bits\n  got       9007199254740993\n"
        '  remedy    write the number as a string in a .json file, e.g. "9007199254740993"'
    )


def test_a_long_double_that_no_float64_equals(tmp_path: Path) -> None:
    third = np.longdouble(1) / 3
    if float(third) == third:
        pytest.skip("long double is float64 here")
    np.savez(tmp_path / "net.npz", A=np.array([np.longdouble(0.5)]), h=np.array([third]))
    assert letter(lambda: read(tmp_path / "net.npz")).startswith("Malformed at net.npz, array h[0], entries are exact in float64\n")


@pytest.mark.parametrize(("entry", "word"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_entries_that_are_not_finite(tmp_path: Path, entry: float, word: str) -> None:
    np.savez(tmp_path / "net.npz", W=np.array([[1, 2], [entry, entry]]))
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        f"Malformed at net.npz, array W[1, 0], entries are finite\n  expected  finite numbers\n"
        f"  got       {word} (2 of 4 entries are not finite)\n"
        "  remedy    the network was saved after training diverged; take an earlier checkpoint"
    )


@pytest.mark.parametrize(("array", "word"), [(np.ones(2, dtype=complex), "complex128"), (np.array(["x", "y"]), "<U1")])
def test_arrays_that_are_no_real_numbers(tmp_path: Path, array: np.ndarray, word: str) -> None:
    np.savez(tmp_path / "net.npz", A=array)
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        f"Malformed at net.npz, array A, arrays hold real numbers\n  expected  floats or integers\n  got       dtype {word}"
    )


def test_pickled_objects_are_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    np.savez(tmp_path / "net.npz", A=np.array([Marker(marker)], dtype=object))
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        "Malformed at net.npz, array A, arrays hold real numbers\n  expected  floats or integers\n  got       Python objects\n"
        "  remedy    save plain float arrays; an object array is a pickle, which could run code"
    )
    assert not marker.exists()


def test_bytes_that_are_no_zip(tmp_path: Path) -> None:
    assert refusal(tmp_path / "net.npz", b"no zip at all") == (
        f"Malformed at net.npz, {FORMAT}\n  expected  a complete .npz archive\n"
        f"  got       bytes at which the reader stopped (BadZipFile){DAMAGED}"
    )


def test_a_truncated_archive(tmp_path: Path) -> None:
    write(tmp_path / "net.npz", sample())
    content = (tmp_path / "net.npz").read_bytes()
    for length in range(1, len(content), 97):
        assert refusal(tmp_path / "net.npz", content[:length]).startswith(f"Malformed at net.npz, {FORMAT}\n")


def test_a_changed_byte_fails_its_checksum(tmp_path: Path) -> None:
    archive(tmp_path / "net.npz", **{"A.npy": npy(np.array([1.5]))})
    content = (tmp_path / "net.npz").read_bytes().replace(np.array([1.5]).tobytes(), np.array([2.5]).tobytes())
    assert refusal(tmp_path / "net.npz", content) == (
        "Malformed at net.npz, checksums\n  expected  the checksum of every member\n  got       another one for A.npy\n"
        "  remedy    the file is damaged; fetch it again"
    )


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    with zipfile.ZipFile(tmp_path / "net.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("A.npy", bytes(2**21))
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        "Malformed at net.npz, size limit\n  expected  at most 1048576 bytes after unpacking\n  got       2097152 bytes declared"
    )


def test_a_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    honest = npy(np.zeros(2))
    archive(tmp_path / "net.npz", **{"A.npy": honest.replace(b"(2,), ", b"(2**9,", 1)})
    assert "(TokenError)" in letter(lambda: read(tmp_path / "net.npz"))
    archive(tmp_path / "net.npz", **{"A.npy": honest.replace(b"(2,)", b"(9,)", 1)})
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        f"Malformed at net.npz, array A, {FORMAT}\n  expected  16 bytes of entries\n  got       shape (9,) of float64"
    )
    archive(tmp_path / "net.npz", **{"A.npy": honest + b"x"})
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        f"Malformed at net.npz, array A, {FORMAT}\n  expected  17 bytes of entries\n  got       shape (2,) of float64"
    )


def test_names_must_be_unique_and_end_in_npy(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as file:
        file.writestr("A.npy", npy(np.zeros(1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("A.npy", npy(np.ones(1)))
    expected = "Malformed at net.npz, names are unique\n  expected  every member once\n  got       A.npy 2 times"
    assert letter(lambda: read(tmp_path / "net.npz")) == expected
    archive(tmp_path / "net.npz", **{"A.txt": b"1"})
    expected = f"Malformed at net.npz, {FORMAT}\n  expected  members named NAME.npy\n  got       A.txt"
    assert letter(lambda: read(tmp_path / "net.npz")) == expected


def test_settings_that_are_no_json(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", __meta__=np.array("{"))
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        "Malformed at net.npz, key __meta__, settings beside the arrays\n  expected  JSON text\n  got       '{'"
    )
    np.savez(tmp_path / "net.npz", __meta__=np.array('{"meta": {"x": NaN}}'))
    assert letter(lambda: read(tmp_path / "net.npz")).startswith("Malformed at net.npz, key __meta__, settings beside the arrays\n")
    np.savez(tmp_path / "net.npz", __meta__=np.zeros(3))
    assert letter(lambda: read(tmp_path / "net.npz")).startswith("Malformed at net.npz, key __meta__, settings beside the arrays\n")
