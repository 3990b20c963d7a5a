"""Draw how the share of chaotic networks grows with the variance of the weights, at three widths."""

from verify.sampling.campaign import Plan, run
from verify.sampling.families import Cell
from verify.sampling.figures import phase_diagram, save

cells = tuple(Cell("theory", width, scale) for width in (8, 32, 128) for scale in (2, 4, 8, 16, 32, 64))
done = run(Plan(cells, count=200, seed=1), jobs=1)
for counts in done.cells:
    print(f"{counts.cell.text}: {counts.chaotic} of {counts.total} chaotic, {counts.undecided} undecided")
print(f"wrote {save(phase_diagram(done.cells), 'phase_diagram.svg')}")
