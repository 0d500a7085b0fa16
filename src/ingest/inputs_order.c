/* An order of a file of inputs: what it says is settled anew, less what was posted of it before. */
#include <string.h>

#include "ingest/inputs_reading.h"
#include "ingest/rates.h"
#include "ingest/settled.h"

/* What a row says, as settle reads it. */
struct order_facts {
    struct accord_order order;
    struct refund_row *refunds;
    struct settled settled;
};

static enum accord_error read_lines(struct inputs_reader *r, const struct inputs_order_row *row,
                                    struct order_facts *facts)
{
    const struct inputs_line_row *rows = row->lines.items;
    struct accord_line *lines = arena_array(r->row, row->lines.count + 1, sizeof *lines);
    if (lines == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row->lines.count; i++) {
        if (i > 0 && rows[i].line <= rows[i - 1].line)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/lines/%zu: is out of order", i);
        lines[i] = (struct accord_line){
            .line_id = rows[i].line_id.data,
            .provider = rows[i].provider.data,
            .course_id = rows[i].course_id.data,
            .course_known = true,
            .quantity = rows[i].quantity,
            .paid = rows[i].paid,
            .tax = rows[i].tax,
            .store_fee = rows[i].store_fee,
            .payment_fee = rows[i].payment_fee,
        };
        memcpy(lines[i].discounts, rows[i].discounts.items, sizeof lines[i].discounts);
    }
    facts->order.lines = lines;
    facts->order.line_count = row->lines.count;
    return ACCORD_OK;
}

static enum accord_error read_refunds(struct inputs_reader *r, const struct inputs_order_row *row,
                                      struct order_facts *facts)
{
    const struct inputs_refund_row *rows = row->refunds.items;
    facts->refunds = arena_array(r->row, row->refunds.count + 1, sizeof *facts->refunds);
    if (facts->refunds == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row->refunds.count; i++)
        facts->refunds[i] = (struct refund_row){
            .line = rows[i].row,
            .channel = rows[i].partner.data,
            .kind = REFUND_PLAIN,
            .event_id = rows[i].event_id.data,
            .occurred_at = rows[i].occurred_at,
            .line_id = rows[i].line_id.data,
            .amount = rows[i].amount,
            .tax_returned = rows[i].tax_returned,
            .fee_returned = rows[i].fee_returned,
        };
    return ACCORD_OK;
}

enum accord_error inputs_read_rates(struct inputs_reader *r, const struct json_array *rates,
                                    const struct accord_rate_pin **ret)
{
    const struct inputs_rate_row *rows = rates->items;
    struct accord_rate_pin *pins = arena_array(r->row, r->choice.count + 1, sizeof *pins);
    if (pins == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < rates->count; i++) {
        size_t at;
        if (inputs_find_version(r, rows[i].version, &at) == NULL)
            continue; /* of a version that the partner has not signed */
        pins[at].num = rows[i].num;
        pins[at].den = rows[i].den;
        memcpy(pins[at].text, rows[i].text.data, rows[i].text.len);
        if (!rates_parse_day(rows[i].day, &pins[at].day))
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/rates/%zu/day: is no day", i);
    }
    *ret = pins;
    return ACCORD_OK;
}

static enum accord_error read_touches(struct inputs_reader *r, const struct inputs_order_row *row,
                                      struct order_facts *facts)
{
    const struct inputs_promoter_row *names = row->promoters.items;
    const struct inputs_touch_row *rows = row->touches.items;
    const size_t count = row->promoters.count;
    struct accord_promoter *promoters = arena_array(r->row, count + 1, sizeof *promoters);
    struct accord_touch *touches = arena_array(r->row, row->touches.count + 1, sizeof *touches);
    if (promoters == NULL || touches == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (names[i].parent >= (int64_t)count)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/promoters/%zu/parent: is none", i);
        promoters[i] = (struct accord_promoter){
            .id = names[i].id.data,
            .parent = names[i].parent < 0 ? ACCORD_PROMOTER_NONE : (uint32_t)names[i].parent,
            .self_referral = names[i].self_referral,
            .suspended = names[i].suspended};
    }
    for (size_t i = 0; i < row->touches.count; i++) {
        if (rows[i].promoter >= (int64_t)count)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/touches/%zu/promoter: is none", i);
        touches[i] =
            (struct accord_touch){.occurred_at_us = rows[i].occurred_at,
                                  .partner = rows[i].partner.data,
                                  .event_id = rows[i].event_id.data,
                                  .kind = (enum accord_touch_kind)rows[i].kind,
                                  .promoter = (uint32_t)rows[i].promoter,
                                  .self_referral = promoters[rows[i].promoter].self_referral,
                                  .promoter_suspended = promoters[rows[i].promoter].suspended};
    }
    facts->order.promoters = promoters;
    facts->order.promoter_count = count;
    facts->order.touches = touches;
    facts->order.touch_count = row->touches.count;
    return ACCORD_OK;
}

