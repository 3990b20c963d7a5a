"""A dask cluster of two workers in processes of its own: prints its address and stays until stdin is closed."""

from __future__ import annotations

import sys


def main() -> None:
    """Serve."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)  # noqa: T201 - whoever started it reads this line
        sys.stdin.read()


if __name__ == "__main__":
    main()
