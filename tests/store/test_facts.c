/* What is accepted, repeated, refused; what orders, refunds and corrections come to. Expectations
 * are worked out by hand. */
#include "books.h"

#include "base/buf.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    books_course(&b, "p1", "python");
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

#define AT "\"occurred_at\":\"2025-01-10T10:00:00+08:00\","
#define LINE(id, paid)                                                                             \
    "{\"line_id\":\"" id "\",\"provider\":\"p1\",\"course_id\":\"python\",\"quantity\":1,"         \
    "\"paid\":" paid "}"
#define ORDER(event, order, lines)                                                                 \
    "{\"event_id\":\"" event "\",\"type\":\"order.paid\"," AT "\"order_id\":\"" order              \
    "\",\"currency\":\"CNY\",\"lines\":[" lines "]}"
#define REFUND(event, order, refund, amount)                                                       \
    "{\"event_id\":\"" event "\",\"type\":\"order.refunded\"," AT "\"order_id\":\"" order          \
    "\",\"refund_id\":\"" refund "\",\"amount\":" amount "}"
#define RATING(event, value)                                                                       \
    "{\"event_id\":\"" event "\",\"type\":\"rating\"," AT "\"provider\":\"p1\","                   \
    "\"course_id\":\"python\",\"learner\":\"u1\",\"value\":" value "}"

#define NET NUMBER(&b, "SELECT SUM(net) FROM rollup WHERE grain = 'period' AND staged = 0")
#define REFUNDED NUMBER(&b, "SELECT SUM(refunded) FROM rollup WHERE grain = 'period' AND held = ''")
#define EXCESS                                                                                     \
    NUMBER(&b, "SELECT SUM(refunded) FROM rollup WHERE grain = 'period' AND "                      \
               "held = 'excess_refund'")
#define EARNED(payee)                                                                              \
    NUMBER(&b,                                                                                     \
           "SELECT SUM(amount) FROM rollup_share WHERE grain = 'period' AND payee = '" payee "'")

START_TEST(test_order_is_split)
{
    const struct fact *fact = books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "19901")));
    ck_assert_int_eq(fact->held, ACCORD_HELD_NOT);
    ck_assert_int_eq(NET, 19901);
    ck_assert_int_eq(EARNED("p1"), 11941); /* 11940.6; 7960.4 */
    ck_assert_int_eq(EARNED("c1"), 7960);
    ck_assert_int_eq(NUMBER(&b, "SELECT day FROM rollup WHERE grain = 'day'"), 20098);
    ck_assert_int_eq(NUMBER(&b, "SELECT day FROM rollup WHERE grain = 'period'"), 20089);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM rollup WHERE course_id = 'python'"), 1);
}
END_TEST

START_TEST(test_repeats)
{
    const char *order = ORDER("e1", "o1", LINE("1", "100"));
    const char *same = "{\"lines\":[{\"paid\":100,\"quantity\":1,\"course_id\":\"python\","
                       "\"provider\":\"p1\",\"line_id\":\"1\"}],\"currency\":\"CNY\","
                       "\"order_id\":\"o1\",\"type\":\"order.paid\","
                       "\"occurred_at\":\"2025-01-10T02:00:00Z\",\"event_id\":\"e1\"}";
    /* Within one batch, with the keys in another order and the instant in another zone. */
    const struct fact_batch *batch = books_post(
        &b, "c1", books_text(&b, "[%s,%s,%s]", order, same, ORDER("e1", "o1", LINE("1", "101"))));
    ck_assert_int_eq(batch->facts[0].status, FACT_ACCEPTED);
    ck_assert_int_eq(batch->facts[1].status, FACT_DUPLICATE);
    ck_assert_int_eq(batch->facts[2].status, FACT_CONFLICT);
    ck_assert_int_eq(batch->facts[2].code, ACCORD_E_EVENT_CONFLICT);
    ck_assert_uint_eq(batch->counts[FACT_ACCEPTED], 1);
    ck_assert_uint_eq(batch->counts[FACT_DUPLICATE], 1);
    ck_assert_uint_eq(batch->counts[FACT_CONFLICT], 1);
    /* And across batches. */
    batch = books_post(
        &b, "c1", books_text(&b, "%s\n\n%s\n{bad\n", same, ORDER("e1", "o2", LINE("1", "100"))));
    ck_assert_uint_eq(batch->count, 3);
    ck_assert_int_eq(batch->facts[0].status, FACT_DUPLICATE);
    ck_assert_int_eq(batch->facts[1].status, FACT_CONFLICT);
    ck_assert_int_eq(batch->facts[2].status, FACT_REJECTED);
    ck_assert_int_eq(batch->facts[2].code, ACCORD_E_JSON_INVALID);
    ck_assert_int_eq(NET, 100);
    /* Another partner's events have names of their own. */
    books_accept(&b, "c2", ORDER("e1", "o1", LINE("1", "100")));
    books_refuse(&b, "c1", ORDER("e9", "o1", LINE("1", "100")), ACCORD_E_ORDER_EXISTS, "/order_id");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact"), 2);
    ck_assert_int_eq(NUMBER(&b, "SELECT seq FROM journal_head"),
                     NUMBER(&b, "SELECT MAX(seq) FROM fact"));
}
END_TEST

