"""What is written is what is read, in every format, bit for bit."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from proofs.errors import Malformed, OrbitproofError
from tests.verify.formats.helpers import WRITABLE, letter, sample
from verify import formats
from verify.errors import Unsupported
from verify.formats import Stored, files, mat, read, write
from verify.formats.stored import same_array

FLOATS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
ARRAYS = st_numpy.arrays(np.float64, st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3), elements=FLOATS)
FRACTIONS = st.lists(st.fractions(), min_size=1, max_size=4)
ALL_BUT_JSON = tuple(suffix for suffix in WRITABLE if suffix != ".json")


@pytest.mark.parametrize("suffix", WRITABLE)
def test_everything_comes_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"net{suffix}"
    write(path, sample())
    found = read(path)
    assert found.same(sample())
    assert found.source == str(path)
    assert all(array.dtype == np.float64 and not array.flags.writeable for array in found.arrays.values())
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@settings(max_examples=40)
@given(ARRAYS)
def test_any_float64_comes_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("formats")
    for suffix in WRITABLE:
        path = folder / suffix[1:] / f"net{suffix}"
        path.parent.mkdir()
        write(path, Stored({"A": array}))
        found = (mat.load_here if suffix == ".mat" else read)(path).arrays["A"]
        # 0.0 + -0.0 is 0.0: a negative zero is read as zero
        assert found.tobytes() == (array + 0.0).tobytes(), suffix
        assert found.shape == array.shape


@settings(max_examples=40)
@given(FRACTIONS)
def test_any_fraction_comes_back_from_json(tmp_path_factory: pytest.TempPathFactory, entries: list[Fraction]) -> None:
    path = tmp_path_factory.mktemp("formats") / "net.json"
    array = np.array([*entries, None], dtype=object)[:-1]
    write(path, Stored({"A": array}))
    assert read(path).arrays["A"].tolist() == entries


@pytest.mark.parametrize("suffix", ALL_BUT_JSON)
def test_fractions_that_are_floats_are_written_as_floats(tmp_path: Path, suffix: str) -> None:
    stored = Stored({"A": np.array([Fraction(1, 4), Fraction(-3)], dtype=object)})
    write(tmp_path / f"net{suffix}", stored)
    assert read(tmp_path / f"net{suffix}").same(stored)


@pytest.mark.parametrize("suffix", ALL_BUT_JSON)
def test_fractions_that_are_no_floats_need_json(tmp_path: Path, suffix: str) -> None:
    stored = Stored({"A": np.array([Fraction(1, 4), Fraction(1, 3)], dtype=object)})
    text = letter(lambda: write(tmp_path / f"net{suffix}", stored))
    kind = {".npz": ".npz archive", ".safetensors": ".safetensors file", ".mat": ".mat file", ".bson": ".bson file"}.get(
        suffix, "torch file"
    )
    assert text == (
        f"Unsupported at {kind}, array A, the format holds float64 only\n  expected  numbers that are float64\n"
        "  got       1/3\n  remedy    write a .json file, which holds exact numbers"
    )
    assert not list(tmp_path.iterdir())


def test_a_fraction_beyond_float64_needs_json(tmp_path: Path) -> None:
    stored = Stored({"A": np.array([Fraction(10) ** 400, Fraction(1)], dtype=object)})
    with pytest.raises(Unsupported, match="the format holds float64 only"):
        write(tmp_path / "net.npz", stored)


def test_integer_and_small_float_arrays_are_written_as_what_they_are(tmp_path: Path) -> None:
    write(tmp_path / "net.npz", Stored({"A": np.array([1, 2]), "W": np.array([0.1], dtype=np.float32), "m": np.array([True])}))
    found = read(tmp_path / "net.npz").arrays
    assert found["A"].tolist() == [1.0, 2.0]
    assert found["W"].tolist() == [float(np.float32(0.1))]
    assert found["m"].tolist() == [1.0]


REFUSED: list[tuple[Stored, str]] = [
    (
        Stored({"W": np.array([[1.0, np.nan]])}),
        (
            "Malformed at net.npz, array W[0, 1], entries are finite\n  expected  finite numbers\n"
            "  got       nan (1 of 2 entries are not finite)\n"
            "  remedy    the network was saved after training diverged; take an earlier checkpoint"
        ),
    ),
    (
        Stored({"P": np.array([1.0])}),
        "Unsupported at net.npz, array P, this name is taken by a setting\n  expected  another name\n  got       'P'",
    ),
    (
        Stored({"__meta__": np.zeros(1)}),
        "Unsupported at net.npz, array __meta__, this name is taken by a setting\n  expected  another name\n  got       '__meta__'",
    ),
    (
        Stored({}, {"when": (1, 2)}),
        (
            "Unsupported at net.npz, settings, settings are kept as JSON\n"
            "  expected  text, numbers, lists and objects\n  got       {'when': (1, 2)}"
        ),
    ),
    (
        Stored({}, {"P": "two"}),
        "Malformed at net.npz, key P, settings have one type\n  expected  an integer\n  got       'two'",
    ),
    (
        Stored({"A": np.array(["x"])}),
        "Malformed at net.npz, array A, arrays hold real numbers\n  expected  floats or integers\n  got       dtype <U1",
    ),
    (
        Stored({"A": np.array([1, None])}),
        "Malformed at net.npz, array A, arrays hold real numbers\n  expected  Fraction entries\n  got       other Python objects",
    ),
    (
        Stored({"A\0": np.zeros(1)}),
        "Malformed at net.npz, names, text is Unicode\n  expected  no NUL and no lone surrogate\n  got       'A\\x00'",
    ),
]


@pytest.mark.parametrize(("stored", "text"), REFUSED, ids=[case[1].split(", ", 2)[1] for case in REFUSED])
def test_refuses_to_write_what_could_not_be_read(tmp_path: Path, stored: Stored, text: str) -> None:
    assert letter(lambda: write(tmp_path / "net.npz", stored)) == text
    assert not list(tmp_path.iterdir())


def test_writing_jld2_is_unsupported(tmp_path: Path) -> None:
    assert letter(lambda: write(tmp_path / "net.jld2", Stored({"A": np.zeros(1)}))) == (
        "Unsupported at a .jld2 file, JLD2 is written by Julia only\n  expected  another format\n  got       1 arrays\n"
        "  remedy    write .bson, which Julia's BSON.load reads, or .npz"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]) -> None:
    path = tmp_path / "net.json"
    write(path, sample())
    before = path.read_bytes()

    def interrupted(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(failure):
        write(path, Stored({"A": np.ones(5)}))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.json"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert letter(lambda: write(tmp_path / "no" / "net.json", sample())) == (
        "Malformed at net.json, the file can be written\n  expected  a folder that can be written to\n  got       No such file or directory"
    )


def test_written_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    for suffix in (".json", ".npz", ".safetensors", ".bson"):
        write(tmp_path / f"one{suffix}", sample())
        write(tmp_path / f"two{suffix}", sample())
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([suffix for suffix in formats.SUFFIXES if suffix not in {".mat", ".jld2"}]))
def test_any_bytes_end_in_an_answer(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    path = tmp_path_factory.mktemp("formats") / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises((Malformed, Unsupported)):
        read(path)


@settings(max_examples=60)
@given(st.data())
def test_damaged_bytes_end_in_an_answer(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from([suffix for suffix in WRITABLE if suffix != ".mat"]))
    path = tmp_path_factory.mktemp("formats") / f"net{suffix}"
    write(path, sample())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        found = read(path)
    except OrbitproofError as error:
        assert isinstance(error, (Malformed, Unsupported))  # noqa: PT017  (both outcomes are right)
    else:
        assert all(np.isfinite(array.astype(float)).all() for array in found.arrays.values())


def test_same_compares_values_not_types() -> None:
    halves = np.array([0.5, 1.0])
    exact = np.array([Fraction(1, 2), Fraction(1)], dtype=object)
    assert same_array(halves, exact)
    assert not same_array(halves, exact.reshape(2, 1))
    assert not Stored({"A": halves}).same(Stored({"B": halves}))
    assert not Stored({}, {"P": 1}).same(Stored({}, {"P": 2}))
    assert files.MAX_BYTES == 512 * 2**20
