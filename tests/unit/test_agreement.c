/* Which agreement covers a sale: cases, and brute force over a small world. */
#include "accord/settle.h"

#include <string.h>

#include "unit.h"

static const char *const partners[] = {"p", "q", "c", "d"}; /* any may be provider or channel */
enum { PARTNERS = 4, COURSES = 2, TIMES = 4 };
static const char *const course_ids[] = {"1", "2"};

static struct accord_agreement_version plain(const char *agreement)
{
    return (struct accord_agreement_version){
        .agreement = agreement,
        .version = 1,
        .parties = {"p", "c"},
        .party_count = 2,
        .effective_from_us = 10,
        .effective_to_us = 20,
        .currency = {"CNY"},
        .terms = {{.kind = ACCORD_TERM_SHARE, .payee = 0, .share_ppm = 700000},
                  {.kind = ACCORD_TERM_RESIDUAL, .payee = 1}},
        .term_count = 2,
    };
}

static struct accord_agreement_version of_provider(const char *agreement)
{
    struct accord_agreement_version version = plain(agreement);
    version.providers = &partners[0];
    version.provider_count = 1;
    return version;
}

static enum accord_rank rank_at(const struct accord_agreement_version *version,
                                const char *provider, const char *channel, const char *course_id,
                                int64_t at)
{
    const struct accord_sale_key key = {provider, channel, course_id, at};
    return accord_agreement_rank(version, &key);
}

/* ---- check ---- */

static void expect_check(const struct accord_agreement_version *version, enum accord_error want,
                         uint32_t want_term)
{
    uint32_t term = 77;
    ck_assert_int_eq(accord_agreement_check(version, &term), want);
    ck_assert_uint_eq(term, want == ACCORD_OK ? 77 : want_term);
    ck_assert_int_eq(accord_agreement_check(version, NULL), want);
}

START_TEST(test_check)
{
    static const char *const foreign[] = {"z"};
    static const struct accord_course_ref foreign_course[] = {{"z", "1"}};
    static const struct accord_course_ref left_out[] = {{"c", "1"}};
    const struct accord_agreement_version good = of_provider("a");
    struct accord_agreement_version bad = good;
    expect_check(&good, ACCORD_OK, 0);
    bad.terms[0].share_ppm = ACCORD_PPM_WHOLE;
    expect_check(&bad, ACCORD_OK, 0);
    bad.terms[0].share_ppm = ACCORD_PPM_WHOLE + 1;
    expect_check(&bad, ACCORD_E_VALUE_OUT_OF_RANGE, 0);
    bad.terms[0].share_ppm = -1;
    expect_check(&bad, ACCORD_E_VALUE_OUT_OF_RANGE, 0);
    bad = good;
    bad.terms[2] = (struct accord_term){.kind = ACCORD_TERM_SHARE, .share_ppm = 300001};
    bad.term_count = 3;
    expect_check(&bad, ACCORD_E_SHARES_EXCEED_WHOLE, 2);
    bad.terms[2].kind = ACCORD_TERM_RESIDUAL;
    expect_check(&bad, ACCORD_E_RESIDUAL_REPEATED, 2);
    bad.terms[2] = (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .amount_minor = -1};
    expect_check(&bad, ACCORD_E_AMOUNT_OUT_OF_RANGE, 2);
    bad.terms[2].amount_minor = ACCORD_AMOUNT_MAX;
    expect_check(&bad, ACCORD_OK, 0);
    bad.term_count = ACCORD_TERMS_MAX + 1;
    expect_check(&bad, ACCORD_E_COUNT_OUT_OF_RANGE, UINT32_MAX);
    bad = good;
    bad.term_count = 1;
    expect_check(&bad, ACCORD_E_RESIDUAL_MISSING, UINT32_MAX);
    bad = good;
    bad.terms[1].payee = 2;
    expect_check(&bad, ACCORD_E_PAYEE_NOT_PARTY, 1);
    bad = good;
    bad.collector = 2;
    expect_check(&bad, ACCORD_E_COLLECTOR_NOT_PARTY, UINT32_MAX);
    bad = good;
    bad.funder_party[ACCORD_FUNDER_PLATFORM] = 2;
    expect_check(&bad, ACCORD_OK, 0);
    bad.add_back[ACCORD_FUNDER_PLATFORM] = true;
    expect_check(&bad, ACCORD_E_FUNDER_NOT_PARTY, UINT32_MAX);
    bad = good;
    bad.party_count = 0;
    expect_check(&bad, ACCORD_E_COUNT_OUT_OF_RANGE, UINT32_MAX);
    bad.party_count = ACCORD_PARTIES_MAX + 1;
    expect_check(&bad, ACCORD_E_COUNT_OUT_OF_RANGE, UINT32_MAX);
    bad = good;
    bad.parties[1] = "p";
    expect_check(&bad, ACCORD_E_PARTY_REPEATED, UINT32_MAX);
    bad = good;
    bad.tax.rate_ppm = ACCORD_PPM_WHOLE + 1;
    expect_check(&bad, ACCORD_E_VALUE_OUT_OF_RANGE, UINT32_MAX);
    bad = good;
    bad.effective_to_us = bad.effective_from_us;
    expect_check(&bad, ACCORD_E_EFFECTIVE_EMPTY, UINT32_MAX);
    bad = good;
    bad.provider_count = 0;
    expect_check(&bad, ACCORD_E_SCOPE_EMPTY, UINT32_MAX);
    bad.is_default = true;
    expect_check(&bad, ACCORD_OK, 0);
    bad = good;
    bad.providers = foreign;
    expect_check(&bad, ACCORD_E_SCOPE_FOREIGN, UINT32_MAX);
    bad = good;
    bad.channels = foreign;
    bad.channel_count = 1;
    expect_check(&bad, ACCORD_E_SCOPE_FOREIGN, UINT32_MAX);
    bad = good;
    bad.courses = foreign_course;
    bad.course_count = 1;
    expect_check(&bad, ACCORD_E_SCOPE_FOREIGN, UINT32_MAX);
    bad.courses = left_out;
    expect_check(&bad, ACCORD_E_SCOPE_FOREIGN, UINT32_MAX);
}
END_TEST