START_TEST(test_two_requests_in_one_transaction)
{
    struct fact_batch *batches[] = {
        books_decode(&b, "c1", "[" ORDER("e1", "o1", LINE("1", "100")) "]"),
        books_decode(
            &b, "c1",
            "[" ORDER("e1", "o1", LINE("1", "100")) "," ORDER("e2", "o1", LINE("1", "100")) "]"),
        books_decode(&b, "c1", "[" REFUND("r", "o1", "r1", "30") "]"),
    };
    books_begin(&b);
    ck_assert_int_eq(facts_write(b.tx, batches, 3), ACCORD_OK);
    books_roll_back(&b);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact"), 0);
    /* They are run again from scratch. */
    books_begin(&b);
    ck_assert_int_eq(facts_write(b.tx, batches, 3), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(batches[0]->facts[0].status, FACT_ACCEPTED);
    ck_assert_int_eq(batches[1]->facts[0].status, FACT_DUPLICATE);
    ck_assert_int_eq(batches[1]->facts[1].code, ACCORD_E_ORDER_EXISTS);
    ck_assert_int_eq(batches[2]->facts[0].status, FACT_ACCEPTED);
    ck_assert_int_eq(NET, 70);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM entry"), 1);
}
END_TEST

START_TEST(test_text_repeats)
{
    const char *review = "{\"event_id\":\"v\",\"type\":\"review\"," AT "\"provider\":\"p1\","
                         "\"course_id\":\"python\",\"learner\":\"张三\",\"text\":\"讲得很清楚\"}";
    const struct fact_batch *batch =
        books_post(&b, "c1", books_text(&b, "[%s,%s]", review, review));
    ck_assert_int_eq(batch->facts[0].status, FACT_ACCEPTED);
    ck_assert_int_eq(batch->facts[1].status, FACT_DUPLICATE);
    batch = books_post(&b, "c1", books_text(&b, "[%s]", review));
    ck_assert_int_eq(batch->facts[0].status, FACT_DUPLICATE);
    const char *other = "[{\"event_id\":\"v\",\"type\":\"review\"," AT "\"provider\":\"p1\","
                        "\"course_id\":\"python\",\"learner\":\"张三\",\"text\":\"讲得不清楚\"}]";
    ck_assert_int_eq(books_post(&b, "c1", other)->facts[0].status, FACT_CONFLICT);
    /* The journal itself holds neither the text nor the learner's name. */
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact WHERE instr(body, '清楚') > 0"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact_text WHERE instr(text, '清楚') > 0"), 1);
    /* Once erased, a repeat by its id is a duplicate, whatever it says. */
    const struct db_sql erase = {"DELETE FROM fact_text"};
    books_begin(&b);
    ck_assert_int_eq(db_run(b.db, &erase, NULL, 0, 1, NULL), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(books_post(&b, "c1", other)->facts[0].status, FACT_DUPLICATE);
    /* That a text was erased is not what an answer to a survey says. */
    books_accept(&b, "c1",
                 "{\"event_id\":\"s\",\"type\":\"survey\"," AT "\"provider\":\"p1\",\"course_id\":"
                 "\"python\",\"answers\":{\"text_hash\":\"\"}}");
    ck_assert_int_eq(books_post(&b, "c1",
                                "[{\"event_id\":\"s\",\"type\":\"comment\"," AT
                                "\"provider\":\"p1\",\"course_id\":\"python\",\"text\":\"x\"}]")
                         ->facts[0]
                         .status,
                     FACT_CONFLICT);
    /* The place of a problem outlives the transaction that found it. */
    const struct fact_batch *refused =
        books_post(&b, "c1",
                   "[" ORDER("x9", "o9",
                             LINE("1", "1") ",{\"line_id\":\"2\",\"provider\":\"none\","
                                            "\"course_id\":\"c\",\"quantity\":1,\"paid\":1}") "]");
    books_accept(&b, "c1", RATING("x10", "5"));
    ck_assert_str_eq(refused->facts[0].code_pointer, "/lines/1/provider");
}
END_TEST

