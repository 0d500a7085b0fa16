/* Hard cases of facts: what is sold, refunded, disputed with a bank or known at the wrong time, and
 * what the statements then say. Cents are computed by hand in the comments. */
#include "hard.h"

#include "ingest/rates.h"

/* Net 197.81 at 60/30/10 is 118.69, 59.34, 19.78. Of 199.00 come 100.00 back after January was
 * published, the fee of 1.19 does not: 97.81 is 58.69, 29.34, 9.78; -60.00, -30.00, -10.00. */
START_TEST(refund_after_publish)
{
    books_agreement(&b, "z", 1,
                    "{\"parties\":[\"p2\",\"c1\",\"op\"],\"scope\":{\"providers\":[\"p2\"],"
                    "\"channels\":[\"c1\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},"
                    "\"currency\":\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":"
                    "\"Asia/Shanghai\"},\"terms\":[" HARD_SHARE("p2", "600000")
                        HARD_SHARE("c1", "300000") "{\"kind\":\"residual\",\"payee\":\"op\"}]}");
    books_accept(&b, "c1",
                 "{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-15T12:00:00+08:00\",\"order_id\":\"o1\",\"currency\":\"CNY\","
                 "\"payment_fee\":119,\"lines\":[{\"line_id\":\"1\",\"provider\":\"p2\","
                 "\"course_id\":\"go\",\"quantity\":1,\"paid\":19900}]}");
    const struct close_result january = closing_do(&b, "z", "2025-01");
    hard_expect(&january, "p2", 11869, 11869);
    hard_expect(&january, "c1", 5934, 5934 - 19781);
    hard_expect(&january, "op", 1978, 1978);
    const char *lines = closing_lines(&b, closing_of(&january, "p2"));
    hard_refund("o1", "r", "2025-02-10", 10000);
    const struct close_result february = closing_do(&b, "z", "2025-02");
    hard_expect(&february, "p2", -6000, 5869);
    hard_expect(&february, "c1", -3000, 2934 - 9781);
    hard_expect(&february, "op", -1000, 978);
    closing_says(closing_of(&february, "p2"),
                 "\"differences\":[{\"count\":1,\"earned\":-6000,\"period\":\"2025-01\","
                 "\"position\":-6000}]");
    ck_assert_ptr_nonnull(
        strstr(closing_lines(&b, closing_of(&february, "p2")), "{\"adjusts\":\"2025-01\","));
    hard_stands(closing_of(&january, "p2"), lines);
}
END_TEST

/* 1.01 at 60/40, refunded in three months: of 101, 68, 35, 0 are 61, 41, 21, 0 the provider's. */
START_TEST(refund_in_parts_over_months)
{
    hard_sell("o1", "2025-01-10", "python", 101, "");
    struct close_result closed = closing_do(&b, "a", "2025-01");
    hard_expect(&closed, "p1", 61, 61);
    hard_refund("o1", "r1", "2025-02-10", 33);
    closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", -20, 41);
    hard_refund("o1", "r2", "2025-03-10", 33);
    closed = closing_do(&b, "a", "2025-03");
    hard_expect(&closed, "p1", -20, 21);
    hard_expect(&closed, "c1", -13, -21);
    hard_refund("o1", "r3", "2025-04-10", 35);
    closed = closing_do(&b, "a", "2025-04");
    hard_expect(&closed, "p1", -21, 0);
    hard_expect(&closed, "c1", -14, 0);
}
END_TEST

/* 1.01, then 34 and 33 back in the same second: 34 are left, 20.4 and 13.6: 20 and 14. The same
 * whichever is told first, and in one batch; and also when a month is closed in between. */
