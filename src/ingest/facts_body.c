#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_raw.h"
#include "store/consents.h"
#include "store/operator_facts.h"
#include "store/touches.h"
#include "json/write.h"

enum { BODY_BYTES_MAX = 8 << 20 };

/* ---- the canonical body: members in bytewise order, defaults written out ---- */

static void write_discounts(struct json_writer *w, const struct json_array *discounts)
{
    const struct raw_discount *items = discounts->items;
    if (discounts->count == 0)
        return;
    jw_key(w, "discounts");
    jw_array(w);
    for (size_t i = 0; i < discounts->count; i++) {
        jw_object(w);
        jw_key_int(w, "amount", items[i].amount);
        jw_key_str(w, "funder", fact_funder_names[items[i].funder]);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_optional_int(struct json_writer *w, const char *name, int64_t value, bool has)
{
    if (has)
        jw_key_int(w, name, value);
}

static void write_optional(struct json_writer *w, const char *name, struct slice text)
{
    if (text.data != NULL)
        jw_key_slice(w, name, text);
}

static void write_lines(struct json_writer *w, const struct json_array *lines)
{
    const struct raw_line *items = lines->items;
    if (items == NULL)
        return;
    jw_key(w, "lines");
    jw_array(w);
    for (size_t i = 0; i < lines->count; i++) {
        const struct raw_line *line = &items[i];
        jw_object(w);
        write_optional_int(w, "amount", line->amount, line->has_amount);
        write_optional(w, "course_id", line->course_id);
        write_discounts(w, &line->discounts);
        jw_key_slice(w, "line_id", line->line_id);
        write_optional_int(w, "paid", line->paid, line->has_paid);
        write_optional(w, "provider", line->provider);
        write_optional_int(w, "quantity", line->quantity, line->has_quantity);
        write_optional_int(w, "tax", line->tax, line->has_tax);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_statements(struct json_writer *w, const struct json_array *statements)
{
    const struct slice *items = statements->items;
    if (items == NULL)
        return;
    jw_key(w, "statements");
    jw_array(w);
    for (size_t i = 0; i < statements->count; i++)
        jw_slice(w, items[i]);
    jw_array_end(w);
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct json_entry *)a)->name,
                         ((const struct json_entry *)b)->name);
}

/* Answers of a survey may say anything: as one text they can be erased like one. */
static void write_answers(struct json_writer *w, const struct json_array *answers)
{
    struct json_entry *items = answers->items;
    qsort(items, answers->count, sizeof *items, by_name);
    jw_object(w);
    for (size_t i = 0; i < answers->count; i++) {
        jw_key(w, items[i].name.data);
        if (items[i].is_text)
            jw_slice(w, items[i].value);
        else
            jw_raw(w, items[i].value);
    }
    jw_object_end(w);
}

static struct slice in_arena(struct arena *arena, struct buf *buf)
{
    struct slice ret = {NULL, 0};
    if (buf_error(buf) == ACCORD_OK) {
        ret.data = arena_strdup(arena, buf_slice(buf));
        ret.len = ret.data == NULL ? 0 : buf->len;
    }
    buf_done(buf);
    return ret;
}

struct slice fact_body(struct arena *arena, const struct fact *fact,
                       const uint8_t salt[FACT_SALT_BYTES])
{
    const struct raw_fact *raw = fact->raw;
    struct buf buf;
    struct json_writer writer;
    struct json_writer *w = &writer;
    buf_init(&buf, BODY_BYTES_MAX);
    jw_init(w, &buf);
    jw_object(w);
    write_optional(w, "adjustment_id", raw->adjustment_id);
    write_optional(w, "agreement", raw->agreement);
    write_optional_int(w, "amount", raw->amount, raw->has_amount);
    write_optional_int(w, "count", fact->measure, fact_class_of(fact->type) == FACT_CLASS_REACH);
    if (raw->currency.code[0] != '\0')
        jw_key_str(w, "currency", raw->currency.code);
    write_optional(w, "day", raw->day);
    write_discounts(w, &raw->discounts);
    write_optional(w, "entry", raw->entry);
    write_optional(w, "entry_id", raw->entry_id);
    write_optional_int(w, "fee_returned", raw->fee_returned, raw->fee_returned > 0);
    if (raw->has_from)
        jw_key_time(w, "from", raw->from);
    write_optional(w, "funded_by", raw->funded_by);
    if (raw->has_granted)
        jw_key_bool(w, "granted", raw->granted);
    if (fact->type == FACT_TOUCH)
        jw_key_str(w, "kind", touch_kind_names[raw->kind]);
    write_optional(w, "language", raw->language);
    write_optional(w, "line", raw->line);
    write_lines(w, &raw->lines);
    write_optional(w, "link", raw->link);
    if (raw->entry.data != NULL)
        jw_key_bool(w, "makeup", raw->makeup);
    write_optional(w, "membership_id", raw->membership_id);
    write_optional(w, "of_period", raw->of_period);
    write_optional(w, "offer", raw->offer);
    write_optional(w, "order_id", raw->order_id);
    write_optional_int(w, "paid", raw->paid, raw->has_paid);
    write_optional(w, "payee", raw->payee);
    write_optional(w, "payer", raw->payer);
    write_optional_int(w, "payment_fee", raw->payment_fee, raw->has_payment_fee);
    write_optional(w, "payment_id", raw->payment_id);
    write_optional_int(w, "progress_ppm", raw->progress_ppm, raw->has_progress);
    if (raw->has_purpose)
        jw_key_str(w, "purpose", consent_purpose_names[raw->purpose]);
    write_optional(w, "question", raw->question);
    if (fact->type == FACT_ADJUSTMENT)
        write_optional(w, "reason", raw->reason);
    write_optional(w, "reference", raw->reference);
    write_optional(w, "refund_id", raw->refund_id);
    write_optional_int(w, "seconds", raw->seconds, raw->has_seconds);
    if (raw->has_state)
        jw_key_str(w, "state", payment_state_names[raw->state]);
    write_optional(w, "statement", raw->statement);
    write_statements(w, &raw->statements);
    write_optional_int(w, "store_fee", raw->store_fee, raw->has_store_fee);
    write_optional(w, "supersedes", raw->supersedes);
    write_optional(w, "target", raw->target);
    write_optional_int(w, "tax", raw->tax, raw->has_tax);
    write_optional_int(w, "tax_returned", raw->tax_returned, raw->has_tax_returned);
    write_optional(w, "term_id", raw->term_id);
    if (fact->text.data != NULL) {
        char hex[HASH_HEX_MAX];
        const struct hash hash = hash_keyed(salt, fact->text);
        hash_hex(&hash, hex);
        jw_key_str(w, "text_hash", hex);
    }
    write_optional(w, "time_zone", raw->time_zone);
    if (raw->has_to)
        jw_key_time(w, "to", raw->to);
    write_optional(w, "touch", raw->touch);
    if (fact->type == FACT_ORDER_PAID && raw->touch.data != NULL)
        jw_key_str(w, "touch_kind", touch_kind_names[raw->touch_kind]);
    write_optional_int(w, "value", raw->value, raw->has_value);
    jw_object_end(w);
    return in_arena(arena, &buf);
}

struct slice fact_answers_text(struct arena *arena, const struct raw_fact *raw)
{
    struct buf buf;
    struct json_writer writer;
    buf_init(&buf, BODY_BYTES_MAX);
    jw_init(&writer, &buf);
    write_answers(&writer, &raw->answers);
    return in_arena(arena, &buf);
}

struct slice fact_body_with_text(struct arena *arena, const struct fact_row *row)
{
    /* Only a key can look like this: quotes inside texts are escaped. */
    static const char mark[] = "\"text_hash\":\"";
    enum { MARK = sizeof mark - 1, HEX = HASH_HEX_MAX - 1 };
    const char *at = memmem(row->body.data, row->body.len, mark, MARK);
    const char *end = row->body.data + row->body.len;
    if (row->text.data == NULL || at == NULL || (size_t)(end - at) < MARK + HEX + 1)
        return row->body;
    enum fact_type type;
    if (!fact_type_find(slice_of(row->type), &type))
        return row->body;
    struct buf buf;
    buf_init(&buf, BODY_BYTES_MAX);
    buf_add(&buf, row->body.data, (size_t)(at - row->body.data));
    if (type == FACT_SURVEY) {
        buf_add_str(&buf, "\"answers\":");
        buf_add_slice(&buf, row->text);
    } else {
        buf_add_str(&buf, fact_class_of(type) == FACT_CLASS_ORDER     ? "\"reason\":"
                          : fact_class_of(type) == FACT_CLASS_CONSENT ? "\"proof\":"
                                                                      : "\"text\":");
        json_escape(&buf, row->text);
    }
    at += MARK + HEX + 1;
    buf_add(&buf, at, (size_t)(end - at));
    return in_arena(arena, &buf);
}

/* ---- the hash ---- */

struct hash fact_hash(const struct fact_row *row)
{
    /* Texts hold no NUL, and what has no end of its own has a fixed length, so two different facts
     * never give the same bytes. The body comes in as its hash. */
    enum { PREIMAGE_MAX = 1024 };
    char bytes[PREIMAGE_MAX];
    size_t at = 0;
    const char *texts[] = {"accord fact 1", row->partner,  row->event_id,
                           row->type,       row->provider, row->course_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t len = strlen(texts[i]) + 1;
        if (len > PREIMAGE_MAX - 128 - at)
            break; /* longer than any id is: a broken file; the hash will not fit */
        memcpy(bytes + at, texts[i], len);
        at += len;
    }
    const uint64_t numbers[] = {(uint64_t)row->occurred_at, (uint64_t)row->measure,
                                row->has_learner ? 1 : 0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes[at++] = (char)(uint8_t)(numbers[i] >> shift);
    if (row->has_learner) {
        memcpy(bytes + at, row->learner, LEARNER_BYTES);
        at += LEARNER_BYTES;
    }
    const struct hash body = hash_of(row->body);
    memcpy(bytes + at, body.bytes, HASH_BYTES);
    at += HASH_BYTES;
    return hash_of((struct slice){bytes, at});
}

/* ---- money ---- */

static void line_problem(struct json_problems *problems, enum accord_error code, size_t line,
                         const char *field)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, *field == '\0' ? "/lines/%zu" : "/lines/%zu/%s", line, field);
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

static void check_lines(const struct json_array *lines, bool refund, struct json_problems *problems)
{
    const struct raw_line *items = lines->items;
    for (size_t i = 0; i < lines->count; i++) {
        const struct raw_line *line = &items[i];
        const struct {
            bool is;
            bool of_sale;
            bool required;
            const char *name;
        } fields[] = {
            {line->provider.data != NULL, true, true, "provider"},
            {line->course_id.data != NULL, true, true, "course_id"},
            {line->has_quantity, true, true, "quantity"},
            {line->has_paid, true, true, "paid"},
            {line->has_tax, true, false, "tax"},
            {line->discounts.items != NULL, true, false, "discounts"},
            {line->has_amount, false, true, "amount"},
        };
        for (size_t j = 0; j < sizeof fields / sizeof *fields; j++) {
            if (fields[j].is && fields[j].of_sale == refund)
                line_problem(problems, ACCORD_E_FIELD_UNKNOWN, i, fields[j].name);
            if (!fields[j].is && fields[j].of_sale != refund && fields[j].required)
                line_problem(problems, ACCORD_E_FIELD_MISSING, i, fields[j].name);
        }
    }
}

static int by_line_id(const void *a, const void *b)
{
    const struct raw_line *x = *(const struct raw_line *const *)a;
    const struct raw_line *y = *(const struct raw_line *const *)b;
    const int order = slice_compare(x->line_id, y->line_id);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static enum accord_error check_line_ids(struct arena *arena, const struct json_array *lines,
                                        struct json_problems *problems)
{
    const struct raw_line *items = lines->items;
    const struct raw_line **sorted = arena_array(arena, lines->count + 1, sizeof *sorted);
    if (sorted == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < lines->count; i++)
        sorted[i] = &items[i];
    qsort(sorted, lines->count, sizeof *sorted, by_line_id);
    for (size_t i = 1; i < lines->count; i++)
        if (slice_equal(sorted[i - 1]->line_id, sorted[i]->line_id))
            line_problem(problems, ACCORD_E_LINE_DUPLICATE, (size_t)(sorted[i] - items), "line_id");
    return ACCORD_OK;
}

/* Spreads an amount of the whole over the lines; absent: every line has -1. */
static enum accord_error spread(int64_t total, bool has, const int64_t *weights, size_t count,
                                int64_t *ret)
{
    if (has)
        return accord_spread(total, weights, count, ret);
    for (size_t i = 0; i < count; i++)
        ret[i] = -1;
    return ACCORD_OK;
}

static enum accord_error add_discounts(const struct json_array *discounts,
                                       int64_t sums[ACCORD_FUNDERS])
{
    const struct raw_discount *items = discounts->items;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < discounts->count; i++)
        error = accord_add(sums[items[i].funder], items[i].amount, &sums[items[i].funder]);
    return error;
}

/* What one order adds up to stays an amount, so that no sum of it is ever in doubt. */
static bool within(int64_t amount)
{
    return amount <= ACCORD_AMOUNT_MAX;
}

static enum accord_error build_order(struct arena *arena, const char *partner, struct fact *fact,
                                     struct json_problems *problems)
{
    const struct raw_fact *raw = fact->raw;
    const struct raw_line *items = raw->lines.items;
    const size_t count = raw->lines.count;
    struct accord_order *order = arena_alloc(arena, sizeof *order);
    struct accord_line *lines = arena_array(arena, count, sizeof *lines);
    int64_t *paid = arena_array(arena, count, sizeof *paid);
    int64_t *parts = arena_array(arena, count, sizeof *parts);
    if (order == NULL || lines == NULL || paid == NULL || parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t gross = 0;
    int64_t taxes = 0;
    bool line_tax = false;
    for (size_t i = 0; i < count; i++) {
        paid[i] = items[i].paid;
        gross += items[i].paid; /* at most 2,000 times 10^13 */
        taxes += items[i].tax;  /* likewise; 0 when it is not given */
        line_tax |= items[i].has_tax;
        lines[i] = (struct accord_line){
            .line_id = items[i].line_id.data,
            .provider = items[i].provider.data,
            .course_id = items[i].course_id.data,
            .quantity = items[i].quantity,
            .paid = items[i].paid,
        };
    }
    if (!within(gross))
        json_problem_add(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines", "%s",
                         "The lines add up to more than 10^13 minor units");
    if (!within(taxes))
        json_problem_add(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines", "%s",
                         "The lines' taxes add up to more than 10^13 minor units");
    /* Tax is given for the whole or for each line; lines without one then have none. */
    if (raw->has_tax && line_tax)
        json_problem_add(problems, ACCORD_E_FIELD_DUPLICATE, "/tax", "%s",
                         "Tax is given for the whole order and for its lines");
    int64_t whole[ACCORD_FUNDERS] = {0};
    int64_t discounts[ACCORD_FUNDERS] = {0};
    enum accord_error error = add_discounts(&raw->discounts, whole);
    if (problems->total > 0 || error != ACCORD_OK)
        return error;

    error = spread(raw->tax, raw->has_tax, paid, count, parts);
    for (size_t i = 0; i < count; i++)
        lines[i].tax = line_tax ? (items[i].has_tax ? items[i].tax : 0) : parts[i];
    if (error == ACCORD_OK)
        error = spread(raw->store_fee, raw->has_store_fee, paid, count, parts);
    for (size_t i = 0; i < count; i++)
        lines[i].store_fee = parts[i];
    if (error == ACCORD_OK)
        error = spread(raw->payment_fee, raw->has_payment_fee, paid, count, parts);
    for (size_t i = 0; i < count; i++)
        lines[i].payment_fee = parts[i];
    for (size_t funder = 0; error == ACCORD_OK && funder < ACCORD_FUNDERS; funder++) {
        error = accord_spread(whole[funder], paid, count, parts);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            lines[i].discounts[funder] = parts[i];
    }
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = add_discounts(&items[i].discounts, lines[i].discounts);
        for (size_t funder = 0; funder < ACCORD_FUNDERS; funder++) {
            discounts[funder] += lines[i].discounts[funder]; /* at most 2,000 times 40 · 10^13 */
            if (!within(lines[i].discounts[funder]))
                line_problem(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, i, "discounts");
        }
    }
    for (size_t funder = 0; problems->total == 0 && funder < ACCORD_FUNDERS; funder++)
        if (!within(discounts[funder]))
            json_problem_add(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines", "%s",
                             "The discounts of one funder add up to more than 10^13 minor units");
    *order = (struct accord_order){
        .channel = partner,
        .order_id = fact->order_id,
        .occurred_at_us = fact->occurred_at,
        .currency = raw->currency,
        .lines = lines,
        .line_count = count,
    };
    fact->order = order;
    return error;
}

/* What was paid for an offer as a whole: the offer says what its lines are. */
static enum accord_error build_bundle(struct arena *arena, const char *partner, struct fact *fact,
                                      struct json_problems *problems)
{
    const struct raw_fact *raw = fact->raw;
    struct accord_order *order = arena_alloc(arena, sizeof *order);
    struct bundle_row *bundle = arena_alloc(arena, sizeof *bundle);
    if (order == NULL || bundle == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *bundle = (struct bundle_row){
        .channel = partner,
        .offer = raw->offer.data,
        .occurred_at = fact->occurred_at,
        .paid = raw->paid,
        .tax = raw->has_tax ? raw->tax : -1,
        .store_fee = raw->has_store_fee ? raw->store_fee : -1,
        .payment_fee = raw->has_payment_fee ? raw->payment_fee : -1,
    };
    const enum accord_error error = add_discounts(&raw->discounts, bundle->discounts);
    for (size_t funder = 0; funder < ACCORD_FUNDERS; funder++)
        if (!within(bundle->discounts[funder])) {
            json_problem_add(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, "/discounts", "%s",
                             "The discounts of one funder add up to more than 10^13 minor units");
            return error;
        }
    *order = (struct accord_order){
        .channel = partner,
        .order_id = fact->order_id,
        .occurred_at_us = fact->occurred_at,
        .currency = raw->currency,
    };
    fact->order = order;
    fact->bundle = bundle;
    return error;
}

static enum accord_error build_refund(struct arena *arena, const char *partner, struct fact *fact,
                                      struct json_problems *problems)
{
    const struct raw_fact *raw = fact->raw;
    const struct raw_line *items = raw->lines.items;
    const size_t count = items == NULL ? 1 : raw->lines.count;
    struct accord_refund *rows = arena_array(arena, count, sizeof *rows);
    int64_t *amounts = arena_array(arena, count, sizeof *amounts);
    int64_t *taxes = arena_array(arena, count, sizeof *taxes);
    int64_t *fees = arena_array(arena, count, sizeof *fees);
    if (rows == NULL || amounts == NULL || taxes == NULL || fees == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        amounts[i] = items == NULL ? raw->amount : items[i].amount;
        sum += amounts[i];
    }
    if (!within(sum)) {
        json_problem_add(problems, ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines", "%s",
                         "The lines add up to more than 10^13 minor units");
        return ACCORD_OK;
    }
    enum accord_error error =
        spread(raw->tax_returned, raw->has_tax_returned, amounts, count, taxes);
    if (error == ACCORD_OK)
        error = accord_spread(raw->fee_returned, amounts, count, fees);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        rows[i] = (struct accord_refund){
            .occurred_at_us = fact->occurred_at,
            .partner = partner,
            .event_id = fact->event_id,
            .row = (uint32_t)i,
            .line_id = items == NULL ? NULL : items[i].line_id.data,
            .amount = amounts[i],
            .tax_returned = taxes[i],
            .fee_returned = fees[i],
        };
    fact->rows = rows;
    fact->row_count = count;
    return error;
}

enum accord_error fact_build_money(struct arena *arena, const char *partner, struct fact *fact,
                                   struct json_problems *problems)
{
    const bool sale = fact->type == FACT_ORDER_PAID;
    const bool refund = fact->type == FACT_ORDER_REFUNDED || fact->type == FACT_ORDER_CHARGED_BACK;
    if (!sale && !refund)
        return ACCORD_OK;
    check_lines(&fact->raw->lines, refund, problems);
    const enum accord_error error = check_line_ids(arena, &fact->raw->lines, problems);
    if (error != ACCORD_OK || problems->total > 0)
        return error;
    if (sale && fact->raw->has_paid)
        return build_bundle(arena, partner, fact, problems);
    return sale ? build_order(arena, partner, fact, problems)
                : build_refund(arena, partner, fact, problems);
}
