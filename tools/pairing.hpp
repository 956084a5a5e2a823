// SPDX-License-Identifier: MIT
//
// Which file of one folder belongs to which of the other.
#pragma once

#include <string>
#include <vector>

namespace iqa_tool {

/** Names relative to the two folders. */
struct file_pair {
    std::string reference, test;
};

struct pairing {
    std::vector<file_pair> pairs;                         // sorted by the reference's name
    std::vector<std::string> lone_references, lone_tests; // sorted
};

/** The endings of the names of pictures. */
extern const std::vector<std::string> picture_endings;

/** The files of a folder, relative to it: regular files whose names do not start with a dot and have one of the
 *  endings, in capitals or not. Throws std::runtime_error. */
std::vector<std::string> list_files(const std::string &folder, bool recursive, const std::vector<std::string> &endings);

/** Pairs equal names first; then names that are equal but for the extension, where only one file of each folder is left
 *  with that name. */
pairing pair_files(std::vector<std::string> references, std::vector<std::string> tests);

} // namespace iqa_tool
