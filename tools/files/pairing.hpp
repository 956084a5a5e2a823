// SPDX-License-Identifier: MIT
//
// Which file of one folder belongs to which of the other.
#pragma once

#include <cstddef>
#include <map>
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
    std::map<std::string, std::size_t> others;            // how many files have an ending that is not looked at
};

/** The files of a folder, by names relative to it. */
struct listing {
    std::vector<std::string> names; // sorted
    std::map<std::string, std::size_t> others;
};

/** "3 .webp files, 1 .txt file" */
std::string text_of_others(const std::map<std::string, std::size_t> &others);

/** The endings of the names of pictures. */
extern const std::vector<std::string> picture_endings;

/** The files of a folder whose names do not start with a dot and have one of the endings, in capitals or not. Whether
 *  they can be read is not looked at. Throws std::runtime_error. */
listing list_files(const std::string &folder, bool recursive, const std::vector<std::string> &endings);

/** Whether a name is that of a folder. */
bool is_folder(const std::string &path);

/** Pairs equal names first; then names that are equal but for the extension, where only one file of each folder is left
 *  with that name. */
pairing pair_files(listing reference_files, listing test_files);

} // namespace iqa_tool
