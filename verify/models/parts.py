"""What a family asks of its arrays and settings, checked once; and the exact matrices its builder works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import MAX_DIMENSION, Network
from verify.errors import Unsupported
from verify.formats.stored import exact_array
from verify.models import blocks
from verify.models.exact import exact, widened

INPUT_SHAPES = {"C": "M x K", "input": "K"}
Anchor = tuple[str, int | None]
_MATRIX = 2
_FIXED = {"input", "state"}  # no parameters: a radius leaves them alone


@dataclass(frozen=True)
class Parts:
    """The checked arrays and settings of one network, and the radius around every stored parameter."""

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, object]
    radius: Fraction = Fraction(0)

    def __getitem__(self, name: str) -> Matrix:
        """Return an array as a matrix (a vector as a column), with the radius around every entry."""
        found = exact(self.arrays[name])
        return found if name in _FIXED else widened(found, self.radius)

    def size(self, name: str) -> int:
        """Return the number of rows of an array."""
        return len(self.arrays[name])

    def square(self, name: str, size: int) -> Matrix:
        """Return a matrix given as such, as its diagonal, or as one number times the identity; zeros off a diagonal are structural."""
        if self.arrays[name].ndim > 1:
            return self[name]
        column = self[name]
        return blocks.diagonal(column if column.shape[0] == size else blocks.repeated(column, size))

    def bias(self, name: str) -> Matrix:
        """Return a bias with the constant input folded in: h + C input."""
        return self[name] + self.inflow if "input" in self.arrays else self[name]

    @property
    def inflow(self) -> Matrix:
        """Return C input; only where there is an input."""
        return self["C"] @ self["input"]


@dataclass(frozen=True)
class Family:
    """One architecture: its formula, the shapes of its arrays, its settings, and its builder.

    ``shapes`` names each array's shape in letters, alternatives joined by " or "; ``anchors`` says from which array a letter is read:
    the length of a vector (axis None), or the rows (0) or columns (1) of a matrix. ``settings`` are words that must be in meta.
    """

    formula: str
    shapes: Mapping[str, str]
    anchors: Mapping[str, Anchor]
    build: Callable[[Parts], Network]
    settings: tuple[str, ...] = ()
    optional: Mapping[str, str] = field(default_factory=lambda: INPUT_SHAPES)


def check_arrays(family: Family, arrays: Mapping[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
    """Return the family's arrays in their canonical shapes.

    **Raises** Malformed: an absent or empty array, an entry that is no finite real number, or a shape that does not fit, by name;
    Unsupported: an input matrix without an input.
    """
    _check_input(family, arrays, place)
    shapes = {**family.shapes, **{name: shape for name, shape in family.optional.items() if name in arrays}}
    found = {name: check_entries(name, arrays.get(name), shape, place) for name, shape in shapes.items()}
    anchors: dict[str, Anchor] = {**family.anchors, **({"K": ("input", None)} if "input" in found else {})}
    sizes = {letter: _extent(found[name], name, axis, letter, place) for letter, (name, axis) in anchors.items()}
    if sizes.get("M", 1) > MAX_DIMENSION:
        where = f"{place}, array {anchors['M'][0]}"
        raise Malformed(where=where, law="network size", expected=f"M at most {MAX_DIMENSION}", got=str(sizes["M"]))
    return {name: _fitted(found[name], name, shape, sizes, anchors, place) for name, shape in shapes.items()}


def _check_input(family: Family, arrays: Mapping[str, np.ndarray], place: str) -> None:
    if "C" in arrays and "input" not in arrays and "C" in family.optional:
        law, remedy = "an input-driven model needs its input", 'give the constant input: "input": [...] in the file, or --set input=0.5,0'
        raise Unsupported(where=f"{place}, array C", law=law, expected="input, the constant external input", got="none", remedy=remedy)
    if "input" in arrays and "C" not in arrays and "C" in family.optional:
        law = "an input enters through C"
        raise Malformed(where=f"{place}, array input", law=law, expected="an array C of shape M x K beside it", got="none")


def check_entries(name: str, array: np.ndarray | None, shape: str, place: str) -> np.ndarray:
    """Return an array of finite real numbers that has at least one entry. **Raises** Malformed."""
    if array is None:
        raise Malformed(where=place, law="arrays of the family", expected=f"an array {name} of shape {shape}", got="none")
    where = f"{place}, array {name}"
    found = exact_array(where, np.asarray(array))
    if found.size == 0:
        raise Malformed(where=where, law="array shapes", expected=f"{shape}, every length at least 1", got=shape_text(found.shape))
    return found


def fit(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return ``array`` in ``shape`` if they agree but for axes of length 1, else None."""
    same = [n for n in array.shape if n > 1] == [n for n in shape if n > 1]
    if array.ndim == len(shape):
        same = array.shape == shape
    return array.reshape(shape) if same else None


def shape_text(shape: tuple[int, ...]) -> str:
    """Spell a shape as errors do: ``20 x 20``, ``20``, ``one number``."""
    return " x ".join(map(str, shape)) or "one number"


def _extent(array: np.ndarray, name: str, axis: int | None, letter: str, place: str) -> int:
    if axis is None and sum(n > 1 for n in array.shape) <= 1:
        return array.size
    if axis is not None and array.ndim == _MATRIX:
        return int(array.shape[axis])
    expected = f"a vector of {letter} entries" if axis is None else f"a matrix, {letter} its {('rows', 'columns')[axis]}"
    raise Malformed(where=f"{place}, array {name}", law="array shapes", expected=expected, got=shape_text(array.shape))


def _fitted(array: np.ndarray, name: str, text: str, sizes: Mapping[str, int], anchors: Mapping[str, Anchor], place: str) -> np.ndarray:
    options = [tuple(sizes.get(letter, 1) for letter in option.split(" x ")) for option in text.split(" or ")]
    fitted = [found for option in options if (found := fit(array, option)) is not None]
    if fitted:
        return fitted[0]
    letters = [letter for letter in sizes if letter in text.replace(" x ", " ").split()]
    origins = ", ".join(f"{letter} = {sizes[letter]} from {anchors[letter][0]}" for letter in letters)
    raise Malformed(
        where=f"{place}, array {name}",
        law="array shapes",
        expected=f"{text} = {' or '.join(map(shape_text, options))} ({origins})",
        got=shape_text(array.shape),
    )
