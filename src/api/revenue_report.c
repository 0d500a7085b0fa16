#include "api/revenue_report.h"

#include "api/revenue_windows.h"

struct reading {
    struct arena *arena;
    const struct report_ask *ask;
    struct agreement_version *versions; /* in order of (agreement, version) */
    size_t version_count;
    struct report_windows windows;
    size_t window_at; /* the next that may need a row of its own */
    struct report report;
    size_t held_cap;
    size_t referral_cap;
    size_t share_at; /* the group that the shares have come to */
};

/* Stops the reading of rows; never leaves this file. */
#define STOP ACCORD_E_NOT_FOUND

static const enum report_grain group_grains[REPORT_GROUPINGS] = {
    [REPORT_BY_AGREEMENT] = REPORT_PERIOD,
    [REPORT_BY_COURSE] = REPORT_COURSE,
    [REPORT_BY_DAY] = REPORT_DAY,
    [REPORT_BY_COUNTERPARTY] = REPORT_PERIOD,
};

/* ---- keys and sums ---- */

/* A copy of a text, or the one made before when it is the same. */
static bool keep(struct arena *arena, struct slice text, struct slice *kept)
{
    if (kept->data != NULL && slice_equal(*kept, text))
        return true;
    *kept = (struct slice){arena_strdup(arena, text), text.len};
    return kept->data != NULL;
}

static bool keep_key(struct arena *arena, const struct report_key *key, struct report_key *kept)
{
    kept->version = key->version;
    kept->day = key->day;
    return keep(arena, key->agreement, &kept->agreement) && keep(arena, key->held, &kept->held) &&
           keep(arena, key->provider, &kept->provider) &&
           keep(arena, key->course_id, &kept->course_id) &&
           keep(arena, key->channel, &kept->channel) &&
           keep(arena, key->currency, &kept->currency) &&
           keep(arena, key->sale_currency, &kept->sale_currency);
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int report_compare_groups(enum report_group_by group_by, const struct report_key *a,
                          const struct report_key *b)
{
    int order = slice_compare(a->agreement, b->agreement);
    if (order == 0)
        order = compare_numbers(a->version, b->version);
    if (order == 0)
        order = slice_compare(a->sale_currency, b->sale_currency);
    if (order != 0)
        return order;
    switch (group_by) {
    case REPORT_BY_AGREEMENT:
    case REPORT_GROUPINGS:
        return 0;
    case REPORT_BY_COURSE:
        order = slice_compare(a->provider, b->provider);
        return order != 0 ? order : slice_compare(a->course_id, b->course_id);
    case REPORT_BY_DAY:
        return compare_numbers(a->day, b->day);
    case REPORT_BY_COUNTERPARTY:
        order = slice_compare(a->provider, b->provider);
        return order != 0 ? order : slice_compare(a->channel, b->channel);
    }
    return 0;
}

static enum accord_error add_sums(struct report_sums *to, const struct report_sums *more)
{
    int64_t *const sums[] = {
        &to->line_count, &to->quantity,    &to->gross,           &to->refunded,       &to->tax,
        &to->store_fee,  &to->payment_fee, &to->admin_fee,       &to->net_sale,       &to->net,
        &to->added_back, &to->base,        &to->lines_qualified, &to->units_qualified};
    const int64_t values[] = {
        more->line_count, more->quantity,    more->gross,           more->refunded,       more->tax,
        more->store_fee,  more->payment_fee, more->admin_fee,       more->net_sale,       more->net,
        more->added_back, more->base,        more->lines_qualified, more->units_qualified};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const enum accord_error error = accord_add(*sums[i], values[i], sums[i]);
        if (error != ACCORD_OK)
            return error;
    }
    return ACCORD_OK;
}

bool report_is_nothing(const struct report_sums *sums)
{
    return sums->line_count == 0 && sums->quantity == 0 && sums->gross == 0 &&
           sums->refunded == 0 && sums->tax == 0 && sums->store_fee == 0 &&
           sums->payment_fee == 0 && sums->admin_fee == 0 && sums->net_sale == 0 &&
           sums->net == 0 && sums->added_back == 0;
}

