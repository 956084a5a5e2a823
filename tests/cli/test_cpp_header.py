# SPDX-License-Identifier: MIT
"""The C++ header bindings/cpp/iqa.hpp, every member of it, with the library of the program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from c_api import library_path
from conftest import Program

ROOT = Path(__file__).resolve().parents[2]

SOURCE = r"""
#include <iqa.hpp>
#include <cstdio>
#include <utility>

#define EXPECT(condition) \
    if (!(condition)) return std::printf("%d: %s\n", __LINE__, #condition), 1;

int main()
{
    std::vector<unsigned char> x(32 * 32), y(32 * 32);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<unsigned char>(i * 7 % 251);
        y[i] = static_cast<unsigned char>(i * 7 % 249);
    }
    const int64_t shape[] = {32, 32};
    const iqa_tensor reference = iqa_cpu_tensor(x.data(), IQA_UINT8, 2, shape);
    const iqa_tensor candidate = iqa_cpu_tensor(y.data(), IQA_UINT8, 2, shape);

    iqa_context_options context_options = iqa::default_context_options();
    context_options.threads = 1;
    iqa::context context(context_options);
    EXPECT(context.thread_count() == 1 && context.instruction_set()[0] != 0);

    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.border = IQA_BORDER_REFLECT;
    iqa::metric ssim = iqa::metric::ssim(context, &options);
    try {
        ssim.compute();
        EXPECT(!"an error");
    } catch (const iqa::error &problem) {
        EXPECT(problem.status() == IQA_ERROR_NO_DATA && problem.what()[0] != 0);
    }
    double direct = 0;
    context.check(iqa_measure_ssim(context.get(), &options, &reference, &candidate, &direct));
    double per_image = 0;
    const int64_t one = 1;
    const iqa_tensor per_image_tensor = iqa_cpu_tensor(&per_image, IQA_FLOAT64, 1, &one);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = &per_image_tensor;
    ssim.update(reference, candidate, &extras);
    EXPECT(ssim.compute() == direct && per_image == direct && direct < 1);

    iqa::metric other = iqa::metric::ssim(context, &options);
    other.update(reference, reference);
    ssim.merge(other);
    EXPECT(ssim.read(IQA_FIELD_IMAGES) == 2);
    EXPECT(ssim.read_all(IQA_FIELD_VALUE) == std::vector<double>{ssim.compute()});

    const std::vector<std::byte> bytes = ssim.serialize();
    iqa::metric copy = iqa::metric::deserialize(context, bytes.data(), bytes.size());
    EXPECT(copy.compute() == ssim.compute() && copy.lanes() == ssim.lanes());
    copy.reset();
    copy.add_lanes(ssim.lanes());
    EXPECT(copy.serialize() == bytes);
    EXPECT(copy.fingerprint() == ssim.fingerprint());
    EXPECT(iqa::metric::ssim(context).fingerprint() != ssim.fingerprint());

    iqa::metric moved = std::move(copy);
    EXPECT(moved.compute() == ssim.compute());
    iqa::metric psnr = iqa::metric::psnr(iqa::context());  // keeps its context alive
    psnr.update(reference, candidate);
    EXPECT(psnr.compute() > 0);
    iqa::metric errors = iqa::metric::errors(iqa::context());
    errors.update(reference, candidate);
    EXPECT(errors.compute() > 0);

    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    reading.average = IQA_AVERAGE_NONE;
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.classes = 256;
    iqa::metric labels = iqa::metric::confusion(context, &counting);
    labels.update(reference, reference);
    EXPECT(labels.score(IQA_SCORE_KAPPA) == std::vector<double>{1});
    EXPECT(labels.score(IQA_SCORE_IOU, &reading).size() == 256);

    options.size_y = 2;
    try {
        iqa::metric::ssim(context, &options);
        EXPECT(!"an error");
    } catch (const iqa::error &problem) {
        EXPECT(problem.status() == IQA_ERROR_INVALID_ARGUMENT);
    }
    try {
        context_options.threads = -7;
        iqa::context wrong(context_options);
        EXPECT(!"an error");
    } catch (const iqa::error &problem) {
        EXPECT(problem.status() == IQA_ERROR_INVALID_ARGUMENT);
    }
    return 0;
}
"""


def test_every_member_of_the_cpp_header(iqa: Program, tmp_path: Path) -> None:
    if iqa.is_sanitized:
        pytest.skip("the library needs AddressSanitizer in the program, too")
    library = library_path(iqa.path)
    source = tmp_path / "program.cpp"
    source.write_text(SOURCE)
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
    includes = (f"-I{ROOT}/include", f"-I{ROOT}/bindings/cpp")
    command = [
        "c++",
        "-std=c++17",
        *warnings,
        *includes,
        source,
        library,
        "-o",
        tmp_path / "program",
    ]
    subprocess.run([*command, f"-Wl,-rpath,{library.parent}"], check=True)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