START_TEST(test_who_may_post)
{
    books_refuse(&b, "p1", ORDER("x1", "o1", LINE("1", "100")), ACCORD_E_EVENT_NOT_ALLOWED,
                 "/type");
    books_refuse(&b, "p2", RATING("x2", "5"), ACCORD_E_EVENT_NOT_ALLOWED, "/type");
    books_accept(&b, "p1", RATING("x3", "5"));
    books_refuse(&b, "c1",
                 "{\"event_id\":\"x4\",\"type\":\"rating\"," AT "\"provider\":\"nobody\","
                 "\"course_id\":\"python\",\"value\":3}",
                 ACCORD_E_PROVIDER_UNKNOWN, "/provider");
    books_refuse(&b, "c1",
                 ORDER("x5", "o1",
                       LINE("1", "1") ",{\"line_id\":\"2\",\"provider\":\"c2\",\"course_id\":"
                                      "\"x\",\"quantity\":1,\"paid\":1}"),
                 ACCORD_E_PROVIDER_UNKNOWN, "/lines/1/provider");
    struct fact_batch *batch = books_decode(&b, "ghost", "[" RATING("x6", "5") "]");
    books_begin(&b);
    ck_assert_int_eq(facts_write(b.tx, &batch, 1), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(batch->refused, ACCORD_E_PARTNER_UNKNOWN);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact"), 1);
}
END_TEST

static const struct {
    const char *item;
    enum accord_error code;
    const char *pointer;
} wrong[] = {
    {"{\"event_id\":\"w\",\"type\":\"nonsense\"," AT "\"x\":1}", ACCORD_E_FIELD_UNKNOWN, "/x"},
    {"{\"event_id\":\"w\",\"type\":\"nonsense\",\"occurred_at\":\"2025-01-10T10:00:00Z\"}",
     ACCORD_E_EVENT_TYPE_UNKNOWN, "/type"},
    {"{\"event_id\":\"w\",\"type\":\"rating\",\"occurred_at\":\"2190-01-10T10:00:00Z\","
     "\"provider\":\"p1\",\"course_id\":\"python\",\"value\":5}",
     ACCORD_E_TIME_IN_FUTURE, "/occurred_at"},
    {"{\"event_id\":\"w\",\"type\":\"rating\"," AT "\"provider\":\"p1\",\"course_id\":\"python\","
     "\"value\":5,\"order_id\":\"o\"}",
     ACCORD_E_FIELD_UNKNOWN, "/order_id"},
    {"{\"event_id\":\"w\",\"type\":\"rating\"," AT "\"course_id\":\"python\",\"value\":5}",
     ACCORD_E_FIELD_MISSING, "/provider"},
    {ORDER("w", "o", LINE("1", "10") "," LINE("1", "10")), ACCORD_E_LINE_DUPLICATE,
     "/lines/1/line_id"},
    {ORDER("w", "o", LINE("1", "10000000000000") "," LINE("2", "1")), ACCORD_E_AMOUNT_OUT_OF_RANGE,
     "/lines"},
    {ORDER("w", "o", LINE("1", "1,\"tax\":10000000000000") "," LINE("2", "1,\"tax\":1")),
     ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines"},
    {ORDER(
         "w", "o",
         LINE("1", "1,\"discounts\":[{\"amount\":10000000000000,\"funder\":\"channel\"}]") "," LINE(
             "2", "1,\"discounts\":[{\"amount\":1,\"funder\":\"channel\"}]")),
     ACCORD_E_AMOUNT_OUT_OF_RANGE, "/lines"},
    {ORDER("w", "o", LINE("1", "19.90")), ACCORD_E_NUMBER_NOT_INTEGER, "/lines/0/paid"},
    {ORDER("w", "o", LINE("1", "1e2")), ACCORD_E_NUMBER_NOT_INTEGER, "/lines/0/paid"},
    {ORDER("w", "o", "{\"line_id\":\"1\",\"amount\":5}"), ACCORD_E_FIELD_MISSING,
     "/lines/0/provider"},
    {REFUND("w", "o", "r", "0"), ACCORD_E_AMOUNT_OUT_OF_RANGE, "/amount"},
    {"{\"event_id\":\"w\",\"type\":\"order.refunded\"," AT "\"order_id\":\"o\",\"refund_id\":"
     "\"r\"}",
     ACCORD_E_FIELD_MISSING, "/amount"},
    {"{\"event_id\":\"w\",\"type\":\"checkin\"," AT "\"provider\":\"p1\",\"course_id\":\"python\","
     "\"day\":\"2025-02-29\"}",
     ACCORD_E_TIME_INVALID, "/day"},
    {"{\"event_id\":\"w\",\"type\":\"void\"," AT "\"supersedes\":\"none\"}",
     ACCORD_E_SUPERSEDES_UNKNOWN, "/supersedes"},
    {"{\"event_id\":\"w\",\"type\":\"void\"," AT "\"supersedes\":\"w\"}",
     ACCORD_E_SUPERSEDES_UNKNOWN, "/supersedes"},
};

START_TEST(test_wrong_items)
{
    books_refuse(&b, "c1", wrong[_i].item, wrong[_i].code, wrong[_i].pointer);
    /* The good neighbours of a bad item stand. */
    const struct fact_batch *batch = books_post(
        &b, "c1", books_text(&b, "[%s,%s]", wrong[_i].item, ORDER("ok", "ok", LINE("1", "7"))));
    ck_assert_int_eq(batch->facts[0].status, FACT_REJECTED);
    ck_assert_int_eq(batch->facts[1].status, FACT_ACCEPTED);
    ck_assert_int_eq(NET, 7);
}
END_TEST

START_TEST(test_array_is_all_or_nothing)
{
    struct fact_batch batch = {.partner = "c1", .posted_by = ""};
    const char *why;
    const char *texts[] = {"[" RATING("a", "5") ",", "[" RATING("a", "5") "] x", "", "[]", "{}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const enum accord_error error =
            facts_decode(b.arena, slice_of(texts[i]), FACT_SHAPE_ARRAY, FACT_CLASS_ALL, 0,
                         b.config.learner_key, &batch, &why);
        ck_assert_msg(error == ACCORD_E_JSON_INVALID || error == ACCORD_E_BODY_EMPTY, "%s: %s",
                      texts[i], accord_error_code(error));
    }
    struct buf buf;
    buf_init(&buf, 1 << 24);
    for (int i = 0; i <= FACTS_ITEMS_MAX; i++)
        buf_add_str(&buf, i == 0 ? "[{}" : ",{}");
    buf_add_str(&buf, "]");
    ck_assert_int_eq(facts_decode(b.arena, buf_slice(&buf), FACT_SHAPE_ARRAY, FACT_CLASS_ALL, 0,
                                  b.config.learner_key, &batch, &why),
                     ACCORD_E_BATCH_TOO_LARGE);
    buf_done(&buf);
}
END_TEST

START_TEST(test_hundred_refunds_of_one_cent)
{
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100")));
    for (int i = 0; i < 100; i++) {
        books_accept(&b, "c1",
                     books_text(&b,
                                "{\"event_id\":\"r%d\",\"type\":\"order.refunded\"," AT
                                "\"order_id\":\"o1\",\"refund_id\":\"r%d\",\"amount\":1}",
                                i, i));
        if (i == 49) {
            ck_assert_int_eq(EARNED("p1"), 30);
            ck_assert_int_eq(EARNED("c1"), 20);
        }
    }
    ck_assert_int_eq(NET, 0);
    ck_assert_int_eq(EARNED("p1"), 0);
    ck_assert_int_eq(EARNED("c1"), 0);
    /* One more is too much. */
    books_accept(&b, "c1", REFUND("r100", "o1", "r100", "1"));
    ck_assert_int_eq(REFUNDED, 100);
    ck_assert_int_eq(EXCESS, 1);
    ck_assert_int_eq(books_accept(&b, "c1", REFUND("r101", "o1", "r101", "2"))->held,
                     ACCORD_HELD_EXCESS_REFUND);
    ck_assert_int_eq(EXCESS, 3);
}
END_TEST

START_TEST(test_refund_waits_for_its_order)
{
    books_accept(&b, "c1", REFUND("r1", "o1", "r1", "40"));
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM entry"), 0);
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100")));
    ck_assert_int_eq(NET, 60);
    ck_assert_int_eq(REFUNDED, 40);
    books_refuse(&b, "c1", REFUND("r2", "o1", "r1", "40"), ACCORD_E_REFUND_EXISTS, "/refund_id");
    books_accept(&b, "c1", REFUND("r3", "o2", "r1", "40")); /* ids are the order's own */
}
END_TEST

START_TEST(test_two_refunds_at_once)
{
    /* At the same second: the one with the lesser event id comes first, wherever it stands. */
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100")));
    const struct fact_batch *batch = books_post(
        &b, "c1", "[" REFUND("z", "o1", "rz", "70") "," REFUND("a", "o1", "ra", "60") "]");
    ck_assert_uint_eq(batch->counts[FACT_ACCEPTED], 2);
    ck_assert_int_eq(NET, 0);
    ck_assert_int_eq(EXCESS, 30);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(line_count) FROM rollup WHERE held = 'excess_refund' "
                                "AND grain = 'day'"),
                     1);
}
END_TEST

