import re
from xml.etree import ElementTree

import pytest

from promptlib.core.charts import Bar, bars, nice_ceiling, ranking_bar, sparkline


def rects(svg):
    return [
        ("bad" in rect["class"], int(rect["y"]), int(rect["height"]))
        for rect in (node.attrib for node in ElementTree.fromstring(svg).iter("rect"))
    ]


def test_bars_stand_on_zero_with_failures_at_the_foot():
    chart = bars(
        "days",
        [Bar("1 May", 400, "400 prompts", failed=100), Bar("2 May", 200, "200 prompts"), Bar("3 May", 0, "none")],
        finding="It fell <by half>.",
    )
    assert rects(chart.svg) == [(False, 0, 375), (True, 375, 125), (False, 250, 250), (False, 500, 0)]
    assert (chart.axis, chart.labels) == (["400", "300", "200", "100", "0"], ["1 May", "2 May", "3 May"])
    root = ElementTree.fromstring(chart.svg)
    assert (root.attrib["role"], root.attrib["aria-labelledby"], root.find("title").text) == (
        "img",
        "days-t",
        "It fell <by half>.",
    )
    assert [node.find("title").text for node in root.iter("g")] == ["400 prompts", "200 prompts", "none"]
    assert len(list(root.iter("line"))) == 4


def test_a_single_failure_among_thousands_is_still_seen():
    chart = bars("days", [Bar("a", 40_000, "", failed=1)], finding="")
    assert rects(chart.svg) == [(False, 0, 499), (True, 499, 1)]


def test_more_failures_than_runs_do_not_overflow():
    assert rects(bars("days", [Bar("a", 1, "", failed=9)], finding="").svg) == [(False, 375, 0), (True, 375, 125)]


def test_nothing_is_a_chart_too():
    chart = bars("days", [], finding="Nothing ran.")
    assert (rects(chart.svg), chart.axis, chart.labels) == ([], ["4", "3", "2", "1", "0"], [])


def test_labels_are_spread_from_the_first_to_the_last():
    series = [Bar(str(day), day, "") for day in range(1, 31)]
    assert bars("days", series, finding="").labels == ["1", "8", "15", "23", "30"]


def test_the_policy_allows_the_markup():
    svg = bars("days", [Bar("a", 1, '"><script>alert(1)</script>')], finding='" onload="x').svg
    assert re.findall(r"style=|<script|onload=\"x\"", svg) == []


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 4), (1, 4), (3, 4), (4, 4), (5, 5), (7, 8), (9, 10), (11, 20), (41, 50), (492, 500), (601, 800), (0.03, 0.04)],
)
def test_the_axis_ends_at_a_round_number(value, top):
    assert nice_ceiling(value) == pytest.approx(top)


def test_a_sparkline_starts_at_zero():
    points = ElementTree.fromstring(sparkline([0, 5, 10])).find("polyline").attrib["points"]
    assert points == "0.0,18.0 40.0,10.0 80.0,2.0"
    assert (sparkline([]), sparkline([3])) == ("", "")
    assert "0.0,18.0 80.0,18.0" in sparkline([0, 0])


@pytest.mark.parametrize(("value", "top", "width"), [(61, 100, "61"), (5, 5, "100"), (9, 5, "100"), (0, 0, "0")])
def test_a_ranking_bar_is_a_part_of_the_longest(value, top, width):
    assert ElementTree.fromstring(ranking_bar(value, top)).find("rect").attrib["width"] == width
