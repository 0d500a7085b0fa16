#include "accord/challenge.h"

#include <stdlib.h>

#include "accord/apportion.h"
#include "accord/money.h"

__extension__ typedef __int128 i128;

static bool is_finisher(const struct accord_challenge_entry *entry)
{
    return !entry->withdrawn && entry->done_days >= entry->needed_days;
}

/* What an entry loses when others finish. */
static int64_t forfeit(const struct accord_challenge_entry *entry)
{
    if (is_finisher(entry))
        return 0;
    return entry->deposit_minor - (entry->withdrawn ? entry->refunded_minor : 0);
}

static enum accord_error check(const struct accord_challenge_terms *terms,
                               const struct accord_challenge_entry *entries, size_t count)
{
    int64_t sum = terms->carried_in;
    if ((unsigned)terms->split > ACCORD_CHALLENGE_BY_DAYS ||
        (unsigned)terms->none > ACCORD_CHALLENGE_NEXT_ROUND)
        return ACCORD_E_VALUE_UNKNOWN;
    if (terms->fee_ppm < 0 || terms->fee_ppm > ACCORD_PPM_WHOLE || terms->carried_in < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    for (size_t i = 0; i < count; i++) {
        const struct accord_challenge_entry *entry = &entries[i];
        if (entry->deposit_minor < 0 || entry->done_days < 0 || entry->needed_days < 1 ||
            entry->needed_days > ACCORD_CHALLENGE_DAYS_MAX)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        if (entry->withdrawn &&
            (entry->refunded_minor < 0 || entry->refunded_minor > entry->deposit_minor))
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        if (accord_add(sum, entry->deposit_minor, &sum) != ACCORD_OK)
            return ACCORD_E_OVERFLOW;
    }
    return ACCORD_OK;
}

/* Nobody finished. */
static void give_away(const struct accord_challenge_terms *terms,
                      const struct accord_challenge_entry *entries, size_t count,
                      int64_t *ret_payouts, struct accord_challenge_result *ret_result)
{
    for (size_t i = 0; i < count; i++)
        ret_payouts[i] = entries[i].deposit_minor -
                         (terms->none == ACCORD_CHALLENGE_REFUND ? 0 : forfeit(&entries[i]));
    switch (terms->none) {
    case ACCORD_CHALLENGE_REFUND:
        ret_result->carried = terms->carried_in;
        break;
    case ACCORD_CHALLENGE_CHARITY:
        ret_result->charity = ret_result->forfeited + terms->carried_in;
        break;
    case ACCORD_CHALLENGE_NEXT_ROUND:
        ret_result->carried = ret_result->forfeited + terms->carried_in;
        break;
    }
}

enum accord_error accord_challenge_settle(const struct accord_challenge_terms *terms,
                                          const struct accord_challenge_entry *entries,
                                          size_t count, int64_t *ret_payouts,
                                          struct accord_challenge_result *ret_result)
{
    struct accord_challenge_result result = {0};
    enum accord_error err = check(terms, entries, count);
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        result.finishers += is_finisher(&entries[i]);
        result.forfeited += forfeit(&entries[i]); /* no more than all deposits */
    }
    if (result.finishers == 0) {
        give_away(terms, entries, count, ret_payouts, &result);
        *ret_result = result;
        return ACCORD_OK;
    }
    const int64_t lost = result.forfeited + terms->carried_in;
    err = accord_mul_div(lost, terms->fee_ppm, ACCORD_PPM_WHOLE, &result.fee);
    if (err != ACCORD_OK)
        return err;
    result.pot = lost - result.fee;

    int64_t *parts = calloc(count, sizeof *parts);
    if (parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (is_finisher(&entries[i]))
            parts[i] = terms->split == ACCORD_CHALLENGE_BY_DAYS ? entries[i].needed_days : 1;
    err = accord_apportion(result.pot, parts, count, parts, NULL);
    if (err == ACCORD_OK) {
        for (size_t i = 0; i < count; i++)
            ret_payouts[i] = entries[i].deposit_minor - forfeit(&entries[i]) + parts[i];
        *ret_result = result;
    }
    free(parts);
    return err;
}

enum accord_error accord_challenge_pro_rata(int64_t deposit_minor, int64_t done_days,
                                            int64_t needed_days, int64_t *ret_minor)
{
    if (deposit_minor < 0 || done_days < 0 || needed_days < 1 ||
        needed_days > ACCORD_CHALLENGE_DAYS_MAX)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    const int64_t days = done_days < needed_days ? done_days : needed_days;
    *ret_minor = (int64_t)((i128)deposit_minor * days / needed_days);
    return ACCORD_OK;
}

enum accord_error accord_challenge_days(const struct accord_challenge_window *window,
                                        const struct accord_challenge_checkin *checkins,
                                        size_t count, int64_t *ret_done, int64_t *ret_makeups)
{
    bool done[ACCORD_CHALLENGE_DAYS_MAX] = {false};
    uint16_t cards[ACCORD_CHALLENGE_DAYS_MAX] = {0}; /* no more count than there are days */
    int64_t length = 0;
    int64_t checked = 0;
    int64_t gaps = 0;
    int64_t filled = 0;

    if (accord_sub(window->last_day, window->first_day, &length) != ACCORD_OK || length < 0 ||
        length >= ACCORD_CHALLENGE_DAYS_MAX || window->makeups_allowed < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    for (size_t i = 0; i < count; i++) {
        if (checkins[i].day < window->first_day || checkins[i].day > window->last_day)
            continue;
        const size_t at = (size_t)(checkins[i].day - window->first_day);
        if (!checkins[i].makeup)
            done[at] = true;
        else if (cards[at] < ACCORD_CHALLENGE_DAYS_MAX)
            cards[at]++;
    }
    for (int64_t at = 0; at <= length; at++) {
        checked += done[at];
        gaps += !done[at];
        const int64_t fill = cards[at] < gaps ? cards[at] : gaps;
        gaps -= fill;
        filled += fill;
    }
    if (filled > window->makeups_allowed)
        filled = window->makeups_allowed;
    *ret_done = checked + filled;
    if (ret_makeups != NULL)
        *ret_makeups = filled;
    return ACCORD_OK;
}
