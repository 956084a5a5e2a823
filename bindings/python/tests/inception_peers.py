# SPDX-License-Identifier: MIT
# ruff: noqa: PLC0415 the peers may be absent
"""The networks of torch-fidelity and pytorch-fid, live, with weights that the caller has.

A network here is a function of uint8 pictures [N, H, W, 3] that gives the features of every layer
by name. Each resizes as its own program does.
"""

import importlib.util
import os
import tempfile
from unittest import mock

import numpy as np

LAYERS = {
    "torch-fidelity": ("64", "192", "768", "2048", "logits_unbiased", "logits"),
    "pytorch-fid": ("64", "192", "768", "2048"),
}
"""Layers that a peer gives."""

RESIZES = {"torch-fidelity": "tensorflow", "pytorch-fid": "pytorch"}
"""Names of the peers' resizing here."""


def present(peer):
    """Whether a peer can be imported."""
    return importlib.util.find_spec(peer.replace("-", "_")) is not None


def network(peer, tensors, dtype="float32"):
    """A peer's network with tensors by name, which computes in dtype."""
    import torch

    make = {"torch-fidelity": _torch_fidelity, "pytorch-fid": _pytorch_fid}[peer]
    run = make(tensors, getattr(torch, dtype))

    def features(pictures):
        planar = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        with torch.inference_mode():
            found = run(planar)
        return {name: f.numpy() for name, f in zip(LAYERS[peer], found, strict=True)}

    return features


def pytorch_fid_module(tensors, blocks, **options):
    """pytorch-fid's module, which takes floats from 0 to 1 and gives a map for each block."""
    from pytorch_fid import inception

    state = _state(tensors)
    with mock.patch.object(inception, "load_state_dict_from_url", lambda *_, **__: state):
        return inception.InceptionV3(blocks, **options).eval()


def _state(tensors):
    import torch

    return {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}


def _torch_fidelity(tensors, dtype):
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.pth")
        torch.save(_state(tensors), path)
        module = FeatureExtractorInceptionV3("inception", list(LAYERS["torch-fidelity"]), path)
    # Its own argument for the type takes float64 for float32 (0.4.0).
    module.feature_extractor_internal_dtype = dtype
    return module.to(dtype)


def _pytorch_fid(tensors, dtype):
    import torch

    module = pytorch_fid_module(tensors, range(len(LAYERS["pytorch-fid"]))).to(dtype)

    def run(planar):
        maps = module(planar.to(dtype) / 255)
        # As pytorch-fid's fid_score does with the layers before the last pooling.
        pooled = [torch.nn.functional.adaptive_avg_pool2d(m, (1, 1)) for m in maps]
        return [p[..., 0, 0].float() for p in pooled]

    return run
