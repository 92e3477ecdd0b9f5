"""Features are found by their names, word for word."""

from __future__ import annotations

import numpy as np

from knowledge.classifier import Names, Table

NAMES = Names(np.array([name.encode() for name in ("ab", "abc", "ä b")]))


def test_features_are_found_in_the_order_in_which_they_are_given() -> None:
    assert NAMES.rows(["ä b", "zz", "ab", "", "abc", "aa"]).tolist() == [2, 0, 1]
    assert NAMES.rows([]).tolist() == []


def test_what_only_begins_like_a_name_is_none() -> None:
    assert NAMES.rows(["abcd", "abcdefgh", "ab\0", "abc\0", "ab\ud83d"]).tolist() == []


def test_a_feature_that_was_not_learned_from_counts_for_nothing() -> None:
    table = Table(
        {
            "rarities": np.array([2, 0, 3], np.float32),
            "weights": np.array([[4, -2], [9, 9], [1, 1]], np.int8),
            "scales": [0.5, 1.0],
        }
    )
    assert table.total(np.array([0])).tolist() == [1.0, -1.0]
    assert table.total(np.array([1, 0])).tolist() == [1.0, -1.0]
    assert table.total(np.array([1])).tolist() == [0.0, 0.0]
    assert table.total(np.array([], np.intp)).tolist() == [0.0, 0.0]
