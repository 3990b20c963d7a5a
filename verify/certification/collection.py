"""Many certificates in one file, as ``python -S -m proofs check`` reads them: written one by one, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.certificate import VERSION, json_line
from proofs.errors import Malformed
from verify.certification.files import fresh_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from proofs.certificate import Certificate


def write_collection(path: Path, certificates: Iterable[Certificate]) -> int:
    """Write certificates into one file and return how many there were.

    **Guarantee:** a temporary file in the same folder is renamed at the end; interrupting leaves no partial file. Nothing is checked here.
    **Memory:** one certificate. **Raises:** Malformed where the file cannot be written, or for no certificates at all.
    """
    count = 0
    with fresh_file(path) as fresh:
        fresh.stream.write(json_line({"orbitproof_collection": VERSION}))
        for certificate in certificates:
            fresh.stream.writelines(certificate.lines())
            count += 1
        if count == 0:
            raise Malformed(where=str(path), law="collections", expected="at least one certificate", got="none")
        fresh.stream.write(json_line({"collection_end": count}))
        fresh.keep()
    return count