static enum accord_error settle_facts(struct inputs_reader *r, const struct inputs_order_row *row,
                                      struct order_facts *facts)
{
    facts->order = (struct accord_order){.channel = row->channel.data,
                                         .order_id = row->order_id.data,
                                         .occurred_at_us = row->occurred_at,
                                         .currency = row->currency};
    enum accord_error error = read_lines(r, row, facts);
    if (error == ACCORD_OK)
        error = read_refunds(r, row, facts);
    if (error == ACCORD_OK)
        error = inputs_read_rates(r, &row->rates, &facts->order.rates);
    if (error == ACCORD_OK)
        error = read_touches(r, row, facts);
    if (error != ACCORD_OK || row->lines.count == 0)
        return error;
    const struct sale_view view = {row->sale, &facts->order, facts->refunds, row->refunds.count};
    return settled_with(&r->choice, r->row, &view, &facts->settled);
}

enum accord_error inputs_add_settled(struct inputs_reader *r, const struct settled *settled,
                                     int64_t line, struct statement_groups *groups)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < settled->count; i++) {
        const struct entry_row *row = &settled->rows[i];
        if (row->line != line || *row->held != '\0')
            continue;
        const int64_t period = period_of_day(r->c.periods.quarterly, row->day);
        if (period > r->c.day)
            continue;
        struct entry_row *group = statement_group_of(r->row, groups, period, row->version);
        error = group == NULL ? ACCORD_E_OUT_OF_MEMORY : entry_add(group, row, 1);
    }
    return error;
}

enum accord_error inputs_take_away(struct inputs_reader *r, const struct inputs_group_row *posted,
                                   struct statement_groups *groups)
{
    struct entry_row row = {.version = posted->version};
    const struct inputs_share_row *shares = posted->shares.items;
    size_t unused;
    if (inputs_find_version(r, posted->version, &unused) == NULL)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/posted: a version that does not stand above");
    if (!inputs_take_period(r, posted->period, &row.day))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/posted: a period that is none of the agreement up to now");
    memcpy(row.numbers, posted->numbers.items, sizeof row.numbers);
    for (size_t i = 0; i < posted->shares.count; i++)
        row.shares[row.share_count++] =
            (struct entry_share){shares[i].payee.data, shares[i].amount};
    struct entry_row *group = statement_group_of(r->row, groups, row.day, row.version);
    return group == NULL ? ACCORD_E_OUT_OF_MEMORY : entry_add(group, &row, -1);
}

/* The lines of a statement that one line of the order has: of those that stand, those that were
 * posted, or both. */
static enum accord_error give_place(struct inputs_reader *r, const struct inputs_order_row *row,
                                    const struct order_facts *facts, size_t *line, size_t *posted)
{
    const struct inputs_line_row *lines = row->lines.items;
    const struct inputs_group_row *groups_posted = row->posted.items;
    struct statement_groups groups = {.count = 0};
    enum accord_error error = ACCORD_OK;
    struct statement_line head = {.sale_seq = row->sale,
                                  .channel = row->channel.data,
                                  .order_id = row->order_id.data,
                                  .currency = row->currency.code,
                                  .occurred_at = row->occurred_at};
    const bool stands =
        *line < row->lines.count &&
        (*posted >= row->posted.count || lines[*line].line <= groups_posted[*posted].line);
    if (stands) {
        head.line = lines[*line].line;
        head.line_id = lines[*line].line_id.data;
        head.provider = lines[*line].provider.data;
        head.course_id = lines[*line].course_id.data;
        error = inputs_add_settled(r, &facts->settled, (int64_t)*line, &groups);
        (*line)++;
    } else {
        head.line = groups_posted[*posted].line;
        head.line_id = groups_posted[*posted].line_id.data;
        head.provider = groups_posted[*posted].provider.data;
        head.course_id = groups_posted[*posted].course_id.data;
    }
    while (error == ACCORD_OK && *posted < row->posted.count &&
           groups_posted[*posted].line == head.line) {
        error = inputs_take_away(r, &groups_posted[*posted], &groups);
        (*posted)++;
    }
    if (error == ACCORD_OK && *posted < row->posted.count &&
        groups_posted[*posted].line < head.line)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/posted/%zu: is out of order", *posted);
    return error != ACCORD_OK ? error
                              : statement_sale_lines(&r->c.periods, r->c.day, &head, &groups,
                                                     inputs_take_statement_line, r);
}

enum accord_error inputs_take_order(struct inputs_reader *r, struct slice text)
{
    struct inputs_order_row row;
    struct order_facts facts = {.refunds = NULL};
    size_t line = 0;
    size_t posted = 0;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_order_spec, &row);
    if (error == ACCORD_OK && !r->head.derived)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "an order, where lines are given");
    if (error == ACCORD_OK)
        error = settle_facts(r, &row, &facts);
    while (error == ACCORD_OK && (line < row.lines.count || posted < row.posted.count))
        error = give_place(r, &row, &facts, &line, &posted);
    return error;
}
