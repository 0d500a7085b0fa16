#include "api/csv_write.h"

#include <string.h>

void csv_writer_init(struct csv_writer *csv, struct buf *out)
{
    *csv = (struct csv_writer){.out = out};
}

static void next_cell(struct csv_writer *csv)
{
    if (csv->begun)
        buf_add_char(csv->out, ',');
    csv->begun = true;
}

static bool is_formula(struct slice text)
{
    return text.len > 0 && strchr("=+-@\t\r", text.data[0]) != NULL && text.data[0] != '\0';
}

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(",\"\r\n\t", text.data[i]) != NULL || text.data[i] == ' ')
            return true;
    return false;
}

void csv_text(struct csv_writer *csv, struct slice text)
{
    const bool quoted = needs_quotes(text);
    next_cell(csv);
    if (quoted)
        buf_add_char(csv->out, '"');
    if (is_formula(text))
        buf_add_char(csv->out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_add_char(csv->out, '"');
        buf_add_char(csv->out, text.data[i]);
    }
    if (quoted)
        buf_add_char(csv->out, '"');
}

void csv_str(struct csv_writer *csv, const char *text)
{
    csv_text(csv, slice_of(text));
}

void csv_number(struct csv_writer *csv, struct slice number)
{
    next_cell(csv);
    buf_add_slice(csv->out, number);
}

void csv_int(struct csv_writer *csv, int64_t number)
{
    next_cell(csv);
    buf_printf(csv->out, "%lld", (long long)number);
}

void csv_amount(struct csv_writer *csv, int64_t amount_minor, struct accord_currency currency)
{
    const unsigned decimals = accord_currency_decimals(currency);
    uint64_t whole = amount_minor < 0 ? -(uint64_t)amount_minor : (uint64_t)amount_minor;
    uint64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    next_cell(csv);
    if (amount_minor < 0)
        buf_add_char(csv->out, '-');
    buf_printf(csv->out, "%llu", (unsigned long long)(whole / unit));
    if (decimals > 0)
        buf_printf(csv->out, ".%0*llu", (int)decimals, (unsigned long long)(whole % unit));
}

void csv_empty(struct csv_writer *csv)
{
    next_cell(csv);
}

void csv_row_end(struct csv_writer *csv)
{
    buf_add_str(csv->out, "\r\n");
    csv->begun = false;
}
