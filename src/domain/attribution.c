/* Which promoter a sale is owed to, and what the promoters of its chain get. */
#include "accord/attribution.h"

#include "accord/settle.h"
#include "domain/touches.h"

_Static_assert((int)ACCORD_REFERRAL_LEVELS_MAX == (int)ACCORD_LEVELS_MAX,
               "a term has as many levels as can be split");

/* What is said of a touch while the winner is not known. */
static const enum accord_touch_outcome counts = ACCORD_TOUCH_BEATEN;

const char *accord_touch_outcome_name(enum accord_touch_outcome outcome)
{
    switch (outcome) {
    case ACCORD_TOUCH_WON:
        return "won";
    case ACCORD_TOUCH_AFTER_SALE:
        return "after_sale";
    case ACCORD_TOUCH_OUTSIDE_WINDOW:
        return "outside_window";
    case ACCORD_TOUCH_SELF_REFERRAL:
        return "self_referral";
    case ACCORD_TOUCH_PROMOTER_SUSPENDED:
        return "promoter_suspended";
    case ACCORD_TOUCH_BEATEN:
        return "beaten";
    case ACCORD_TOUCH_BEATEN_BY_COUPON:
        return "beaten_by_coupon";
    }
    return "";
}

static enum accord_touch_outcome judge(const struct accord_touch *touch, int64_t sale_at_us,
                                       int64_t window_us)
{
    if (touch->occurred_at_us > sale_at_us)
        return ACCORD_TOUCH_AFTER_SALE;
    if (touch_age(touch, sale_at_us) > (uint64_t)window_us)
        return ACCORD_TOUCH_OUTSIDE_WINDOW;
    if (touch->self_referral)
        return ACCORD_TOUCH_SELF_REFERRAL;
    if (touch->promoter_suspended)
        return ACCORD_TOUCH_PROMOTER_SUSPENDED;
    return counts;
}

static bool beats(const struct accord_touch *a, const struct accord_touch *b,
                  const struct accord_attribution_rules *rules)
{
    const bool a_coupon = a->kind == ACCORD_TOUCH_COUPON;
    const bool b_coupon = b->kind == ACCORD_TOUCH_COUPON;
    if (rules->coupon_beats_click && a_coupon != b_coupon)
        return a_coupon;
    return rules->model == ACCORD_TOUCH_FIRST ? touch_order(a, b) < 0 : touch_order(a, b) > 0;
}

static enum accord_error check_input(const struct accord_touch *touches, size_t count,
                                     const struct accord_attribution_rules *rules)
{
    if (rules->window_us < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if ((unsigned)rules->model > (unsigned)ACCORD_TOUCH_FIRST)
        return ACCORD_E_VALUE_UNKNOWN;
    for (size_t i = 0; i < count; i++)
        if ((unsigned)touches[i].kind > (unsigned)ACCORD_TOUCH_COUPON)
            return ACCORD_E_VALUE_UNKNOWN;
    return ACCORD_OK;
}

enum accord_error accord_attribute(const struct accord_touch *touches, size_t count,
                                   int64_t sale_at_us, const struct accord_attribution_rules *rules,
                                   enum accord_touch_outcome *ret_outcomes, size_t *ret_winner)
{
    const enum accord_error err = check_input(touches, count, rules);
    size_t winner = SIZE_MAX;
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        ret_outcomes[i] = judge(&touches[i], sale_at_us, rules->window_us);
        if (ret_outcomes[i] == counts &&
            (winner == SIZE_MAX || beats(&touches[i], &touches[winner], rules)))
            winner = i;
    }
    const bool by_coupon = winner != SIZE_MAX && rules->coupon_beats_click &&
                           touches[winner].kind == ACCORD_TOUCH_COUPON;
    for (size_t i = 0; i < count; i++) {
        if (i == winner)
            ret_outcomes[i] = ACCORD_TOUCH_WON;
        else if (ret_outcomes[i] == counts && by_coupon && touches[i].kind != ACCORD_TOUCH_COUPON)
            ret_outcomes[i] = ACCORD_TOUCH_BEATEN_BY_COUPON;
    }
    *ret_winner = winner;
    return ACCORD_OK;
}

/* ---- levels ---- */

const char *accord_referral_outcome_name(enum accord_referral_outcome outcome)
{
    switch (outcome) {
    case ACCORD_REFERRAL_PAID:
        return "paid";
    case ACCORD_REFERRAL_NOBODY:
        return "nobody";
    case ACCORD_REFERRAL_REPEATED:
        return "repeated";
    case ACCORD_REFERRAL_SELF:
        return "self_referral";
    case ACCORD_REFERRAL_SUSPENDED:
        return "promoter_suspended";
    }
    return "";
}

static enum accord_referral_outcome judge_level(const struct accord_referrer *chain, size_t count,
                                                size_t level)
{
    if (level >= count)
        return ACCORD_REFERRAL_NOBODY;
    for (size_t i = 0; i < level; i++)
        if (chain[i].promoter == chain[level].promoter)
            return ACCORD_REFERRAL_REPEATED;
    if (chain[level].self_referral)
        return ACCORD_REFERRAL_SELF;
    return chain[level].suspended ? ACCORD_REFERRAL_SUSPENDED : ACCORD_REFERRAL_PAID;
}

static enum accord_error check_levels(const int64_t *level_ppm, size_t level_count)
{
    int64_t sum = 0;
    if (level_count < 1 || level_count > ACCORD_REFERRAL_LEVELS_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    for (size_t i = 0; i < level_count; i++) {
        if (level_ppm[i] < 0 || level_ppm[i] > ACCORD_PPM_WHOLE)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        sum += level_ppm[i];
    }
    return sum > ACCORD_PPM_WHOLE ? ACCORD_E_SHARES_EXCEED_WHOLE : ACCORD_OK;
}

enum accord_error accord_referral_split(int64_t whole, const int64_t *level_ppm, size_t level_count,
                                        const struct accord_referrer *chain, size_t chain_count,
                                        struct accord_referral_part *ret_parts, int64_t *ret_left)
{
    enum accord_referral_outcome outcomes[ACCORD_REFERRAL_LEVELS_MAX];
    int64_t weights[ACCORD_REFERRAL_LEVELS_MAX + 1];
    int64_t parts[ACCORD_REFERRAL_LEVELS_MAX + 1];
    struct accord_share shares[ACCORD_REFERRAL_LEVELS_MAX + 1];
    int64_t left = ACCORD_PPM_WHOLE;
    enum accord_error err = check_levels(level_ppm, level_count);

    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < level_count; i++) {
        outcomes[i] = judge_level(chain, chain_count, i);
        weights[i] = outcomes[i] == ACCORD_REFERRAL_PAID ? level_ppm[i] : 0;
        left -= weights[i];
    }
    weights[level_count] = left;
    err = accord_apportion(whole, weights, level_count + 1, parts, shares);
    if (err != ACCORD_OK)
        return err;
    for (size_t i = 0; i < level_count; i++)
        ret_parts[i] =
            (struct accord_referral_part){.outcome = outcomes[i],
                                          .promoter = i < chain_count ? chain[i].promoter : 0,
                                          .amount = parts[i],
                                          .exact = shares[i]};
    *ret_left = parts[level_count];
    return ACCORD_OK;
}
