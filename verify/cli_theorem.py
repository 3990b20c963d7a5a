"""``orbitproof certify --theorem NAME``: the options that speak of one theorem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proofs.errors import Malformed

if TYPE_CHECKING:
    from fractions import Fraction

    from verify.answers import Certified
    from verify.certification import Effort
    from verify.loading import Loaded


@dataclass(frozen=True)
class Wishes:
    """What was asked for beside the theorem's name; ``to`` is a loaded network."""

    to: Loaded | None = None
    vary: str | None = None
    alpha: Fraction | None = None
    forced: int | None = None
    box: tuple[Fraction, Fraction] | None = None

    def refuse(self) -> None:
        """Refuse them without --theorem. **Raises:** Malformed."""
        given = [f"--{name}" for name, value in vars(self).items() if value is not None]
        if given:
            raise Malformed(where="certify", law="options of a theorem", expected="--theorem NAME beside them", got=", ".join(given))


def prove_theorem(loaded: Loaded, theorem: str, wishes: Wishes, period: int | None, effort: Effort, *, alone: bool) -> Certified:
    """Prove what the theorem says of the network. **Raises:** NotFound, Malformed (``alone``: no other question was asked), Unsupported."""
    from verify.certification.named import certify_theorem
    from verify.errors import NotFound
    from verify.progress import shown

    if not alone:
        got = "--claim, --radius or --max-radius beside --theorem"
        raise Malformed(where="--theorem", law="one question", expected="--theorem alone", got=got)
    with shown() as progress:
        answer = certify_theorem(loaded, theorem, period=period, effort=replace(effort, progress=progress), **vars(wishes))
    if isinstance(answer, NotFound):
        raise answer
    return answer