/* ---- rank ---- */

START_TEST(test_rank)
{
    static const struct accord_course_ref courses[] = {{"p", "1"}};
    struct accord_agreement_version version = of_provider("a");
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 10), ACCORD_RANK_PROVIDER);
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 19), ACCORD_RANK_PROVIDER);
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 9), ACCORD_RANK_NONE);
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 20), ACCORD_RANK_NONE);
    ck_assert_int_eq(rank_at(&version, "p", "d", "1", 10), ACCORD_RANK_NONE); /* did not sign */
    ck_assert_int_eq(rank_at(&version, "q", "c", "1", 10), ACCORD_RANK_NONE);
    ck_assert_int_eq(rank_at(&version, "c", "c", "1", 10), ACCORD_RANK_NONE); /* out of scope */
    version.channels = &partners[2];
    version.channel_count = 1;
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 10), ACCORD_RANK_PROVIDER_CHANNEL);
    version.provider_count = 0;
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 10), ACCORD_RANK_CHANNEL);
    version.courses = courses;
    version.course_count = 1;
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 10), ACCORD_RANK_COURSE);
    ck_assert_int_eq(rank_at(&version, "p", "c", "2", 10), ACCORD_RANK_NONE);
    ck_assert_int_eq(rank_at(&version, "p", "p", "1", 10),
                     ACCORD_RANK_NONE); /* channel not named */
    version.is_default = true;
    ck_assert_int_eq(rank_at(&version, "p", "c", "1", 10), ACCORD_RANK_DEFAULT);
    ck_assert_int_eq(rank_at(&version, "p", "c", "2", 10), ACCORD_RANK_NONE);
    ck_assert_str_eq(accord_rank_name(ACCORD_RANK_PROVIDER_CHANNEL), "provider_channel");
    ck_assert_str_eq(accord_rank_name(ACCORD_RANK_NONE), "none");
}
END_TEST

/* A later version that no longer covers a course does not revive the earlier one. */
START_TEST(test_versions)
{
    static const struct accord_course_ref courses[] = {{"p", "1"}};
    struct accord_agreement_version first = of_provider("a");
    struct accord_agreement_version second = of_provider("a");
    const struct accord_agreement_version *versions[] = {&first, &second};
    const struct accord_sale_key early = {"p", "c", "2", 11};
    const struct accord_sale_key late = {"p", "c", "2", 15};
    const struct accord_sale_key after = {"p", "c", "1", 18};
    const struct accord_sale_key named = {"p", "c", "1", 15};
    enum accord_rank rank = ACCORD_RANK_COURSE;
    second.version = 2;
    second.effective_from_us = 15;
    second.effective_to_us = 17;
    second.courses = courses;
    second.course_count = 1;
    ck_assert_uint_eq(accord_agreement_resolve(versions, 2, &early, &rank), 0);
    ck_assert_int_eq(rank, ACCORD_RANK_PROVIDER);
    ck_assert_uint_eq(accord_agreement_resolve(versions, 2, &named, &rank), 1);
    ck_assert_int_eq(rank, ACCORD_RANK_COURSE);
    ck_assert_uint_eq(accord_agreement_resolve(versions, 2, &late, &rank), SIZE_MAX);
    ck_assert_int_eq(rank, ACCORD_RANK_NONE);
    ck_assert_uint_eq(accord_agreement_resolve(versions, 2, &after, &rank), SIZE_MAX);
    ck_assert(accord_agreement_in_force(versions, 2, 0, 14));
    ck_assert(!accord_agreement_in_force(versions, 2, 0, 15));
    ck_assert(accord_agreement_in_force(versions, 2, 1, 15));
    ck_assert(!accord_agreement_in_force(versions, 2, 1, 17));
    ck_assert(!accord_agreement_overlap(&first, &second));
}
END_TEST

