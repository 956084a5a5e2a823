// SPDX-License-Identifier: MIT
// Text and JSON that several commands write.
#pragma once

#include "measuring/measure.hpp"

#include <nlohmann/json_fwd.hpp>

#include <ostream>
#include <string>

namespace iqa_tool {

// Indented JSON. Numbers have the shortest digits that read back; infinities and NaN, which JSON lacks, are the strings
// "inf", "-inf" and "nan"; bytes of a name that are not UTF-8 become U+FFFD.
void write_json(std::ostream &out, const nlohmann::ordered_json &value);

// Format, shape and element type.
nlohmann::ordered_json picture_as_json(const std::string &path, const image &picture);

// Library version, instruction set and threads.
nlohmann::ordered_json library_as_json(const iqa::context &context);

// "0.1.0"
std::string version_text(uint32_t version);

// The unit of a PSNR in the chosen base, with a leading space: " dB" or "".
std::string psnr_unit(const settings &chosen);

// The values below their thresholds, in words; "" if there is none. NaN is below every threshold.
std::string below_threshold_text(const settings &chosen, double ssim, double psnr);

} // namespace iqa_tool