START_TEST(test_charge_back_and_reversal)
{
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100")));
    /* The reversal may be known before what it reverses. */
    books_accept(&b, "c1",
                 "{\"event_id\":\"v1\",\"type\":\"order.chargeback_reversed\"," AT
                 "\"order_id\":\"o1\",\"refund_id\":\"cb\"}");
    books_accept(&b, "c1",
                 "{\"event_id\":\"b1\",\"type\":\"order.charged_back\"," AT
                 "\"order_id\":\"o1\",\"refund_id\":\"cb\",\"amount\":100,\"reason\":\"fraud\"}");
    ck_assert_int_eq(NET, 100);
    books_refuse(&b, "c1",
                 "{\"event_id\":\"v2\",\"type\":\"order.chargeback_reversed\"," AT
                 "\"order_id\":\"o1\",\"refund_id\":\"cb\"}",
                 ACCORD_E_REFUND_EXISTS, "/refund_id");
    /* Taking the reversal back brings the charge-back into force. */
    books_accept(&b, "c1", "{\"event_id\":\"v3\",\"type\":\"void\"," AT "\"supersedes\":\"v1\"}");
    ck_assert_int_eq(NET, 0);
    ck_assert_int_eq(EARNED("p1"), 0);
    books_refuse(&b, "c1", "{\"event_id\":\"v4\",\"type\":\"void\"," AT "\"supersedes\":\"v3\"}",
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
}
END_TEST

#define CORRECTION(event, target, order, lines)                                                    \
    "{\"event_id\":\"" event "\",\"type\":\"order.paid\"," AT "\"supersedes\":\"" target           \
    "\",\"order_id\":\"" order "\",\"currency\":\"CNY\",\"lines\":[" lines "]}"

START_TEST(test_corrections)
{
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100") "," LINE("2", "100")));
    books_accept(&b, "c1", REFUND("r1", "o1", "r1", "50"));
    ck_assert_int_eq(NET, 150);
    /* The order was really smaller: its refund now is more than it. */
    books_accept(&b, "c1", CORRECTION("e2", "e1", "o1", LINE("1", "30")));
    ck_assert_int_eq(NET, 0);
    ck_assert_int_eq(EXCESS, 20);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(quantity) FROM rollup WHERE grain = 'day'"), 1);
    /* Only what is current can be corrected, by the same type about the same thing. */
    books_refuse(&b, "c1", CORRECTION("e3", "e1", "o1", LINE("1", "30")),
                 ACCORD_E_SUPERSEDES_UNKNOWN, "/supersedes");
    books_refuse(&b, "c1", CORRECTION("e3", "e2", "other", LINE("1", "30")),
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_refuse(&b, "c1", CORRECTION("e3", "r1", "o1", LINE("1", "30")), ACCORD_E_SUPERSEDES_TYPE,
                 "/supersedes");
    books_refuse(&b, "c2", CORRECTION("e3", "e2", "o1", LINE("1", "30")),
                 ACCORD_E_SUPERSEDES_UNKNOWN, "/supersedes");
    /* A correction and the fact it corrects in one batch, then a void of it all. */
    const struct fact_batch *batch =
        books_post(&b, "c1",
                   "[" CORRECTION("e4", "e2", "o1", LINE("1", "80")) "," CORRECTION(
                       "e5", "e4", "o1", LINE("1", "90")) "]");
    ck_assert_uint_eq(batch->counts[FACT_ACCEPTED], 2);
    ck_assert_int_eq(NET, 40);
    ck_assert_int_eq(EXCESS, 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(DISTINCT id) FROM sale"), 1);
    books_accept(&b, "c1", "{\"event_id\":\"e6\",\"type\":\"void\"," AT "\"supersedes\":\"e5\"}");
    ck_assert_int_eq(NET, 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(line_count) FROM rollup"), 0);
    /* Its id is taken for ever. */
    books_refuse(&b, "c1", ORDER("e7", "o1", LINE("1", "5")), ACCORD_E_ORDER_EXISTS, "/order_id");
    /* A corrected refund keeps its id. */
    books_accept(&b, "c1", ORDER("f1", "o2", LINE("1", "100")));
    books_accept(&b, "c1", REFUND("f2", "o2", "r", "60"));
    books_accept(&b, "c1",
                 "{\"event_id\":\"f3\",\"type\":\"order.refunded\"," AT "\"supersedes\":\"f2\","
                 "\"order_id\":\"o2\",\"refund_id\":\"r\",\"amount\":10}");
    ck_assert_int_eq(NET, 90);
}
END_TEST

START_TEST(test_held_until_known)
{
    const char *order =
        "{\"event_id\":\"e1\",\"type\":\"order.paid\"," AT "\"order_id\":\"订单-1\","
        "\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\","
        "\"course_id\":\"课程一\",\"quantity\":2,\"paid\":1000}]}";
    ck_assert_int_eq(books_accept(&b, "c1", order)->held, ACCORD_HELD_UNMATCHED);
    books_accept(&b, "c1", REFUND("r", "订单-1", "r", "100"));
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND "
                                "held = 'unmatched' AND agreement = ''"),
                     1000);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM unmatched_line"), 1);
    books_verify(&b);
    books_course(&b, "p1", "课程一");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM unmatched_line"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE held = 'unmatched'"), 0);
    ck_assert_int_eq(NET, 900);
    ck_assert_int_eq(EARNED("p1"), 540);

    /* No agreement of p2 and c1, until there is one. */
    books_course(&b, "p2", "x");
    const struct fact *fact = books_accept(
        &b, "c1",
        "{\"event_id\":\"e2\",\"type\":\"order.paid\"," AT "\"order_id\":\"o2\",\"currency\":"
        "\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"p2\",\"course_id\":\"x\","
        "\"quantity\":1,\"paid\":50}]}");
    ck_assert_int_eq(fact->held, ACCORD_HELD_UNASSIGNED);
    ck_assert_int_eq(NET, 900);
    books_agreement(
        &b, "b", 1,
        "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c1\"]},"
        "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":\"USD\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"UTC\"},"
        "\"terms\":[{\"kind\":\"residual\",\"payee\":\"p2\"}]}");
    /* In another currency it waits for a rate. */
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND "
                                "held = 'no_rate' AND agreement = 'b'"),
                     50);
    books_agreement(
        &b, "b", 2,
        "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c1\"]},"
        "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"UTC\"},"
        "\"terms\":[{\"kind\":\"residual\",\"payee\":\"p2\"}]}");
    ck_assert_int_eq(NET, 950);
    ck_assert_int_eq(EARNED("p2"), 50);
}
END_TEST

