"""B5 ``covering_graph``. A horseshoe in any dimension: strips of boxes that F maps right across boxes.

Statement   F has a compact invariant set with h(F) >= log r, and a periodic point following every loop of the graph.
Witness     unstable u >= 1; boxes N_a = {center + basis (eta, xi): |eta| <= 1, |xi| <= 1}, eta the first u coordinates;
            paths: from box a to box b in m steps along an itinerary (one pattern a step, m of them or more; optional), with the strip
            E = {(eta, xi) of N_a: eta = offset + tilt xi + width y, |y| <= 1, |xi| <= height}. A pattern may leave hinges open by ?,
            the same ones everywhere (their slope is then any in [0, 1]); forms (optional): linear forms in the
            coordinates of each box; a weight v for each box, rate r; optional bits.
Checks      1  1 <= u <= M; each basis nonsingular; paths between existing boxes
            2  |offset| + |tilt| + |width| < 1 row by row, height > 1: whatever comes to lie across N_a lies across E
            3  while it follows its itinerary, the strip keeps strictly off every border that a live hinge has there
            4  F^m maps E across N_b: in coordinates of N_b (y, xi / height) -> (U y + K xi + c, S y + R xi + d), and with V about U^-1
               |V| + |V K| + |V c| + |I - V U| < 1 and |S| + |R| + |d| < 1, row by row
            5  two strips of one box: their itineraries differ in a live letter at a common time, or one of the box's forms takes disjoint
               ranges on them (for u = 1 the form (1, 0, .., 0) is there without being named)
            6  r > 1, all v > 0; for every box the sum of r^-m v_b over its paths is at least v_a
Fails when  boxes are too large or too small for a strip to be mapped right across; a strip meets a border; the rate was rounded up.
Rests on    Zgliczynski, Gidea 2004 (JDE 202, 32-58): every chain N_a, E, N_b, .. of coverings is followed by an orbit, every loop by a
            periodic one. Paths of the graph part at a common time into disjoint compact sets, so (n, e)-separated orbits grow like r^n.
            F may be singular, not invertible, only continuous. The decision record on covering graphs proves what is special here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.reader import read_list, read_numbers
from proofs.space import CoveringGraph
from proofs.theorems.card import MAX_NUMBER_BITS, MAX_PERIOD, Application
from proofs.theorems.elimination import inverse
from proofs.theorems.lifted import chosen_rows, live_hinges, live_letters

if TYPE_CHECKING:
    from proofs.network import Piece
    from proofs.reader import Fields

    Word = tuple[str, ...]

MAX_STATES = 128
MAX_EXACT_STEPS = 256
MAX_ENTRIES = 2**26
MAX_PAIRS = 2**20
MAX_FORMS = 32
INVERSE_BITS = 64


@dataclass(frozen=True)
class Box:
    """A parallelepiped, the inverse of its basis, and forms in its coordinates."""

    center: Matrix
    basis: Matrix
    inverse: Matrix
    forms: Matrix


@dataclass(frozen=True)
class Strip:
    """A strip of a box in the box's coordinates: ``offset + frame [-1, 1]^M``."""

    start: int
    end: int
    steps: int
    itinerary: Word | None
    offset: Matrix
    frame: Matrix


def check(step: Application) -> CoveringGraph:
    """Verify one application; see the card above."""
    size = step.network.dimension
    unstable = step.witness.integer("unstable", 1, MAX_PERIOD)
    step.require(1, size <= MAX_STATES, f"at most {MAX_STATES} states", size)
    step.require(1, unstable <= size, f"at most {size} unstable directions", unstable)
    bits = step.bits()
    boxes = _boxes(step, unstable, bits)
    strips = [_strip(step, part, unstable, len(boxes)) for part in step.witness.objects("paths")]
    _require_room(step, strips, len(boxes), bits)
    follower = Follower(step, strips, bits)
    for number, strip in enumerate(strips, 1):
        _require_covering(step, number, follower.image(number, strip, boxes[strip.start]), boxes[strip.end], unstable)
    leaving: dict[int, list[Strip]] = defaultdict(list)
    for strip in strips:
        leaving[strip.start].append(strip)
    for start, group in leaving.items():
        _require_separate(step, boxes[start], group, follower.live)
    rate = _require_growth(step, leaving, len(boxes))
    return CoveringGraph(rate, unstable, len(boxes), len(strips))


