/* The fold over the periods of an agreement. */
#include "accord/window.h"

#include <string.h>

#include "domain/terms.h"
#include "domain/window_terms.h"

/* One part on its way. A failure sticks, with the term at work, so that the arithmetic below reads
 * as what it computes. The state is a copy until all went well. */
struct fold {
    const struct accord_agreement_version *version;
    const struct accord_window_period *period;
    struct accord_window_state state;
    int64_t before[ACCORD_WINDOWS][ACCORD_METRICS];
    int64_t earned[ACCORD_PARTIES_MAX]; /* by this part */
    int64_t open;
    struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX];
    size_t line_count;
    struct trace trace;
    uint32_t term; /* at work; UINT32_MAX: none */
    enum accord_error err;
    uint32_t failed_term;
};

static void fail(struct fold *fold, enum accord_error err)
{
    if (fold->err != ACCORD_OK)
        return;
    fold->err = err;
    fold->failed_term = fold->term;
}

static int64_t plus(struct fold *fold, int64_t a, int64_t b)
{
    int64_t sum = 0;
    if (accord_add(a, b, &sum) != ACCORD_OK)
        fail(fold, ACCORD_E_OVERFLOW);
    return sum;
}

static int64_t minus(struct fold *fold, int64_t a, int64_t b)
{
    int64_t difference = 0;
    if (accord_sub(a, b, &difference) != ACCORD_OK)
        fail(fold, ACCORD_E_OVERFLOW);
    return difference;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- lines and steps ---- */

static void tell(const struct fold *fold, const struct accord_step *step)
{
    if (fold->err == ACCORD_OK)
        trace_step(&fold->trace, 0, step);
}

static void add_line(struct fold *fold, const char *kind, uint32_t payee, int64_t amount)
{
    if (fold->err == ACCORD_OK && amount != 0)
        fold->lines[fold->line_count++] = (struct accord_window_line){
            .term = fold->term, .kind = kind, .payee = payee, .amount = amount};
}

/* A line with nothing to say but its amount. */
static void give(struct fold *fold, const char *kind, uint32_t payee, int64_t amount)
{
    const struct accord_step step = {
        .op = kind, .payee = fold->version->parties[payee], .amount = amount, .rate_ppm = -1};
    tell(fold, &step);
    add_line(fold, kind, payee, amount);
}

/* To one from another. */
static void give_pair(struct fold *fold, const char *kind, uint32_t payee, uint32_t other,
                      int64_t amount)
{
    if (amount == 0)
        return;
    give(fold, kind, payee, amount);
    give(fold, kind, other, minus(fold, 0, amount));
}

static void tell_earned(const struct fold *fold, uint32_t payee, int64_t amount)
{
    const struct accord_step step = {
        .op = "earned", .payee = fold->version->parties[payee], .amount = amount, .rate_ppm = -1};
    tell(fold, &step);
}

/* ---- windows ---- */

static bool ends(const struct accord_window_period *period, enum accord_window window)
{
    switch (window) {
    case ACCORD_WINDOW_PERIOD:
        return period->ends_period || period->ends_year || period->ends_life;
    case ACCORD_WINDOW_YEAR:
        return period->ends_year || period->ends_life;
    case ACCORD_WINDOW_LIFE:
        break;
    }
    return period->ends_life;
}

/* True when what is promised for a window is due: at its end. A window in which the agreement was
 * not in force, but something of it still came in, has no promise. */
static bool is_due(const struct fold *fold, enum accord_window window)
{
    return ends(fold->period, window) && fold->state.days[window] > 0;
}

/* A window that begins has come to nothing. */
static void begin_window(struct accord_window_state *state, enum accord_window window)
{
    memset(state->sums[window], 0, sizeof state->sums[window]);
    state->days[window] = 0;
    for (uint32_t i = 0; i < state->account_count; i++) {
        struct accord_window_account *account = &state->accounts[i];
        account->earned[window] = 0;
        account->topped_up[window] = 0;
        account->recouped[window] = 0;
        account->floored[window] = 0;
        account->capped[window] = 0;
        account->cut[window] = 0;
    }
}

static void begin_part(struct fold *fold)
{
    struct accord_window_state *state = &fold->state;
    const struct accord_window_period *period = fold->period;
    if (period->days_of_period < 1 || period->days < 0 || period->days > period->days_of_period)
        fail(fold, ACCORD_E_VALUE_OUT_OF_RANGE);
    if (state->period != period->period)
        begin_window(state, ACCORD_WINDOW_PERIOD);
    if (state->year != period->year)
        begin_window(state, ACCORD_WINDOW_YEAR);
    state->period = period->period;
    state->year = period->year;
    for (unsigned w = 0; w < ACCORD_WINDOWS; w++)
        state->days[w] = plus(fold, state->days[w], period->days);
}

static void add_sums(struct fold *fold, const struct accord_window_sums *sums)
{
    memcpy(fold->before, fold->state.sums, sizeof fold->before);
    for (unsigned w = 0; w < ACCORD_WINDOWS; w++) {
        int64_t *so_far = fold->state.sums[w];
        so_far[ACCORD_METRIC_NET] = plus(fold, so_far[ACCORD_METRIC_NET], sums->base);
        so_far[ACCORD_METRIC_LINES] = plus(fold, so_far[ACCORD_METRIC_LINES], sums->lines);
        so_far[ACCORD_METRIC_UNITS] = plus(fold, so_far[ACCORD_METRIC_UNITS], sums->units);
        so_far[ACCORD_METRIC_LEARNERS] =
            plus(fold, so_far[ACCORD_METRIC_LEARNERS], sums->new_learners[w]);
    }
}

/* ---- out of what is open ---- */

static void give_cut(struct fold *fold, const struct accord_term *term, const char *kind)
{
    struct window_reach reach = {.ends = is_due(fold, term->window)};
    struct accord_step step = {0};
    int64_t amount = 0;
    memcpy(reach.before, fold->before[term->window], sizeof reach.before);
    memcpy(reach.after, fold->state.sums[term->window], sizeof reach.after);
    const enum accord_error err = window_term_amount(term, &reach, &fold->trace, &amount, &step);
    if (err != ACCORD_OK)
        fail(fold, err);
    step.op = kind;
    step.payee = fold->version->parties[term->payee];
    step.amount = amount;
    tell(fold, &step);
    add_line(fold, kind, term->payee, amount);
    fold->earned[term->payee] = plus(fold, fold->earned[term->payee], amount);
    fold->open = minus(fold, fold->open, amount);
}

static void give_residual(struct fold *fold, const struct accord_term *term)
{
    give(fold, "residual", term->payee, fold->open);
    fold->earned[term->payee] = plus(fold, fold->earned[term->payee], fold->open);
    fold->open = 0;
}

/* ---- pools ---- */

/* The party that a pool belongs to: its name is "channel/pool". */
static uint32_t owner_of(const struct accord_agreement_version *version, const char *pool)
{
    const char *slash = strchr(pool, '/');
    const size_t length = slash == NULL ? strlen(pool) : (size_t)(slash - pool);
    for (uint32_t i = 0; i < version->party_count; i++)
        if (strlen(version->parties[i]) == length && memcmp(version->parties[i], pool, length) == 0)
            return i;
    return UINT32_MAX;
}

static void give_pool_share(struct fold *fold, const struct accord_window_pool *share)
{
    const struct accord_term *term = &fold->version->terms[share->term];
    const uint32_t owner = owner_of(fold->version, term->pool);
    if (owner == UINT32_MAX || share->kept < 0) {
        fail(fold, ACCORD_E_VALUE_OUT_OF_RANGE);
        return;
    }
    if (share->amount != 0) {
        give(fold, "pool", share->payee, share->amount);
        add_line(fold, "pool", ACCORD_PARTY_POOL, minus(fold, 0, share->amount));
    }
    give_pair(fold, "late_usage", share->payee, owner, share->kept);
    fold->earned[share->payee] = plus(fold, fold->earned[share->payee], share->amount);
    fold->earned[share->payee] = plus(fold, fold->earned[share->payee], share->kept);
}

static void give_pools(struct fold *fold, const struct accord_window_sums *sums)
{
    if (sums->pool_count > ACCORD_WINDOW_POOLS_MAX)
        fail(fold, ACCORD_E_COUNT_OUT_OF_RANGE);
    for (size_t i = 0; i < sums->pool_count && fold->err == ACCORD_OK; i++) {
        const struct accord_window_pool *share = &sums->pools[i];
        if (share->term >= fold->version->term_count ||
            share->payee >= fold->version->party_count ||
            fold->version->terms[share->term].kind != ACCORD_TERM_POOL) {
            fail(fold, ACCORD_E_VALUE_OUT_OF_RANGE);
            return;
        }
        fold->term = share->term;
        give_pool_share(fold, share);
    }
    fold->term = UINT32_MAX;
}

/* ---- accounts ---- */

/* Returns the account of a party, opened when it has none; not NULL, but only to be used while
 * nothing failed. */
static struct accord_window_account *account_of(struct fold *fold, uint32_t party)
{
    struct accord_window_state *state = &fold->state;
    const char *id = fold->version->parties[party];
    const size_t length = strlen(id);
    for (uint32_t i = 0; i < state->account_count; i++)
        if (strcmp(state->accounts[i].payee, id) == 0)
            return &state->accounts[i];
    if (length > ACCORD_ID_MAX || state->account_count == ACCORD_WINDOW_ACCOUNTS) {
        fail(fold, length > ACCORD_ID_MAX ? ACCORD_E_TEXT_LENGTH : ACCORD_E_COUNT_OUT_OF_RANGE);
        return &state->accounts[0];
    }
    struct accord_window_account *account = &state->accounts[state->account_count++];
    memset(account, 0, sizeof *account);
    memcpy(account->payee, id, length);
    return account;
}

/* Adds to a window and to those that are longer. A window does not see what longer ones gave: a
 * month's cap would cut what the year's guarantee pays in its last month. */
static void add_from(struct fold *fold, int64_t amounts[ACCORD_WINDOWS], enum accord_window window,
                     int64_t amount)
{
    for (unsigned w = window; w < ACCORD_WINDOWS; w++)
        amounts[w] = plus(fold, amounts[w], amount);
}

static void add_earned(struct fold *fold)
{
    for (uint32_t p = 0; p < fold->version->party_count; p++)
        if (fold->earned[p] != 0)
            add_from(fold, account_of(fold, p)->earned, ACCORD_WINDOW_PERIOD, fold->earned[p]);
}

/* An amount of a whole window, or of the part of the period that the agreement was in force for. */
static int64_t amount_of_window(struct fold *fold, const struct accord_term *term)
{
    const int64_t days = fold->state.days[ACCORD_WINDOW_PERIOD];
    int64_t amount = term->amount_minor;
    if (term->window == ACCORD_WINDOW_PERIOD && days < fold->period->days_of_period) {
        const enum accord_error err =
            accord_mul_div(amount, days, fold->period->days_of_period, &amount);
        if (err != ACCORD_OK)
            fail(fold, err);
    }
    return amount;
}

/* ---- guarantee and advance ---- */

static void keep_guarantee(struct fold *fold, const struct accord_term *term)
{
    const unsigned w = term->window;
    struct accord_window_account *account = account_of(fold, term->payee);
    if (!is_due(fold, term->window))
        return;
    int64_t has = plus(fold, account->earned[w], account->topped_up[w]);
    has = minus(fold, has, account->recouped[w]);
    const int64_t lacks = minus(fold, amount_of_window(fold, term), has);
    tell_earned(fold, term->payee, has);
    if (lacks > 0) {
        give_pair(fold, "guarantee", term->payee, term->funded_by, lacks);
        add_from(fold, account->topped_up, term->window, lacks);
        account->paid = plus(fold, account->paid, lacks);
        if (term->recoup)
            account->to_recoup = plus(fold, account->to_recoup, lacks);
    } else if (term->recoup) {
        const int64_t back = least(minus(fold, 0, lacks), account->to_recoup);
        give_pair(fold, "recoupment", term->payee, term->funded_by, -back);
        add_from(fold, account->recouped, term->window, back);
        account->paid = minus(fold, account->paid, back);
        account->to_recoup = minus(fold, account->to_recoup, back);
    }
}

/* Takes back of an advance what a period allows. */
static void recoup(struct fold *fold, const struct accord_term *term,
                   struct accord_window_account *account)
{
    const int64_t due = plus(fold, account->earned[ACCORD_WINDOW_PERIOD], account->carry);
    const int64_t back = due < 0 ? 0 : least(due, account->unrecouped);
    tell_earned(fold, term->payee, due);
    account->carry = due < 0 ? due : 0;
    account->unrecouped -= back;
    account->paid = plus(fold, account->paid, due < 0 ? 0 : due - back);
    give_pair(fold, "recoupment", term->payee, term->funded_by, -back);
}

static void give_advance(struct fold *fold, const struct accord_term *term)
{
    struct accord_window_account *account = account_of(fold, term->payee);
    if (fold->period->first_of_life) {
        give_pair(fold, "advance", term->payee, term->funded_by, term->amount_minor);
        account->unrecouped = plus(fold, account->unrecouped, term->amount_minor);
        account->paid = plus(fold, account->paid, term->amount_minor);
    }
    if (ends(fold->period, ACCORD_WINDOW_PERIOD))
        recoup(fold, term, account);
    if (ends(fold->period, ACCORD_WINDOW_LIFE) && account->paid < term->minimum_minor) {
        const int64_t lacks = minus(fold, term->minimum_minor, account->paid);
        give_pair(fold, "true_up", term->payee, term->funded_by, lacks);
        account->paid = plus(fold, account->paid, lacks);
    }
}

/* ---- floors and caps ---- */

/* What floors and caps look at. Floors do not see what caps cut: caps come after them, and may
 * still give back. */
static int64_t has_uncut(struct fold *fold, const struct accord_window_account *account,
                         enum accord_window window)
{
    const int64_t has = plus(fold, account->earned[window], account->topped_up[window]);
    return plus(fold, has, account->floored[window]);
}

static void keep_floor(struct fold *fold, const struct accord_term *term)
{
    struct accord_window_account *account = account_of(fold, term->payee);
    if (!is_due(fold, term->window))
        return;
    const int64_t has = has_uncut(fold, account, term->window);
    const int64_t least_of_window = amount_of_window(fold, term);
    tell_earned(fold, term->payee, has);
    if (has >= least_of_window)
        return;
    const int64_t lacks = minus(fold, least_of_window, has);
    give_pair(fold, "floor", term->payee, term->funded_by, lacks);
    add_from(fold, account->floored, term->window, lacks);
}

static uint32_t residual_payee(const struct accord_agreement_version *version)
{
    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_RESIDUAL)
            return version->terms[i].payee;
    return 0; /* not of a version that was checked */
}

