#include "ingest/pool_division.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accord/money.h"
#include "accord/usage.h"
#include "ingest/keymap.h"
#include "ingest/periods.h"

enum { DIVISION_BYTES_MAX = 1 << 30 };

/* A provider's way into the pool: by one term. */
struct account {
    uint32_t payee;
    const struct agreement_version *version;
    uint32_t term;
    int64_t weight; /* seconds, or events, of all members */
};

struct member {
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    int64_t fee;
};

struct dividing {
    struct arena *arena;  /* of the division */
    struct arena *member; /* of the member at hand */
    struct agreement_book *book;
    const char *channel;
    const char *name; /* "channel/pool", as terms have it */
    int64_t version;
    struct pool pool;
    const char **payees; /* who joined, by id */
    uint32_t payee_count;
    struct keymap account_index;
    struct account *accounts;
    size_t account_count;
    size_t account_cap;
    struct keymap courses;
    struct member *members; /* by learner */
    size_t member_count;
    size_t member_cap;
    size_t at; /* the member at hand */
    struct accord_usage_event *events;
    size_t event_count;
    size_t event_cap;
    struct accord_pool *divided;
    const struct pool *instead;       /* of the version in force; or NULL */
    const struct pool_sheet *seen_by; /* or NULL */
    struct hash_stream sheet;
    struct pool_month_row month;
    struct accord_step *steps; /* by payee: its share */
    int64_t *units;            /* likewise */
};

/* ---- who joined ---- */

/* The term by which a version joined, or UINT32_MAX. */
static uint32_t joined_by(const struct dividing *d, const struct accord_agreement_version *version)
{
    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_POOL &&
            version->terms[i].pool_version == d->version &&
            strcmp(version->terms[i].pool, d->name) == 0)
            return i;
    return UINT32_MAX;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum accord_error find_payees(struct dividing *d)
{
    struct agreement_choice choice;
    const enum accord_error error =
        agreement_book_choose(d->book, d->arena, d->channel, &d->channel, 1, &choice);
    size_t room = 0;
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < choice.count; i++)
        room += choice.terms[i]->party_count;
    d->payees = arena_array(d->arena, room + 1, sizeof *d->payees);
    if (d->payees == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < choice.count; i++)
        for (uint32_t j = 0; j < choice.terms[i]->party_count; j++)
            if (joined_by(d, choice.terms[i]) != UINT32_MAX &&
                strcmp(choice.terms[i]->parties[j], d->channel) != 0)
                d->payees[count++] = choice.terms[i]->parties[j];
    if (count > 1)
        qsort(d->payees, count, sizeof *d->payees, by_text);
    for (size_t i = 0; i < count; i++)
        if (d->payee_count == 0 || strcmp(d->payees[i], d->payees[d->payee_count - 1]) != 0)
            d->payees[d->payee_count++] = d->payees[i];
    return ACCORD_OK;
}

