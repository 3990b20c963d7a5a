# mypy: disable-error-code="no-any-return"
"""Walks through accepted certificates of D8, D9 and A4b: a change that leaves every step accepted is kept, and further ones follow it.

``python -m tests.second.mutants_in_boxes [COUNT] [SEED] [THEOREM]`` tries so many changes and prints what became of them.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from tests.laws.mutations import Unsound, concluded, judge, network_of, written
from tests.second.text import Json, entry, number, spell, spell_entry

ACCEPTED = Path(__file__).resolve().parent.parent / "corpus" / "accepted"
THEOREMS = ("finite_time", "box_contraction", "cycles_in_box")
LONGEST_WALK = 25
LONGEST_FILE = 24_000
FACTORS = [Fraction(x) for x in ("0", "1/2", "2", "-1", "9/10", "11/10", "99/100", "101/100", "10001/10000", "1/1000000")]

SMALL = Fraction(1, 2**20)


def originals(theorem: str) -> list[list[dict]]:
    """Return the certificates whose last step is of this theorem, as lists of lines."""
    found = [path.read_bytes() for path in sorted(ACCEPTED.glob(f"{theorem}-*.cert"))]
    return [[json.loads(line) for line in content.splitlines()] for content in found if len(content) <= LONGEST_FILE]


def nudged(text: str, rng: random.Random) -> str:
    """Change a number or the radius of an entry a little, or a lot."""
    middle, radius = entry(text)
    act = rng.randrange(6)
    if act == 0 and (radius or rng.random() < 0.3):
        return spell_entry(middle, Fraction(0) if radius else abs(middle) * rng.choice([SMALL, Fraction(1, 100)]) + SMALL)
    if act == 1 and radius:
        return spell_entry(middle, radius * abs(rng.choice(FACTORS)))
    if act == 2:
        return spell_entry(middle + Fraction(rng.randrange(-64, 65), 2 ** rng.randrange(2, 40)), radius)
    if act == 3:
        return spell_entry(Fraction(round(middle * 2**6), 2**6), radius)
    return spell_entry(middle * rng.choice(FACTORS), radius)


def texts(content: Json) -> list[tuple]:
    """Return (holder, key) of every string in a JSON value."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    found: list[tuple] = []
    for key, value in pairs:
        if isinstance(value, str):
            found.append((content, key))
        elif isinstance(value, dict | list):
            found += texts(value)
    return found


def nudge(content: Json, rng: random.Random, *, plain: bool) -> None:
    """Nudge one number; ``plain``: without a radius."""
    holder, key = rng.choice(texts(content))
    text = nudged(holder[key], rng)
    holder[key] = text.partition("~")[0] if plain else text


def some_number(lines: list, rng: random.Random) -> None:
    """Nudge a number of the last witness, rarely with a radius."""
    nudge(lines[-2]["witness"], rng, plain=rng.random() < 0.9)


def some_weight(lines: list, rng: random.Random) -> None:
    """Nudge a weight of the network."""
    tables = [part[name] for part in lines[0]["network"]["program"] if part["op"] == "affine" for name in ("matrices", "bias")]
    if tables:
        nudge(rng.choice(tables), rng, plain=False)


def some_bits(lines: list, rng: random.Random) -> None:
    """Ask for another precision."""
    lines[-2]["witness"]["bits"] = rng.choice([8, 9, 10, 12, 16, 24, 40, 64, 120, 300])


def some_steps(lines: list, rng: random.Random) -> None:
    """Change the number of steps, or the inputs."""
    witness = lines[-2]["witness"]
    if "steps" in witness:
        witness["steps"] = max(1, witness["steps"] + rng.choice([-5, -1, 1, 2, 9]))
    elif "inputs" in witness:
        inputs: list = witness["inputs"]
        place = rng.randrange(len(inputs) + 1)
        inputs[place : place + rng.randrange(3)] = [rng.randrange(len(witness["symbols"])) for _ in range(rng.randrange(3))]


def some_rates(lines: list, rng: random.Random) -> None:
    """Take a rate away, or put one in between or far away."""
    witness = lines[-2]["witness"]
    if "rates" in witness:
        rates = [number(text) for text in witness["rates"]]
        fresh = rng.choice(rates) * rng.choice(
            [Fraction(1, 1000), Fraction(9, 10), Fraction(11, 10), Fraction(1000), Fraction(rng.randrange(1, 64), 16)]
        )
        rates = sorted({*rates, fresh}) if rng.random() < 0.6 else rates
        rates = [rate for rate in rates if rng.random() < 0.8] or rates
        witness["rates"] = [spell(rate) for rate in rates]


