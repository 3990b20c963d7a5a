"""Every way in which reading or checking can fail, and the letter each failure writes.

    OrbitproofError          where · law · expected · got · remedy
    ├── Malformed            the bytes do not spell a certificate or a network
    └── Rejected             they do, and a numbered check of a theorem failed

The finder adds two more answers of the same form (``verify.errors``): ``Unsupported`` and ``NotFound``.
"""

from __future__ import annotations


class OrbitproofError(Exception):
    """A failure told in five fields; ``str()`` of it is those fields, one a line.

    **Guarantee:** fields first, text second: ``as_json`` and ``str`` show the same five fields.
    """

    verdict = "Error"
    longest = 300

    def __init__(self, *, where: str, law: str, expected: str, got: str, remedy: str = "") -> None:
        """Keep the five fields; over-long ``expected`` and ``got`` are cut for display."""
        self.where = plain(where)
        self.law = plain(law)
        self.expected = plain(shorten(expected, self.longest))
        self.got = plain(shorten(got, self.longest))
        self.remedy = plain(remedy)
        super().__init__(where, law, expected, got, remedy)

    def __str__(self) -> str:
        """Return the letter: verdict, where and law on one line, the rest indented below."""
        lines = [f"{self.verdict} at {self.where}, {self.law}", f"  expected  {self.expected}", f"  got       {self.got}"]
        if self.remedy:
            lines.append(f"  remedy    {self.remedy}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, str]:
        """Return verdict and the five fields as one flat object."""
        fields = {"where": self.where, "law": self.law, "expected": self.expected, "got": self.got, "remedy": self.remedy}
        return {"verdict": self.verdict, **fields}


class Malformed(OrbitproofError):
    """The input does not follow the format; nothing about the mathematics was decided."""

    verdict = "Malformed"


class Rejected(OrbitproofError):
    """The input follows the format and a check failed; nothing is proved, nothing is disproved."""

    verdict = "Rejected"


def plain(text: str) -> str:
    """Return ``text`` on one line and printable: what a file says must not be able to imitate a verdict."""
    return text if text.isprintable() else ascii(text)[1:-1]


def shorten(text: str, longest: int = 300) -> str:
    """Cut ``text`` for display, saying how long it was."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
