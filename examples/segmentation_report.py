# SPDX-License-Identifier: MIT
"""A report on segmentation: the scores of each class as a table in Markdown, LaTeX or HTML.

Shows iqa.ConfusionMatrix: one pass over the label maps, and every score from its counts. The truth and the predictions
are folders with folders in them, as those of Cityscapes; what ends their names says which file belongs to which. Needs
NumPy and Pillow.

    python examples/segmentation_report.py
    python examples/segmentation_report.py predictions gtFine/val --prediction-ending _leftImg8bit.png \\
        --truth-ending _gtFine_labelTrainIds.png --names names.csv --output report.tex
"""

import argparse
import csv
import html
import pathlib

from PIL import Image

import iqa

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data" / "labels"
COLUMNS = ("class", "IoU", "Dice", "precision", "recall", "share of the truth")


def pairs(predictions, truth, prediction_ending, truth_ending):
    """The files of both folders that have the same name without its ending."""
    found = {path.name.removesuffix(prediction_ending): path for path in predictions.rglob(f"*{prediction_ending}")}
    for path in sorted(truth.rglob(f"*{truth_ending}")):
        name = path.name.removesuffix(truth_ending)
        if name not in found:
            raise SystemExit(f"{path} has no prediction: {name}{prediction_ending} is not in {predictions}")
        yield found[name], path


def rows(matrix, names):
    """A row for each class, and one of their means; a class that occurs nowhere has no scores."""
    scores = [getattr(matrix, score)(average=None) for score in ("iou", "dice", "precision", "recall")]
    support = matrix.support / matrix.support.sum()
    for label, name in enumerate(names):
        yield name, *(f"{100 * score[label]:.2f}" for score in scores), f"{100 * support[label]:.2f}"
    means = [getattr(matrix, score)(average="macro") for score in ("iou", "dice", "precision", "recall")]
    yield "mean", *(f"{100 * mean:.2f}" for mean in means), ""


def markdown(table):
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([lines[0], "|---" * len(COLUMNS) + "|", *lines[1:]])


def latex(table):
    head, *body = (" & ".join(row).replace("_", r"\_") + r" \\" for row in table)
    inside = [r"\hline", head, r"\hline", *body[:-1], r"\hline", body[-1], r"\hline"]
    return "\n".join([rf"\begin{{tabular}}{{l{'r' * (len(COLUMNS) - 1)}}}", *inside, r"\end{tabular}"])


def hypertext(table):
    lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in table]
    lines[0] = lines[0].replace("td>", "th>")
    return "\n".join(["<table>", *(f"<tr>{line}</tr>" for line in lines), "</table>"])


FORMATS = {".md": markdown, ".tex": latex, ".html": hypertext}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("predictions", nargs="?", type=pathlib.Path, default=SHIPPED / "prediction")
    parser.add_argument("truth", nargs="?", type=pathlib.Path, default=SHIPPED / "reference")
    parser.add_argument("--prediction-ending", default=".png", help="what ends the names of predictions")
    parser.add_argument("--truth-ending", default=".png", help="what ends the names of true label maps")
    parser.add_argument("--names", type=pathlib.Path, default=SHIPPED / "names.csv", help="CSV with columns id, name")
    parser.add_argument("--ignore", type=int, default=255, help="the label of the truth that is left out")
    parser.add_argument("--output", type=pathlib.Path, help="report.md, .tex or .html; without it the standard output")
    arguments = parser.parse_args()

    with arguments.names.open() as file:
        named = {int(row["id"]): row["name"] for row in csv.DictReader(file)}
    names = [name for label, name in sorted(named.items()) if label != arguments.ignore]
    matrix = iqa.ConfusionMatrix(len(names), ignore=arguments.ignore)
    endings = (arguments.prediction_ending, arguments.truth_ending)
    for prediction, truth in pairs(arguments.predictions, arguments.truth, *endings):
        matrix.update(Image.open(truth), Image.open(prediction))

    table = FORMATS[arguments.output.suffix if arguments.output else ".md"]([COLUMNS, *rows(matrix, names)])
    if arguments.output:
        arguments.output.write_text(table + "\n")
    else:
        print(table)
    accuracy = matrix.accuracy(average="micro")
    print(f"\n{matrix.elements} pixels, {matrix.ignored} of them ignored, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
