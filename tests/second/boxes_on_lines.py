"""The card of all cycles in a box on a line of networks (E4), naively: the tree of words walked with exact intervals of Fractions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from tests.second import boxes
from tests.second.cards import Step
from tests.second.event_truth import family
from tests.second.events import ranged, read_breaks
from tests.second.families import claim_on
from tests.second.nets import Net
from tests.second.text import Json, integer, items, need, number, numbers, spell, take
from tests.second.words import Words, cycles_of

MOST_PERIOD = 64
MOST_PARTS = 1024
MOST_BITS = 20_000
MOST_MULTIPLIER = 10**18
MOST_WORDS = 300  # that are enumerated at one mu
SAMPLES = 4


def cycles_on(step: Step) -> dict:
    """E4: all cells of the stretch."""
    line, fields = step.cite("line"), step.fields("up_to box breaks bits cells")
    need(step.net.linear, "a smooth network")
    up_to = integer(fields["up_to"], 1, MOST_PERIOD)
    integer(fields["bits"], 8, MOST_BITS)
    ends = [numbers(part) for part in items(fields["box"])]
    need(len(ends) == 2 and all(len(part) == step.net.dimension for part in ends), "a box")
    need(all(a <= b for a, b in zip(*ends, strict=True)), "a box upside down")
    breaks, cells = read_breaks(fields, line), items(fields["cells"])
    need(len(cells) == len(breaks) - 1, "a cell between breaks")
    live = reaching(ranged(step.net, line, (breaks[0], breaks[-1])))
    found: set = set()
    residual: set = set()
    for pair, nodes in zip(pairwise(breaks), cells, strict=True):
        walk = Walk(step.net, line, pair, live, up_to, list(zip(*ends, strict=True)), items(nodes)[::-1])
        walk.letters([], "", [walk.box])
        need(walk.nodes == [], "a node is left over")
        found |= walk.words
        residual |= walk.residual
    told = {
        "up_to": up_to,
        "box_low": [spell(x) for x in ends[0]],
        "box_high": [spell(x) for x in ends[1]],
        "words": named(found - residual, live, step.net.hinges),
        "residual": named(residual, live, step.net.hinges),
    }
    return claim_on(line, "cycles_on", breaks[0], breaks[-1], told)


def named(words: set, live: list, hinges: int) -> list:
    """Return words over all hinges, shorter ones first."""
    spelled = [[full(letter, live, hinges) for letter in word] for word in words]
    return sorted(spelled, key=lambda word: (len(word), word))


def full(letter: str, live: list, hinges: int) -> str:
    """Return a letter with ? at every hinge that it does not decide."""
    known = dict(zip(live, letter, strict=False))
    return "".join(known.get(hinge, "?") for hinge in range(hinges))


def reaching(net: Net) -> list:
    """Return the hinges on whose output F depends for some network, from the last register back to the first."""
    sizes = [len(register) for register in net.registers([boxes.ZERO] * net.dimension)[0]]
    wanted = [set[int]() for _ in sizes]
    wanted[-1] = set(range(sizes[-1]))
    relus = [i for i, (name, *_) in enumerate(net.program, 1) if name == "relu"]
    for i, (name, of, matrices, _) in reversed(list(enumerate(net.program, 1))):
        for place, register in enumerate(of):
            if name == "affine":
                rows = [matrices[place][row] for row in wanted[i]]
                wanted[register] |= {j for row in rows for j, x in enumerate(row) if x != boxes.ZERO}
            else:
                wanted[register] |= wanted[i]
    units = [(i, unit) for i in relus for unit in range(sizes[i])]
    return [hinge for hinge, (i, unit) in enumerate(units) if unit in wanted[i]]


def degree(net: Net, line: dict) -> int:
    """Return a bound of the degree in mu of the pieces, by counting the moving operations on each way."""
    degrees = [0]
    for (name, of, matrices, bias), (_, _, others, other) in zip(net.program, line["net"].program, strict=True):
        given = [degrees[i] for i in of]
        if name == "affine":
            given = [d + (a != b) for d, a, b in zip(given, matrices, others, strict=True)] + [int(bias != other)]
        degrees.append(max(given))
    return degrees[-1]


@dataclass
class Walk:
    """The walk through the tree of one cell."""

    net: Net
    line: dict
    ends: tuple
    live: list
    up_to: int
    box: list
    nodes: list
    words: set = field(default_factory=set)
    residual: set = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take the networks of the whole cell and, where they say all, those at its two ends."""
        affine = degree(self.net, self.line) <= 1
        self.cases = [ranged(self.net, self.line, (mu, mu)) for mu in self.ends] if affine else [ranged(self.net, self.line, self.ends)]

    def node(self) -> Json:
        """Return the next node."""
        need(len(self.nodes) > 0, "a node is missing")
        return self.nodes.pop()

    def letters(self, word: list, bits: str, around: list) -> None:
        """Decide the next bit of the next letter, or end it."""
        if len(bits) == len(self.live):
            self.ended([*word, bits], around)
            return
        hinge, letter = self.live[len(bits)], full(bits, self.live, self.net.hinges)
        told = [(rows[hinge], constants[hinge]) for _, _, rows, constants in (net.piece(letter) for net in self.cases)]
        for bit in "10":
            here = [*word, bits + bit]
            box = cut(around[-1], told, bit)
            if box is None or not starts(here, len(self.live)):
                continue
            node = self.node()
            if isinstance(node, dict):
                self.refuted(here, [*around[:-1], box], node, closes=False)
            else:
                integer(node, 1, 1)
                self.letters(word, bits + bit, [*around[:-1], box])

    def ended(self, word: list, around: list) -> None:
        """Close the word where it is a necklace, and go on."""
        letter = full(word[-1], self.live, self.net.hinges)
        values = [
            [boxes.add(boxes.total(map(boxes.mul, row, around[-1])), c) for row, c in zip(slope, offset, strict=True)]
            for slope, offset, _, _ in (net.piece(letter) for net in self.cases)
        ]
        hull = [(min(a for a, _ in found), max(b for _, b in found)) for found in zip(*values, strict=True)]
        image = [(max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(hull, self.box, strict=True)]
        if any(a > b for a, b in image):
            return
        if is_necklace(word):
            self.closed(word, [*around, image])
        if len(word) < self.up_to:
            self.letters(word, "", [*around, image])

    def closed(self, word: list, around: list) -> None:
        """Say what closes along a necklace."""
        node = self.node()
        if isinstance(node, dict):
            self.refuted(word, around, node, closes=True)
            return
        parts = integer(node, 0, MOST_PARTS)
        if parts == 0:
            self.residual.add(tuple(word))
            return
        low, step = self.ends[0], (self.ends[1] - self.ends[0]) / parts
        need(all(self.regular(word, (low + i * step, low + (i + 1) * step)) for i in range(parts)), "a word that may be singular")
        if is_primitive(word):
            self.words.add(tuple(word))

    def regular(self, word: list, part: tuple) -> bool:
        """Say whether |I - C (I - P)| < 1 for all networks of a part, C the inverse of the middle of I - P."""
        one = boxes.eye(self.net.dimension)
        here = boxes.minus(one, self.product(word, part))
        middle = [[(a + b) / 2 for a, b in row] for row in here]
        if boxes.det(middle) == 0:
            return False
        columns = [boxes.solve(middle, [Fraction(i == j) for i in range(len(one))]) or [] for j in range(len(one))]
        inverse = [[boxes.point(column[i]) for column in columns] for i in range(len(one))]
        return boxes.norm(boxes.minus(one, boxes.times(inverse, here))) < 1

    def product(self, word: list, ends: tuple) -> list:
        """Return P for all networks of a range."""
        net, total = ranged(self.net, self.line, ends), boxes.eye(self.net.dimension)
        for letter in word:
            total = boxes.times(net.piece(full(letter, self.live, self.net.hinges))[0], total)
        return total

    def refuted(self, word: list, around: list, node: dict, *, closes: bool) -> None:
        """Check that the sum is < 0 for every network and every orbit in the boxes."""
        take(node, "gates", "states back")
        gates, states = threes(node["gates"], 0), threes(node.get("states", []), -MOST_MULTIPLIER)
        back = [integer(x, -MOST_MULTIPLIER, MOST_MULTIPLIER) for x in items(node.get("back", []))]
        need(len(back) in ({0, self.net.dimension} if closes else {0}), "numbers back")
        for time, hinge, _ in gates:
            need(1 <= time <= len(word) and hinge - 1 in self.live[: len(word[time - 1])], "a hinge that is not decided")
        middle = self.middle()
        moves = self.moves(middle, word, gates, states, back)
        need(all(self.most(net, word, around, gates, moves, back) < 0 for net in self.cases), "a sum that may reach 0")

    def middle(self) -> Net:
        """Return the network in the middle of the cell, of its radius too."""
        net = ranged(self.net, self.line, (sum(self.ends) / 2,) * 2)
        program = [(name, of, [centre(m) for m in matrices], centre(bias)) for name, of, matrices, bias in net.program]
        return Net(net.dimension, program)

    def gate_sums(self, pieces: list, word: list, gates: list, back: list) -> tuple[list, tuple]:
        """Return the coefficients of z_1, .., z_(k+1) and the constant of sum l s (gate z_t + offset) + n (z_(k+1) - z_1)."""
        size = self.net.dimension
        sums = [[boxes.ZERO] * size for _ in range(len(word) + 1)]
        constant = boxes.ZERO
        for time, hinge, weight in gates:
            _, _, rows, constants = pieces[time - 1]
            bit = word[time - 1][self.live.index(hinge - 1)]
            factor = boxes.point(weight if bit == "1" else -weight)
            sums[time - 1] = added(sums[time - 1], factor, rows[hinge - 1])
            constant = boxes.add(constant, boxes.mul(factor, constants[hinge - 1]))
        if back:
            sums[-1] = [boxes.point(x) for x in back]
            sums[0] = [boxes.sub(s, x) for s, x in zip(sums[0], sums[-1], strict=True)]
        return sums, constant

    def moves(self, net: Net, word: list, gates: list, states: list, back: list) -> list:
        """Return n_1, .., n_k: what is left of z_(t+1) in the middle of the cell is b."""
        pieces = [net.piece(full(letter, self.live, net.hinges)) for letter in word]
        sums, _ = self.gate_sums(pieces, word, gates, back)
        found = []
        for t in range(len(word), 0, -1):
            known = states if t < len(word) else []  # n_k is back itself; states at other times count for nothing
            left = [sum(x for time, i, x in known if (time, i) == (t + 1, state)) for state in range(1, net.dimension + 1)]
            found.append([boxes.point(s[0] - b) for s, b in zip(sums[t], left, strict=True)])
            for n, row in zip(found[-1], pieces[t - 1][0], strict=True):
                sums[t - 1] = added(sums[t - 1], n, row)
        return found[::-1]

    def most(self, net: Net, word: list, around: list, gates: list, moves: list, back: list) -> Fraction:
        """Return an upper bound of the sum, from the coefficients of all z_t."""
        pieces = [net.piece(full(letter, self.live, net.hinges)) for letter in word]
        sums, constant = self.gate_sums(pieces, word, gates, back)
        for t, move in enumerate(moves):
            slope, offset, _, _ = pieces[t]
            for n, row, c in zip(move, slope, offset, strict=True):
                sums[t] = added(sums[t], n, row)
                constant = boxes.add(constant, boxes.mul(n, c))
            sums[t + 1] = [boxes.sub(s, n) for s, n in zip(sums[t + 1], move, strict=True)]
        terms = [boxes.total(map(boxes.mul, part, box)) for part, box in zip(sums, around, strict=False)]
        top: Fraction = boxes.add(constant, boxes.total(terms))[1]
        return top


def centre(matrix: list) -> list:
    """Return the middle of a matrix."""
    return [[boxes.point(sum(x) / 2) for x in row] for row in matrix]


def added(sums: list, factor: tuple, row: list) -> list:
    """Return the sum with a multiple of a row."""
    return [boxes.add(s, boxes.mul(factor, x)) for s, x in zip(sums, row, strict=True)]


def threes(content: Json, least: int) -> list:
    """Read integers in threes, the last of each from ``least`` on; each place once."""
    found = items(content)
    need(len(found) % 3 == 0, "numbers in threes")
    listed = [found[i : i + 3] for i in range(0, len(found), 3)]
    for triple in listed:
        for x in triple:
            integer(x, least, MOST_MULTIPLIER)
    return listed


def cut(box: list, told: list, bit: str) -> list | None:
    """Return the part of a box on which a bit may be right, None if its pre-activation has the other strict sign on all of it.

    Only a pre-activation that does not move and is one of one state cuts.
    """
    sign = boxes.point(1 if bit == "1" else -1)
    tops = [boxes.mul(sign, boxes.add(boxes.total(map(boxes.mul, row, box)), constant)) for row, constant in told]
    if max(top for _, top in tops) < 0:
        return None
    row, constant = told[0]
    states = [i for i, x in enumerate(row) if x != boxes.ZERO]
    if any(other != told[0] for other in told) or len(states) != 1 or not boxes.is_exact([[row[states[0]], constant]]):
        return box
    border, (low, high) = -constant[0] / row[states[0]][0], box[states[0]]
    rises = (row[states[0]][0] > 0) == (bit == "1")
    kept = (max(low, border), high) if rises else (low, min(high, border))
    return [kept if i == states[0] else x for i, x in enumerate(box)]


def starts(word: list, width: int) -> bool:
    """Say whether some necklace of any length begins with these letters, the last of which may be unfinished."""
    filled = [*word[:-1], word[-1] + "1" * (width - len(word[-1]))]
    return all(filled[i:] >= filled[: len(filled) - i] for i in range(1, len(filled)))


def is_necklace(word: list) -> bool:
    """Say whether no rotation of a word is smaller."""
    return all(word <= word[i:] + word[:i] for i in range(1, len(word)))


def is_primitive(word: list) -> bool:
    """Say whether a word is no power of a shorter one."""
    return all(word != word[i:] + word[:i] for i in range(1, len(word)))


def cycles_on_hold(net: Net, claim: dict) -> bool | None:
    """List all cycles at some mu by all words; where points of one period fill a set, one of them is looked at and the rest left open."""
    at, low, high = family(net, claim), number(claim["low"]), number(claim["high"])
    if at is None:
        return None
    sure = True
    for i in range(SAMPLES + 1):
        here = at(low + (high - low) * i / SAMPLES)
        words = Words(here)
        if len(words.letters) ** claim["up_to"] > MOST_WORDS:
            return None
        found = [cycle for k in range(1, claim["up_to"] + 1) for cycle in cycles_of(words, k)]
        orbits = [[point for point, _ in cycle.orbit] for cycle in found]
        owners = [owner for orbit in orbits if is_inside(orbit, claim) for owner in [followed(here, orbit, claim)]]
        once = [word for owner in owners for word in owner if list(word) in claim["words"]]
        if not all(owners) or len(once) != len(set(once)):
            return False
        sure = sure and not any(cycle.basis for cycle in found)
    return True if sure else None


def is_inside(orbit: list, claim: dict) -> bool:
    """Say whether all points lie in the box."""
    ends = list(zip(numbers(claim["box_low"]), numbers(claim["box_high"]), strict=True))
    return all(a <= x <= b for point in orbit for x, (a, b) in zip(point, ends, strict=True))


def followed(net: Net, orbit: list, claim: dict) -> list:
    """Return the named words of its length that a cycle follows from one of its points, borders taken as either letter."""
    gates = [[x[0] for x in net.run([boxes.point(x) for x in point])[1]] for point in orbit]
    fits = {"1": lambda x: x >= 0, "0": lambda x: x <= 0, "?": lambda _: True}
    return [
        tuple(word)
        for word in [*claim["words"], *claim["residual"]]
        if len(word) == len(orbit)
        and any(
            all(fits[bit](x) for xs, letter in zip(gates[t:] + gates[:t], word, strict=True) for x, bit in zip(xs, letter, strict=True))
            for t in range(len(orbit))
        )
    ]


CARDS = {"cycles_on": cycles_on}
FIELDS = {"cycles_on": "end at low high up_to box_low box_high words residual"}
TRUTHS: dict[str, Callable[[Net, Json], bool | None]] = {"cycles_on": cycles_on_hold}
