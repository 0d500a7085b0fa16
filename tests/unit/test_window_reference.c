/* Windows against the same rules in exact rationals: see window_reference.py. */
#include "accord/window.h"

#include <string.h>

#include "unit.h"
#include "window_cases.h"

static const char *const party_ids[] = {"prv-a", "chn-b", "platform", "prv-c", "x"};
static const enum accord_term_kind kinds[] = {
    ACCORD_TERM_CPA,     ACCORD_TERM_TIERED, ACCORD_TERM_GREATER_OF, ACCORD_TERM_GUARANTEE,
    ACCORD_TERM_ADVANCE, ACCORD_TERM_FLOOR,  ACCORD_TERM_CAP,        ACCORD_TERM_RESIDUAL};
static const char *const line_kinds[] = {"cpa",   "tiered", "greater_of", "guarantee",  "advance",
                                         "floor", "cap",    "residual",   "recoupment", "true_up"};

/* The stream, and the version that it spoke of last. */
struct replay {
    const int64_t *at;
    struct accord_agreement_version version;
    struct accord_tier tiers[ACCORD_TERMS_MAX][ACCORD_TIERS_MAX];
};

static int64_t next(struct replay *replay)
{
    return *replay->at++;
}

static void read_term(struct replay *replay, uint32_t at)
{
    struct accord_term *term = &replay->version.terms[at];
    *term = (struct accord_term){.kind = kinds[next(replay)]};
    term->payee = (uint32_t)next(replay);
    term->funded_by = (uint32_t)next(replay);
    term->window = (enum accord_window)next(replay);
    term->metric = (enum accord_metric)next(replay);
    term->whole = next(replay) != 0;
    term->of_net = next(replay) != 0;
    term->share_ppm = next(replay);
    term->amount_minor = next(replay);
    term->floor_minor = next(replay);
    term->cap_minor = next(replay);
    term->recoup = next(replay) != 0;
    term->minimum_minor = next(replay);
    term->tier_count = (uint32_t)next(replay);
    term->tiers = replay->tiers[at];
    for (uint32_t i = 0; i < term->tier_count; i++) {
        replay->tiers[at][i].from = next(replay);
        replay->tiers[at][i].rate = next(replay);
    }
}

static void read_version(struct replay *replay)
{
    struct accord_agreement_version *version = &replay->version;
    *version = (struct accord_agreement_version){
        .agreement = "a",
        .version = version->version + 1,
        .is_default = true,
        .effective_to_us = INT64_MAX,
        .currency = {"CNY"},
        .qualify_days = -1,
    };
    version->party_count = (uint32_t)next(replay);
    for (uint32_t i = 0; i < version->party_count; i++)
        version->parties[i] = party_ids[next(replay)];
    version->term_count = (uint32_t)next(replay);
    for (uint32_t i = 0; i < version->term_count; i++)
        read_term(replay, i);
}

static struct accord_window_period read_period(struct replay *replay)
{
    struct accord_window_period period = {.period = next(replay)};
    period.year = next(replay);
    period.days = next(replay);
    period.days_of_period = next(replay);
    period.first_of_life = next(replay) != 0;
    period.ends_period = next(replay) != 0;
    period.ends_year = next(replay) != 0;
    period.ends_life = next(replay) != 0;
    return period;
}

static struct accord_window_sums read_sums(struct replay *replay)
{
    struct accord_window_sums sums = {.base = next(replay)};
    sums.open = next(replay);
    sums.lines = next(replay);
    sums.units = next(replay);
    sums.net = sums.open;
    for (int w = 0; w < ACCORD_WINDOWS; w++)
        sums.new_learners[w] = next(replay);
    for (uint32_t p = 0; p < replay->version.party_count; p++) {
        sums.shares[p] = next(replay);
        sums.net += sums.shares[p];
    }
    return sums;
}

/* True when line for line it is what the stream says. */
static bool as_expected(struct replay *replay, const struct accord_window_line *lines, size_t count)
{
    const size_t expected = (size_t)next(replay);
    bool same = expected == count;
    for (size_t i = 0; i < expected; i++) {
        const int64_t term = next(replay);
        const char *kind = line_kinds[next(replay)];
        const char *party = party_ids[next(replay)];
        const int64_t amount = next(replay);
        same = same && lines[i].term == term && strcmp(lines[i].kind, kind) == 0 &&
               strcmp(replay->version.parties[lines[i].payee], party) == 0 &&
               lines[i].amount == amount;
    }
    return same;
}

START_TEST(test_reference)
{
    struct replay replay = {.at = window_cases};
    const int64_t cases = next(&replay);
    ck_assert_int_ge(cases, 300);
    for (int64_t at = 0; at < cases; at++) {
        struct accord_window_state state = {0};
        const int64_t parts = next(&replay);
        for (int64_t part = 0; part < parts; part++) {
            struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX];
            size_t count = 0;
            if (next(&replay) != 0)
                read_version(&replay);
            const struct accord_window_period period = read_period(&replay);
            const struct accord_window_sums sums = read_sums(&replay);
            ck_assert_int_eq(accord_window_settle(&replay.version, &period, &sums, &state, lines,
                                                  &count, NULL, NULL, NULL),
                             ACCORD_OK);
            ck_assert_msg(as_expected(&replay, lines, count), "case %lld, part %lld", (long long)at,
                          (long long)part);
        }
    }
    ck_assert_ptr_eq(replay.at, window_cases + sizeof window_cases / sizeof window_cases[0]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("window_reference");
    TCase *tc = tcase_create("window_reference");
    tcase_add_test(tc, test_reference);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