/* ---- brute force ---- */

static struct accord_course_ref all_courses[PARTNERS * COURSES];

static void draw_scope(uint64_t *seed, struct accord_agreement_version *version)
{
    if (random_below(seed, 2) == 0) { /* consecutive runs of the partners will do */
        const int64_t first = random_below(seed, PARTNERS);
        version->providers = &partners[first];
        version->provider_count = (size_t)(1 + random_below(seed, PARTNERS - first));
    }
    if (random_below(seed, 2) == 0) {
        const int64_t first = random_below(seed, PARTNERS);
        version->channels = &partners[first];
        version->channel_count = (size_t)(1 + random_below(seed, PARTNERS - first));
    }
    if (random_below(seed, 3) == 0) {
        const int64_t first = random_below(seed, PARTNERS * COURSES);
        version->courses = &all_courses[first];
        version->course_count = (size_t)(1 + random_below(seed, PARTNERS * COURSES - first));
    }
}

static struct accord_agreement_version draw(uint64_t *seed)
{
    static const char *const ids[] = {"a", "b", "e", "f"};
    struct accord_agreement_version version = plain(ids[random_below(seed, 4)]);
    version.version = 1 + random_below(seed, 3);
    version.party_count = 0;
    for (int i = 0; i < PARTNERS; i++)
        if (random_below(seed, 6) > 0)
            version.parties[version.party_count++] = partners[i];
    draw_scope(seed, &version);
    version.is_default = random_below(seed, 3) == 0;
    version.priority = random_below(seed, 5) == 0;
    version.effective_from_us = random_below(seed, TIMES);
    version.effective_to_us =
        version.effective_from_us + random_below(seed, TIMES + 1 - version.effective_from_us);
    return version;
}

static bool named(const char *const *list, size_t count, const char *id)
{
    bool found = count == 0;
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(list[i], id) == 0;
    return found;
}

/* The rule once more, as plainly as it can be said. */
static enum accord_rank plain_rank(const struct accord_agreement_version *version,
                                   const struct accord_sale_key *sale)
{
    bool course = version->course_count == 0;
    bool provider_signed = false;
    bool channel_signed = false;
    for (size_t i = 0; i < version->course_count; i++)
        course = course || (strcmp(version->courses[i].provider, sale->provider) == 0 &&
                            strcmp(version->courses[i].course_id, sale->course_id) == 0);
    for (uint32_t i = 0; i < version->party_count; i++) {
        provider_signed = provider_signed || strcmp(version->parties[i], sale->provider) == 0;
        channel_signed = channel_signed || strcmp(version->parties[i], sale->channel) == 0;
    }
    if (!course || !provider_signed || !channel_signed ||
        !named(version->providers, version->provider_count, sale->provider) ||
        !named(version->channels, version->channel_count, sale->channel) ||
        sale->occurred_at_us < version->effective_from_us ||
        sale->occurred_at_us >= version->effective_to_us)
        return ACCORD_RANK_NONE;
    if (version->is_default)
        return ACCORD_RANK_DEFAULT;
    if (version->course_count > 0)
        return ACCORD_RANK_COURSE;
    if (version->provider_count > 0 && version->channel_count > 0)
        return ACCORD_RANK_PROVIDER_CHANNEL;
    if (version->provider_count > 0)
        return ACCORD_RANK_PROVIDER;
    return version->channel_count > 0 ? ACCORD_RANK_CHANNEL : ACCORD_RANK_NONE;
}

/* Calls for every sale of the small world. */
static bool next_sale(int *state, struct accord_sale_key *ret)
{
    int rest = (*state)++;
    ret->provider = partners[rest % PARTNERS];
    rest /= PARTNERS;
    ret->channel = partners[rest % PARTNERS];
    rest /= PARTNERS;
    ret->course_id = course_ids[rest % COURSES];
    rest /= COURSES;
    ret->occurred_at_us = rest;
    return rest < TIMES;
}

static void fill_courses(void)
{
    for (int i = 0; i < PARTNERS * COURSES; i++)
        all_courses[i] = (struct accord_course_ref){partners[i / COURSES], course_ids[i % COURSES]};
}

