/* The hard cases of a settlement: what every one of them needs. */
#ifndef ACCORD_TESTS_HARD_H
#define ACCORD_TESTS_HARD_H

#include "closing.h"

static struct books b;

static inline void hard_setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
    books_course(&b, "p2", "go");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
}

/* Whatever a case did, everything derived is what the journal gives, and postings sum to zero. */
static inline void hard_teardown(void)
{
    books_verify(&b);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(amount) FROM posting"), 0);
    books_close(&b);
}

/* Provider p2 and channel c1, months of Shanghai from 2025 on. Members and terms end in commas. */
#define HARD_P2_C1(members, terms)                                                                 \
    "{\"parties\":[\"p2\",\"c1\",\"op\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":["         \
    "\"c1\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","        \
    "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"}," members "\"terms\":[" terms \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}"
#define HARD_SHARE(payee, ppm) "{\"kind\":\"share\",\"payee\":\"" payee "\",\"share_ppm\":" ppm "},"

/* An order of one line; `course` is p1's python or p2's go, `more` further members of the line. */
static inline const char *hard_order(const char *event, const char *order, const char *at,
                                     const char *currency, const char *course, int64_t paid,
                                     const char *more)
{
    return books_text(
        &b,
        "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
        "\"order_id\":\"%s\",\"currency\":\"%s\",\"lines\":[{\"line_id\":\"1\","
        "\"provider\":\"%s\",\"course_id\":\"%s\",\"quantity\":1,\"paid\":%" PRId64 "%s}]}",
        event, at, order, currency, strcmp(course, "go") == 0 ? "p2" : "p1", course, paid, more);
}

/* c1 sells for CNY at noon of a day. */
static inline const struct fact *hard_sell(const char *order, const char *day, const char *course,
                                           int64_t paid, const char *more)
{
    return books_accept(&b, "c1",
                        hard_order(books_text(&b, "e-%s", order), order,
                                   books_text(&b, "%sT12:00:00+08:00", day), "CNY", course, paid,
                                   more));
}

static inline const char *hard_refund_text(const char *order, const char *id, const char *day,
                                           int64_t amount)
{
    return books_text(&b,
                      "{\"event_id\":\"r-%s-%s\",\"type\":\"order.refunded\",\"occurred_at\":"
                      "\"%sT12:00:00+08:00\",\"order_id\":\"%s\",\"refund_id\":\"%s\","
                      "\"amount\":%" PRId64 "}",
                      order, id, day, order, id, amount);
}

static inline void hard_refund(const char *order, const char *id, const char *day, int64_t amount)
{
    books_accept(&b, "c1", hard_refund_text(order, id, day, amount));
}

/* What a partner earned by a close, and where it stands after it. */
static inline void hard_expect(const struct close_result *closed, const char *partner,
                               int64_t earned, int64_t closing)
{
    const struct statement_row *row = closing_of(closed, partner);
    ck_assert_msg(row->earned == earned && row->closing == closing,
                  "%s: %" PRId64 ", then %" PRId64 ": %s", partner, row->earned, row->closing,
                  row->body.data);
}

/* A published statement is what it was, and so are its lines. */
static inline void hard_stands(const struct statement_row *published, const char *lines)
{
    bool found;
    struct statement_row row;
    ck_assert_int_eq(store_statement_find(b.db, b.arena, published->id, &found, &row), ACCORD_OK);
    ck_assert(found && slice_equal(row.body, published->body));
    ck_assert(hash_equal(&row.hash, &published->hash));
    ck_assert_str_eq(closing_lines(&b, &row), lines);
}

#endif
