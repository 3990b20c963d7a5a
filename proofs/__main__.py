"""``python -S -m proofs check CERT [--network NET] | explain CERT | theorems [NAME]``: the checker without the finder."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path

from proofs.errors import Malformed, OrbitproofError
from proofs.explain import collection_lines, explain, folded, is_collection, theorems, verdict_lines
from proofs.kernel import check
from proofs.load import load
from proofs.theorems import CARDS

USAGE = """\
usage: python -S -m proofs check CERTIFICATE [--network NETWORK]   say Proved, Rejected or Malformed; also of a collection, as a whole
       python -S -m proofs explain CERTIFICATE                     the same, step by step in English
       python -S -m proofs theorems [NAME]                         the catalogue, or one card
NETWORK: another certificate, or a network in a certificate's own form; for model files use orbitproof check
exit code: 0 Proved, 1 Rejected, 2 Malformed or misuse"""
_EXIT = {"Rejected": 1, "Malformed": 2}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code; every failure prints its letter."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name in a certificate may not fit the terminal's alphabet
    try:
        return _run(arguments)
    except OrbitproofError as failure:
        print(failure)
        return _EXIT[failure.verdict]
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone; nothing can be said any more
        return 2
    except OSError as failure:
        print(Malformed(where=str(failure.filename), law="file", expected="a file that can be read", got=str(failure.strerror)))
        return 2


def _run(arguments: list[str]) -> int:
    match arguments:
        case ["-h"] | ["--help"] | [_, "-h"] | [_, "--help"]:
            print(USAGE)
        case ["check", path]:
            with Path(path).open("rb") as stream:
                print("\n".join(collection_lines(stream) if is_collection(stream) else [*folded(verdict_lines(check(stream)))]))
        case ["check", path, "--network", network]:
            print("\n".join(folded(verdict_lines(check(path, load(network))))))
        case ["explain", path]:
            for line in folded(explain(path)):
                print(line)
        case ["theorems"]:
            print(theorems())
        case ["theorems", name] if name in CARDS:
            print(theorems(name))
        case _:
            print(USAGE)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
