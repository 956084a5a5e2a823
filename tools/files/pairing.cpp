// SPDX-License-Identifier: MIT
#include "files/pairing.hpp"

#include "files/file_error.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace iqa_tool {

namespace {

namespace fs = std::filesystem;

// ".png" of "a.PNG"
std::string ending_of(const fs::path &path)
{
    std::string ending = path.extension().string();
    for (char &character : ending)
        if (character >= 'A' && character <= 'Z')
            character = static_cast<char>(character - 'A' + 'a');
    return ending;
}

template <typename iterator>
listing list(const std::string &folder, const std::vector<std::string> &endings)
{
    listing found;
    for (const fs::directory_entry &entry : iterator(folder)) {
        std::error_code unknown; // such as a dangling link: opening it will tell
        if (entry.path().filename().string().starts_with('.') || entry.is_directory(unknown))
            continue;
        const std::string ending = ending_of(entry.path());
        if (std::find(endings.begin(), endings.end(), ending) != endings.end())
            found.names.push_back(entry.path().lexically_relative(folder).string());
        else
            ++found.others[ending];
    }
    std::sort(found.names.begin(), found.names.end());
    return found;
}

std::string without_extension(const std::string &name)
{
    return fs::path(name).replace_extension().string();
}

using names_by_stem = std::map<std::string, std::vector<std::string>>;

names_by_stem group_by_stem(const std::vector<std::string> &names)
{
    names_by_stem groups;
    for (const std::string &name : names)
        groups[without_extension(name)].push_back(name);
    return groups;
}

std::vector<std::string> difference(const std::vector<std::string> &from, const std::vector<std::string> &without)
{
    std::vector<std::string> left;
    std::set_difference(from.begin(), from.end(), without.begin(), without.end(), std::back_inserter(left));
    return left;
}

} // namespace

const std::vector<std::string> picture_endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pnm",
                                                  ".pbm", ".pgm", ".ppm",  ".pfm", ".npy"};

listing list_files(const std::string &folder, bool recursive, const std::vector<std::string> &endings)
{
    try {
        return recursive ? list<fs::recursive_directory_iterator>(folder, endings)
                         : list<fs::directory_iterator>(folder, endings);
    } catch (const fs::filesystem_error &problem) {
        throw file_error(folder, problem.code().message());
    }
}

bool is_folder(const std::string &path)
{
    std::error_code unknown; // opening it will tell
    return fs::is_directory(path, unknown);
}

std::string text_of_others(const std::map<std::string, std::size_t> &others)
{
    std::string text;
    for (const auto &[ending, count] : others)
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + (ending.empty() ? "extensionless" : ending) +
                (count == 1 ? " file" : " files");
    return text;
}

pairing pair_files(listing reference_files, listing test_files)
{
    const std::vector<std::string> &references = reference_files.names, &tests = test_files.names;
    pairing found;
    found.others = std::move(reference_files.others);
    for (const auto &[ending, count] : test_files.others)
        found.others[ending] += count;
    std::vector<std::string> equal;
    std::set_intersection(references.begin(), references.end(), tests.begin(), tests.end(), std::back_inserter(equal));
    for (const std::string &name : equal)
        found.pairs.push_back({name, name});

    names_by_stem reference_groups = group_by_stem(difference(references, equal));
    names_by_stem test_groups = group_by_stem(difference(tests, equal));
    for (auto &[stem, names] : reference_groups) {
        const auto group = test_groups.find(stem);
        if (group != test_groups.end() && names.size() == 1 && group->second.size() == 1) {
            found.pairs.push_back({names.front(), group->second.front()});
            names.clear();
            group->second.clear();
        }
    }
    for (const auto &[groups, lone] :
         {std::pair(&reference_groups, &found.lone_references), std::pair(&test_groups, &found.lone_tests)}) {
        for (const auto &[stem, names] : *groups)
            lone->insert(lone->end(), names.begin(), names.end());
        std::sort(lone->begin(), lone->end());
    }
    std::sort(found.pairs.begin(), found.pairs.end(),
              [](const file_pair &first, const file_pair &second) { return first.reference < second.reference; });
    return found;
}

} // namespace iqa_tool