START_TEST(test_large_and_small)
{
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "10000000000000")));
    books_accept(&b, "c1", ORDER("e2", "o2", LINE("1", "1")));
    books_accept(&b, "c1", ORDER("e3", "o3", LINE("1", "0")));
    ck_assert_int_eq(NET, INT64_C(10000000000001));
    ck_assert_int_eq(EARNED("p1"), INT64_C(6000000000001)); /* 0.6 of a cent: the larger rest */
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(line_count) FROM rollup WHERE grain = 'period'"), 3);
}
END_TEST

/* One request refunds the half of many orders that are as large as an order can be. */
START_TEST(test_refunds_of_large_orders)
{
    enum { LARGE_ORDERS = 20 };
    struct buf refunds;
    buf_init(&refunds, (size_t)1 << 20);
    for (int i = 0; i < LARGE_ORDERS; i++) {
        struct buf order;
        buf_init(&order, (size_t)1 << 20);
        buf_printf(&order,
                   "{\"event_id\":\"e%d\",\"type\":\"order.paid\"," AT
                   "\"order_id\":\"o%d\",\"currency\":\"CNY\",\"lines\":[",
                   i, i);
        for (int line = 0; line < ACCORD_LINES_MAX; line++)
            buf_printf(&order,
                       "%s{\"line_id\":\"%d\",\"provider\":\"p1\",\"course_id\":\"python\","
                       "\"quantity\":1,\"paid\":100}",
                       line > 0 ? "," : "", line);
        buf_printf(&order, "]}%c", '\0');
        ck_assert_int_eq(books_post(&b, "c1", buf_slice(&order).data)->facts[0].status,
                         FACT_ACCEPTED);
        buf_done(&order);
        buf_printf(&refunds,
                   "{\"event_id\":\"r%d\",\"type\":\"order.refunded\"," AT
                   "\"order_id\":\"o%d\",\"refund_id\":\"r%d\",\"amount\":100000}\n",
                   i, i, i);
    }
    buf_add_char(&refunds, '\0');
    books_post(&b, "c1", buf_slice(&refunds).data);
    buf_done(&refunds);
    ck_assert_int_eq(REFUNDED, 2000000);
    ck_assert_int_eq(NET, 2000000);
    ck_assert_int_eq(EARNED("p1"), 1200000); /* 30 of each 50 */
}
END_TEST

