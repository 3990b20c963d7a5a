"""``orbitproof sample``: random networks by the thousand, decided and counted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofs.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify.sampling.campaign import Plan
    from verify.sampling.database import Database
    from verify.sampling.families import Cell

    Progress = Callable[[str, int, int], None]


class DeviceName(StrEnum):
    """Where the floats are computed."""

    cpu = "cpu"
    cuda = "cuda"


_FAMILY = "law of the networks, such as theory, he or glorot; may be repeated"
_SCALE = "factor on the standard deviations, default 1 or what the family says; may be repeated"
_DB = "keep the rows in this DuckDB file, and go on from what it holds"
_CERTIFICATES = "write the certificates of all chaotic networks into this one file"
_NETWORK = "draw network I of the campaign alone, write it with -o, and stop"
_Family = Annotated[list[str], typer.Option("--family", metavar="NAME", help=_FAMILY)]
_Width = Annotated[list[int], typer.Option("--width", min=1, metavar="K", help="units of each hidden layer; may be repeated")]
_Scale = Annotated[list[float] | None, typer.Option("--scale", metavar="S", help=_SCALE)]
_Output = Annotated[str, typer.Option("--output", metavar="NAME", help="identity, relu, clip or tanh; default: the family's own")]
_Device = Annotated[DeviceName, typer.Option("--device", help="where the floats are computed")]
_CertifyOrdered = Annotated[bool, typer.Option("--certify-ordered", help="with --certificates: those of all ordered networks, too")]
_CheckOrdered = Annotated[bool, typer.Option("--check-ordered", help="run the kernel on all ordered networks, not on 1 %")]


@dataclass(frozen=True)
class _Extras:
    """What is done beside deciding and counting."""

    check_ordered: bool
    certificates: Path | None
    certify_ordered: bool
    export: Path | None

    def refuse_odd(self, db: Path | None) -> None:
        """Refuse what could not be written in the end. **Raises:** Malformed."""
        from verify.certification.files import fresh_file

        if self.certify_ordered and self.certificates is None:
            raise _apart("--certify-ordered", "--certificates FILE beside it", "none")
        paths = [path for path in (db, self.certificates, self.export) if path is not None]
        if len({path.resolve() for path in paths}) < len(paths):
            raise _apart("--db, --export, --certificates", "files of different names", str(paths[-1]))
        for path in paths[db is not None :]:
            with fresh_file(path):
                pass


def sample(  # noqa: PLR0913 - an option is a parameter
    family: _Family,
    width: _Width,
    *,
    scale: _Scale = None,
    count: Annotated[int | None, typer.Option("--count", min=1, metavar="N", help="networks of each cell")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the campaign")] = 0,
    depth: Annotated[int, typer.Option("--depth", min=1, metavar="D", help="hidden layers")] = 1,
    output: _Output = "",
    db: Annotated[Path | None, typer.Option("--db", metavar="FILE", help=_DB)] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, max=1024, help="processes; default: one for each processor")] = None,
    dask: Annotated[str | None, typer.Option("--dask", metavar="ADDRESS", help="let the workers of this dask scheduler compute")] = None,
    device: _Device = DeviceName.cpu,
    check_ordered: _CheckOrdered = False,
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE", help="write the rows to this Parquet file")] = None,
    certificates: Annotated[Path | None, typer.Option("--certificates", metavar="FILE", help=_CERTIFICATES)] = None,
    certify_ordered: _CertifyOrdered = False,
    network: Annotated[int | None, typer.Option("--network", min=0, metavar="I", help=_NETWORK)] = None,
    file: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="with --network: the network file")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> None:
    """Sample random networks and count how many are chaotic, ordered and undecided, with intervals for the probabilities."""
    from verify.cli import _finish
    from verify.sampling.campaign import Plan
    from verify.sampling.executors import workforce

    cells = _cells(family, width, scale, depth, output)
    if network is not None or file is not None:
        content = _one_network(cells, seed, network, file, db)
        _finish(content, [f"{file}  {content['name']}  digest {content['digest']}"], "Proved", as_json)
    if count is None:
        raise _apart("--count", "--count N, or --network I with -o FILE", "neither")
    if jobs is not None and dask is not None:
        raise _apart("--jobs", "--jobs or --dask", "both")
    extras = _Extras(check_ordered, certificates, certify_ordered, export)
    extras.refuse_odd(db)
    content = _campaign(Plan(cells, count, seed), db, lambda: workforce(jobs or 0, None, dask), device.value, extras)
    _finish(content, _lines(content), "Proved", as_json)


def _cells(families: Sequence[str], widths: Sequence[int], scales: Sequence[float] | None, depth: int, output: str) -> tuple[Cell, ...]:
    from verify.sampling.families import FAMILIES, Cell

    def wanted(family: str) -> Sequence[float]:
        return scales or [FAMILIES[family].scale if family in FAMILIES else 1.0]

    return tuple(Cell(family, width, scale, depth, output) for family in families for width in widths for scale in wanted(family))


def _one_network(cells: Sequence[Cell], seed: int, i: int | None, file: Path | None, db: Path | None) -> dict[str, Any]:
    """Write one network of a campaign; where a database has its row, the two are compared. **Raises:** Malformed."""
    from verify.sampling.database import Database
    from verify.sampling.witnesses import write_network
    from verify.sampling.work import made_with, named

    if i is None or file is None:
        raise _apart("--network", "--network I and -o FILE together", "one of them")
    if len(cells) != 1:
        raise _apart("--network", "one family, width and scale", f"{len(cells)} cells")
    row = None
    if db is not None and db.exists():
        with Database(db, seed, made_with()) as rows:
            row = rows.row(cells[0], i)
    batch = write_network(file, cells[0], seed, i, row)
    stored = None if row is None else {"verdict": row.verdict, "theorem": row.theorem, "recipe": row.recipe, "checked": row.checked}
    about = {"name": named(cells[0], seed, i), "digest": batch.network(0).digest, "sha256": batch.sha256(0).hex(), "path": str(file)}
    return {"verdict": "Sampled", "network": about, **about, "row": stored}


def _campaign(plan: Plan, db: Path | None, force: Callable[[], Any], device: str, extras: _Extras) -> dict[str, Any]:
    from verify.progress import shown
    from verify.sampling.database import Database
    from verify.sampling.work import made_with

    with shown(rate=True) as progress, Database(db, plan.seed, made_with(device)) as rows:
        try:
            return _carried_out(plan, rows, force, device, extras, progress)
        except KeyboardInterrupt:
            with suppress(OSError):  # Ctrl-C has ended whoever read it, too
                typer.echo(_where_it_stands(plan, rows), err=True)
            raise


def _where_it_stands(plan: Plan, rows: Database) -> str:
    if rows.path is None:
        return "Stopped; without --db nothing is kept."
    kept = sum(rows.counts(cell, plan.count).total for cell in plan.cells)
    return f"Stopped: {kept} of {plan.total} networks are in {rows.path}; the same command goes on from there."


def _carried_out(
    plan: Plan, rows: Database, force: Callable[[], Any], device: str, extras: _Extras, progress: Progress | None
) -> dict[str, Any]:
    from dataclasses import replace

    from verify.sampling.campaign import fill, summary
    from verify.sampling.witnesses import check_ordered, write_certificates

    done = fill(plan, rows, force(), device=device, progress=progress)
    if extras.check_ordered:
        check_ordered(plan, rows, force(), progress=progress)
        done = replace(done, checked=summary(plan, rows).checked)
    written = None
    if extras.certificates is not None:
        number = write_certificates(plan, rows, extras.certificates, ordered=extras.certify_ordered, progress=progress)
        written = {"path": str(extras.certificates) if number else None, "count": number}
    if extras.export is not None:
        rows.export(extras.export, plan.cells, plan.count)
    return {**done.as_json(), "certificates": written, "export": None if extras.export is None else str(extras.export)}


def _lines(content: dict[str, Any]) -> list[str]:
    """Return the answer as text: a line for each cell, what the classes mean, and all cells together."""
    from verify.sampling.tables import aligned, cell_row, meanings, verdict_line

    heads, cells = cell_row(None), [cell_row(cell) for cell in content["cells"]]
    total = [cell_row({"family": "all", **content})] if len(cells) > 1 else []
    rate = content["networks_per_second"]
    lines = [*aligned([heads, *cells, *total]), "", *meanings(content["counts"]), ""]
    lines.append(
        "rate         " + ("all was there already" if rate is None else f"{rate:,.0f} networks/s ({content['computed']} computed now)")
    )
    written, export = content["certificates"], content["export"]
    lines += [f"database     {content['db']}"] if content["db"] else []
    lines += [f"certificates {written['path'] or 'none to write'} ({written['count']})"] if written else []
    lines += [f"rows         {export}"] if export else []
    return [*lines, verdict_line(content["counts"])]


def _apart(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law="options go together", expected=expected, got=got)
