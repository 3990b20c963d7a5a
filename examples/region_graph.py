"""Draw which region of a network can follow which, say why the others cannot, and save the graph for other programs."""

from math import gcd
from pathlib import Path

import networkx as nx

from verify.graph import closed_walks, region_graph, save_graph, strong_components, why_not

graph = region_graph(Path(__file__).with_name("plrnn.json"))
print(f"{len(graph)} regions, {graph.number_of_edges()} transitions that some state makes")
for name in graph:
    print(f"  {name} -> {', '.join(graph.successors(name))}")

missing = next(nx.non_edges(graph), None)
if missing is not None:
    print(f"no state of {missing[0]} goes to {missing[1]}; the inequalities that contradict each other:")
    print(why_not(graph, *missing))

# Every cycle is a closed walk inside one strong component.
components = strong_components(graph)
print(f"{len(components)} strong components with cycles, of sizes {[len(part) for part in components]}")
words = sum(sum(len(graph) ** gcd(i, n) for i in range(n)) // n for n in range(1, 5))
print(f"{sum(1 for _ in closed_walks(graph, 4))} itineraries of period 4 or less are possible, of {words} up to rotation")

save_graph(graph, "regions.graphml")
save_graph(graph, "regions.dot")
print("saved as regions.graphml and regions.dot")