static void keep_cap(struct fold *fold, const struct accord_term *term)
{
    const uint32_t other = residual_payee(fold->version);
    struct accord_window_account *account = account_of(fold, term->payee);
    int64_t *cut = &account->cut[term->window];
    if (other == term->payee)
        return; /* what it cuts would come back to the same */
    const int64_t has =
        minus(fold, has_uncut(fold, account, term->window), account->capped[term->window]);
    int64_t excess = minus(fold, has, term->amount_minor);
    tell_earned(fold, term->payee, has);
    /* When the window has come down since, what was cut too much is given back. */
    if (excess < -*cut)
        excess = -*cut;
    give_pair(fold, "cap", term->payee, other, minus(fold, 0, excess));
    add_from(fold, account->capped, term->window, excess);
    *cut = plus(fold, *cut, excess);
}

/* ---- the part ---- */

typedef void apply_fn(struct fold *fold, const struct accord_term *term);

static void each_term(struct fold *fold, apply_fn *apply)
{
    for (uint32_t i = 0; i < fold->version->term_count && fold->err == ACCORD_OK; i++) {
        fold->term = i;
        apply(fold, &fold->version->terms[i]);
    }
    fold->term = UINT32_MAX;
}

/* The terms of a kind, those of shorter windows first: longer ones look at what they gave. */
static void each_of_kind(struct fold *fold, enum accord_term_kind kind, apply_fn *apply)
{
    for (unsigned w = 0; w < ACCORD_WINDOWS; w++)
        for (uint32_t i = 0; i < fold->version->term_count && fold->err == ACCORD_OK; i++) {
            const struct accord_term *term = &fold->version->terms[i];
            if (term->kind != kind || (unsigned)term->window != w)
                continue;
            fold->term = i;
            apply(fold, term);
        }
    fold->term = UINT32_MAX;
}

