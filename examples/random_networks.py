"""How often is a random recurrent network chaotic? Count with a proof behind every chaotic one, and check one of the proofs again."""

from proofs import check
from verify.certification.sampled import certify_recipe
from verify.sampling.campaign import Plan, run
from verify.sampling.families import Cell
from verify.sampling.persistence import chaotic_networks
from verify.sampling.statistics import clopper_pearson

COUNT, SEED = 500, 1

cells = tuple(Cell("theory", 64, scale) for scale in (2, 4, 8, 16))
for counts in run(Plan(cells, COUNT, SEED), jobs=1).cells:
    low, high = clopper_pearson(counts.chaotic, counts.undecided, counts.total)
    print(
        f"s = {counts.cell.scale:g}: {counts.chaotic} chaotic, {counts.ordered} ordered, {counts.undecided} undecided of {counts.total}; "
        f"P(chaos) in [{low:.3f}, {high:.3f}] with 95 % confidence; with a cycle of period 2: {counts.period_2}"
    )

first = next(chaotic_networks(cells[2], SEED, COUNT))
proved = check(certify_recipe(first.loaded.network, first.theorem, first.recipe))
print(f"network {first.index} at s = 8: {proved.claims[0].statement()}")