/* Two versions overlap exactly when some sale is covered by both with equal rank and priority. */
START_TEST(test_overlap_brute_force)
{
    uint64_t seed = (uint64_t)_i + 100;
    int overlaps = 0;
    fill_courses();
    for (int round = 0; round < 5000; round++) {
        const struct accord_agreement_version a = draw(&seed);
        const struct accord_agreement_version b = draw(&seed);
        struct accord_sale_key sale;
        bool want = false;
        for (int state = 0; next_sale(&state, &sale);) {
            const enum accord_rank rank = plain_rank(&a, &sale);
            if (accord_agreement_rank(&a, &sale) != rank)
                ck_abort_msg("round %d: rank", round);
            want = want || (rank != ACCORD_RANK_NONE && rank == plain_rank(&b, &sale));
        }
        want = want && a.priority == b.priority && strcmp(a.agreement, b.agreement) != 0;
        ck_assert_msg(accord_agreement_overlap(&a, &b) == want, "round %d", round);
        ck_assert_msg(accord_agreement_overlap(&b, &a) == want, "round %d: symmetry", round);
        overlaps += want;
    }
    ck_assert_int_gt(overlaps, 30);
}
END_TEST

/* The winner by sorting on everything, among the newest begun version of each agreement. */
static size_t plain_resolve(const struct accord_agreement_version *const *versions, size_t count,
                            const struct accord_sale_key *sale, enum accord_rank *ret_rank)
{
    size_t winner = SIZE_MAX;
    *ret_rank = ACCORD_RANK_NONE;
    for (size_t i = 0; i < count; i++) {
        const enum accord_rank rank = plain_rank(versions[i], sale);
        bool superseded = false;
        for (size_t j = 0; j < count; j++)
            superseded =
                superseded || (strcmp(versions[i]->agreement, versions[j]->agreement) == 0 &&
                               versions[j]->version > versions[i]->version &&
                               versions[j]->effective_from_us <= sale->occurred_at_us);
        if (rank == ACCORD_RANK_NONE || superseded)
            continue;
        bool better = winner == SIZE_MAX || rank < *ret_rank;
        if (!better && rank == *ret_rank) {
            better = versions[i]->priority > versions[winner]->priority ||
                     (versions[i]->priority == versions[winner]->priority &&
                      strcmp(versions[i]->agreement, versions[winner]->agreement) < 0);
        }
        if (better) {
            winner = i;
            *ret_rank = rank;
        }
    }
    return winner;
}

/* The order of versions does not matter, and who overlaps with nobody never needs its name to win.
 */
START_TEST(test_resolve_brute_force)
{
    enum { VERSIONS = 6 };
    uint64_t seed = (uint64_t)_i + 200;
    int found = 0;
    fill_courses();
    for (int round = 0; round < 400; round++) {
        struct accord_agreement_version drawn[VERSIONS];
        const struct accord_agreement_version *versions[VERSIONS];
        const struct accord_agreement_version *shuffled[VERSIONS];
        struct accord_sale_key sale;
        for (int i = 0; i < VERSIONS; i++) {
            drawn[i] = draw(&seed);
            drawn[i].version = i + 1; /* no version twice */
            versions[i] = shuffled[i] = &drawn[i];
        }
        for (int i = VERSIONS - 1; i > 0; i--) {
            const int64_t other = random_below(&seed, i + 1);
            const struct accord_agreement_version *kept = shuffled[i];
            shuffled[i] = shuffled[other];
            shuffled[other] = kept;
        }
        for (int state = 0; next_sale(&state, &sale);) {
            enum accord_rank rank = ACCORD_RANK_NONE;
            enum accord_rank want_rank = ACCORD_RANK_NONE;
            const size_t want = plain_resolve(versions, VERSIONS, &sale, &want_rank);
            const size_t got = accord_agreement_resolve(versions, VERSIONS, &sale, &rank);
            if (got != want || rank != want_rank)
                ck_abort_msg("round %d: %zu, want %zu", round, got, want);
            const size_t moved = accord_agreement_resolve(shuffled, VERSIONS, &sale, &rank);
            if (rank != want_rank ||
                (want == SIZE_MAX ? moved != SIZE_MAX : shuffled[moved] != versions[want]))
                ck_abort_msg("round %d: the order matters", round);
            if (want == SIZE_MAX)
                continue;
            found++;
            for (size_t i = 0; i < VERSIONS; i++)
                if (i != want &&
                    accord_agreement_in_force(versions, VERSIONS, i, sale.occurred_at_us) &&
                    accord_agreement_rank(versions[i], &sale) == rank &&
                    versions[i]->priority == versions[want]->priority &&
                    !accord_agreement_overlap(versions[i], versions[want]))
                    ck_abort_msg("round %d: a tie that is no overlap", round);
        }
    }
    ck_assert_int_gt(found, 1000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("agreement");
    TCase *tests = tcase_create("precedence");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_check);
    tcase_add_test(tests, test_rank);
    tcase_add_test(tests, test_versions);
    tcase_add_loop_test(tests, test_overlap_brute_force, 0, 4);
    tcase_add_loop_test(tests, test_resolve_brute_force, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
