"""How much the choice of experts says about the domain: in plain Python, for tables of a few hundred numbers."""

from math import log2
from random import Random

Row = list[float]
DEAD = 0.05  # of the mean load


def mutual_information(table: list[Row]) -> float:
    """Bits that row and column share, of counts by row (domain) and column (expert)."""
    total = sum(map(sum, table))
    rows = [sum(row) / total for row in table]
    columns = [sum(column) / total for column in zip(*table, strict=True)]
    return sum(n / total * log2(n / total / (rows[i] * columns[j])) for i, row in enumerate(table) for j, n in enumerate(row) if n > 0)


def by_domain(labels: list[int], counts: list[Row], domains: int) -> list[Row]:
    """Counts [texts, E] summed over the texts of each domain, [domains, E]."""
    table = [[0.0] * len(counts[0]) for _ in range(domains)]
    for label, row in zip(labels, counts, strict=True):
        table[label] = [a + b for a, b in zip(table[label], row, strict=True)]
    return table


def layer_report(labels: list[int], counts: list[Row], domains: int, shuffles: int = 20) -> dict:
    """What a layer's choices look like. The control gives the texts' domains out at random: what chance and topic alone would show."""
    table = by_domain(labels, counts, domains)
    load = [sum(column) for column in zip(*table, strict=True)]
    mean = sum(load) / len(load)
    random, control = Random(0), 0.0
    for _ in range(shuffles):
        shuffled = random.sample(labels, len(labels))
        control += mutual_information(by_domain(shuffled, counts, domains)) / shuffles
    return {
        "mi": mutual_information(table),
        "shuffled": control,
        "dead": sum(n < DEAD * mean for n in load),
        "max_load": max(load) / mean,
        "min_load": min(load) / mean,
        "table": [[round(n / sum(row), 4) for n in row] for row in table],  # share of the domain's slots
    }
