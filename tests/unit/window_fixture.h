/* An agreement whose residual is settled per window, and what its lines come to. */
#ifndef ACCORD_TESTS_WINDOW_FIXTURE_H
#define ACCORD_TESTS_WINDOW_FIXTURE_H

#include "accord/window.h"

#include <string.h>

#include "unit.h"

enum { PROVIDER, CHANNEL, PLATFORM };

/* Terms in declared order; the residual, to the platform, is added behind them. */
static inline struct accord_agreement_version window_version(const struct accord_term *terms,
                                                             uint32_t count)
{
    struct accord_agreement_version version = {
        .agreement = "agr",
        .version = 1,
        .parties = {"prv-a", "chn-b", "platform"},
        .party_count = 3,
        .collector = CHANNEL,
        .is_default = true,
        .effective_from_us = 0,
        .effective_to_us = INT64_MAX,
        .currency = {"CNY"},
        .tax = {.rate_ppm = -1},
        .store_fee = {.rate_ppm = -1},
        .payment_fee = {.rate_ppm = -1},
        .admin_fee = {.rate_ppm = -1},
        .qualify_days = -1,
        .term_count = count + 1,
    };
    for (uint32_t i = 0; i < count; i++)
        version.terms[i] = terms[i];
    version.terms[count] = (struct accord_term){.kind = ACCORD_TERM_RESIDUAL, .payee = PLATFORM};
    return version;
}

/* A whole month of a calendar year that is neither the first nor the last of the agreement. */
static inline struct accord_window_period window_month(int64_t month)
{
    return (struct accord_window_period){.period = month,
                                         .year = month / 12,
                                         .days = 30,
                                         .days_of_period = 30,
                                         .ends_period = true,
                                         .ends_year = month % 12 == 11};
}

/* Lines that leave all of net to the window. */
static inline struct accord_window_sums window_sums(int64_t net, int64_t lines)
{
    return (struct accord_window_sums){.net = net,
                                       .base = net,
                                       .open = net,
                                       .lines = lines,
                                       .units = lines,
                                       .new_learners = {lines, lines, lines}};
}

/* What one part gave, by party and kind of line. */
struct window_got {
    struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX];
    size_t count;
};

static inline int64_t window_sum(const struct window_got *got, const char *kind, uint32_t payee)
{
    int64_t sum = 0;
    for (size_t i = 0; i < got->count; i++)
        if (got->lines[i].payee == payee && (kind == NULL || strcmp(got->lines[i].kind, kind) == 0))
            sum += got->lines[i].amount;
    return sum;
}

static inline enum accord_error window_settle(const struct accord_agreement_version *version,
                                              const struct accord_window_period *period,
                                              const struct accord_window_sums *sums,
                                              struct accord_window_state *state,
                                              struct window_got *ret)
{
    return accord_window_settle(version, period, sums, state, ret->lines, &ret->count, NULL, NULL,
                                NULL);
}

#endif