START_TEST(two_partial_refunds_in_one_second)
{
    hard_sell("o1", "2025-01-10", "python", 101, "");
    const char *first =
        hard_refund_text("o1", _i % 2 == 0 ? "a" : "b", "2025-01-20", _i % 2 == 0 ? 34 : 33);
    const char *second =
        hard_refund_text("o1", _i % 2 == 0 ? "b" : "a", "2025-01-20", _i % 2 == 0 ? 33 : 34);
    struct close_result closed;
    if (_i < 2) {
        books_post(&b, "c1", books_text(&b, "[%s,%s]", first, second));
        closed = closing_do(&b, "a", "2025-01");
        hard_expect(&closed, "p1", 20, 20);
        hard_expect(&closed, "c1", 14, -20);
        return;
    }
    books_accept(&b, "c1", first);
    closing_do(&b, "a", "2025-01");
    books_accept(&b, "c1", second);
    closed = closing_do(&b, "a", "2025-02");
    ck_assert_int_eq(closing_of(&closed, "p1")->closing, 20);
    ck_assert_int_eq(closing_of(&closed, "c1")->closing, -20);
}
END_TEST

/* Charged back in February, won in March: January is adjusted twice, and is as it was. */
START_TEST(chargeback_won_later)
{
    hard_sell("o1", "2025-01-10", "python", 10000, "");
    const struct close_result january = closing_do(&b, "a", "2025-01");
    const char *lines = closing_lines(&b, closing_of(&january, "p1"));
    books_accept(&b, "c1",
                 "{\"event_id\":\"cb\",\"type\":\"order.charged_back\",\"occurred_at\":"
                 "\"2025-02-10T10:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"cb\","
                 "\"amount\":10000}");
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", -6000, 0);
    hard_expect(&february, "c1", -4000, 0);
    books_accept(&b, "c1",
                 "{\"event_id\":\"won\",\"type\":\"order.chargeback_reversed\",\"occurred_at\":"
                 "\"2025-03-10T10:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"cb\"}");
    const struct close_result march = closing_do(&b, "a", "2025-03");
    hard_expect(&march, "p1", 6000, 6000);
    hard_expect(&march, "c1", 4000, -6000);
    closing_says(closing_of(&march, "p1"), "\"differences\":[{\"count\":1,\"earned\":6000,"
                                           "\"period\":\"2025-01\",\"position\":6000}]");
    hard_stands(closing_of(&january, "p1"), lines);
}
END_TEST

/* More comes back than was paid: the sale is undone to the last cent, and no further. */
START_TEST(refund_of_more_than_was_paid)
{
    hard_sell("o1", "2025-01-10", "python", 101, "");
    closing_do(&b, "a", "2025-01");
    hard_refund("o1", "r1", "2025-02-10", 60);
    hard_refund("o1", "r2", "2025-02-11", 60);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", -61, 0);
    hard_expect(&february, "c1", -40, 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(refunded) FROM rollup WHERE grain = 'period' AND held "
                                "= 'excess_refund'"),
                     19);
}
END_TEST

/* An order is known before its course, and January is closed without it. */
START_TEST(order_arrives_before_its_course)
{
    const char *order =
        hard_order("e1", "o1", "2025-01-10T12:00:00+08:00", "CNY", "rust", 1000, "");
    ck_assert_int_eq(books_accept(&b, "c1", order)->held, ACCORD_HELD_UNMATCHED);
    const struct close_result january = closing_do(&b, "a", "2025-01");
    hard_expect(&january, "p1", 0, 0);
    books_course(&b, "p1", "rust");
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", 600, 600);
    hard_expect(&february, "c1", 400, -600);
    closing_says(closing_of(&february, "p1"), "\"differences\":[{\"count\":1,\"earned\":600,"
                                              "\"period\":\"2025-01\",\"position\":600}]");
}
END_TEST

/* A refund is told before its order, which is told when both their months are closed. */
START_TEST(refund_arrives_before_its_order)
{
    hard_refund("o1", "r", "2025-02-10", 33);
    closing_do(&b, "a", "2025-01");
    struct close_result closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", 0, 0);
    hard_sell("o1", "2025-01-10", "python", 101, "");
    closed = closing_do(&b, "a", "2025-03");
    hard_expect(&closed, "p1", 41, 41); /* of 68: 40.8 and 27.2 */
    hard_expect(&closed, "c1", 27, -41);
    closing_says(closing_of(&closed, "p1"), "\"differences\":[{\"count\":1,\"earned\":41,"
                                            "\"period\":\"2025-01\",\"position\":41}]");
}
END_TEST

