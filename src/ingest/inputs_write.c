/* The rows of a file of inputs that speak of orders. Members stand in bytewise order of their
 * names: the text is canonical as it is written. */
#include "ingest/inputs.h"
#include "json/write.h"

const char *const inputs_touch_kinds[] = {"click", "share", "coupon", NULL};

static void write_shares(struct json_writer *w, const struct entry_row *group)
{
    jw_key(w, "shares");
    jw_array(w);
    for (size_t i = 0; i < group->share_count; i++) {
        if (group->shares[i].amount == 0)
            continue;
        jw_object(w);
        jw_key_int(w, "amount", group->shares[i].amount);
        jw_key_str(w, "payee", group->shares[i].payee);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_line(struct json_writer *w, const struct accord_line *line, int64_t place)
{
    jw_object(w);
    jw_key_str(w, "course_id", line->course_id);
    jw_key(w, "discounts");
    jw_array(w);
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        jw_int(w, line->discounts[i]);
    jw_array_end(w);
    jw_key_int(w, "line", place);
    jw_key_str(w, "line_id", line->line_id);
    jw_key_int(w, "paid", line->paid);
    jw_key_int(w, "payment_fee", line->payment_fee);
    jw_key_str(w, "provider", line->provider);
    jw_key_int(w, "quantity", line->quantity);
    jw_key_int(w, "store_fee", line->store_fee);
    jw_key_int(w, "tax", line->tax);
    jw_object_end(w);
}

void inputs_write_posted(struct json_writer *w, const struct inputs_posted *posted)
{
    const struct entry_row *group = posted->group;
    jw_object(w);
    jw_key_str(w, "course_id", posted->course_id);
    jw_key_int(w, "line", posted->line);
    jw_key_str(w, "line_id", posted->line_id);
    jw_key(w, "numbers");
    jw_array(w);
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        jw_int(w, group->numbers[i]);
    jw_array_end(w);
    jw_key_day(w, "period", group->day);
    jw_key_str(w, "provider", posted->provider);
    write_shares(w, group);
    jw_key_int(w, "version", group->version);
    jw_object_end(w);
}

void inputs_write_rates(struct json_writer *w, const struct accord_rate_pin *pins,
                        const struct agreement_version *versions, size_t count)
{
    jw_key(w, "rates");
    jw_array(w);
    for (size_t i = 0; pins != NULL && i < count; i++) {
        const struct accord_rate_pin *pin = &pins[i];
        if (pin->den == 0)
            continue;
        jw_object(w);
        jw_key_day(w, "day", pin->day);
        jw_key_int(w, "den", pin->den);
        jw_key_int(w, "num", pin->num);
        jw_key_str(w, "text", pin->text);
        jw_key_int(w, "version", versions[i].terms.version);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_refund(struct json_writer *w, const struct accord_refund *refund)
{
    jw_object(w);
    jw_key_int(w, "amount", refund->amount);
    jw_key_str(w, "event_id", refund->event_id);
    jw_key_int(w, "fee_returned", refund->fee_returned);
    if (refund->line_id != NULL)
        jw_key_str(w, "line_id", refund->line_id);
    jw_key_int(w, "occurred_at", refund->occurred_at_us);
    jw_key_str(w, "partner", refund->partner);
    jw_key_int(w, "row", refund->row);
    jw_key_int(w, "tax_returned", refund->tax_returned);
    jw_object_end(w);
}

static void write_promoters(struct json_writer *w, const struct accord_order *order)
{
    jw_key(w, "promoters");
    jw_array(w);
    for (size_t i = 0; i < order->promoter_count; i++) {
        const struct accord_promoter *promoter = &order->promoters[i];
        jw_object(w);
        jw_key_str(w, "id", promoter->id);
        if (promoter->parent != ACCORD_PROMOTER_NONE)
            jw_key_int(w, "parent", promoter->parent);
        jw_key_bool(w, "self_referral", promoter->self_referral);
        jw_key_bool(w, "suspended", promoter->suspended);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_touches(struct json_writer *w, const struct accord_order *order)
{
    jw_key(w, "touches");
    jw_array(w);
    for (size_t i = 0; i < order->touch_count; i++) {
        const struct accord_touch *touch = &order->touches[i];
        jw_object(w);
        jw_key_str(w, "event_id", touch->event_id);
        jw_key_str(w, "kind", inputs_touch_kinds[touch->kind]);
        jw_key_int(w, "occurred_at", touch->occurred_at_us);
        jw_key_str(w, "partner", touch->partner);
        jw_key_int(w, "promoter", touch->promoter);
        jw_object_end(w);
    }
    jw_array_end(w);
}

void inputs_write_order(struct buf *out, const struct inputs_order *row)
{
    struct json_writer w;
    const struct accord_order *order = row->order;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "channel", order->channel);
    jw_key_str(&w, "currency", order->currency.code);
    jw_key_str(&w, "kind", "order");
    jw_key(&w, "lines");
    jw_array(&w);
    for (size_t i = 0; i < order->line_count; i++)
        write_line(&w, &order->lines[i], row->places[i]);
    jw_array_end(&w);
    jw_key_int(&w, "occurred_at", order->occurred_at_us);
    jw_key_str(&w, "order_id", order->order_id);
    jw_key(&w, "posted");
    jw_array(&w);
    for (size_t i = 0; i < row->posted_count; i++)
        inputs_write_posted(&w, &row->posted[i]);
    jw_array_end(&w);
    if (order->touch_count > 0)
        write_promoters(&w, order);
    inputs_write_rates(&w, order->rates, row->versions, row->version_count);
    jw_key(&w, "refunds");
    jw_array(&w);
    for (size_t i = 0; i < row->refund_count; i++)
        write_refund(&w, &row->refunds[i]);
    jw_array_end(&w);
    jw_key_int(&w, "sale", row->sale_seq);
    if (row->spread)
        jw_key_bool(&w, "spread", true);
    if (order->touch_count > 0)
        write_touches(&w, order);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}