static int compare_version(const struct agreement_version *version, const struct report_key *key)
{
    const int order = slice_compare(slice_of(version->terms.agreement), key->agreement);
    return order != 0 ? order : compare_numbers(version->terms.version, key->version);
}

static const struct agreement_version *find_version(const struct reading *reading,
                                                    const struct report_key *key)
{
    size_t low = 0;
    size_t high = reading->version_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare_version(&reading->versions[middle], key);
        if (order == 0)
            return &reading->versions[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The currency asked for, or any. */
static bool is_wanted(const struct reading *reading, const struct report_key *key)
{
    return reading->ask->currency.len == 0 || slice_equal(reading->ask->currency, key->currency);
}

/* True for rows of the settled part of the report. */
static bool is_settled(const struct reading *reading, const struct report_key *key)
{
    return key->held.len == 0 && is_wanted(reading, key);
}

/* ---- the rows of a page ---- */

/* What a window gives without any sale (a guarantee, an advance) stands in a row of its own, at its
 * place before `key` (NULL: the end). Other groupings have no place for it. */
static enum accord_error add_bare_groups(struct reading *reading, const struct report_key *key)
{
    struct report *report = &reading->report;
    if (reading->ask->group_by != REPORT_BY_AGREEMENT)
        return ACCORD_OK;
    for (; reading->window_at < reading->windows.count; reading->window_at++) {
        const struct report_window *window = &reading->windows.items[reading->window_at];
        const struct accord_agreement_version *terms = &window->version->terms;
        if (key != NULL && compare_version(window->version, key) >= 0)
            return ACCORD_OK;
        if (!window->pays || (report->group_count > 0 &&
                              report->groups[report->group_count - 1].version == window->version))
            continue;
        if (report->group_count == reading->ask->limit) {
            report->more = true;
            return STOP;
        }
        struct report_group *group = &report->groups[report->group_count++];
        group->version = window->version;
        group->key = (struct report_key){.agreement = slice_of(terms->agreement),
                                         .version = terms->version,
                                         .day = reading->ask->day_from,
                                         .held = SLICE(""),
                                         .provider = SLICE(""),
                                         .course_id = SLICE(""),
                                         .channel = SLICE(""),
                                         .currency = slice_of(terms->currency.code),
                                         .sale_currency = slice_of(terms->currency.code)};
        report->last = group->key;
    }
    return ACCORD_OK;
}

/* Windows that stand on pages before. */
static void skip_windows(struct reading *reading)
{
    const struct report_key *after = &reading->ask->after;
    while (after->agreement.len > 0 && reading->window_at < reading->windows.count &&
           compare_version(reading->windows.items[reading->window_at].version, after) <= 0)
        reading->window_at++;
}

static enum accord_error take_row(void *context, const struct report_key *key,
                                  const struct report_sums *sums)
{
    struct reading *reading = context;
    struct report *report = &reading->report;
    const struct report_ask *ask = reading->ask;
    if (!is_settled(reading, key) || report_is_nothing(sums))
        return ACCORD_OK;
    struct report_group *group =
        report->group_count == 0 ? NULL : &report->groups[report->group_count - 1];
    if (group == NULL || report_compare_groups(ask->group_by, &group->key, key) != 0) {
        const enum accord_error error = add_bare_groups(reading, key);
        if (error != ACCORD_OK)
            return error;
        if (report->group_count == ask->limit) {
            report->more = true;
            return STOP;
        }
        group = &report->groups[report->group_count];
        /* Room for ask->limit groups was made, which the analyzer does not follow. */
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
        group->version = find_version(reading, key);
        if (group->version == NULL)
            return ACCORD_E_DATABASE_ERROR;
        if (!keep_key(reading->arena, key, &group->key))
            return ACCORD_E_OUT_OF_MEMORY;
        report->group_count++;
    }
    if (!keep_key(reading->arena, key, &report->last))
        return ACCORD_E_OUT_OF_MEMORY;
    return add_sums(&group->sums, sums);
}

static enum accord_error add_share(struct report_group *group, struct slice payee, int64_t amount)
{
    const struct accord_agreement_version *terms = &group->version->terms;
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (slice_equal(slice_of(terms->parties[i]), payee))
            return accord_add(group->shares[i], amount, &group->shares[i]);
    /* Who is no party is a promoter, but for the window and pools. */
    const struct slice pool = SLICE(ACCORD_PAYEE_POOL);
    int64_t *other = &group->referral;
    if (slice_equal(slice_of(ACCORD_PAYEE_WINDOW), payee))
        other = &group->open;
    else if (payee.len > pool.len && memcmp(payee.data, pool.data, pool.len) == 0)
        other = &group->pooled;
    return accord_add(*other, amount, other);
}

static enum accord_error take_share(void *context, const struct report_key *key, struct slice payee,
                                    int64_t amount)
{
    struct reading *reading = context;
    const struct report *report = &reading->report;
    if (!is_settled(reading, key) || amount == 0)
        return ACCORD_OK;
    int order = -1;
    while (reading->share_at < report->group_count &&
           (order = report_compare_groups(reading->ask->group_by,
                                          &report->groups[reading->share_at].key, key)) < 0)
        reading->share_at++;
    if (reading->share_at == report->group_count)
        return STOP;
    return order == 0 ? add_share(&report->groups[reading->share_at], payee, amount) : ACCORD_OK;
}

/* ---- the whole period ---- */

static struct report_total *find_total(struct report *report, struct slice currency,
                                       struct slice sale_currency)
{
    for (size_t i = 0; i < report->total_count; i++)
        if (slice_equal(report->totals[i].currency, currency) &&
            slice_equal(report->totals[i].sale_currency, sale_currency))
            return &report->totals[i];
    return NULL;
}

static struct report_total *total_of(struct reading *reading, struct slice currency,
                                     struct slice sale_currency)
{
    struct report *report = &reading->report;
    struct report_total *there = find_total(report, currency, sale_currency);
    if (there != NULL)
        return there;
    /* There are few currencies. */
    struct report_total *totals =
        arena_array(reading->arena, report->total_count + 1, sizeof *totals);
    if (totals == NULL)
        return NULL;
    if (report->total_count > 0)
        memcpy(totals, report->totals, report->total_count * sizeof *totals);
    struct report_total *total = &totals[report->total_count];
    if (!keep(reading->arena, currency, &total->currency) ||
        !keep(reading->arena, sale_currency, &total->sale_currency))
        return NULL;
    report->totals = totals;
    report->total_count++;
    return total;
}

static enum accord_error add_held(struct reading *reading, const struct report_key *key,
                                  const struct report_sums *sums, bool amount_hidden)
{
    struct report *report = &reading->report;
    const bool excess =
        slice_equal(key->held, slice_of(accord_held_name(ACCORD_HELD_EXCESS_REFUND)));
    struct report_held held = {.lines = sums->line_count,
                               .amount = sums->refunded,
                               .amount_hidden = amount_hidden && !excess};
    if (!excess && accord_sub(sums->gross, sums->refunded, &held.amount) != ACCORD_OK)
        return ACCORD_E_OVERFLOW;
    if (!is_wanted(reading, key) || (held.lines == 0 && held.amount == 0))
        return ACCORD_OK;
    if (report->held_count == reading->held_cap) {
        /* An arena only grows, so the array doubles. */
        const size_t cap = reading->held_cap == 0 ? 8 : reading->held_cap * 2;
        struct report_held *rows = arena_array(reading->arena, cap, sizeof *rows);
        if (rows == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (report->held_count > 0)
            memcpy(rows, report->held, report->held_count * sizeof *rows);
        report->held = rows;
        reading->held_cap = cap;
    }
    if (!keep_key(reading->arena, key, &held.key))
        return ACCORD_E_OUT_OF_MEMORY;
    report->held[report->held_count++] = held;
    return ACCORD_OK;
}

/* The signed view: the collector holds net and owes all of it but its own share. */
static bool is_collector(const struct reading *reading, const struct agreement_version *version)
{
    return strcmp(version->terms.parties[version->terms.collector], reading->ask->partner) == 0;
}

static enum accord_error total_row(void *context, const struct report_key *key,
                                   const struct report_sums *sums)
{
    struct reading *reading = context;
    if (key->held.len > 0)
        return add_held(reading, key, sums, false);
    if (!is_wanted(reading, key) || report_is_nothing(sums))
        return ACCORD_OK;
    const struct agreement_version *version = find_version(reading, key);
    if (version == NULL)
        return ACCORD_E_DATABASE_ERROR;
    struct report_total *total = total_of(reading, key->currency, key->sale_currency);
    if (total == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct report_window *window = report_window_of(&reading->windows, version);
    if (window != NULL) {
        const enum accord_error error =
            report_window_count(reading->arena, window, key->sale_currency, sums->net);
        if (error != ACCORD_OK)
            return error;
        total->provisional = total->provisional || window->provisional;
    }
    if (is_collector(reading, version) &&
        accord_sub(total->due, sums->net, &total->due) != ACCORD_OK)
        return ACCORD_E_OVERFLOW;
    return add_sums(&total->sums, sums);
}

static enum accord_error total_share(void *context, const struct report_key *key,
                                     struct slice payee, int64_t amount)
{
    struct reading *reading = context;
    if (!is_settled(reading, key) || amount == 0 ||
        !slice_equal(payee, slice_of(reading->ask->partner)))
        return ACCORD_OK;
    struct report_total *total = total_of(reading, key->currency, key->sale_currency);
    if (total == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = accord_add(total->own, amount, &total->own);
    return error == ACCORD_OK ? accord_add(total->due, amount, &total->due) : error;
}

static enum accord_error total_part(struct reading *reading, const struct report_window *window,
                                    const struct report_window_part *part)
{
    const struct accord_agreement_version *terms = &window->version->terms;
    struct report_total *total =
        total_of(reading, slice_of(terms->currency.code), part->sale_currency);
    enum accord_error error = total == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    for (uint32_t p = 0; error == ACCORD_OK && p < terms->party_count; p++) {
        total->provisional = total->provisional || window->provisional;
        if (strcmp(terms->parties[p], reading->ask->partner) != 0)
            continue;
        error = accord_add(total->own, part->amounts[p], &total->own);
        if (error == ACCORD_OK)
            error = accord_add(total->due, part->amounts[p], &total->due);
    }
    return error;
}

static enum accord_error total_windows(struct reading *reading)
{
    enum accord_error error = report_windows_divide(reading->arena, &reading->windows);
    for (size_t i = 0; error == ACCORD_OK && i < reading->windows.count; i++) {
        const struct report_window *window = &reading->windows.items[i];
        for (size_t j = 0; error == ACCORD_OK && j < window->part_count; j++)
            error = total_part(reading, window, &window->parts[j]);
    }
    return error;
}

static enum accord_error uncovered_row(void *context, const struct report_key *key,
                                       const struct report_sums *sums)
{
    return add_held(context, key, sums, false);
}

/* A provider's count of what waits at a channel; what it sold itself it has seen already. */
static enum accord_error uncovered_count(void *context, const struct report_key *key,
                                         const struct report_sums *sums)
{
    struct reading *reading = context;
    if (slice_equal(key->channel, slice_of(reading->ask->partner)))
        return ACCORD_OK;
    return add_held(reading, key, sums, true);
}

static enum accord_error read_uncovered(struct db *db, struct reading *reading)
{
    const struct report_ask *ask = reading->ask;
    if (ask->everything)
        return store_report_uncovered(db, REPORT_AS_OPERATOR, NULL, ask->day_from, ask->day_to,
                                      uncovered_row, reading);
    const enum accord_error error = store_report_uncovered(
        db, REPORT_AS_CHANNEL, ask->partner, ask->day_from, ask->day_to, uncovered_row, reading);
    if (error != ACCORD_OK)
        return error;
    return store_report_uncovered(db, REPORT_AS_PROVIDER, ask->partner, ask->day_from, ask->day_to,
                                  uncovered_count, reading);
}

static enum accord_error add_referral(void *context, const struct report_referral *row)
{
    struct reading *reading = context;
    struct report *report = &reading->report;
    struct report_referral kept = {.version = row->version, .amount = row->amount};
    if (row->amount == 0 ||
        (reading->ask->currency.len > 0 && !slice_equal(reading->ask->currency, row->currency)))
        return ACCORD_OK;
    struct report_referral *rows =
        arena_room(reading->arena, report->referrals, report->referral_count,
                   &reading->referral_cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    report->referrals = rows;
    if (!keep(reading->arena, row->agreement, &kept.agreement) ||
        !keep(reading->arena, row->currency, &kept.currency))
        return ACCORD_E_OUT_OF_MEMORY;
    report->referrals[report->referral_count++] = kept;
    return ACCORD_OK;
}

/* ---- windows and sums of the page's groups ---- */

/* Groups of one version and currency stand next to each other. */
static bool is_together(const struct report_group *a, const struct report_group *b)
{
    return a->version == b->version && slice_equal(a->key.sale_currency, b->key.sale_currency);
}

static enum accord_error add_windows(struct db *db, struct reading *reading,
                                     const struct report_filter *filter)
{
    struct report *report = &reading->report;
    enum accord_error error = ACCORD_OK;
    for (size_t from = 0, to; error == ACCORD_OK && from < report->group_count; from = to) {
        struct report_group *groups = &report->groups[from];
        const struct report_window *window = report_window_of(&reading->windows, groups->version);
        for (to = from; to < report->group_count && is_together(groups, &report->groups[to]); to++)
            report->groups[to].provisional = window != NULL && window->provisional;
        for (size_t i = 0; window != NULL && window->pays && i < window->part_count; i++)
            if (slice_equal(window->parts[i].sale_currency, groups->key.sale_currency))
                error = report_window_spread(db, reading->arena, reading->ask, filter, window,
                                             &window->parts[i], groups, to - from);
    }
    return error;
}

/* Also what the answer computes of it fits: each one's balance. */
static enum accord_error add_up(struct report_group *group)
{
    int64_t unused;
    enum accord_error error = accord_add(group->pooled, group->referral, &group->handed_out);
    for (uint32_t p = 0; error == ACCORD_OK && p < ACCORD_PARTIES_MAX; p++)
        error = accord_add(group->handed_out, group->shares[p], &group->handed_out);
    for (uint32_t p = 0; error == ACCORD_OK && p < ACCORD_PARTIES_MAX; p++) {
        error = accord_sub(0, group->shares[p], &unused);
        if (error == ACCORD_OK)
            error = accord_sub(group->shares[p], group->handed_out, &unused);
    }
    return error;
}

enum accord_error report_read(struct db *db, struct arena *arena, const struct report_ask *ask,
                              struct report *ret)
{
    struct reading reading = {.arena = arena, .ask = ask};
    const char *partner = ask->everything ? NULL : ask->partner;
    enum accord_error error =
        agreement_load_settling(db, arena, partner, &reading.versions, &reading.version_count);
    if (error == ACCORD_OK)
        error = report_windows_read(db, arena, ask, reading.versions, reading.version_count,
                                    &reading.windows);
    if (error != ACCORD_OK)
        return error;
    skip_windows(&reading);
    reading.report.groups = arena_array(arena, ask->limit, sizeof *reading.report.groups);
    if (reading.report.groups == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct report_filter filter = {.partner = partner,
                                   .grain = REPORT_PERIOD,
                                   .day_from = ask->day_from,
                                   .day_to = ask->day_to};
    error = store_report_rows(db, &filter, total_row, &reading);
    if (error == ACCORD_OK)
        error = store_report_shares(db, &filter, total_share, &reading);
    if (error == ACCORD_OK)
        error = total_windows(&reading);
    if (error == ACCORD_OK)
        error = read_uncovered(db, &reading);
    if (error == ACCORD_OK && !ask->everything)
        error = store_report_referrals(db, ask->partner, ask->day_from, ask->day_to, add_referral,
                                       &reading);
    if (error != ACCORD_OK)
        return error;
    filter.grain = group_grains[ask->group_by];
    filter.after = ask->after;
    error = store_report_rows(db, &filter, take_row, &reading);
    if (error == ACCORD_OK)
        error = add_bare_groups(&reading, NULL);
    if (error == ACCORD_OK || error == STOP)
        error = store_report_shares(db, &filter, take_share, &reading);
    if (error == ACCORD_OK || error == STOP)
        error = add_windows(db, &reading, &filter);
    for (size_t i = 0; error == ACCORD_OK && i < reading.report.group_count; i++)
        error = add_up(&reading.report.groups[i]);
    if (error != ACCORD_OK)
        return error;
    *ret = reading.report;
    return ACCORD_OK;
}