/* The last second of the year before is nobody's, until an agreement of that time says whose. */
START_TEST(occurred_before_the_agreement)
{
    const char *early =
        hard_order("e1", "o1", "2024-12-31T23:59:59+08:00", "CNY", "python", 1000, "");
    ck_assert_int_eq(books_accept(&b, "c1", early)->held, ACCORD_HELD_UNASSIGNED);
    const char *first =
        hard_order("e2", "o2", "2025-01-01T00:00:00+08:00", "CNY", "python", 10000, "");
    ck_assert_int_eq(books_accept(&b, "c1", first)->held, ACCORD_HELD_NOT);
    const struct close_result january = closing_do(&b, "a", "2025-01");
    hard_expect(&january, "p1", 6000, 6000);
    closing_says(closing_of(&january, "p1"), "\"lines\":{\"count\":1,");
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND held = "
                                "'unassigned' AND agreement = ''"),
                     1000);
    books_agreement(&b, "old", 1,
                    "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":["
                    "\"c1\"]},\"effective\":{\"from\":\"2024-12-01T00:00:00+08:00\",\"to\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[" HARD_SHARE(
                        "p1", "500000") "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    const struct close_result december = closing_do(&b, "old", "2024-12");
    hard_expect(&december, "p1", 500, 500);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", 0, 6000);
}
END_TEST

/* Ids of events, orders and refunds are their partner's own. */
START_TEST(duplicate_event_id_from_two_partners)
{
    books_agreement(
        &b, "a2", 1,
        "{\"parties\":[\"p1\",\"c2\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":["
        "\"c2\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":"
        "\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
        "\"terms\":[" HARD_SHARE("p1", "500000") "{\"kind\":\"residual\",\"payee\":\"c2\"}]}");
    const char *at = "2025-01-10T12:00:00+08:00";
    const char *order = hard_order("e", "o", at, "CNY", "python", 1000, "");
    const char *other = hard_order("e", "o", at, "CNY", "python", 999, "");
    books_accept(&b, "c1", order);
    books_accept(&b, "c2", order);
    ck_assert_int_eq(books_post(&b, "c2", books_text(&b, "[%s]", order))->facts[0].status,
                     FACT_DUPLICATE);
    books_refuse(&b, "c2", other, ACCORD_E_EVENT_CONFLICT, "/event_id");
    const char *refund = hard_refund_text("o", "r", "2025-01-11", 100);
    books_accept(&b, "c2", refund);
    books_accept(&b, "c1", refund);
    const struct close_result one = closing_do(&b, "a", "2025-01");
    hard_expect(&one, "p1", 540, 540);
    hard_expect(&one, "c1", 360, -540);
    const struct close_result two = closing_do(&b, "a2", "2025-01");
    hard_expect(&two, "p1", 450, 450);
    hard_expect(&two, "c2", 450, -450);
}
END_TEST

/* What an order said was wrong, and January is closed: first it was cheaper, then it was sold in
 * February, then it was never sold. */
START_TEST(correction_after_publish)
{
    static const char fact[] =
        "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",\"supersedes\":"
        "\"%s\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\","
        "\"provider\":\"p1\",\"course_id\":\"python\",\"quantity\":1,\"paid\":8000}]}";
    hard_sell("o1", "2025-01-10", "python", 10000, "");
    const struct close_result january = closing_do(&b, "a", "2025-01");
    const char *lines = closing_lines(&b, closing_of(&january, "p1"));
    books_accept(&b, "c1", books_text(&b, fact, "k1", "2025-01-10T04:00:00Z", "e-o1"));
    struct close_result closed = closing_draft(&b, "a", "2025-02");
    hard_expect(&closed, "p1", -1200, 4800);
    hard_expect(&closed, "c1", -800, -4800);
    books_accept(&b, "c1", books_text(&b, fact, "k2", "2025-02-10T04:00:00Z", "k1"));
    closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", -6000 + 4800, 4800);
    closing_says(closing_of(&closed, "p1"), "\"differences\":[{\"count\":1,\"earned\":-6000,"
                                            "\"period\":\"2025-01\",\"position\":-6000}]");
    closing_says(closing_of(&closed, "p1"), "\"lines\":{\"count\":1,\"earned\":4800,");
    books_accept(&b, "c1",
                 "{\"event_id\":\"k3\",\"type\":\"void\",\"occurred_at\":"
                 "\"2025-03-10T04:00:00Z\",\"supersedes\":\"k2\"}");
    closed = closing_do(&b, "a", "2025-03");
    hard_expect(&closed, "p1", -4800, 0);
    hard_expect(&closed, "c1", -3200, 0);
    hard_stands(closing_of(&january, "p1"), lines);
}
END_TEST

/* A day's rates as the source published them, by EUR. */
static void publish(int64_t day, const char *usd, const char *cny)
{
    struct rate_row rows[2] = {{.currency = {"USD"}, .rate = usd},
                               {.currency = {"CNY"}, .rate = cny}};
    struct rates_given given = {.day = day, .rates = rows, .count = 2, .reason = ""};
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, &given, 1, "op"), ACCORD_OK);
    books_commit(&b);
}