def some_symbols(lines: list, rng: random.Random) -> None:
    """Drop, double, add, empty or widen symbols, with the multipliers that belong to them; name operations that may not exist."""
    witness = lines[-2]["witness"]
    if not witness.get("symbols"):
        return
    symbols, lists, act = witness["symbols"], witness.get("multipliers"), rng.randrange(6)
    place = rng.randrange(len(symbols))
    if act == 0 and len(symbols) > 1:
        del symbols[place]
        if lists:
            del lists[place]
    elif act == 1:
        symbols.append(json.loads(json.dumps(symbols[place])))
        if lists:
            lists.append(list(lists[place]))
    elif act == 2:
        symbols[place] = {}
    elif act == 3:
        number_of = rng.randrange(len(lines[0]["network"]["program"]) + 2)
        program = lines[0]["network"]["program"]
        known = number_of < len(program) and program[number_of]["op"] == "affine"
        symbols[place][str(number_of)] = list(program[number_of]["bias"]) if known else ["0"]
    elif texts(symbols):
        nudge(symbols, rng, plain=False)


def some_box(lines: list, rng: random.Random) -> None:
    """Make the box wider, narrower or flat."""
    witness = lines[-2]["witness"]
    if "low" not in witness:
        return
    axis = rng.randrange(len(witness["low"]))
    low, high = number(witness["low"][axis]), number(witness["high"][axis])
    half, act = (high - low) / 2, rng.randrange(4)
    if act == 0:
        low = high
    elif act == 1:
        low, high = low - half * Fraction(rng.randrange(1, 33), 32), high + half * Fraction(rng.randrange(33), 32)
    else:
        low, high = low + half * Fraction(rng.randrange(17), 32), high - half * Fraction(rng.randrange(17), 32)
    witness["low"][axis], witness["high"][axis] = spell(low), spell(high)


def tree_of(lines: list, rng: random.Random) -> dict | None:
    """Return one of the trees."""
    trees = lines[-2]["witness"].get("trees")
    return rng.choice(trees) if trees else None


def some_leaf(lines: list, rng: random.Random) -> None:
    """Say something else of a leaf, or exchange what is said of two."""
    tree = tree_of(lines, rng)
    if tree is None or not tree["leaves"]:
        return
    leaves: list = tree["leaves"]
    i, j = (rng.randrange(len(leaves)) for _ in range(2))
    if rng.random() < 0.4:
        leaves[i], leaves[j] = leaves[j], leaves[i]
    else:
        leaves[i] = rng.choice([0, 0, 1, 1, [rng.randrange(1, 4), rng.randrange(1, 4)]])


def some_cut(lines: list, rng: random.Random) -> None:
    """Move a cut, take one away between two leaves, or cut a leaf in two."""
    tree = tree_of(lines, rng)
    if tree is None:
        return
    cuts, leaves, act = tree["cuts"], tree["leaves"], rng.randrange(3)
    nodes = [i for i, cut in enumerate(cuts) if (cut is None) == (act == 2)]
    if not nodes:
        return
    place = rng.choice(nodes)
    leaf = sum(cut is None for cut in cuts[:place])
    if act == 0:
        cuts[place][1] = nudged(cuts[place][1], rng).partition("~")[0]
    elif act == 1 and cuts[place + 1 : place + 3] == [None, None]:
        cuts[place : place + 3] = [None]
        del leaves[leaf + rng.randrange(2)]
    elif act == 2 and leaf < len(leaves):
        root = lines[-2]["witness"]
        axis = rng.randrange(len(root["low"]))
        low, high = number(root["low"][axis]), number(root["high"][axis])
        points = [text for line in lines[1:-2] for point in line["witness"].get("points", []) for text in point]
        at = rng.choice([*points, spell(low + (high - low) * Fraction(rng.randrange(1, 64), 64))])
        cuts[place : place + 1] = [[axis, at], None, None]
        leaves[leaf : leaf + 1] = [leaves[leaf], rng.choice([leaves[leaf], 0, 1])]


def some_cycles(lines: list, rng: random.Random) -> None:
    """Drop a listed cycle, list one twice, or in another order, renaming what leaves hold or not."""
    cites: list = lines[-2]["cites"]
    if not cites:
        return
    act, place = rng.randrange(4), rng.randrange(len(cites))
    if act == 0:
        del cites[place]
        for tree in lines[-2]["witness"]["trees"] if rng.random() < 0.7 else []:
            tree["leaves"] = [renamed(leaf, place + 1, rng) for leaf in tree["leaves"]]
    elif act == 1:
        cites.append(cites[place])
    elif act == 2:
        rng.shuffle(cites)
    else:
        line = rng.choice(lines[1:-2])
        nudge({key: line["witness"][key] for key in ("points",)}, rng, plain=True)


