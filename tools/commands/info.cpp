// SPDX-License-Identifier: MIT
// `iqa info`: versions, instruction sets, CUDA and image formats.
#include "commands/commands.hpp"
#include "measuring/report.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#define IQA_TOOL_TEXT_OF(value) #value
#define IQA_TOOL_TEXT(value) IQA_TOOL_TEXT_OF(value)

namespace iqa_tool {

namespace {

// libtiff says "LIBTIFF, Version 4.5.0", and then names its authors.
std::string tiff_version()
{
    const std::string first_line = std::string(TIFFGetVersion()).substr(0, std::string(TIFFGetVersion()).find('\n'));
    return "libtiff " + first_line.substr(first_line.rfind(' ') + 1);
}

std::vector<std::pair<std::string, std::string>> formats()
{
    return {
        {"PNG", "1 to 16 bits, grey, RGB, palette, alpha (libpng " + std::string(png_get_libpng_ver(nullptr)) + ")"},
        {"JPEG", "8 bits, grey and colour (libjpeg-turbo " IQA_TOOL_TEXT(LIBJPEG_TURBO_VERSION) ")"},
        {"TIFF", "1 to 16 bits, int16, float16, float32, float64, palette, alpha (" + tiff_version() + ")"},
        {"PNM", "PBM, PGM, PPM, text and binary, 8 and 16 bits"},
        {"PFM", "float32, grey and RGB"},
        {"NPY", "uint8, uint16, int16, float16, float32, float64, C and Fortran order"}};
}

int run(const settings &chosen, bool as_json)
{
    const iqa::context context(chosen.context);
    nlohmann::ordered_json report = library_as_json(context);
    report["cuda"] = iqa_cuda_state();
    for (const auto &[name, text] : formats())
        report["formats"][name] = text;
    if (as_json) {
        write_json(std::cout, report);
        return exit_fine;
    }
    std::cout << "iqa " << version_text(IQA_VERSION) << " with libiqa_c " << version_text(iqa_library_version())
              << "\ninstruction set  " << context.instruction_set() << "\nthreads          " << context.thread_count()
              << "\nCUDA             " << iqa_cuda_state() << "\nformats\n";
    for (const auto &[name, text] : formats())
        std::cout << "  " << name << std::string(6 - name.size(), ' ') << text << '\n';
    return exit_fine;
}

} // namespace

command_function add_info(CLI::App &command)
{
    const auto chosen = std::make_shared<settings>();
    const auto as_json = std::make_shared<bool>(false);
    add_context_options(command, chosen->context);
    command.add_flag("--json", *as_json, "Write JSON");
    return [chosen, as_json] {
        return run(*chosen, *as_json);
    };
}

} // namespace iqa_tool
