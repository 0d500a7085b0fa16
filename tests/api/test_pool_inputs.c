/* Statements with shares of pools, computed again from their files of inputs. */
#include "pool_fixture.h"
#include "settle_offline.h"

static const char *id_of(const char *key, const char *agreement, const char *partner,
                         const char *period)
{
    struct response *is;
    const char *place = statement_of(key, agreement, partner, period, &is);
    return text_at(is, text("%s/id", place));
}

/* Closed in January and, after late usage, in February: everybody's files give everybody's
 * statements, the pool's own included. Of the others' use nothing stands in a provider's. */
START_TEST(a_closed_pool)
{
    const char *shop = make_case("shut", &p1, user_centric);
    close_months("2025-01");
    use(shop, "offline", 3, 0, "2025-01-20T12:00:00+08:00", 900 * 60);
    month_of(shop, "shut");
    close_months("2025-02");
    static const char *const periods[] = {"2025-01", "2025-02"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < PROVIDERS; j++)
            expect_again(providers[j],
                         id_of(providers[j], text("shut-%s", names[j]), names[j], periods[i]));
        expect_again(shop, id_of(shop, "shut-pa", "shut", periods[i]));
        expect_again(shop, id_of(shop, "shut-pa", "@pool:shut/library", periods[i]));
    }
    struct response *is = get(providers[0], "/v1/statements/%s/inputs",
                              id_of(providers[0], "shut-pa", "pa", "2025-02"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"derived\":true"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"kind\":\"pool\""));
    ck_assert_ptr_nonnull(strstr(is->body, text_at(month_of(shop, "shut"), "/sheet_hash")));
    ck_assert_ptr_null(strstr(is->body, "\"kind\":\"member\""));
    ck_assert_ptr_null(strstr(is->body, "\"pb\""));
}
END_TEST

/* With open inputs the file has what every member put in and used, and the month is divided again:
 * a forged minute is found out. Members have other names in other statements. */
START_TEST(an_open_pool)
{
    const char *shop = make_case(
        "wide", &p2,
        "\"basis\":\"seconds\",\"method\":\"shapley\",\"idle\":\"retain\",\"open_inputs\":true");
    close_months("2025-01");
    const char *a = id_of(providers[0], "wide-pa", "pa", "2025-01");
    expect_again(providers[0], a);
    expect_again(shop, id_of(shop, "wide-pa", "wide", "2025-01"));
    struct response *is = get(providers[0], "/v1/statements/%s/inputs", a);
    size_t members = 0;
    for (const char *at = is->body; (at = strstr(at, "\"kind\":\"member\"")) != NULL; at++)
        members++;
    ck_assert_uint_eq(members, p2.learners);
    ck_assert_ptr_null(strstr(is->body, "\"pb\""));
    /* Learner d used pa for 101 minutes, pb and pc for one each. */
    ck_assert_ptr_nonnull(strstr(is->body, "\"fee\":999,"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"units\":[0,6060,1,60,2,60]"));
    const char *learner = strstr(is->body, "\"learner\":\"");
    ck_assert_ptr_nonnull(learner);
    char *name = text("%.32s", learner + sizeof "\"learner\":\"" - 1);
    struct response *other = get(providers[1], "/v1/statements/%s/inputs",
                                 id_of(providers[1], "wide-pb", "pb", "2025-01"));
    ck_assert_ptr_nonnull(strstr(other->body, "\"kind\":\"member\""));
    ck_assert_ptr_null(strstr(other->body, name));
    /* Under Shapley minutes do not matter, but that there are any. */
    char *forged = text("%s", is->body);
    memcpy(strstr(forged, "[0,6060,1,60,2,60]"), "[0,6060,1,60,2,00]", 18);
    memcpy(strstr(forged, ",2,00]"), ",2,0] ", 6);
    const char *path = write_file("forged", forged);
    const struct settled settled = settle(text("--inputs %s", path));
    ck_assert_int_ne(settled.status, 0);
    /* 999 by two is 499.5 for pa where it was 333: 11495/3 + 166.5 = 3998.2. */
    expect_out(&settled, "differs: the pool of 2025-01 gives 3998");
    unlink(path);
}
END_TEST

/* Who may keep what it was told (up_only), and a month with nothing to divide. */
START_TEST(what_was_kept)
{
    const char *shop = make_partner_key("keeping", "\"channel\"");
    make_pool(shop, "keeping", user_centric);
    join(shop, "keeping", 0, "\"late_usage\":{\"policy\":\"up_only\"},");
    use(shop, "use", 1, 0, "2025-01-20T12:00:00+08:00", 600);
    pay(shop, 1, 3000);
    close_months("2025-01");
    post_facts(shop, "{\"event_id\":\"v\",\"type\":\"void\",\"occurred_at\":"
                     "\"2025-02-03T00:00:00+08:00\",\"supersedes\":\"use\"}");
    month_of(shop, "keeping");
    close_months("2025-02");
    for (int i = 1; i <= 2; i++) {
        const char *period = text("2025-0%d", i);
        expect_again(providers[0], id_of(providers[0], "keeping-pa", "pa", period));
        expect_again(shop, id_of(shop, "keeping-pa", "keeping", period));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pool_inputs");
    TCase *cases = tcase_create("pool_inputs");
    tcase_add_unchecked_fixture(cases, once, at_the_end);
    tcase_add_checked_fixture(cases, NULL, test_teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, a_closed_pool);
    tcase_add_test(cases, an_open_pool);
    tcase_add_test(cases, what_was_kept);
    suite_add_tcase(suite, cases);
    return suite;
}

API_MAIN(make_suite, "pool_inputs")