def _require_room(step: Application, strips: list[Strip], boxes: int, bits: int | None) -> None:
    """Bound time and memory by what the witness shows."""
    size = step.network.dimension
    longest = max((len(strip.itinerary) for strip in strips if strip.itinerary is not None), default=0)
    furthest = max([longest, *(strip.steps for strip in strips)])
    step.require(3, bits is not None or furthest <= MAX_EXACT_STEPS, f"bits for paths over {MAX_EXACT_STEPS} steps", furthest)
    entries = longest * size * (size + step.network.hinges + 1) * (1 + (bits or MAX_EXACT_STEPS * 64) // 64)
    step.require(3, entries <= MAX_ENTRIES, f"itineraries whose maps take at most {MAX_ENTRIES} words of 64 bits", entries)
    sloped = sum(strip.steps for strip in strips if strip.itinerary is None)
    followed = sum(len(strip.itinerary) for strip in strips if strip.itinerary is not None)
    once = step.network.products + sum((bits or 64) ** 2 * len(m.mid) // 64 for op in step.network.program for m in op.matrices)
    patterns = len({pattern for strip in strips for pattern in strip.itinerary or ()})
    products = size**3 * (boxes + sloped) + (sloped + patterns) * once + followed * size * size * (size + step.network.hinges)
    grown = furthest * max((m.den.bit_length() for op in step.network.program for m in op.matrices), default=1)
    step.require_work(3, products, grown if bits is None else bits)


def _boxes(step: Application, unstable: int, bits: int | None) -> list[Box]:
    size = step.network.dimension
    parts = step.witness.objects("boxes")
    named: list[object] = step.witness.items("forms") if step.witness.has("forms") else [[]] * len(parts)
    counts = (len(parts), len(named))
    step.require(1, 0 < len(parts) == len(named), "boxes, and a list of forms for each or none at all", counts)
    boxes: list[Box] = []
    for number, (part, forms) in enumerate(zip(parts, named, strict=True), 1):
        center, basis = part.column("center", size), part.matrix("basis", (size, size))
        part.close()
        step.require_short_entries(1, Matrix.stacked([center.transposed(), basis]))
        step.require_work(1, len(parts) * size**3, size * max(basis.den, *(abs(v) for row in basis.mid for v in row)).bit_length())
        step.require(1, center.is_exact and basis.is_exact, f"box {number} without radii", "a radius")
        inverted = inverse(basis)
        step.require(1, inverted is not None, f"the basis of box {number} nonsingular", "a singular one")
        where = f"{step.witness.where}, field forms[{number - 1}]"
        rows = [list(read_numbers(form, where)) for form in read_list(forms, where)]
        fits = len(rows) <= MAX_FORMS and all(len(row) == size for row in rows)
        step.require(1, fits, f"at most {MAX_FORMS} forms of {size} coefficients", f"others for box {number}")
        rows += [[Fraction(int(i == 0)) for i in range(size)]] if unstable == 1 else []
        if inverted is not None:
            boxes.append(Box(center, basis, inverted.rounded(bits), Matrix.exact(rows)))
    return boxes


def _strip(step: Application, part: Fields, unstable: int, boxes: int) -> Strip:
    stable = step.network.dimension - unstable
    start, end = part.integer("from", 0, boxes - 1), part.integer("to", 0, boxes - 1)
    steps = part.integer("steps", 1, MAX_PERIOD)
    itinerary = part.texts("itinerary") if part.has("itinerary") else None
    offset, width = part.column("offset", unstable), part.matrix("width", (unstable, unstable))
    parts = [width, offset]
    height = Fraction(2)
    if stable:
        parts.append(part.matrix("tilt", (unstable, stable)))
        height = part.number("height")
    part.close()
    step.require(2, all(matrix.is_exact for matrix in parts), "strips without radii", part.where)
    step.require(2, height > 1, "height > 1", height)
    for row in range(unstable):
        reach = Fraction(0) + sum(abs(matrix.middle(row, column)) for matrix in parts for column in range(matrix.shape[1]))
        step.require(2, reach < 1, f"|offset| + |tilt| + |width| < 1 in row {row + 1} of {part.where}", reach)
    offset, frame = _frame(parts, height, stable)
    step.require_short_entries(2, frame)
    return Strip(start, end, steps, itinerary, offset, frame)


def _frame(parts: list[Matrix], height: Fraction, stable: int) -> tuple[Matrix, Matrix]:
    """Return the strip's middle and its frame [[width, height tilt], [0, height I]] in the coordinates of its box."""
    width, offset = parts[0], parts[1]
    unstable = len(width.mid)
    upper = [
        [width.middle(i, j) for j in range(unstable)] + [height * parts[2].middle(i, j) for j in range(stable)] for i in range(unstable)
    ]
    lower = [[height * (i == j - unstable) for j in range(unstable + stable)] for i in range(stable)]
    middle = [offset.middle(i) for i in range(unstable)] + [Fraction(0)] * stable
    return Matrix.column(middle), Matrix.exact([*upper, *lower])


class Follower:
    """Carries strips forward: along their itineraries (maps are kept for what a strip's has in common with the last one), or by slopes."""

    def __init__(self, step: Application, strips: list[Strip], bits: int | None) -> None:
        """Start with the identity; the first pattern says which hinges are open in all of them."""
        self._step, self._bits = step, bits
        network = step.network
        first = next((strip.itinerary[0] for strip in strips if strip.itinerary), "")
        self._open = {hinge for hinge, letter in enumerate(first) if letter == "?"}
        self.live = tuple(i for i in live_hinges(network) if i not in self._open) if network.is_piecewise_linear else ()
        self._pieces: dict[str, Piece] = {}
        self._word: list[str] = []
        self._maps = [(Matrix.identity(network.dimension), Matrix.column([Fraction(0)] * network.dimension))]
        self._gates: list[tuple[Matrix, Matrix]] = []

    def image(self, number: int, strip: Strip, box: Box) -> tuple[Matrix, Matrix]:
        """Return middle and frame of F^steps of the strip, an enclosure. **Raises:** Rejected (check 3) if it leaves its itinerary."""
        center, frame = box.center + box.basis @ strip.offset, box.basis @ strip.frame
        if strip.itinerary is None:
            return self._by_slopes(center, frame, strip.steps)
        word, step = strip.itinerary, self._step
        step.require(3, step.network.is_piecewise_linear, "itineraries for a program of affine, relu and add", "a smooth operation")
        step.require(3, strip.steps <= len(word) <= MAX_PERIOD, f"path {number}: at least {strip.steps} patterns", len(word))
        self._follow(word)
        for time, (pattern, (slopes, constants)) in enumerate(zip(word, self._gates, strict=True), 1):
            if not self.live:
                break
            middle, spread = slopes @ center + constants, slopes @ frame
            for unit, letter in enumerate(live_letters(self.live, pattern)):
                side = "> 0" if letter == "1" else "< 0"
                law = (f"path {number}: pre-activation of live hinge", unit + 1, "at time", time, side, "on the strip")
                holds = _beyond(middle, spread, unit, 1 if letter == "1" else -1)
                step.require(3, holds, law, "a range that reaches 0 or beyond", "narrower strips or another itinerary")
        linear, constant = self._maps[strip.steps]
        return linear @ center + constant, linear @ frame

    def _follow(self, word: Word) -> None:
        shared = 0
        while shared < min(len(word), len(self._word)) and word[shared] == self._word[shared]:
            shared += 1
        del self._word[shared:], self._maps[shared + 1 :], self._gates[shared:]
        for pattern in word[shared:]:
            linear, constant = self._maps[-1]
            piece = self._piece(pattern)
            gates, offsets = chosen_rows(piece.gates, self.live), chosen_rows(piece.gate_offsets, self.live)
            self._gates.append((gates @ linear, gates @ constant + offsets) if self.live else (gates, offsets))
            after = ((piece.jacobian @ linear).rounded(self._bits), piece.image(constant).rounded(self._bits))
            self._step.require_short_entries(3, Matrix.stacked([after[0].transposed(), after[1].transposed()]))
            self._maps.append(after)
            self._word.append(pattern)

    def _piece(self, pattern: str) -> Piece:
        if pattern not in self._pieces:
            known = {hinge for hinge, letter in enumerate(pattern) if letter == "?"} == self._open
            self._step.require(3, known, "the same open hinges in all patterns", pattern)
            self._pieces[pattern] = self._step.network.piece(pattern, "01?")
        return self._pieces[pattern]

    def _by_slopes(self, center: Matrix, frame: Matrix, steps: int) -> tuple[Matrix, Matrix]:
        """F^t(middle + frame x) = F^t(middle) + P x for some P between the products of secant slopes over boxes around the images."""
        for _ in range(steps):
            hull = Matrix.balls(
                [[center.middle(i)] for i in range(len(frame.mid))],
                [[center.radius(i) + Fraction(sum(row), frame.den)] for i, row in enumerate(frame.magnitudes().mid)],
            )
            slopes = self._step.network.jacobian(hull, self._bits)
            center, frame = self._step.network.image(center, self._bits), (slopes @ frame).rounded(self._bits)
            self._step.require_short_entries(4, Matrix.stacked([center.transposed(), frame.transposed()]))
        return center, frame


def _require_covering(step: Application, number: int, image: tuple[Matrix, Matrix], box: Box, unstable: int) -> None:
    frame = box.inverse @ image[1]
    shift = box.inverse @ (image[0] - box.center)
    top, bottom = range(unstable), range(unstable, len(frame.mid))
    upper, moved = chosen_rows(frame, top), chosen_rows(shift, top)
    stretched = upper.columns(0, unstable)
    exact_inverse = inverse(stretched.rounded(INVERSE_BITS))
    step.require(4, exact_inverse is not None, f"path {number}: a nonsingular unstable part", "a singular one")
    if exact_inverse is None:
        raise TypeError(exact_inverse)
    rounded = exact_inverse.rounded(INVERSE_BITS)
    back = Matrix(rounded.mid, None, rounded.den)
    error = Matrix.identity(unstable) - back @ stretched
    sheared = back @ upper.columns(unstable, len(frame.mid) - unstable)
    for row in top:
        reach = _row_sum(back, row) + _row_sum(sheared, row) + _row_sum(back @ moved, row) + _row_sum(error, row)
        law = f"path {number}: |V| + |V K| + |V c| + |I - V U| < 1 in row {row + 1}"
        step.require(4, reach < 1, law, reach, "a wider strip, or a smaller box at its end")
    for row in bottom:
        reach = _row_sum(frame, row) + _row_sum(shift, row)
        step.require(4, reach < 1, f"path {number}: |S| + |R| + |d| < 1 in row {row + 1}", reach, "a taller box at its end")


def _beyond(middle: Matrix, spread: Matrix, row: int, sign: int) -> bool:
    """Say whether sign times the row's value, spread over the box [-1, 1]^M, stays above 0."""
    least = sign * middle.mid[row][0] - (0 if middle.rad is None else middle.rad[row][0])
    reach = sum(map(abs, spread.mid[row])) + (0 if spread.rad is None else sum(spread.rad[row]))
    return least * spread.den > reach * middle.den


def _row_sum(matrix: Matrix, row: int) -> Fraction:
    total = sum(map(abs, matrix.mid[row])) + (0 if matrix.rad is None else sum(matrix.rad[row]))
    return Fraction(total, matrix.den)


def _require_separate(step: Application, box: Box, strips: list[Strip], live: tuple[int, ...]) -> None:
    ranges = [_ranges(box.forms, strip) for strip in strips]
    words = [None if s.itinerary is None else tuple(live_letters(live, pattern) for pattern in s.itinerary) for s in strips]
    for i, j in _unparted(step, words):
        apart = any(one[1] < two[0] or two[1] < one[0] for one, two in zip(ranges[i], ranges[j], strict=True))
        where = f"strips {i + 1} and {j + 1} of box {strips[i].start + 1}"
        step.require(5, apart, f"{where} told apart by a letter at a common time or by a form", "neither", "drop one of the two")


def _unparted(step: Application, words: list[Word | None]) -> list[tuple[int, int]]:
    """Return the pairs that do not differ at a common time: one word begins with the other, or one has no word."""
    known = sorted((word, i) for i, word in enumerate(words) if word is not None)
    unknown = {i for i, word in enumerate(words) if word is None}
    few = len(unknown) * len(words) <= MAX_PAIRS
    step.require(5, few, f"at most {MAX_PAIRS} pairs of strips to be told apart by forms", "more")
    pairs = [(i, j) for i in unknown for j in range(len(words)) if j not in unknown or i < j]
    for place, (word, i) in enumerate(known):
        end = place + 1
        while end < len(known) and known[end][0][: len(word)] == word:
            pairs.append((i, known[end][1]))
            end += 1
        step.require(5, len(pairs) <= MAX_PAIRS, f"at most {MAX_PAIRS} pairs of strips to be told apart by forms", "more")
    return pairs


def _ranges(forms: Matrix, strip: Strip) -> list[tuple[Fraction, Fraction]]:
    if not forms.mid:
        return []
    middle, spread = forms @ strip.offset, forms @ strip.frame
    reaches = [_row_sum(spread, row) for row in range(len(forms.mid))]
    return [(middle.middle(row) - reach, middle.middle(row) + reach) for row, reach in enumerate(reaches)]


def _require_growth(step: Application, leaving: dict[int, list[Strip]], boxes: int) -> Fraction:
    weights, rate = step.witness.numbers("weights"), step.witness.number("rate")
    step.require(6, len(weights) == boxes and all(v > 0 for v in weights), f"{boxes} positive weights", len(weights))
    step.require(6, rate > 1, "a rate > 1", rate)
    step.require_short_column(6, weights)
    for box, weight in enumerate(weights):
        longest = max((strip.steps for strip in leaving[box]), default=0)
        size = longest * (rate.numerator.bit_length() + rate.denominator.bit_length())
        step.require(6, size <= MAX_NUMBER_BITS, f"powers of the rate of at most {MAX_NUMBER_BITS} bits", size, "a shorter rate")
        totals: dict[int, Fraction] = defaultdict(Fraction)
        for strip in leaving[box]:
            totals[strip.steps] += weights[strip.end]
        growth = sum((total * rate ** (longest - steps) for steps, total in totals.items()), Fraction(0))
        law = f"the sum of r^-m v over the paths from box {box + 1} at least its weight"
        step.require(6, growth >= weight * rate**longest, law, "less", "a lower rate")
    return rate
