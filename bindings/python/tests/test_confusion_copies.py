# SPDX-License-Identifier: MIT
"""A copy of a confusion metric reads its counts as the original does."""

import copy
import pickle

import numpy as np
import pytest

import iqa

CONVENTIONS = ("scikit_learn", "torchmetrics", "torchmetrics_multilabel", "mmsegmentation")


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("stated", [{}, {"empty": "one", "zero_division": "one"}])
def test_a_stated_convention_brings_its_rules(convention, stated):
    """Class 3 occurs nowhere, and class 2 in the prediction alone."""
    matrix = iqa.ConfusionMatrix(4, **stated)
    matrix.update(np.array([[0, 1, 1]]), np.array([[0, 1, 2]]))
    copies = [copy.deepcopy(matrix), pickle.loads(pickle.dumps(matrix)), matrix.copy()]
    plain = iqa.ConfusionMatrix(4)
    plain.update(np.array([[0, 1, 1]]), np.array([[0, 1, 2]]))
    for average in ("none", "macro"):
        expected = plain.iou(convention=convention, average=average)
        for one in (matrix, *copies):
            found = one.iou(convention=convention, average=average)
            assert np.array_equal(found, expected, equal_nan=True)
