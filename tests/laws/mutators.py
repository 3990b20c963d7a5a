"""One change to a certificate held as a list of JSON lines: a number, sign, index, letter, key, line or part of another certificate.

Each change works in place and returns the name of the field it touched, or nothing if it found nothing to touch.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from proofs.errors import Malformed, Rejected
from proofs.grammar import read_number, write_number
from proofs.theorems import THEOREMS
from tests.corpus.parts import cycle_witness, network_of

OPENED = 0.1
WORDS = ["laps", "slope", "increasing", "decreasing", "affine", "relu", "tanh", "sigmoid", "mul", "add", *THEOREMS]
NUMBERS = ["0", "1", "-1", "2", "1/2", "-1/2", "1/3", "1p-40", "-1p-40", "1p40", "0x1f", "1~1p-9", "1/0", "1.5", ""]
SHIFTS = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 60]
Place = tuple[Any, ...]


def leaves(content: object, path: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield every place in a JSON value that holds no object or list, and every list."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, (*path, key))
    elif isinstance(content, list):
        yield path, content
        for i, value in enumerate(content):
            yield from leaves(value, (*path, i))
    else:
        yield path, content


def place(lines: list, path: Place) -> tuple:
    """Return the container of a place and its last key."""
    holder = lines
    for key in path[:-1]:
        holder = holder[key]
    return holder, path[-1]


def label(lines: list, path: Place) -> str:
    """Name the field: network.bias, claims.points, cycle.itinerary, ..."""
    words = [str(key) for key in path[1:] if isinstance(key, str)]
    if path[0] == 0:
        return ".".join(words[:1] + words[1:][-1:])
    line = lines[path[0]]
    theorem = line.get("theorem") if isinstance(line, dict) else None
    return f"{theorem}.{words[-1]}" if words[:1] == ["witness"] and isinstance(theorem, str) else "step." + ".".join(words)


def change_leaf(lines: list, rng: random.Random) -> str | None:
    """Change one value."""
    row = rng.randrange(len(lines))
    found = [(path, value) for path, value in leaves(lines[row], (row,)) if path[-1] != "digest"]
    if not found:
        return None
    path, value = rng.choice(found)
    holder, key = place(lines, path)
    name = label(lines, path)
    holder[key] = changed(value, rng)
    return name


def change_weight(lines: list, rng: random.Random) -> str | None:
    """Change one number of the network."""
    found = [path for path, value in leaves(lines[0], (0,)) if isinstance(value, str) and ("matrices" in path or "bias" in path)]
    return _number_at(lines, found, rng)


def change_witness(lines: list, rng: random.Random) -> str | None:
    """Change one leaf of a witness."""
    found = [(path, value) for row in range(1, len(lines)) for path, value in leaves(lines[row], (row,))]
    return _number_at(lines, [path for path, value in found if "witness" in path and not isinstance(value, list)], rng)


def change_claim(lines: list, rng: random.Random) -> str | None:
    """Change one leaf of a claim."""
    return _number_at(lines, [path for path, value in leaves(lines[0], (0,)) if "claims" in path and not isinstance(value, list)], rng)


def _number_at(lines: list, found: list, rng: random.Random) -> str | None:
    if not found:
        return None
    path = rng.choice(found)
    holder, key = place(lines, path)
    holder[key] = changed(holder[key], rng)
    return label(lines, path)


def change_key(lines: list, rng: random.Random) -> str | None:
    """Drop, rename or add a field."""
    holder = rng.choice([lines[rng.randrange(len(lines))], *[line.get("witness", line) for line in lines]])
    if not isinstance(holder, dict) or not holder:
        return None
    key, act = rng.choice(list(holder)), rng.randrange(3)
    value = holder.pop(key) if act < 2 else holder[key]
    if act:
        holder[rng.choice([f"{key}_", "bits", "radius", "end", key.upper()])] = value
    return "a key"


def change_lines(lines: list, rng: random.Random) -> str | None:
    """Drop, double or swap lines, with or without new numbers."""
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    act = rng.randrange(3)
    if act == 0:
        del lines[i]
    elif act == 1:
        lines.insert(i, json.loads(json.dumps(lines[i])))
    else:
        lines[i], lines[j] = lines[j], lines[i]
    if rng.random() < 0.5:
        for number, line in enumerate(lines):
            line.update({"step": number} if "step" in line else {"end": number - 1} if "end" in line else {})
    return "lines " + ("dropped", "doubled", "swapped")[act]


def run_twice(lines: list, rng: random.Random) -> str | None:
    """State a cycle as one of twice the period, with a witness that fits."""
    found = [line["witness"] for line in lines[1:] if isinstance(line.get("witness"), dict) and line.get("theorem") == "cycle"]
    found = [witness for witness in found if "radius" in witness and isinstance(witness.get("itinerary"), list)]
    found = [witness for witness in found if all(isinstance(word, str) for word in witness["itinerary"])]
    if not found:
        return None
    witness = rng.choice(found)
    with suppress(Malformed, Rejected, ArithmeticError, LookupError, TypeError, ValueError):
        network, words = network_of(lines[0]["network"]), list(witness["itinerary"]) * 2
        witness.update(cycle_witness(network, words, witness["radius"], block="inverse_block" in witness))
    return "a cycle run twice"


def change_token(lines: list, rng: random.Random) -> str | None:
    """Change one token of a tree: put another in its place, take it away, double it, move it, or change a number inside."""
    found = [line["witness"] for line in lines[1:] if isinstance(line.get("witness"), dict)]
    found = [witness for witness in found if isinstance(witness.get("nodes"), list) and witness["nodes"]]
    if not found:
        return None
    nodes: list = rng.choice(found)["nodes"]
    i, act = rng.randrange(len(nodes)), rng.randrange(7)
    if act < 2:
        nodes[i] = another_token(nodes, rng)
    elif act == 2:
        del nodes[i]
    elif act == 3:
        nodes.insert(i, another_token(nodes, rng))
    elif act == 4:
        nodes.insert(rng.randrange(len(nodes)), nodes.pop(i))
    elif act == 5:
        nodes[i:] = [*nodes[:i], *nodes[i:]][i // 2 :]
    else:
        inside = [path for path, value in leaves(nodes[i], (i,)) if len(path) > 1 or not isinstance(value, list)]
        return _number_at(nodes, inside, rng) and "tokens inside"
    return "tokens " + ("replaced", "replaced", "dropped", "inserted", "moved", "shifted")[act]


def another_token(nodes: list, rng: random.Random) -> object:
    """Return a token of any kind, often one that the tree has elsewhere."""
    rows = [rng.randrange(6) for _ in range(rng.randrange(4))]
    numbers: list[int | str] = [number for i in set(rows) for number in (i, rng.choice([-3, -2, -1, 1, 2, 3]))]
    turns = [number for i in set(rows[:2]) for number in (i, rng.randrange(4))]
    made = [
        0,
        1,
        2,
        rows,
        "part",
        "residual",
        "cycle",
        {"empty": rows},
        {"tight": rows},
        {"farkas": numbers},
        {"farkas": numbers, "order": turns},
    ]
    return json.loads(json.dumps(rng.choice(nodes if rng.random() < 0.4 else made)))


def move_cites(lines: list, rng: random.Random) -> str | None:
    """Cite another step, or in another order."""
    found = [line for line in lines[1:] if isinstance(line.get("cites"), list) and line["cites"]]
    if not found:
        return None
    cites: list = rng.choice(found)["cites"]
    i = rng.randrange(len(cites))
    cites[i] = rng.choice([rng.choice(cites), rng.randrange(1, len(lines))])
    return "a citation"


def graft(lines: list, other: list, rng: random.Random) -> str:
    """Take the network, a step or the claims of another certificate."""
    act = rng.randrange(3)
    if act == 0:
        lines[0]["network"] = other[0]["network"]
    elif act == 1:
        lines[0]["claims"] = other[0]["claims"]
    else:
        lines.insert(len(lines) - 1, {**rng.choice(other[1:-1]), "step": len(lines) - 1})
        lines[-1] = {"end": len(lines) - 2}
    return "grafted " + ("network", "claims", "step")[act]


def changed(value: object, rng: random.Random) -> object:
    """Return another value in the place of this one."""
    if rng.random() < 0.04:
        return rng.choice([None, True, False, [], {}, 0, -1, 1, 10**7, "", "0", [value], {"x": value}])
    if isinstance(value, str):
        return changed_text(value, rng)
    if isinstance(value, bool) or value is None:
        return rng.choice([not value, None, 1, "1"])
    if isinstance(value, int):
        return rng.choice([value + 1, value - 1, -value, 2 * value, 0, 1, 2, 3, value + rng.randrange(-3, 9), str(value), bool(value)])
    return changed_list(value, rng) if isinstance(value, list) else value


def changed_list(value: list, rng: random.Random) -> list:
    """Drop, double, swap, turn round or empty."""
    copy = list(value)
    if not copy:
        return [rng.choice(["1", 1, [], None])]
    i, j = rng.randrange(len(copy)), rng.randrange(len(copy))
    act = rng.randrange(6)
    if act == 0:
        del copy[i]
    elif act == 1:
        copy.insert(j, copy[i])
    elif act == 2:
        copy[i], copy[j] = copy[j], copy[i]
    elif act == 3:
        copy.reverse()
    elif act == 4:
        copy = copy[1:] + copy[:1]
    else:
        copy = []
    return copy


def changed_text(text: str, rng: random.Random) -> str:
    """Nudge a number, flip a letter of an itinerary, or put another word."""
    if set(text) <= {"0", "1", "?"} and (len(text) > 1 or (len(text) == 1 and rng.random() < 0.3)):
        i = rng.randrange(len(text))
        return text[:i] + ("?" if rng.random() < OPENED else "1" if text[i] == "0" else "0") + text[i + 1 :]
    if not text or text[0] not in "-0123456789":
        return rng.choice(WORDS)
    return changed_number(text, rng)


def changed_number(text: str, rng: random.Random) -> str:
    """Turn the sign, put another number, a radius or another character, or (most often) nudge."""
    i, act = rng.randrange(len(text)), rng.randrange(9)
    if act == 0:
        return text[1:] if text.startswith("-") else f"-{text}"
    if act == 1:
        return rng.choice(NUMBERS)
    if act == 2:
        return text.partition("~")[0] if "~" in text else f"{text}~1p-{rng.randrange(2, 40)}"
    return text[:i] + rng.choice("0123456789/p-~x") + text[i + 1 :] if act == 3 else nudged(text, rng)


def nudged(text: str, rng: random.Random) -> str:
    """Return a number a little or a lot away, spelled canonically."""
    middle, wave, radius = text.partition("~")
    try:
        value = read_number(middle, "mutant")
    except Malformed:
        return f"{text}0"
    step = read_number(f"1p-{rng.choice(SHIFTS)}", "mutant")
    others = [value + step, value - step, value * (1 + step), value * (1 - step), 2 * value, value / 2, 1 / value if value else value]
    return write_number(rng.choice(others)) + wave + radius


MUTATIONS: list[Callable[[list, random.Random], str | None]] = [
    *[change_leaf] * 4, *[change_weight] * 4, *[change_witness] * 6, change_claim, change_key, change_lines, run_twice,
    *[change_token] * 4, move_cites,
]  # fmt: skip
