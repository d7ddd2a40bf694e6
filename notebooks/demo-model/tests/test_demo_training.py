"""The parts of training that need no PyTorch: the rate's course, and what experts and domains share."""

from math import log2

import pytest

from training.information import layer_report, mutual_information
from training.schedule import LAST, WARM_UP, Schedule


def test_the_rate_rises_stays_and_falls():
    constant = Schedule(4e-3)
    assert constant.at(0, 0) == pytest.approx(4e-3 / WARM_UP)
    assert constant.at(10_000, 1e6) == 4e-3
    assert not constant.over(1e9)
    falling = Schedule(4e-3, begin=1000, seconds=600)
    assert falling.at(5000, 1000) == 4e-3
    assert falling.at(5000, 1300) == pytest.approx(2e-3)
    assert falling.at(5000, 1600) == pytest.approx(LAST * 4e-3)
    assert not falling.over(1599) and falling.over(1600)
    assert falling.rounds(1600) and not falling.rounds(1599)
    went_on = Schedule(4e-3, begin=1000, seconds=600, first=5000, rounded=100)
    assert went_on.at(5000, 1000) == pytest.approx(4e-3 / WARM_UP)
    assert went_on.rounds(1500) and not went_on.rounds(1499)
    assert not Schedule(4e-3, rounded=100).rounds(1e9)


def test_information_of_tables_that_are_known():
    assert mutual_information([[5, 0], [0, 5]]) == pytest.approx(1)
    assert mutual_information([[3, 6], [1, 2]]) == pytest.approx(0)
    eight = [[1.0 if i == j else 0.0 for j in range(8)] for i in range(8)]
    assert mutual_information(eight) == pytest.approx(log2(8))


def test_a_layer_that_tells_domains_apart_stands_out_from_the_shuffled_control():
    labels = [0] * 20 + [1] * 20
    counts = [[9.0, 1.0, 10.0, 0.0] if label == 0 else [1.0, 9.0, 10.0, 0.0] for label in labels]
    report = layer_report(labels, counts, 2)
    assert report["mi"] > 10 * report["shuffled"] > 0
    assert report["dead"] == 1
    assert report["max_load"] == pytest.approx(2) and report["min_load"] == 0
    assert report["table"][0] == [0.45, 0.05, 0.5, 0.0]