/* USD 1.00 under an agreement in CNY waits for the rate of its day, visibly, also over a
 * close; 1.25 USD and 8.75 CNY are one EUR: 7.00, of which 4.20 are the provider's. A refund takes
 * that rate, whatever is published since. */
START_TEST(order_in_another_currency)
{
    enum { TENTH_OF_JANUARY = 20098 };
    books_accept(&b, "c1",
                 hard_order("e1", "o1", "2025-01-10T12:00:00+08:00", "USD", "python", 100, ""));
    struct close_result closed = closing_do(&b, "a", "2025-01");
    hard_expect(&closed, "p1", 0, 0);
    closing_says(closing_of(&closed, "p1"), "\"held\":[{\"currency\":\"USD\",\"gross\":100,"
                                            "\"lines\":1,\"reason\":\"no_rate\"}]");
    hard_refund("o1", "r0", "2025-02-01", 20);
    closed = closing_draft(&b, "a", "2025-02");
    closing_says(closing_of(&closed, "p1"), "\"held\":[{\"currency\":\"USD\",\"gross\":80,"
                                            "\"lines\":1,\"reason\":\"no_rate\"}]");
    publish(TENTH_OF_JANUARY, "1.25", "8.75");
    publish(TENTH_OF_JANUARY + 31, "1.25", "20");
    closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", 336, 336);
    hard_expect(&closed, "c1", 224, -336);
    closing_says(closing_of(&closed, "p1"), "\"held\":[]");
    hard_refund("o1", "r", "2025-03-03", 30);
    closed = closing_do(&b, "a", "2025-03");
    hard_expect(&closed, "p1", -126, 210);
    hard_expect(&closed, "c1", -84, -210);
}
END_TEST

/* Currencies without decimals and with three: ¥101 is 60.6 and 40.4, KWD 1.001 is 600.6 and 400.4
 * of its thousandths. */