def renamed(leaf: Json, gone: int, rng: random.Random) -> Json:
    """Return what a leaf says once a cycle is gone."""
    if not isinstance(leaf, list):
        return leaf
    return rng.choice([0, 1]) if leaf[0] == gone else [leaf[0] - (leaf[0] > gone), leaf[1]]


def some_period(lines: list, rng: random.Random) -> None:
    """List cycles up to another period, with as many trees."""
    witness = lines[-2]["witness"]
    if "up_to" not in witness:
        return
    witness["up_to"] = max(1, witness["up_to"] + rng.choice([-1, 1, 2]))
    trees, count = witness["trees"], witness["up_to"] - witness["up_to"] // 2
    witness["trees"] = [json.loads(json.dumps(trees[min(i, len(trees) - 1)])) for i in range(count)]


def some_radius(lines: list, rng: random.Random) -> None:
    """Widen or narrow the balls of a cited cycle."""
    found = [line["witness"] for line in lines[1:-2] if "radius" in line.get("witness", {})]
    if found:
        witness = rng.choice(found)
        witness["radius"] = spell(number(witness["radius"]) * Fraction(rng.choice([1, 4, 16, 64, 800]), 8))


def everywhere(lines: list, rng: random.Random) -> None:
    """Claim it everywhere, or no more."""
    if "trees" in lines[-2]["witness"]:
        lines[-2]["witness"]["everywhere"] = rng.choice([0, 1, 1])


def pressed(lines: list, rng: random.Random) -> None:
    """Lower the rate for as long as that is accepted."""
    witness = lines[-2]["witness"]
    for _ in range(rng.randrange(4, 13)):
        before = witness["rate"]
        witness["rate"] = spell(Fraction(round(number(before) * 97 * 2**20), 100 * 2**20))
        if sealed(lines) is None:
            witness["rate"] = before
            return


CHANGES: dict[str, list[Callable[[list, random.Random], None]]] = {
    "finite_time": [some_number, some_number, some_weight, some_bits, some_steps, some_rates, some_symbols],
    "box_contraction": [some_number, some_number, some_weight, some_bits, some_symbols, some_symbols, some_box, pressed],
    "cycles_in_box": [
        some_number, some_weight, some_weight, some_bits, some_box, some_leaf, some_leaf, some_leaf, some_cut, some_cut,
        some_cycles, some_cycles, some_cycles, some_period, some_radius, everywhere,
    ],
}  # fmt: skip


def sealed(lines: list) -> bytes | None:
    """Put in the digest and all claims; None where some step does not pass."""
    network = network_of(lines[0]["network"])
    if network is None:
        return None
    lines[0]["digest"] = network.digest
    claims = concluded(written(lines))
    if len(claims) < len(lines) - 2:
        return None
    lines[0]["claims"] = [claims[-1].as_json()]
    return written(lines)


def walks(count: int, seed: int, theorem: str) -> tuple[Counter, list[str]]:
    """Try so many changes; return what became of them, by the change, and complaints, each with the certificate complained of."""
    rng, tally, complaints, starts = random.Random(seed), Counter[str](), list[str](), originals(theorem)
    lines: list[dict] = []
    length = LONGEST_WALK
    for _ in range(count):
        if length >= LONGEST_WALK:
            lines, length = json.loads(json.dumps(rng.choice(starts))), 0
        after, change = json.loads(json.dumps(lines)), rng.choice(CHANGES[theorem])
        change(after, rng)
        if after == lines:
            continue
        content = sealed(after)
        tally["tried"] += 1
        if content is None:
            continue
        lines, length = after, length + 1
        try:
            answer = judge(content)[-1]
        except Unsound as complaint:
            answer = "complaints"
            complaints.append(f"{change.__name__}: {complaint}\n{content.decode()}")
        tally["accepted"] += 1
        tally[answer] += 1
        tally[f"accepted after {change.__name__}"] += 1
    return tally, complaints


def main(arguments: list[str]) -> int:
    """Walk through all three theorems, or one."""
    count, seed = int(arguments[0]) if arguments else 2000, int(arguments[1]) if len(arguments) > 1 else 0
    wrong = 0
    for theorem in arguments[2:] or THEOREMS:
        tally, complaints = walks(count, seed, theorem)
        print(theorem, dict(tally), *complaints, sep="\n")  # noqa: T201 - a script
        wrong += len(complaints)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