static enum accord_error make_pool(struct dividing *d)
{
    const struct pool *pool = &d->pool;
    const struct pool_weight *given = pool->weights.items;
    int64_t *weights = arena_array(d->arena, d->payee_count + (size_t)1, sizeof *weights);
    if (weights == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < d->payee_count; i++) {
        weights[i] = ACCORD_PPM_WHOLE;
        for (size_t j = 0; j < pool->weights.count; j++)
            if (slice_equal(given[j].provider, slice_of(d->payees[i])))
                weights[i] = given[j].weight_ppm;
    }
    const struct accord_pool_terms terms = {
        .method = (enum accord_pool_method)pool->method,
        .idle = (enum accord_pool_idle)pool->idle,
        .payee_count = d->payee_count,
        .weights_ppm = weights,
        .lambda_ppm = pool->lambda_ppm,
        .min_units = pool->min_units,
        .cap_units = pool->caps.learner_provider,
    };
    d->steps = arena_array(d->arena, d->payee_count + (size_t)1, sizeof *d->steps);
    d->units = arena_array(d->arena, d->payee_count + (size_t)1, sizeof *d->units);
    if (d->steps == NULL || d->units == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = accord_pool_new(&terms, &d->divided);
    return error != ACCORD_OK || d->seen_by == NULL
               ? error
               : d->seen_by->begin(d->seen_by->context, &terms, d->payees);
}

/* ---- what members used ---- */

static enum accord_error add_member(void *context, const struct pool_member_row *row)
{
    struct dividing *d = context;
    d->members =
        arena_room(d->arena, d->members, d->member_count, &d->member_cap, sizeof *d->members);
    if (d->members == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct member *member = &d->members[d->member_count++];
    *member = (struct member){.has_learner = row->has_learner, .fee = row->fee_minor};
    memcpy(member->learner, row->learner, row->has_learner ? LEARNER_BYTES : 0);
    return ACCORD_OK;
}

/* The provider's place, and the term by which the use of a course counts; NULL: by none. */
static enum accord_error account_of(struct dividing *d, const struct usage_row *row,
                                    instant_us received_at, struct account **ret)
{
    const char **payee = bsearch(&row->provider, d->payees, d->payee_count, sizeof *payee, by_text);
    struct agreement_choice choice;
    enum accord_rank rank;
    *ret = NULL;
    if (payee == NULL)
        return ACCORD_OK;
    enum accord_error error =
        agreement_book_choose(d->book, d->member, d->channel, payee, 1, &choice);
    if (error != ACCORD_OK)
        return error;
    const struct accord_sale_key use = {.provider = row->provider,
                                        .channel = d->channel,
                                        .course_id = row->course_id,
                                        .occurred_at_us = row->occurred_at};
    const size_t won = accord_agreement_resolve(choice.terms, choice.count, &use, &rank);
    const uint32_t term = won == SIZE_MAX ? UINT32_MAX : joined_by(d, choice.terms[won]);
    if (term == UINT32_MAX)
        return ACCORD_OK;
    const struct accord_agreement_version *terms = choice.terms[won];
    if (terms->late_usage == ACCORD_LATE_IGNORE_AFTER &&
        received_at - row->occurred_at > terms->late_usage_days * CLOCK_DAY_US)
        return ACCORD_OK;
    struct key key = key_of(*payee, terms->agreement, NULL);
    key_number(&key, terms->version);
    key_number(&key, term);
    size_t *at;
    error = keymap_at(&d->account_index, &key, d->account_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == d->account_count) {
        d->accounts = arena_room(d->arena, d->accounts, d->account_count, &d->account_cap,
                                 sizeof *d->accounts);
        if (d->accounts == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        d->accounts[d->account_count++] = (struct account){
            .payee = (uint32_t)(payee - d->payees), .version = choice.versions[won], .term = term};
    }
    *ret = &d->accounts[*at];
    return ACCORD_OK;
}

/* What an event weighs when a provider's share is spread over its terms. */
static int64_t weight_of(const struct dividing *d, const struct usage_row *row)
{
    switch ((enum pool_basis)d->pool.basis) {
    case POOL_SECONDS:
        return row->kind == USAGE_TIME ? row->seconds : 0;
    case POOL_LEARNERS:
        return row->kind == USAGE_TIME && row->seconds > 0;
    case POOL_STARTS:
        return row->kind == USAGE_START;
    case POOL_COMPLETIONS:
        return row->kind == USAGE_COMPLETION;
    }
    return 0;
}

static void take_session(const struct usage_row *row, struct accord_usage_event *event)
{
    const int64_t length = row->seconds * CLOCK_SECOND_US;
    event->has_session = row->has_from || row->has_to;
    event->from_us = row->has_from ? row->from : row->to - length;
    event->to_us = row->has_to ? row->to : row->from + length;
}

static enum accord_error add_event(struct dividing *d, const struct usage_row *row,
                                   const struct account *account)
{
    static const enum accord_usage_kind kinds[] = {[USAGE_TIME] = ACCORD_USAGE_TIME,
                                                   [USAGE_COMPLETION] = ACCORD_USAGE_COMPLETION,
                                                   [USAGE_START] = ACCORD_USAGE_START};
    const struct key key = key_of(row->provider, row->course_id, NULL);
    size_t *course;
    const enum accord_error error = keymap_at(&d->courses, &key, d->courses.count, &course);
    if (error != ACCORD_OK)
        return error;
    d->events = arena_room(d->member, d->events, d->event_count, &d->event_cap, sizeof *d->events);
    if (d->events == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct accord_usage_event *event = &d->events[d->event_count++];
    *event = (struct accord_usage_event){
        .kind = kinds[row->kind],
        .payee = account->payee,
        .course = (uint32_t)*course,
        .day = zone_day(d->pool.zone, row->occurred_at),
        .occurred_at_us = row->occurred_at,
        .event_id = arena_strdup(d->member, slice_of(row->event_id)),
        .seconds = row->seconds,
    };
    take_session(row, event);
    return event->event_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

/* A line of the sheet: the member, its fee, and the units of each provider. */
static void note_member(struct dividing *d, const struct member *member,
                        const struct accord_pool_cell *cells, size_t count)
{
    char text[96];
    int len = snprintf(text, sizeof text, "%lld", (long long)member->fee);
    hash_add(&d->sheet, (struct slice){(const char *)member->learner, LEARNER_BYTES});
    hash_add(&d->sheet, (struct slice){text, (size_t)len});
    for (size_t i = 0; i < count; i++) {
        len = snprintf(text, sizeof text, " %s %lld", d->payees[cells[i].payee],
                       (long long)cells[i].units);
        hash_add(&d->sheet, (struct slice){text, (size_t)len});
    }
    hash_add(&d->sheet, slice_of("\n"));
}

/* Everything that the member at hand used has been seen. */
static enum accord_error end_member(struct dividing *d)
{
    const struct member *member = &d->members[d->at];
    const struct accord_usage_caps caps = {.learner = d->pool.caps.learner,
                                           .learner_day = d->pool.caps.learner_day,
                                           .learner_course = d->pool.caps.learner_course};
    struct accord_pool_cell *cells = arena_array(d->member, d->event_count + 1, sizeof *cells);
    size_t count = 0;
    bool idle = true;
    if (cells == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = accord_usage_cells((enum accord_usage_basis)d->pool.basis, &caps,
                                                 d->events, d->event_count, cells, &count);
    if (error == ACCORD_OK)
        error = accord_pool_user(d->divided, member->fee, cells, count);
    for (size_t i = 0; i < count; i++)
        idle &= cells[i].units < d->pool.min_units;
    d->month.members++;
    d->month.idle_members += idle;
    if (error == ACCORD_OK)
        note_member(d, member, cells, count);
    if (error == ACCORD_OK && d->seen_by != NULL)
        error =
            d->seen_by->member(d->seen_by->context, member->has_learner ? member->learner : NULL,
                               member->fee, cells, count);
    arena_reset(d->member);
    d->events = NULL;
    d->event_count = d->event_cap = 0;
    d->at++;
    return error;
}

static int compare(const struct member *member, const uint8_t *learner)
{
    return member->has_learner ? memcmp(member->learner, learner, LEARNER_BYTES) : -1;
}

static enum accord_error take_usage(void *context, const struct usage_row *row,
                                    instant_us received_at)
{
    struct dividing *d = context;
    struct account *account;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && d->at < d->member_count &&
           compare(&d->members[d->at], row->learner) < 0)
        error = end_member(d);
    if (error != ACCORD_OK || d->at == d->member_count ||
        compare(&d->members[d->at], row->learner) > 0)
        return error;
    error = account_of(d, row, received_at, &account);
    if (error != ACCORD_OK || account == NULL)
        return error;
    error = accord_add(account->weight, weight_of(d, row), &account->weight);
    return error != ACCORD_OK ? error : add_event(d, row, account);
}

/* ---- shares ---- */

static void take_step(void *context, size_t line, const struct accord_step *step)
{
    struct dividing *d = context;
    if (line != SIZE_MAX && strcmp(step->op, "units") == 0)
        d->units[line] = step->amount;
    else if (line != SIZE_MAX)
        d->steps[line] = *step;
    else if (strcmp(step->op, "fees") == 0)
        d->month.fees = step->amount;
    else if (strcmp(step->op, "idle") == 0)
        d->month.idle = step->amount;
}

static int by_account(const void *a, const void *b)
{
    const struct account *x = a;
    const struct account *y = b;
    if (x->payee != y->payee)
        return x->payee < y->payee ? -1 : 1;
    const int order = strcmp(x->version->terms.agreement, y->version->terms.agreement);
    if (order != 0)
        return order;
    if (x->version->terms.version != y->version->terms.version)
        return x->version->terms.version < y->version->terms.version ? -1 : 1;
    return (x->term > y->term) - (x->term < y->term);
}

/* Spreads what one provider gets over its accounts, which are neighbours. */
static enum accord_error spread(const struct dividing *d, const struct account *accounts,
                                size_t count, int64_t amount, struct arena *arena,
                                struct pool_division *ret)
{
    const uint32_t payee = accounts->payee;
    int64_t *weights = arena_array(d->arena, count, sizeof *weights);
    int64_t *amounts = arena_array(d->arena, count, sizeof *amounts);
    int64_t *units = arena_array(d->arena, count, sizeof *units);
    char exact[ACCORD_EXACT_TEXT];
    if (weights == NULL || amounts == NULL || units == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        weights[i] = accounts[i].weight;
    enum accord_error error = accord_spread(amount, weights, count, amounts);
    if (error == ACCORD_OK)
        error = accord_spread(d->units[payee], weights, count, units);
    accord_step_exact_text(&d->steps[payee], exact);
    const char *text = arena_strdup(arena, slice_of(exact));
    if (text == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (amounts[i] == 0 && units[i] == 0)
            continue;
        ret->shares[ret->count++] = (struct pool_share_row){
            .channel = d->month.channel,
            .pool = d->month.pool,
            .day = d->month.day,
            .provider = arena_strdup(arena, slice_of(d->payees[payee])),
            .agreement = arena_strdup(arena, slice_of(accounts[i].version->terms.agreement)),
            .version = accounts[i].version->terms.version,
            .term = accounts[i].term,
            .units = units[i],
            .amount = amounts[i],
            .exact = text,
        };
        if (ret->shares[ret->count - 1].provider == NULL ||
            ret->shares[ret->count - 1].agreement == NULL)
            error = ACCORD_E_OUT_OF_MEMORY;
    }
    return error;
}

static enum accord_error finish(struct dividing *d, struct arena *arena, struct pool_division *ret)
{
    int64_t *amounts = arena_array(d->arena, d->payee_count + (size_t)1, sizeof *amounts);
    ret->shares = arena_array(arena, d->account_count + 1, sizeof *ret->shares);
    if (amounts == NULL || ret->shares == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error =
        accord_pool_explain(d->divided, amounts, &d->month.unclaimed, take_step, d);
    if (error == ACCORD_OK && d->account_count > 1)
        qsort(d->accounts, d->account_count, sizeof *d->accounts, by_account);
    for (size_t i = 0; error == ACCORD_OK && i < d->account_count;) {
        size_t end = i;
        while (end < d->account_count && d->accounts[end].payee == d->accounts[i].payee)
            end++;
        error = spread(d, &d->accounts[i], end - i, amounts[d->accounts[i].payee], arena, ret);
        i = end;
    }
    for (uint32_t i = 0; error == ACCORD_OK && i < d->payee_count; i++)
        error = accord_add(d->month.units, d->units[i], &d->month.units);
    d->month.sheet_hash = hash_end(&d->sheet);
    ret->month = d->month;
    return error;
}

/* ---- a month ---- */

static enum accord_error divide(struct dividing *d, struct db *db, struct arena *arena,
                                const struct pool_row *row, struct pool_division *ret)
{
    const int64_t day = d->month.day;
    char hex[HASH_HEX_MAX];
    enum accord_error error = pool_decode_row(d->arena, row, &d->pool);
    if (d->instead != NULL)
        d->pool = *d->instead;
    if (error == ACCORD_OK)
        error = keymap_init(&d->account_index, d->arena, 16);
    if (error == ACCORD_OK)
        error = keymap_init(&d->courses, d->arena, 16);
    if (error == ACCORD_OK)
        error = find_payees(d);
    if (error == ACCORD_OK)
        error = make_pool(d);
    if (error == ACCORD_OK)
        error = store_pool_members_of(db, d->channel, d->month.pool, day, add_member, d);
    hash_begin(&d->sheet);
    hash_hex(&row->hash, hex);
    hash_add(&d->sheet, slice_of(hex));
    if (error == ACCORD_OK && d->payee_count > 0 && d->member_count > 0)
        error = store_pool_usage(db, d->channel, zone_day_start(d->pool.zone, (int32_t)day),
                                 zone_day_start(d->pool.zone, (int32_t)period_after(false, day)),
                                 take_usage, d);
    while (error == ACCORD_OK && d->at < d->member_count)
        error = end_member(d);
    return error != ACCORD_OK ? error : finish(d, arena, ret);
}

/* A month that cannot be divided (no version, weights of nothing, sums that no number holds) stays
 * unclaimed. */
static enum accord_error leave(struct dividing *d, struct db *db, struct pool_division *ret)
{
    struct pool_month_row month = {.channel = d->month.channel,
                                   .pool = d->month.pool,
                                   .day = d->month.day,
                                   .version = d->version};
    d->member_count = 0;
    enum accord_error error =
        store_pool_members_of(db, d->channel, month.pool, month.day, add_member, d);
    for (size_t i = 0; error == ACCORD_OK && i < d->member_count; i++) {
        month.members++;
        error = accord_add(month.unclaimed, d->members[i].fee, &month.unclaimed);
    }
    if (error == ACCORD_E_OVERFLOW)
        error = ACCORD_OK;
    month.fees = month.idle = month.unclaimed;
    month.idle_members = month.members;
    *ret = (struct pool_division){.month = month};
    return error;
}

static bool cannot_be(enum accord_error error)
{
    return error == ACCORD_E_OVERFLOW || error == ACCORD_E_VALUE_OUT_OF_RANGE ||
           error == ACCORD_E_WEIGHTS_ZERO || error == ACCORD_E_COUNT_OUT_OF_RANGE;
}

static enum accord_error divide_with(struct db *db, struct arena *arena,
                                     struct agreement_book *book, const char *channel,
                                     const char *pool, int64_t day, const struct pool *instead,
                                     const struct pool_sheet *sheet, struct pool_division *ret)
{
    struct dividing d = {
        .arena = arena_new(DIVISION_BYTES_MAX),
        .member = arena_new(DIVISION_BYTES_MAX),
        .book = book,
        .channel = channel,
        .instead = instead,
        .seen_by = sheet,
    };
    struct pool_division division = {.count = 0};
    struct pool_row row;
    bool found = false;
    d.month = (struct pool_month_row){.channel = arena_strdup(arena, slice_of(channel)),
                                      .pool = arena_strdup(arena, slice_of(pool)),
                                      .day = day};
    enum accord_error error =
        d.arena == NULL || d.member == NULL || d.month.channel == NULL || d.month.pool == NULL
            ? ACCORD_E_OUT_OF_MEMORY
            : ACCORD_OK;
    if (error == ACCORD_OK)
        error = store_pool_in_force(db, d.arena, channel, pool, day, &row, &found);
    if (error == ACCORD_OK && found) {
        d.version = d.month.version = row.version;
        d.name = arena_printf(d.arena, "%s/%s", channel, pool);
        error = d.name == NULL ? ACCORD_E_OUT_OF_MEMORY : divide(&d, db, arena, &row, &division);
    }
    if (cannot_be(error) || (error == ACCORD_OK && !found))
        error = leave(&d, db, &division);
    accord_pool_free(d.divided);
    arena_free(d.arena);
    arena_free(d.member);
    if (error == ACCORD_OK)
        *ret = division;
    return error;
}

enum accord_error pool_divide(struct db *db, struct arena *arena, struct agreement_book *book,
                              const char *channel, const char *pool, int64_t day,
                              const struct pool_sheet *sheet, struct pool_division *ret)
{
    return divide_with(db, arena, book, channel, pool, day, NULL, sheet, ret);
}

enum accord_error pool_divide_as(struct db *db, struct arena *arena, struct agreement_book *book,
                                 const char *channel, const char *pool, int64_t day,
                                 const struct pool *terms, struct pool_division *ret)
{
    return divide_with(db, arena, book, channel, pool, day, terms, NULL, ret);
}
