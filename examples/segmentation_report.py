# SPDX-License-Identifier: MIT
"""A report on segmentation: the scores of each class as a table in Markdown, LaTeX, HTML or CSV.

Shows iqa.ConfusionMatrix: one pass over the label maps, then every score and the table from its counts. Truth and
predictions are folders with folders in them, as those of Cityscapes; what ends their names says which file belongs to
which. Needs NumPy and Pillow.

    python examples/segmentation_report.py
    python examples/segmentation_report.py predictions gtFine/val --prediction-ending _leftImg8bit.png \\
        --truth-ending _gtFine_labelTrainIds.png --names names.csv --output report.tex
"""

import argparse
import csv
import pathlib

from PIL import Image

import iqa

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data" / "labels"
SCORES = ("iou", "dice", "precision", "recall")


def pairs(predictions, truth, prediction_ending, truth_ending):
    """The files of both folders that have the same name without its ending."""
    found = {path.name.removesuffix(prediction_ending): path for path in predictions.rglob(f"*{prediction_ending}")}
    for path in sorted(truth.rglob(f"*{truth_ending}")):
        name = path.name.removesuffix(truth_ending)
        if name not in found:
            raise SystemExit(f"{path} has no prediction: {name}{prediction_ending} is not in {predictions}")
        yield found[name], path


# A table as each kind of file has it.
FORMATS = {
    ".md": iqa.ScoreTable.to_markdown,
    ".tex": iqa.ScoreTable.to_latex,
    ".html": iqa.ScoreTable._repr_html_,
    ".csv": iqa.ScoreTable.to_csv,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("predictions", nargs="?", type=pathlib.Path, default=SHIPPED / "prediction")
    parser.add_argument("truth", nargs="?", type=pathlib.Path, default=SHIPPED / "reference")
    parser.add_argument("--prediction-ending", default=".png", help="what ends the names of predictions")
    parser.add_argument("--truth-ending", default=".png", help="what ends the names of true label maps")
    parser.add_argument("--names", type=pathlib.Path, default=SHIPPED / "names.csv", help="CSV with columns id, name")
    parser.add_argument("--ignore", type=int, default=255, help="the label of the truth that is left out")
    parser.add_argument("--output", type=pathlib.Path, help="writes the table to FILE.md, .tex, .html or .csv")
    arguments = parser.parse_args()
    if arguments.output and arguments.output.suffix not in FORMATS:
        parser.error(f"--output is {arguments.output}, expected a name that ends in {', '.join(FORMATS)}")

    with arguments.names.open() as file:
        named = {int(row["id"]): row["name"] for row in csv.DictReader(file)}
    names = [name for label, name in sorted(named.items()) if label != arguments.ignore]
    matrix = iqa.ConfusionMatrix(len(names), ignore=arguments.ignore)
    endings = (arguments.prediction_ending, arguments.truth_ending)
    for prediction, truth in pairs(arguments.predictions, arguments.truth, *endings):
        matrix.update(Image.open(truth), Image.open(prediction))

    table = matrix.table(names=names, scores=SCORES, averages=("macro",))
    print(table)
    if arguments.output:
        arguments.output.write_text(FORMATS[arguments.output.suffix](table) + "\n")
    accuracy = matrix.accuracy(average="micro")
    print(f"\n{matrix.elements} pixels, {matrix.ignored} of them ignored, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