START_TEST(jpy_and_kwd)
{
#define IN_CURRENCY(channel, currency)                                                             \
    "{\"parties\":[\"p2\",\"" channel "\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":["       \
    "\"" channel "\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":"       \
    "\"" currency "\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"            \
    "\"terms\":[" HARD_SHARE("p2", "600000") "{\"kind\":\"residual\",\"payee\":\"" channel "\"}]}"
    books_agreement(&b, "yen", 1, IN_CURRENCY("c1", "JPY"));
    books_agreement(&b, "dinar", 1, IN_CURRENCY("c2", "KWD"));
    const char *at = "2025-01-10T12:00:00+08:00";
    books_accept(&b, "c1", hard_order("e1", "o1", at, "JPY", "go", 101, ""));
    books_accept(&b, "c2", hard_order("e1", "o1", at, "KWD", "go", 1001, ""));
    const struct close_result yen = closing_do(&b, "yen", "2025-01");
    hard_expect(&yen, "p2", 61, 61);
    hard_expect(&yen, "c1", 40, -61);
    closing_says(closing_of(&yen, "p2"), "\"currency\":\"JPY\"");
    const struct close_result dinar = closing_do(&b, "dinar", "2025-01");
    hard_expect(&dinar, "p2", 601, 601);
    hard_expect(&dinar, "c2", 400, -601);
    closing_says(closing_of(&dinar, "c2"), "\"currency\":\"KWD\"");
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(amount) FROM posting WHERE currency = 'KWD'"), 0);
}
END_TEST

/* The largest amounts that a fact may have, summed and undone without a cent lost. */
START_TEST(amounts_at_their_limit)
{
    const int64_t limit = 10000000000000;
    hard_sell("o1", "2025-01-10", "python", limit, "");
    hard_sell("o2", "2025-01-11", "python", limit - 1, "");
    books_refuse(
        &b, "c1",
        hard_order("e3", "o3", "2025-01-12T12:00:00+08:00", "CNY", "python", limit + 1, ""),
        ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines/0/paid");
    /* 6 · 10^12 and 5999999999999.4; the rest of the second goes to the larger part. */
    const struct close_result january = closing_do(&b, "a", "2025-01");
    hard_expect(&january, "p1", 11999999999999, 11999999999999);
    hard_expect(&january, "c1", 8000000000000, -11999999999999);
    hard_refund("o1", "r", "2025-02-10", limit);
    hard_refund("o2", "r", "2025-02-10", limit - 1);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", -11999999999999, 0);
    hard_expect(&february, "c1", -8000000000000, 0);
}
END_TEST

#define TAMPER(text)                                                                               \
    do {                                                                                           \
        static const struct db_sql tamper_sql = {text};                                            \
        ck_assert_int_eq(db_run(b.db, &tamper_sql, NULL, 0, 1, NULL), ACCORD_OK);                  \
    } while (0)

/* No facts come near int64, so entries are changed by hand: twice 9 · 10^18 for p1 is more than
 * there is. Nothing is published, and nothing is lost once they are what they were. */
START_TEST(sums_near_int64)
{
    hard_sell("o1", "2025-01-10", "python", 10000, "");
    hard_sell("o2", "2025-01-11", "python", 10000, "");
    TAMPER("UPDATE entry_share SET amount = 9000000000000000000 WHERE payee = 'p1'");
    TAMPER("UPDATE entry_share SET amount = -9000000000000000000 WHERE payee = 'c1'");
    closing_refuse(&b, "a", "2025-01", ACCORD_E_OVERFLOW);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM statement"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM period"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM posting"), 0);
    TAMPER("UPDATE entry_share SET amount = 6000 WHERE payee = 'p1'");
    TAMPER("UPDATE entry_share SET amount = 4000 WHERE payee = 'c1'");
    const struct close_result january = closing_do(&b, "a", "2025-01");
    hard_expect(&january, "p1", 12000, 12000);
}
END_TEST

/* The learner is erased after January is published: what leads from his id to him, and what he
 * wrote. His refund is settled as anybody's (100.00 at 60/40, half of it back), a repeat of what
 * was known of him is a duplicate, and who comes under his id later is another learner. */
START_TEST(erased_learner_gets_a_refund)
{
    static const struct db_sql erase[] = {{"DELETE FROM learner_key"}, {"DELETE FROM fact_text"}};
    static const char order[] =
        "{\"event_id\":\"e%d\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T12:00:00+08:"
        "00\","
        "\"order_id\":\"o%d\",\"learner\":\"张三\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":"
        "\"1\","
        "\"provider\":\"p1\",\"course_id\":\"python\",\"quantity\":1,\"paid\":10000}]}";
    static const char review[] =
        "{\"event_id\":\"v\",\"type\":\"review\",\"occurred_at\":\"2025-01-11T12:00:00+08:00\","
        "\"provider\":\"p1\",\"course_id\":\"python\",\"learner\":\"张三\",\"text\":"
        "\"讲得很清楚\"}";
    books_accept(&b, "c1", books_text(&b, order, 1, 1));
    books_accept(&b, "c1", review);
    const struct close_result january = closing_do(&b, "a", "2025-01");
    const char *lines = closing_lines(&b, closing_of(&january, "p1"));
    books_begin(&b);
    for (size_t i = 0; i < sizeof erase / sizeof *erase; i++)
        ck_assert_int_eq(db_run(b.db, &erase[i], NULL, 0, 1, NULL), ACCORD_OK);
    books_commit(&b);
    const char *repeats = books_text(&b, "[%s,%s]", books_text(&b, order, 1, 1), review);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(books_post(&b, "c1", repeats)->facts[i].status, FACT_DUPLICATE);
    hard_refund("o1", "r", "2025-02-10", 5000);
    books_accept(&b, "c1", books_text(&b, order, 2, 2));
    /* Whoever is known is not taken for one who was erased. */
    ck_assert_int_eq(
        books_post(&b, "c1", books_text(&b, "[%s]", books_text(&b, order, 2, 3)))->facts[0].status,
        FACT_CONFLICT);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(DISTINCT learner) FROM sale"), 2);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", -3000 + 6000, 9000);
    hard_expect(&february, "c1", -2000 + 4000, -9000);
    hard_stands(closing_of(&january, "p1"), lines);
}
END_TEST

/* The provider takes its course out and another provider lists the same one: revenue follows the
 * listing that was sold, then and in every refund; what is sold from now on is the other's. */
START_TEST(listing_moved_after_the_sale)
{
    static const struct db_sql withdraw = {
        "UPDATE course SET state = 'withdrawn' WHERE provider = 'p1' AND course_id = 'python'"};
    books_agreement(&b, "z", 1, HARD_P2_C1("", HARD_SHARE("p2", "700000")));
    hard_sell("o1", "2025-01-10", "python", 10000, "");
    const struct close_result january = closing_do(&b, "a", "2025-01");
    hard_expect(&january, "p1", 6000, 6000);
    books_begin(&b);
    ck_assert_int_eq(db_run(b.db, &withdraw, NULL, 0, 1, NULL), ACCORD_OK);
    books_commit(&b);
    closing_do(&b, "z", "2025-01");
    books_course(&b, "p2", "python");
    hard_refund("o1", "r", "2025-02-10", 5000);
    books_accept(
        &b, "c1",
        "{\"event_id\":\"e2\",\"type\":\"order.paid\",\"occurred_at\":"
        "\"2025-02-11T12:00:00+08:00\",\"order_id\":\"o2\",\"currency\":\"CNY\",\"lines\":["
        "{\"line_id\":\"1\",\"provider\":\"p2\",\"course_id\":\"python\",\"quantity\":1,"
        "\"paid\":10000}]}");
    struct close_result february = closing_do(&b, "a", "2025-02");
    hard_expect(&february, "p1", -3000, 3000);
    february = closing_do(&b, "z", "2025-02");
    hard_expect(&february, "p2", 7000, 7000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hard cases");
    TCase *cases = tcase_create("facts");
    tcase_add_checked_fixture(cases, hard_setup, hard_teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, refund_after_publish);
    tcase_add_test(cases, refund_in_parts_over_months);
    tcase_add_loop_test(cases, two_partial_refunds_in_one_second, 0, 4);
    tcase_add_test(cases, chargeback_won_later);
    tcase_add_test(cases, refund_of_more_than_was_paid);
    tcase_add_test(cases, order_arrives_before_its_course);
    tcase_add_test(cases, refund_arrives_before_its_order);
    tcase_add_test(cases, occurred_before_the_agreement);
    tcase_add_test(cases, duplicate_event_id_from_two_partners);
    tcase_add_test(cases, correction_after_publish);
    tcase_add_test(cases, erased_learner_gets_a_refund);
    tcase_add_test(cases, listing_moved_after_the_sale);
    tcase_add_test(cases, order_in_another_currency);
    tcase_add_test(cases, jpy_and_kwd);
    tcase_add_test(cases, amounts_at_their_limit);
    tcase_add_test(cases, sums_near_int64);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
