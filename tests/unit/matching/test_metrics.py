"""Figures of several workers, added up."""

from __future__ import annotations

from pathlib import Path

import pytest

from reclaim.matching.service.metrics import Metrics


def value(text: str, name: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def test_any_worker_tells_the_sum_over_all(tmp_path: Path) -> None:
    first, second = Metrics(tmp_path, 2), Metrics(tmp_path, 2)
    first.observe("/v1/lookup", 200, 0.0004)
    second.observe("/v1/lookup", 200, 0.3)
    second.refused("no_key")
    second.looked_up(1000)
    for text in (first.text({"pdq": 7}), second.text({"pdq": 7})):
        assert value(text, 'reclaim_match_requests_total{route="/v1/lookup",status="200"}') == 2
        assert value(text, 'reclaim_match_seconds_bucket{route="/v1/lookup",le="0.0005"}') == 1
        assert value(text, 'reclaim_match_seconds_bucket{route="/v1/lookup",le="0.5"}') == 2
        assert value(text, 'reclaim_match_seconds_bucket{route="/v1/lookup",le="+Inf"}') == 2
        assert value(text, 'reclaim_match_seconds_sum{route="/v1/lookup"}') == pytest.approx(0.3004)
        assert value(text, 'reclaim_match_refusals_total{reason="no_key"}') == 1
        assert value(text, "reclaim_match_looked_up_total") == 1000
        assert value(text, 'reclaim_match_signals{type="pdq"}') == 7


def test_a_worker_that_takes_the_place_of_a_dead_one_goes_on_with_its_counts(tmp_path: Path) -> None:
    first = Metrics(tmp_path, 1)
    first.observe("/v1/match", 422, 1.0)
    first.set("pictures", 5)
    first.close()
    second = Metrics(tmp_path, 1)
    second.observe("/v1/match", 422, 1.0)
    text = second.text({})
    assert value(text, 'reclaim_match_requests_total{route="/v1/match",status="422"}') == 2
    assert value(text, "reclaim_match_pictures_waiting") == 0


def test_the_staleness_told_is_that_of_the_worker_furthest_behind_and_unknown_is_left_out(tmp_path: Path) -> None:
    first, second = Metrics(tmp_path, 2), Metrics(tmp_path, 2)
    first.set("stale", 0.05)
    second.set("stale", 9.5)
    first.set("feed_stale", None)
    second.set("feed_stale", None)
    text = first.text({})
    assert value(text, "reclaim_match_index_stale_seconds") == 9.5
    assert "feed_stale" not in text


def test_a_path_or_status_that_nobody_foresaw_is_counted_without_being_named(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, 1)
    metrics.observe("/v1/lookup/0123456789abcdef", 404, 0.001)
    text = metrics.text({})
    assert value(text, 'reclaim_match_requests_total{route="other",status="404"}') == 1
    assert "0123456789abcdef" not in text