static void apply_cut(struct fold *fold, const struct accord_term *term)
{
    if (!window_term_is_cut_from_open(term))
        return;
    give_cut(fold, term,
             term->kind == ACCORD_TERM_TIERED ? "tiered"
             : term->kind == ACCORD_TERM_CPA  ? "cpa"
                                              : "greater_of");
}

static void apply_residual(struct fold *fold, const struct accord_term *term)
{
    if (term->kind == ACCORD_TERM_RESIDUAL)
        give_residual(fold, term);
}

static void apply_advance(struct fold *fold, const struct accord_term *term)
{
    if (term->kind == ACCORD_TERM_ADVANCE)
        give_advance(fold, term);
}

enum accord_error accord_window_settle(const struct accord_agreement_version *version,
                                       const struct accord_window_period *period,
                                       const struct accord_window_sums *sums,
                                       struct accord_window_state *state,
                                       struct accord_window_line *ret, size_t *ret_count,
                                       uint32_t *ret_term, accord_step_fn *step, void *context)
{
    uint32_t term = UINT32_MAX;
    const enum accord_error err = terms_check(version, &term);
    if (err != ACCORD_OK) {
        if (ret_term != NULL)
            *ret_term = term;
        return err;
    }
    struct fold fold = {.version = version,
                        .period = period,
                        .state = *state,
                        .open = sums->open,
                        .trace = {.step = step, .context = context},
                        .term = UINT32_MAX};
    memcpy(fold.earned, sums->shares, sizeof fold.earned);

    begin_part(&fold);
    add_sums(&fold, sums);
    each_term(&fold, apply_cut);
    each_term(&fold, apply_residual);
    give_pools(&fold, sums);
    if (fold.err == ACCORD_OK)
        add_earned(&fold);
    each_of_kind(&fold, ACCORD_TERM_GUARANTEE, keep_guarantee);
    each_term(&fold, apply_advance);
    each_of_kind(&fold, ACCORD_TERM_FLOOR, keep_floor);
    each_of_kind(&fold, ACCORD_TERM_CAP, keep_cap);
    if (fold.err != ACCORD_OK) {
        if (ret_term != NULL)
            *ret_term = fold.failed_term;
        return fold.err;
    }
    *state = fold.state;
    if (fold.line_count > 0)
        memcpy(ret, fold.lines, fold.line_count * sizeof *ret);
    *ret_count = fold.line_count;
    return ACCORD_OK;
}
