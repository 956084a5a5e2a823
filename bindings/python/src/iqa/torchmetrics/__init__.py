# SPDX-License-Identifier: MIT
"""TorchMetrics' classes with this library inside: one import line changes.

    >>> from iqa.torchmetrics import F1Score, StructuralSimilarityIndexMeasure
    >>> metric = StructuralSimilarityIndexMeasure(data_range=1.0)
    >>> metric.update(preds, target)
    >>> metric.compute()

Names, arguments, their order and defaults, and the types, shapes and devices of results are those
of TorchMetrics 1.9, and each class is a `torchmetrics.Metric`: collections, trackers, checkpoints,
pickling, bootstrapping and Lightning's `self.log` take it. Its state is integers that add, so that
any number of processes gives the bits of one. `import iqa` imports neither this module nor
PyTorch; docs/guide/torchmetrics.md has what differs, and why.
"""

from ._base import ExactMetric
from ._classification import (
    BinaryAccuracy,
    BinaryCohenKappa,
    BinaryConfusionMatrix,
    BinaryF1Score,
    BinaryFBetaScore,
    BinaryJaccardIndex,
    BinaryMatthewsCorrCoef,
    BinaryPrecision,
    BinaryRecall,
    BinarySpecificity,
    MulticlassAccuracy,
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassFBetaScore,
    MulticlassJaccardIndex,
    MulticlassMatthewsCorrCoef,
    MulticlassPrecision,
    MulticlassRecall,
    MulticlassSpecificity,
    MultilabelAccuracy,
    MultilabelConfusionMatrix,
    MultilabelF1Score,
    MultilabelFBetaScore,
    MultilabelJaccardIndex,
    MultilabelMatthewsCorrCoef,
    MultilabelPrecision,
    MultilabelRecall,
    MultilabelSpecificity,
)
from ._generative import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance
from ._images import (
    MultiScaleStructuralSimilarityIndexMeasure,
    PeakSignalNoiseRatio,
    StructuralSimilarityIndexMeasure,
)
from ._network import Features, InceptionFeatures
from ._regression import MeanAbsoluteError, MeanSquaredError
from ._segmentation import DiceScore, GeneralizedDiceScore, MeanIoU
from ._tasks import (
    Accuracy,
    CohenKappa,
    ConfusionMatrix,
    F1Score,
    FBetaScore,
    JaccardIndex,
    MatthewsCorrCoef,
    Precision,
    Recall,
    Specificity,
)

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCohenKappa",
    "BinaryConfusionMatrix",
    "BinaryF1Score",
    "BinaryFBetaScore",
    "BinaryJaccardIndex",
    "BinaryMatthewsCorrCoef",
    "BinaryPrecision",
    "BinaryRecall",
    "BinarySpecificity",
    "CohenKappa",
    "ConfusionMatrix",
    "DiceScore",
    "ExactMetric",
    "F1Score",
    "FBetaScore",
    "Features",
    "FrechetInceptionDistance",
    "GeneralizedDiceScore",
    "InceptionFeatures",
    "InceptionScore",
    "JaccardIndex",
    "KernelInceptionDistance",
    "MatthewsCorrCoef",
    "MeanAbsoluteError",
    "MeanIoU",
    "MeanSquaredError",
    "MultiScaleStructuralSimilarityIndexMeasure",
    "MulticlassAccuracy",
    "MulticlassCohenKappa",
    "MulticlassConfusionMatrix",
    "MulticlassF1Score",
    "MulticlassFBetaScore",
    "MulticlassJaccardIndex",
    "MulticlassMatthewsCorrCoef",
    "MulticlassPrecision",
    "MulticlassRecall",
    "MulticlassSpecificity",
    "MultilabelAccuracy",
    "MultilabelConfusionMatrix",
    "MultilabelF1Score",
    "MultilabelFBetaScore",
    "MultilabelJaccardIndex",
    "MultilabelMatthewsCorrCoef",
    "MultilabelPrecision",
    "MultilabelRecall",
    "MultilabelSpecificity",
    "PeakSignalNoiseRatio",
    "Precision",
    "Recall",
    "Specificity",
    "StructuralSimilarityIndexMeasure",
]
