"""Learn a probability from signals: that a text is ours to answer, that a match is right, that it is a role's field."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from knowledge.catalog import Catalog
from knowledge.examples import Example


def learn_probability(signals: Any, truth: Any, counts: Any) -> list[list[float]]:
    """Learn the matrix of knowledge.confidence.Confidence: one weight for each two values, in its upper half."""
    values = np.hstack([np.ones((len(signals), 1)), signals])
    first, second = np.triu_indices(values.shape[1])
    products = values[:, first] * values[:, second]
    mean, deviation = products.mean(axis=0), products.std(axis=0)
    deviation[deviation == 0] = np.inf  # what never varies, such as 1 times 1, says nothing
    model = LogisticRegression(C=0.05, max_iter=5000).fit((products - mean) / deviation, truth, sample_weight=counts)
    weights = model.coef_[0] / deviation
    matrix = np.zeros((values.shape[1],) * 2)
    matrix[first, second] = weights
    matrix[0, 0] = model.intercept_[0] - weights @ mean
    return [[round(float(weight), 4) for weight in row] for row in matrix]


def fields_of(example: Example, catalog: Catalog) -> set[str]:
    """Return the roles in whose field a text lies: none for what is nobody's."""
    by_topic = {role for topic in example.topics for role in catalog.topics[topic].roles}
    return {*filter(None, [example.field]), *example.roles, *by_topic}
