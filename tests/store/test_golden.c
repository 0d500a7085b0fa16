/* Statements to the byte. What stands here was worked out by hand, and the hashes of the texts by
 * another program; every build (gcc and clang, with and without optimisation, plain and sanitized)
 * has to write just that. */
#include "closing.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

/* The body without the hashes that follow from this machine's data of time zones. */
static const char *body_of(const struct statement_row *row)
{
    static const char *const keys[] = {"\"inputs_hash\":\"", "\"previous\":{\"hash\":\""};
    char *body = arena_strdup(b.arena, row->body);
    for (size_t i = 0; i < 2; i++) {
        char *at = strstr(body, keys[i]);
        if (at != NULL)
            memset(at + strlen(keys[i]), '0', HASH_HEX_MAX - 1);
    }
    return body;
}

static void expect(const struct statement_row *row, const char *lines, const char *lines_hash,
                   const char *body)
{
    char hex[HASH_HEX_MAX];
    hash_hex(&row->lines_hash, hex);
    ck_assert_str_eq(closing_lines(&b, row), lines);
    ck_assert_str_eq(hex, lines_hash);
    ck_assert_str_eq(body_of(row), body);
}

/* 60 % of 100.01, and of the 50.01 that a refund left: 60.006 and 30.006, the cent goes to the
 * largest remainder. */
START_TEST(a_month_and_what_it_is_off_by)
{
    books_accept(&b, "c1",
                 "{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-10T10:00:00+08:00\",\"order_id\":\"订单-1\",\"currency\":\"CNY\","
                 "\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                 "\"quantity\":1,\"paid\":10001}]}");
    struct close_result closed = closing_do(&b, "a", "2025-01");
    expect(closing_of(&closed, "p1"),
           "{\"admin_fee\":0,\"base\":10001,\"channel\":\"c1\",\"course_id\":\"python\","
           "\"currency\":\"CNY\",\"earned\":6001,\"gross\":10001,\"kind\":\"sale\","
           "\"line\":\"s2.0.0\",\"line_id\":\"1\",\"net\":10001,"
           "\"occurred_at\":\"2025-01-10T02:00:00Z\",\"open\":0,\"order_id\":\"订单-1\","
           "\"payees\":[{\"amount\":4000,\"payee\":\"c1\"},{\"amount\":6001,\"payee\":\"p1\"}],"
           "\"payment_fee\":0,\"period\":\"2025-01\",\"position\":6001,\"provider\":\"p1\","
           "\"refunded\":0,\"store_fee\":0,\"tax\":0,\"version\":1}"
           "\n",
           "d430542f06add3a077674d50ce43c454b6cb71b468613d6ccfe37466830e81f8",
           "{\"adjustments\":[],\"agreement\":\"a\",\"clearing\":\"operator\",\"closing\":6001,"
           "\"collector\":\"c1\",\"counterparties\":[{\"id\":\"c1\",\"legal_name\":\"\","
           "\"tax_id\":\"\"}],\"currency\":\"CNY\",\"cutoff\":2,\"differences\":[],\"due\":6001,"
           "\"from\":\"2024-12-31T16:00:00Z\",\"held\":[],"
           "\"id\":\"stm_63545af7eba9d186f7599c48d5\","
           "\"inputs_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\","
           "\"lines\":{\"count\":1,\"earned\":6001,\"kinds\":[{\"count\":1,\"earned\":6001,"
           "\"kind\":\"sale\",\"position\":6001}],\"position\":6001},"
           "\"lines_hash\":\"d430542f06add3a077674d50ce43c454b6cb71b468613d6ccfe37466830e81f8\","
           "\"opening\":0,\"partner\":{\"id\":\"p1\",\"legal_name\":\"\",\"tax_id\":\"\"},"
           "\"payable\":6001,\"payments\":[],\"pending\":0,\"period\":\"2025-01\","
           "\"previous\":null,\"reserve\":0,\"settles_with\":[{\"amount\":6001,"
           "\"partner\":\"op\"}],\"to\":\"2025-01-31T16:00:00Z\",\"versions\":[1],"
           "\"withholding\":null}");
    books_accept(&b, "c1",
                 "{\"event_id\":\"e2\",\"type\":\"order.refunded\",\"occurred_at\":"
                 "\"2025-02-20T10:00:00+08:00\",\"order_id\":\"订单-1\",\"refund_id\":\"r\","
                 "\"amount\":5000}");
    closed = closing_do(&b, "a", "2025-02");
    expect(closing_of(&closed, "p1"),
           "{\"adjusts\":\"2025-01\",\"admin_fee\":0,\"base\":-5000,\"channel\":\"c1\","
           "\"course_id\":\"python\",\"currency\":\"CNY\",\"earned\":-3000,\"gross\":0,"
           "\"kind\":\"sale\",\"line\":\"s2.0.0\",\"line_id\":\"1\",\"net\":-5000,"
           "\"occurred_at\":\"2025-01-10T02:00:00Z\",\"open\":0,\"order_id\":\"订单-1\","
           "\"payees\":[{\"amount\":-2000,\"payee\":\"c1\"},{\"amount\":-3000,"
           "\"payee\":\"p1\"}],\"payment_fee\":0,\"period\":\"2025-01\",\"position\":-3000,"
           "\"provider\":\"p1\",\"refunded\":5000,\"store_fee\":0,\"tax\":0,\"version\":1}"
           "\n",
           "a892eef2169c7a8e981842eb78e727d21456f098e687f2514880c8a4df86e800",
           "{\"adjustments\":[],\"agreement\":\"a\",\"clearing\":\"operator\",\"closing\":3001,"
           "\"collector\":\"c1\",\"counterparties\":[{\"id\":\"c1\",\"legal_name\":\"\","
           "\"tax_id\":\"\"}],\"currency\":\"CNY\",\"cutoff\":4,\"differences\":[{\"count\":1,"
           "\"earned\":-3000,\"period\":\"2025-01\",\"position\":-3000}],\"due\":3001,"
           "\"from\":\"2025-01-31T16:00:00Z\",\"held\":[],"
           "\"id\":\"stm_ea790c93fcf99e38db0e100161\","
           "\"inputs_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\","
           "\"lines\":{\"count\":0,\"earned\":0,\"kinds\":[],\"position\":0},"
           "\"lines_hash\":\"a892eef2169c7a8e981842eb78e727d21456f098e687f2514880c8a4df86e800\","
           "\"opening\":6001,\"partner\":{\"id\":\"p1\",\"legal_name\":\"\",\"tax_id\":\"\"},"
           "\"payable\":3001,\"payments\":[],\"pending\":0,\"period\":\"2025-02\","
           "\"previous\":{\"hash\":"
           "\"0000000000000000000000000000000000000000000000000000000000000000\","
           "\"id\":\"stm_63545af7eba9d186f7599c48d5\"},\"reserve\":0,"
           "\"settles_with\":[{\"amount\":-3000,\"partner\":\"op\"}],"
           "\"to\":\"2025-02-28T16:00:00Z\",\"versions\":[1],\"withholding\":null}");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("golden");
    TCase *tc = tcase_create("golden");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_month_and_what_it_is_off_by);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
