// SPDX-License-Identifier: MIT
#include "drawing/confusion_picture.hpp"

#include "drawing/chart.hpp"
#include "files/number.hpp"

#include <algorithm>
#include <cmath>

namespace iqa_tool {

namespace {

constexpr colour grid{226, 226, 232};

bool is_share(const confusion_view &view)
{
    return view.field != IQA_FIELD_CONFUSION_MATRIX;
}

std::string title_of(const confusion_view &view)
{
    switch (view.field) {
    case IQA_FIELD_CONFUSION_MATRIX_BY_ROW:
        return "share of the reference's class";
    case IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN:
        return "share of the predicted class";
    case IQA_FIELD_CONFUSION_MATRIX_BY_ALL:
        return "share of all pixels";
    default:
        return "pixels";
    }
}

// "950", "1.2k", "34k", "5.6M": three digits at most.
std::string short_count(double count)
{
    const char *units[] = {"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    for (; count >= 999.5 && unit + 1 < std::size(units); count /= 1000)
        ++unit;
    return fixed(count, unit > 0 && count < 9.95 ? 1 : 0) + units[unit];
}

// Sizes, in pixels.
struct measures {
    int64_t cell;
    double text, number_text; // heights of capitals: names and title, numbers in cells
    int64_t every;            // classes for each name that is written
    int64_t names;            // the room for names
    int64_t margin, bar, legend;
    int64_t side; // of the matrix

    explicit measures(const confusion_view &view)
    {
        const auto classes = static_cast<int64_t>(view.names.size());
        cell = std::clamp<int64_t>(880 / classes, 1, 88);
        side = cell * classes;
        text = std::clamp(0.45 * static_cast<double>(cell), 9.0, 13.0);
        number_text = std::min(0.22 * static_cast<double>(cell), 13.0);
        every = std::max<int64_t>(1, std::llround(std::ceil(1.5 * text / static_cast<double>(cell))));
        margin = std::llround(1.6 * text);
        bar = std::llround(1.4 * text);
        legend = margin + bar + std::llround(text + text_width(text, "0.000"));
        constexpr double widest_name = 170;
        double widest = 0;
        for (std::size_t label = 0; label < view.names.size(); ++label)
            widest = std::max(widest, text_width(text, name(view, label)));
        names = std::llround(std::min(widest, widest_name) + 0.8 * text);
    }

    static std::string name(const confusion_view &view, std::size_t label)
    {
        return view.names[label].empty() ? std::to_string(label) : view.names[label];
    }
    std::string fitted_name(const confusion_view &view, std::size_t label) const
    {
        return fitted_text(text, name(view, label), static_cast<double>(names) - 0.7 * text);
    }
    bool has_numbers() const { return number_text >= 7; }
};

// Light for 0, dark for the most, so that the diagonal of a good matrix stands out.
colour colour_of(double value, double most)
{
    if (std::isnan(value))
        return no_value;
    return value == 0 ? paper : colours().at(most > 0 ? 1 - value / most : 1);
}

// White on dark colours, black on light ones.
colour ink_on(const colour &below)
{
    return 0.3 * below.red + 0.59 * below.green + 0.11 * below.blue < 140 ? paper : ink;
}

// A row or column without any pixel has no shares.
std::vector<double> with_gaps(const confusion_view &view)
{
    std::vector<double> values = view.values;
    const std::size_t classes = view.names.size();
    const bool by_row = view.field == IQA_FIELD_CONFUSION_MATRIX_BY_ROW;
    if (!by_row && view.field != IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN)
        return values;
    const std::size_t step = by_row ? 1 : classes, stride = by_row ? classes : 1;
    for (std::size_t group = 0; group < classes; ++group) {
        double sum = 0;
        for (std::size_t member = 0; member < classes; ++member)
            sum += values[group * stride + member * step];
        for (std::size_t member = 0; sum == 0 && member < classes; ++member)
            values[group * stride + member * step] = std::nan("");
    }
    return values;
}

void draw_cells(canvas &target, const rectangle &area, const measures &sizes, const confusion_view &view,
                const std::vector<double> &values, double most)
{
    const auto classes = static_cast<int64_t>(view.names.size());
    const int64_t line = sizes.cell >= 14 ? 1 : 0; // lines between smaller cells would hide them
    target.fill(area, grid);
    for (int64_t index = 0; index < classes * classes; ++index) {
        const double value = values[static_cast<std::size_t>(index)];
        const rectangle cell{area.x + index % classes * sizes.cell, area.y + index / classes * sizes.cell,
                             sizes.cell - line, sizes.cell - line};
        const colour below = colour_of(value, most);
        target.fill(cell, below);
        const bool is_small = is_share(view) ? value < 0.005 : value == 0; // no "0.00"
        if (!sizes.has_numbers() || std::isnan(value) || is_small)
            continue;
        const std::string text = is_share(view) ? fixed(value, 2) : short_count(value);
        const double left =
            static_cast<double>(cell.x) + (static_cast<double>(cell.width) - text_width(sizes.number_text, text)) / 2;
        draw_text(target, left,
                  static_cast<double>(cell.y) + (static_cast<double>(cell.height) + sizes.number_text) / 2,
                  sizes.number_text, text, ink_on(below));
    }
    draw_frame(target, area);
}

// Names of the rows on the left and of the columns above.
void draw_names(canvas &target, const rectangle &area, const measures &sizes, const confusion_view &view)
{
    const double gap = 0.6 * sizes.text;
    for (std::size_t label = 0; label < view.names.size(); label += static_cast<std::size_t>(sizes.every)) {
        const std::string text = sizes.fitted_name(view, label);
        const double middle = (static_cast<double>(label) + 0.5) * static_cast<double>(sizes.cell) + sizes.text / 2;
        draw_text(target, static_cast<double>(area.x) - gap - text_width(sizes.text, text),
                  static_cast<double>(area.y) + middle, sizes.text, text, ink);
        draw_text_up(target, static_cast<double>(area.x) + middle, static_cast<double>(area.y) - gap, sizes.text, text,
                     ink);
    }
}

} // namespace

canvas draw_confusion(const confusion_view &view)
{
    const measures sizes(view);
    const std::vector<double> values = with_gaps(view);
    double most = 0;
    for (const double value : values)
        most = value > most ? value : most;
    if (view.field == IQA_FIELD_CONFUSION_MATRIX_BY_ROW || view.field == IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN)
        most = 1;

    const int64_t heading = std::llround(2.4 * sizes.text);
    const rectangle area{sizes.margin / 2 + heading + sizes.names, sizes.margin / 2 + 2 * heading + sizes.names,
                         sizes.side, sizes.side};
    const std::string title = "Confusion matrix: " + title_of(view);
    const int64_t width = std::max<int64_t>(area.x + area.width + sizes.legend,
                                            sizes.margin + std::llround(text_width(sizes.text, title)));
    canvas target(width + sizes.margin, area.y + area.height + sizes.margin, paper);
    draw_text(target, static_cast<double>(sizes.margin), 2 * sizes.text, sizes.text, title, ink);
    const double middle = static_cast<double>(area.width) / 2;
    draw_text(target, static_cast<double>(area.x) + middle - text_width(sizes.text, "prediction") / 2,
              static_cast<double>(area.y - sizes.names) - 0.8 * sizes.text, sizes.text, "prediction", faint_ink);
    draw_text_up(target, static_cast<double>(area.x - sizes.names) - 0.8 * sizes.text,
                 static_cast<double>(area.y) + middle + text_width(sizes.text, "reference") / 2, sizes.text,
                 "reference", faint_ink);
    draw_cells(target, area, sizes, view, values, most);
    draw_names(target, area, sizes, view);
    draw_colour_bar(target, {area.x + area.width + sizes.margin, area.y, sizes.bar, area.height}, sizes.text,
                    {.top = most > 0 ? most : 1,
                     .bottom = 0,
                     .colour_of = [&](double value) { return colour_of(value, most); },
                     .text_of =
                         [&](double value, int digits) {
                             return is_share(view) ? fixed(value, digits) : short_count(value);
                         }});
    return target;
}

} // namespace iqa_tool
