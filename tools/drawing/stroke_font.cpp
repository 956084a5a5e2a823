// SPDX-License-Identifier: MIT
// A small font made of strokes, so that pictures look the same on every machine, whatever fonts it has.
#include "drawing/canvas.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace iqa_tool {

namespace {

// The printable characters of ASCII from ' ' on. The first digit is the width; then come strokes of points, two
// hexadecimal digits x y each. Baseline is y = 3, small letters reach y = 9, capitals y = c, tails y = 0. A stroke
// starts with '-' (straight lines), '~' (a quadratic B-spline from the first to the last point) or 'o' (a closed one).
// clang-format off
constexpr std::array<std::string_view, 95> glyphs = {
    /*   */ "3",
    /* ! */ "0 -0c06 -0303",
    /* " */ "2 -0c0a -2c2a",
    /* # */ "6 -2c13 -5c43 -0969 -0666",
    /* $ */ "6 ~6a6c0c0867630305 -3d32",
    /* % */ "6 -036c o09393c0c o33636636",
    /* & */ "7 ~73191c4c4906035367",
    /* ' */ "0 -0c0a",
    /* ( */ "2 ~2d0a0522",
    /* ) */ "2 ~0d2a2502",
    /* * */ "6 -3c38 -1b59 -195b",
    /* + */ "6 -0767 -3a34",
    /* , */ "1 -1301",
    /* - */ "4 -0747",
    /* . */ "0 -0303",
    /* / */ "5 -035c",
    /* 0 */ "6 o03636c0c",
    /* 1 */ "4 -1a3c33 -1353",
    /* 2 */ "6 ~0a0c6c6803 -0363",
    /* 3 */ "6 ~0b0c5c5828 ~2868630304",
    /* 4 */ "6 -434c0666",
    /* 5 */ "6 -5c0c08 ~081969630304",
    /* 6 */ "6 ~5c0b06 o03636909",
    /* 7 */ "6 -0c6c23",
    /* 8 */ "6 o18585c1c o03636808",
    /* 9 */ "6 ~696413 o06666c0c",
    /* : */ "0 -0303 -0808",
    /* ; */ "1 -1301 -1818",
    /* < */ "5 -5a0754",
    /* = */ "6 -0969 -0565",
    /* > */ "5 -0a5704",
    /* ? */ "5 ~0a0c5c5826 -2623 -2323",
    /* @ */ "8 o35656959 ~6664848c0c0272",
    /* A */ "6 -033c63 -1656",
    /* B */ "6 -030c2c ~2c5c5828 -0828 ~28686323 -2303",
    /* C */ "6 ~6a6c0c036365",
    /* D */ "6 -030c2c ~2c6c6323 -2303",
    /* E */ "5 -5c0c0353 -0848",
    /* F */ "5 -5c0c03 -0848",
    /* G */ "6 ~6a6c0c036365 -656747",
    /* H */ "6 -0c03 -6c63 -0868",
    /* I */ "0 -0c03",
    /* J */ "4 -4c45 ~45430305",
    /* K */ "6 -0c03 -6c06 -2863",
    /* L */ "5 -0c0353",
    /* M */ "8 -030c458c83",
    /* N */ "6 -030c636c",
    /* O */ "7 o03737c0c",
    /* P */ "6 -030c2c ~2c6c6727 -2707",
    /* Q */ "7 o03737c0c -4672",
    /* R */ "6 -030c2c ~2c6c6727 -2707 -3763",
    /* S */ "6 ~6a6c0c0867630305",
    /* T */ "6 -0c6c -3c33",
    /* U */ "6 -0c06 ~06036366 -666c",
    /* V */ "6 -0c336c",
    /* W */ "8 -0c234b638c",
    /* X */ "6 -0c63 -036c",
    /* Y */ "6 -0c376c -3733",
    /* Z */ "6 -0c6c0363",
    /* [ */ "2 -2d0d0222",
    /* \ */ "5 -0c53",
    /* ] */ "2 -0d2d2202",
    /* ^ */ "6 -0a3c6a",
    /* _ */ "6 -0262",
    /* ` */ "2 -0c1a",
    /* a */ "5 o03535909 -5953",
    /* b */ "5 -0c03 o03535909",
    /* c */ "5 ~575909035355",
    /* d */ "5 -5c53 o03535909",
    /* e */ "5 -0656 ~565909035354",
    /* f */ "4 ~4c1c19 -1913 -0939",
    /* g */ "5 o03535909 -5952 ~52500001",
    /* h */ "5 -0c03 ~0619595653",
    /* i */ "0 -0903 -0c0c",
    /* j */ "2 -2922 ~222000 -2c2c",
    /* k */ "4 -0c03 -4905 -1643",
    /* l */ "0 -0c03",
    /* m */ "8 -0903 ~0619494643 ~4659898683",
    /* n */ "5 -0903 ~0619595653",
    /* o */ "5 o03535909",
    /* p */ "5 -0900 o03535909",
    /* q */ "5 -5950 o03535909",
    /* r */ "3 -0903 ~061939",
    /* s */ "4 ~4849090646430304",
    /* t */ "3 -1b15 ~151333 -0939",
    /* u */ "5 -0906 ~06034356 -5953",
    /* v */ "4 -092349",
    /* w */ "8 -0923486389",
    /* x */ "4 -0943 -0349",
    /* y */ "4 -0923 -4910",
    /* z */ "4 -09490343",
    /* { */ "3 ~3d1d1807 ~07161232",
    /* | */ "0 -0d02",
    /* } */ "3 ~0d2d2837 ~37262202",
    /* ~ */ "6 ~061838365668",
};
// clang-format on

struct point {
    double x, y;
};

using outline = std::vector<point>;

// A glyph as polylines in the grid of the table.
struct glyph {
    double width = 0;
    std::vector<outline> strokes;
};

int digit(char character) noexcept
{
    return character <= '9' ? character - '0' : character - 'a' + 10;
}

point middle(const point &first, const point &second) noexcept
{
    return {(first.x + second.x) / 2, (first.y + second.y) / 2};
}

void add_bend(outline &out, point start, point control, point end)
{
    constexpr int pieces = 8;
    for (int piece = 1; piece <= pieces; ++piece) {
        const double t = static_cast<double>(piece) / pieces;
        const double from_start = (1 - t) * (1 - t), from_control = 2 * t * (1 - t), from_end = t * t;
        out.push_back({from_start * start.x + from_control * control.x + from_end * end.x,
                       from_start * start.y + from_control * control.y + from_end * end.y});
    }
}

outline smooth(const outline &controls, bool closed)
{
    const std::size_t count = controls.size();
    outline out;
    out.push_back(closed ? middle(controls[count - 1], controls[0]) : controls[0]);
    for (std::size_t index = closed ? 0 : 1; index + (closed ? 0 : 1) < count; ++index) {
        const bool last = !closed && index + 2 == count;
        const point &next = controls[(index + 1) % count];
        add_bend(out, out.back(), controls[index], last ? next : middle(controls[index], next));
    }
    return out;
}

glyph parse_glyph(std::string_view text)
{
    glyph parsed;
    parsed.width = digit(text.front());
    for (std::size_t position = 1; position < text.size();) {
        const char kind = text[position++];
        if (kind == ' ')
            continue;
        outline points;
        for (; position < text.size() && text[position] != ' '; position += 2)
            points.push_back(
                {static_cast<double>(digit(text[position])), static_cast<double>(digit(text[position + 1]))});
        parsed.strokes.push_back(kind == '-' ? points : smooth(points, kind == 'o'));
    }
    return parsed;
}

const glyph &glyph_of(char character)
{
    static const std::vector<glyph> parsed = [] {
        std::vector<glyph> list;
        for (const std::string_view text : glyphs)
            list.push_back(parse_glyph(text));
        return list;
    }();
    const int index = character - ' ';
    return parsed[index >= 0 && index < static_cast<int>(parsed.size()) ? static_cast<std::size_t>(index) : '?' - ' '];
}

// Continuation bytes of UTF-8 are skipped, so that one character is one question mark.
bool is_continuation(char byte) noexcept
{
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

constexpr double capital_height = 9; // in units of the grid
constexpr double gap = 3;            // between two characters
constexpr double baseline_y = 3;

double distance_to_segment(const point &p, const point &start, const point &end) noexcept
{
    const double along_x = end.x - start.x, along_y = end.y - start.y;
    const double length = along_x * along_x + along_y * along_y;
    const double t =
        length > 0 ? std::clamp(((p.x - start.x) * along_x + (p.y - start.y) * along_y) / length, 0.0, 1.0) : 0;
    return std::hypot(p.x - start.x - t * along_x, p.y - start.y - t * along_y);
}

double distance_to_glyph(const point &p, const glyph &shape) noexcept
{
    double nearest = HUGE_VAL;
    for (const outline &stroke : shape.strokes)
        for (std::size_t index = 1; index < stroke.size(); ++index)
            nearest = std::min(nearest, distance_to_segment(p, stroke[index - 1], stroke[index]));
    return nearest;
}

// Calls plot(column, row, coverage) for the pixels of a text whose lower left end is (x, baseline).
template <typename plot_function>
void plot_text(double x, double baseline, double size, std::string_view text, plot_function plot)
{
    const double unit = size / capital_height; // pixels
    const double radius = std::max(0.55, 0.62 * unit);
    for (const char character : text) {
        if (is_continuation(character))
            continue;
        const glyph &shape = glyph_of(character);
        const auto left = static_cast<int64_t>(std::floor(x - radius - 1));
        const auto right = static_cast<int64_t>(std::ceil(x + shape.width * unit + radius + 1));
        const auto top = static_cast<int64_t>(std::floor(baseline - 10 * unit - radius - 1));
        const auto bottom = static_cast<int64_t>(std::ceil(baseline + baseline_y * unit + radius + 1));
        for (int64_t row = top; row <= bottom; ++row)
            for (int64_t column = left; column <= right; ++column) {
                const point p{(static_cast<double>(column) + 0.5 - x) / unit,
                              (baseline - static_cast<double>(row) - 0.5) / unit + baseline_y};
                const double coverage = radius + 0.5 - distance_to_glyph(p, shape) * unit;
                if (coverage > 0)
                    plot(column, row, std::min(coverage, 1.0));
            }
        x += (shape.width + gap) * unit;
    }
}

} // namespace

double text_width(double size, std::string_view text)
{
    double units = -gap;
    for (const char character : text)
        if (!is_continuation(character))
            units += glyph_of(character).width + gap;
    return std::max(0.0, units) * size / capital_height;
}

std::string fitted_text(double size, std::string_view text, double width)
{
    std::string fitted(text);
    for (std::size_t kept = text.size(); kept > 2 && text_width(size, fitted) > width; --kept)
        fitted = std::string(text.substr(0, kept / 2)) + "..." + std::string(text.substr(text.size() - kept / 2));
    return fitted;
}

void draw_text(canvas &target, double x, double baseline, double size, std::string_view text, colour ink)
{
    plot_text(x, baseline, size, text,
              [&](int64_t column, int64_t row, double coverage) { target.blend(column, row, ink, coverage); });
}

void draw_text_up(canvas &target, double x, double y, double size, std::string_view text, colour ink)
{
    plot_text(-y, x, size, text,
              [&](int64_t column, int64_t row, double coverage) { target.blend(row, -column - 1, ink, coverage); });
}

} // namespace iqa_tool