START_TEST(test_amounts_of_the_whole)
{
    /* 100 of tax over 1, 1, 1: 34, 33, 33; 1 of fee: the first; a discount of both kinds. */
    books_accept(&b, "c1",
                 "{\"event_id\":\"e1\",\"type\":\"order.paid\"," AT "\"order_id\":\"o1\","
                 "\"currency\":\"CNY\",\"tax\":100,\"payment_fee\":1,\"discounts\":[{\"amount\":3,"
                 "\"funder\":\"channel\"}],\"lines\":[" LINE("1", "1000") "," LINE(
                     "2", "1000") ",{\"line_id\":\"3\",\"provider\":\"p1\",\"course_id\":"
                                  "\"python\",\"quantity\":1,\"paid\":1000,\"discounts\":["
                                  "{\"amount\":7,\"funder\":\"channel\"},{\"amount\":9,"
                                  "\"funder\":\"provider\"}]}]}");
    ck_assert_int_eq(NUMBER(&b, "SELECT tax * 10000 + payment_fee * 1000 + discount_channel * 10 "
                                "+ discount_provider FROM sale_line WHERE line = 0"),
                     341010);
    ck_assert_int_eq(NUMBER(&b, "SELECT tax * 10000 + payment_fee * 1000 + discount_channel * 10 "
                                "+ discount_provider FROM sale_line WHERE line = 2"),
                     330089);
    ck_assert_int_eq(NUMBER(&b, "SELECT store_fee FROM sale_line WHERE line = 1"), -1);
    ck_assert_int_eq(NET, 3000 - 100 - 1);
}
END_TEST

