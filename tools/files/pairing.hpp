// SPDX-License-Identifier: MIT
// Pairs the files of two folders by their names.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace iqa_tool {

// Names relative to the two folders.
struct file_pair {
    std::string reference, test;
};

struct pairing {
    std::vector<file_pair> pairs;                         // sorted by the reference's name
    std::vector<std::string> lone_references, lone_tests; // sorted
    std::map<std::string, std::size_t> others;            // files of other endings, by ending
};

// Names relative to the folder.
struct listing {
    std::vector<std::string> names; // sorted
    std::map<std::string, std::size_t> others;
};

// "3 .webp files, 1 .txt file"
std::string text_of_others(const std::map<std::string, std::size_t> &others);

// File name endings of pictures.
extern const std::vector<std::string> picture_endings;

// The files of a folder with one of the endings, in any case, but not those that start with a dot. None is opened.
// Throws std::runtime_error.
listing list_files(const std::string &folder, bool recursive, const std::vector<std::string> &endings);

// Whether the path is a folder.
bool is_folder(const std::string &path);

// Pairs equal names first; then names that differ in the extension alone, if each folder has one such file left.
pairing pair_files(listing reference_files, listing test_files);

} // namespace iqa_tool
