# SPDX-License-Identifier: MIT
"""Gradients of SSIM against central differences of the value, whatever the options say together."""

import numpy as np
import pytest

import iqa

STEP = 1e-5


class Drawn:
    """A pair of small batches with options, weights and masks, drawn by a generator of numbers."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.images = self.one_of(1, 2)
        self.options = {
            "data_range": 1.0,
            "window": self.one_of("gaussian", "uniform"),
            "size": self.one_of(3, 5),
            "border": self.one_of("valid", "reflect", "symmetric", "replicate", "zero"),
            "covariance": self.one_of("population", "sample"),
        }
        self.draw_shape()
        self.draw_scales()
        self.options["shave"] = self.one_of(0, 0, 1)
        self.x = self.random.random(self.shape)
        self.y = self.x + 0.3 * (self.random.random(self.shape) - 0.5)
        self.weights = None
        if self.one_of(False, True):
            self.draw_weights()
        if self.options.get("mask_mode") != "map" and self.one_of(False, False, True):
            self.options["nonfinite"] = "mask"
            self.x.flat[self.random.integers(0, self.x.size, 3)] = np.nan

    def one_of(self, *choices):
        return choices[self.random.integers(len(choices))]

    def draw_shape(self):
        height, width = self.random.integers(22, 40, 2)
        kind = self.one_of("NCHW", "NHWC", "luma", "NCDHW")
        layout = self.options["layout"] = "NHWC" if kind == "luma" else kind
        channels = 3 if kind == "luma" else self.one_of(1, 2)
        self.is_luma = kind == "luma"
        if self.is_luma:
            self.options["luma"] = self.one_of("bt601_full", "bt709_studio")
        extents = {"N": self.images, "C": channels, "D": 12, "H": height, "W": width}
        self.shape = [extents[axis] for axis in layout]
        self.channel_axis = layout.index("C")

    def draw_scales(self):
        kind = self.one_of("one", "one", "scales", "downsample")
        if kind == "scales":
            count = 2 if self.options["layout"] == "NCDHW" else self.one_of(2, 3)
            self.options |= {
                "scales": count,
                "scale_weights": [1 / count] * count,
                "shrink": self.one_of("symmetric", "floor", "zero", "replicate"),
                "negative": self.one_of("relu", "simple", "relu_map"),
                "product": self.one_of("channel", "image"),
                "size": 3,
            }
        elif kind == "downsample":
            self.options |= {
                "downsample": self.one_of(2, 3),
                "shrink": self.one_of("symmetric", "floor"),
                "size": 3,
            }

    def draw_weights(self):
        shape = list(self.shape)
        if self.is_luma or self.one_of(False, True):
            shape[self.channel_axis] = 1
        drawn = self.random.random(shape)
        mask = drawn > 0.3
        self.weights = mask if self.one_of(False, True) else mask * np.round(drawn * 2**20) / 2**20
        self.options["mask_mode"] = self.one_of("convolution", "map")

    def value(self):
        """The sum of the images' values, which has their derivatives."""
        value = iqa.ssim(self.x, self.y, weights=self.weights, **self.options)
        return self.images * value

    def difference(self, side, index):
        kept = side.flat[index]
        values = []
        for step in (STEP, -STEP):
            side.flat[index] = kept + step
            values.append(self.value())
        side.flat[index] = kept
        return (values[0] - values[1]) / (2 * STEP)


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_gradients_are_the_slopes_of_the_value(first):
    for seed in range(first, first + 20):
        drawn = Drawn(seed)
        found = iqa.ssim(
            drawn.x,
            drawn.y,
            weights=drawn.weights,
            candidate_gradient=True,
            reference_gradient=True,
            **drawn.options,
        )
        gradients = (found.reference_gradient, found.candidate_gradient)
        largest = max(np.abs(gradient).max() for gradient in gradients)
        told = (seed, drawn.options)
        assert largest > 0, told
        for side, gradient in zip((drawn.x, drawn.y), gradients):
            assert np.isfinite(gradient).all(), told
            assert (gradient[np.isnan(drawn.x)] == 0).all(), told
            for index in drawn.random.choice(np.flatnonzero(np.isfinite(drawn.x)), 6):
                slope = drawn.difference(side, index)
                assert abs(slope - gradient.flat[index]) < 1e-6 * largest, told