START_TEST(test_versions_of_what_partners_see)
{
    books_accept(&b, "c1", ORDER("e1", "o1", LINE("1", "100")));
    const int64_t seq = NUMBER(&b, "SELECT MAX(seq) FROM fact");
    ck_assert_int_eq(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'c1'"), seq);
    ck_assert_int_eq(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'p1'"), seq);
    ck_assert_int_eq(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'op'"), seq);
    ck_assert_int_lt(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'p2'"), seq);
    ck_assert_int_lt(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'c2'"), seq);
}
END_TEST

START_TEST(test_journal_reads_back)
{
    books_post(
        &b, "c1",
        "[{\"event_id\":\"s\",\"type\":\"survey\"," AT "\"provider\":\"p1\",\"course_id\":"
        "\"python\",\"answers\":{\"b\":true,\"a\":\"很好\",\"n\":-3}}," RATING(
            "q",
            "4") ","
                 "{\"event_id\":\"t\",\"type\":\"comment\"," AT "\"provider\":\"p1\",\"course_id\":"
                 "\"python\",\"text\":\"a \\\"quote\\\"\"},"
                 "{\"event_id\":\"q2\",\"type\":\"rating\"," AT "\"supersedes\":\"q\","
                 "\"provider\":\"p1\",\"course_id\":\"python\",\"learner\":\"u1\",\"value\":2}]");
    struct fact_row *rows;
    size_t count;
    ck_assert_int_eq(store_facts_of(b.db, b.arena, "c1", NULL, 0, 100, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 4);
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[0]).data,
                     "{\"answers\":{\"a\":\"很好\",\"b\":true,\"n\":-3}}");
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[1]).data, "{\"value\":4}");
    ck_assert_str_eq(rows[1].superseded_by, "q2");
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[2]).data, "{\"text\":\"a \\\"quote\\\"\"}");
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[3]).data,
                     "{\"supersedes\":\"q\",\"value\":2}");
    ck_assert_int_eq(store_facts_of(b.db, b.arena, "c1", "rating", rows[1].seq, 100, &rows, &count),
                     ACCORD_OK);
    ck_assert_uint_eq(count, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("facts");
    TCase *tc = tcase_create("facts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_order_is_split);
    tcase_add_test(tc, test_repeats);
    tcase_add_test(tc, test_two_requests_in_one_transaction);
    tcase_add_test(tc, test_text_repeats);
    tcase_add_test(tc, test_who_may_post);
    tcase_add_loop_test(tc, test_wrong_items, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tc, test_array_is_all_or_nothing);
    tcase_add_test(tc, test_hundred_refunds_of_one_cent);
    tcase_add_test(tc, test_refund_waits_for_its_order);
    tcase_add_test(tc, test_two_refunds_at_once);
    tcase_add_test(tc, test_charge_back_and_reversal);
    tcase_add_test(tc, test_corrections);
    tcase_add_test(tc, test_held_until_known);
    tcase_add_test(tc, test_large_and_small);
    tcase_add_test(tc, test_refunds_of_large_orders);
    tcase_add_test(tc, test_amounts_of_the_whole);
    tcase_add_test(tc, test_versions_of_what_partners_see);
    tcase_add_test(tc, test_journal_reads_back);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
