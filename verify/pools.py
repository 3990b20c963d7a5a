"""Pools of processes that are ended in the middle of their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor


def stop_sending(executor: Executor) -> None:
    """Close this process's own end of a pool's pipe of results; to be called once its processes are told to end, before ``shutdown``.

    A process that ends while it sends leaves half a message, and the pool waits for the rest as long as anybody holds that end: for ever.
    """
    writer = getattr(getattr(executor, "_result_queue", None), "_writer", None)
    if writer is not None:
        writer.close()
