/* SPDX-License-Identifier: MIT
 * Writes docs/reference/options.md from what the library says of its options. With the name of a file, compares that
 * instead and says how to write it anew. */
#include <math.h>

#include "check.h"
#include "iqa_c.h"

static FILE *page;

static void print_number(double value)
{
    char digits[32];
    int precision = 6; /* the fewest digits that mean the value */
    do
        snprintf(digits, sizeof digits, "%.*g", precision, value);
    while (strtod(digits, NULL) != value && ++precision < 18);
    fputs(digits, page);
}

static void print_value(const iqa_option_info *info, double value)
{
    for (int32_t i = 0; i < info->word_count; ++i)
        if (info->words[i].value == value) {
            fprintf(page, "`%s`", info->words[i].name);
            return;
        }
    print_number(value);
}

static void print_bounds(const iqa_option_info *info)
{
    const int is_real = info->type == IQA_OPTION_REAL;
    if (info->word_count > 0)
        fputs(", or ", page);
    fputs(info->odd ? "an odd integer" : is_real ? "a number" : "an integer", page);
    if (isfinite(info->least)) {
        fputs(info->least_is_open ? " above " : isfinite(info->most) ? " from " : " of at least ", page);
        print_number(info->least);
    }
    if (isfinite(info->most)) {
        fputs(" to ", page);
        print_number(info->most);
    }
    if (info->length > 1)
        fprintf(page, "; up to %d of them", info->length);
}

static int is_written(const iqa_option_info *info)
{
    return info->in_state || info->offset < 0;
}

/* Whether a default is a value that the option takes. */
static int has_default(const iqa_option_info *info)
{
    if (info->offset < 0 || info->type == IQA_OPTION_CLASSES)
        return 0;
    return info->word_count > 0 || (info->default_value >= info->least && info->default_value <= info->most);
}

static void print_option(const iqa_option_info *info, int some_written)
{
    fprintf(page, "| `%s` | ", info->name);
    fprintf(page, *info->group != '\0' ? "`%s` | " : "%s| ", info->group);
    for (int32_t i = 0; i < info->word_count; ++i)
        fprintf(page, "%s`%s`", i > 0 ? ", " : "", info->words[i].name);
    if (info->type == IQA_OPTION_CLASSES)
        fputs("class numbers", page);
    else if (info->type != IQA_OPTION_WORD && info->type != IQA_OPTION_FLAG)
        print_bounds(info);
    fputs(" | ", page);
    if (has_default(info))
        print_value(info, info->default_value);
    fprintf(page, " | %s | %s%s |\n", info->since, info->help,
            is_written(info) || !some_written ? "" : " (in no state)");
}

static void print_kind(const char *kind)
{
    iqa_option_info info = IQA_OPTION_INFO_INIT;
    int some_written = 0;
    for (int32_t i = 0; i == 0 || i < info.count; ++i) {
        CHECK(iqa_option_describe(kind, i, &info) == IQA_OK);
        some_written |= info.in_state;
    }
    fprintf(page, "\n## %s\n\n%s", kind, some_written ? "" : "No state has these.\n\n");
    fputs("| option | group | values | default | since | meaning |\n|---|---|---|---|---|---|\n", page);
    for (int32_t i = 0; i < info.count; ++i) {
        CHECK(iqa_option_describe(kind, i, &info) == IQA_OK);
        print_option(&info, some_written);
    }
}

static void print_page(void)
{
    fputs("# Options\n\n"
          "Every option of every kind, as `iqa_option_describe()` tells. The names are those of the fields of the C\n"
          "structs, and the keys of `iqa_metric_create()`; fields of one group can be set together by its name. The\n"
          "program and Python spell them likewise: [cli.md](../guide/cli.md), [python.md](../guide/python.md). Unless "
          "it says\n"
          "otherwise, an option is in the bytes of a state, and in the fingerprint.\n",
          page);
    for (int32_t i = 0; iqa_option_kind(i) != NULL; ++i)
        print_kind(iqa_option_kind(i));
}

int main(int argc, char **argv)
{
    page = stdout;
    if (argc < 2) {
        print_page();
        return 0;
    }
    FILE *file = fopen(argv[1], "rb");
    page = tmpfile();
    CHECK(file != NULL && page != NULL);
    print_page();
    rewind(page);
    int expected = 0;
    for (long line = 1; expected != EOF;) {
        expected = fgetc(page);
        if (fgetc(file) != expected) {
            fprintf(stderr, "%s differs in line %ld from what the library says; write it anew:\n    %s > %s\n", argv[1],
                    line, argv[0], argv[1]);
            return 1;
        }
        line += expected == '\n';
    }
    fclose(file);
    fclose(page);
    return 0;
}
