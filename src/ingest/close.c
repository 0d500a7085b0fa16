#include "ingest/close.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/closing.h"
#include "ingest/pool_division.h"
#include "ingest/rollup.h"
#include "store/facts.h"
#include "store/partners.h"
#include "store/postings.h"

enum { LINE_BYTES_MAX = 1 << 20, OPERATOR_ROLE = 8 };

/* ---- may it be closed? ---- */

/* The version whose settings for payment hold: the last one that began before the period ended. */
static const struct agreement_version *governing(const struct closing *c)
{
    const instant_us to = period_to(&c->periods, c->day);
    const struct agreement_version *ret = &c->periods.versions[0];
    for (size_t i = 0; i < c->periods.version_count; i++)
        if (c->periods.versions[i].terms.effective_from_us < to)
            ret = &c->periods.versions[i];
    return ret;
}

struct hash closing_zone_hash(const char *time_zone)
{
    char version[ZONE_VERSION_MAX];
    zone_data_version(version);
    const struct key key = key_of(time_zone, version, NULL);
    return hash_of((struct slice){key.bytes, key.len});
}

/* Finds the period and refuses what cannot be closed. */
static enum accord_error begin(struct closing *c, const char *agreement, const char *label,
                               instant_us now)
{
    bool found = false;
    bool quarterly;
    bool pending;
    if (!period_parse(slice_of(label), &quarterly, &c->day))
        return ACCORD_E_NOT_FOUND;
    enum accord_error error = periods_of(c->db, c->arena, agreement, &found, &c->periods);
    if (error != ACCORD_OK)
        return error;
    if (!found || quarterly != c->periods.quarterly)
        return ACCORD_E_NOT_FOUND;
    if (c->periods.last_closed != PERIOD_NONE && c->day <= c->periods.last_closed) {
        struct period_row row;
        error = store_period_find(c->db, c->arena, agreement, c->day, &found, &row);
        if (error != ACCORD_OK || !found || !c->what_if)
            return error != ACCORD_OK ? error : found ? ACCORD_E_PERIOD_CLOSED : ACCORD_E_NOT_FOUND;
        c->past = true;
    } else if (c->day < c->periods.open) {
        return ACCORD_E_NOT_FOUND;
    } else {
        error = close_goes_on(c->db, c->arena, &c->periods, c->day, &found);
        if (error != ACCORD_OK || !found)
            return error != ACCORD_OK ? error : ACCORD_E_NOT_FOUND;
    }
    if (period_to(&c->periods, c->day) > now)
        return ACCORD_E_PERIOD_NOT_OVER;
    if (c->day > c->periods.open && !c->what_if)
        return ACCORD_E_PERIOD_NOT_OLDEST;
    error = store_resettle_pending(c->db, &pending);
    /* A close divides what is stale itself. */
    if (error == ACCORD_OK && !pending && !c->publishes)
        error = pool_joined_stale(c->db, c->arena, c->periods.versions, c->periods.version_count,
                                  period_after(quarterly, c->day), &pending);
    if (error != ACCORD_OK)
        return error;
    if (pending)
        return ACCORD_E_RESETTLEMENT_PENDING;
    if (c->periods.last_closed != PERIOD_NONE) {
        struct period_row row;
        error = store_period_find(c->db, c->arena, agreement, c->periods.last_closed, &found, &row);
        if (error != ACCORD_OK || !found)
            return error != ACCORD_OK ? error : ACCORD_E_DATABASE_ERROR;
        c->known = row.closed_seq;
    }
    c->next = period_after(c->periods.quarterly, c->day);
    c->governs = governing(c);
    period_label(c->periods.quarterly, c->day, c->label);
    c->zone_hash = closing_zone_hash(c->periods.time_zone);
    return keymap_init(&c->index, c->arena, 16);
}

/* ---- who gets a statement ---- */

static enum accord_error add_parties(struct closing *c)
{
    const instant_us from = period_from(&c->periods, c->day);
    const instant_us to = period_to(&c->periods, c->day);
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; i < c->periods.version_count; i++) {
        const struct accord_agreement_version *terms = &c->periods.versions[i].terms;
        if (terms->effective_from_us >= to || period_version_end(&c->periods, i) <= from)
            continue;
        for (uint32_t j = 0; error == ACCORD_OK && j < terms->party_count; j++) {
            struct closing_account *account;
            error = closing_account_of(c, terms->parties[j], &account);
            if (error == ACCORD_OK)
                account->party = account->versions[i] = true;
        }
    }
    return error;
}

/* A balance is carried until it is nothing. */
static enum accord_error add_previous(struct closing *c)
{
    struct statement_row *rows;
    size_t count;
    enum accord_error error =
        store_statements_last(c->db, c->arena, c->governs->terms.agreement, c->day, &rows, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct closing_account *account;
        const struct key key = key_of(rows[i].partner, NULL);
        if (rows[i].closing == 0 && keymap_find(&c->index, &key) == NULL)
            continue;
        error = closing_account_of(c, rows[i].partner, &account);
        if (error == ACCORD_OK)
            account->previous = &rows[i];
    }
    return error;
}

/* Adjustments that were made or taken back since the close before. */
static enum accord_error add_adjustments(struct closing *c)
{
    const struct accord_agreement_version *terms = &c->governs->terms;
    struct statement_adjustment *rows;
    size_t count;
    enum accord_error error =
        store_statement_adjustments(c->db, c->arena, terms->agreement, c->cutoff, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    c->adjustments = arena_array(c->arena, count + 1, sizeof *c->adjustments);
    if (c->adjustments == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const bool stood =
            rows[i].seq <= c->known && (rows[i].superseded == 0 || rows[i].superseded > c->known);
        const bool stands = rows[i].superseded == 0;
        struct closing_account *payee;
        struct closing_account *funder;
        if (stood == stands || strcmp(rows[i].currency, terms->currency.code) != 0)
            continue;
        const int64_t amount = stands ? rows[i].amount : -rows[i].amount;
        c->adjustments[c->adjustment_count++] = (struct closing_adjustment){&rows[i], amount};
        error = closing_account_of(c, rows[i].payee, &payee);
        if (error == ACCORD_OK)
            error = closing_account_of(c, rows[i].funded_by, &funder);
        if (error == ACCORD_OK)
            error = accord_add(payee->adjusted, amount, &payee->adjusted);
        if (error == ACCORD_OK)
            error = accord_sub(funder->adjusted, amount, &funder->adjusted);
    }
    return error;
}

/* Payments that were confirmed since, as they were posted. */
static enum accord_error add_payments(struct closing *c)
{
    enum accord_error error =
        store_statement_payments(c->db, c->arena, c->governs->terms.agreement, c->known, c->cutoff,
                                 &c->payments, &c->payment_count);
    for (size_t i = 0; error == ACCORD_OK && i < c->payment_count; i++) {
        struct closing_account *account;
        if (strcmp(c->payments[i].currency, c->governs->terms.currency.code) != 0)
            continue;
        error = closing_account_of(c, c->payments[i].partner, &account);
        if (error == ACCORD_OK)
            error = accord_add(account->paid, c->payments[i].amount, &account->paid);
    }
    return error;
}

static int by_partner(const void *a, const void *b)
{
    return strcmp((*(struct closing_account *const *)a)->partner,
                  (*(struct closing_account *const *)b)->partner);
}

static int by_collector(const void *a, const void *b)
{
    return strcmp(((const struct closing_flow *)a)->collector,
                  ((const struct closing_flow *)b)->collector);
}

static void sort_accounts(struct closing *c)
{
    if (c->count > 1)
        qsort(c->accounts, c->count, sizeof(struct closing_account *), by_partner);
    for (size_t i = 0; i < c->count; i++)
        if (c->accounts[i]->flow_count > 1)
            qsort(c->accounts[i]->flows, c->accounts[i]->flow_count, sizeof *c->accounts[i]->flows,
                  by_collector);
}

const struct closing_account *closing_find(const struct closing *c, const char *partner)
{
    const struct closing_account key = {.partner = partner};
    const struct closing_account *at = &key;
    struct closing_account *const *found =
        c->count == 0
            ? NULL
            : bsearch(&at, c->accounts, c->count, sizeof(struct closing_account *), by_partner);
    return found == NULL ? NULL : *found;
}

/* ---- what is not in the lines ---- */

static struct closing_account *find_account(const struct closing *c, const char *partner)
{
    const struct key key = key_of(partner, NULL);
    const size_t *at = keymap_find(&c->index, &key);
    return at == NULL ? NULL : c->accounts[*at];
}

static enum accord_error read_held(struct closing *c, const int64_t *versions)
{
    return store_window_held(c->db, c->arena, c->governs->terms.agreement, versions,
                             c->periods.version_count, c->next, &c->held, &c->held_count);
}

static enum accord_error read_recent(struct closing *c, const int64_t *versions)
{
    struct window_month_share *shares;
    size_t count = 0;
    if (c->governs->terms.hold_days == 0)
        return ACCORD_OK;
    enum accord_error error = store_window_recent(
        c->db, c->arena, c->governs->terms.agreement, versions, c->periods.version_count,
        c->next - c->governs->terms.hold_days, c->next, &shares, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct closing_account *account = find_account(c, shares[i].payee);
        if (account != NULL)
            error = accord_add(account->recent, shares[i].amount, &account->recent);
    }
    return error;
}

static enum accord_error read_reserves(struct closing *c)
{
    struct statement_earned *earned;
    size_t count = 0;
    if (c->governs->terms.reserve_ppm == 0)
        return ACCORD_OK;
    enum accord_error error =
        store_statements_earned(c->db, c->arena, c->governs->terms.agreement,
                                closing_reserve_from(c), c->day, &earned, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct closing_account *account = find_account(c, earned[i].partner);
        int64_t reserve = 0;
        error = closing_reserve_of(c, earned[i].earned, &reserve);
        if (error == ACCORD_OK && account != NULL)
            error = accord_add(account->reserve_before, reserve, &account->reserve_before);
    }
    return error;
}

static enum accord_error read_names(struct closing *c)
{
    struct partner_name *names = arena_array(c->arena, c->count + 1, sizeof *names);
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->count; i++) {
        names[i].id = c->accounts[i]->partner;
        c->accounts[i]->name = &names[i];
    }
    return store_partner_names(c->db, c->arena, names, c->count);
}

/* The first one, where there are several: the order of ids decides. */
static enum accord_error take_operator(void *context, const char *id)
{
    struct closing *c = context;
    if (c->operator_id != NULL && strcmp(c->operator_id, id) <= 0)
        return ACCORD_OK;
    c->operator_id = arena_strdup(c->arena, slice_of(id));
    return c->operator_id == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error read_rest(struct closing *c)
{
    int64_t *versions = arena_array(c->arena, c->periods.version_count, sizeof *versions);
    if (versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->periods.version_count; i++)
        versions[i] = c->periods.versions[i].terms.version;
    enum accord_error error = read_held(c, versions);
    if (error == ACCORD_OK)
        error = read_recent(c, versions);
    if (error == ACCORD_OK)
        error = read_reserves(c);
    if (error == ACCORD_OK)
        error = read_names(c);
    if (error == ACCORD_OK)
        error = store_partners_with(c->db, OPERATOR_ROLE, take_operator, c);
    return error;
}

/* ---- the statements ---- */

struct closed {
    struct statement_row *statements; /* by partner, as accounts are */
    int64_t *withheld;
};

static enum accord_error settle_booked(void *context, struct closing *c)
{
    (void)context;
    enum accord_error error =
        windows_sheet_post(c->arena, &c->periods, &c->sheet, c->day, &c->windows);
    if (error == ACCORD_OK)
        error = statement_lines_each(c->db, &c->periods, c->day, &c->windows, NULL,
                                     closing_take_line, c);
    return error;
}

static enum accord_error settle_accounts(struct closing *c, closing_lines_fn *lines, void *context)
{
    enum accord_error error = windows_sheet_read(c->db, c->arena, &c->periods, c->day, &c->sheet);
    if (error == ACCORD_OK)
        error = add_parties(c);
    buf_init(&c->line, LINE_BYTES_MAX);
    if (error == ACCORD_OK)
        error = lines(context, c);
    buf_done(&c->line);
    if (error == ACCORD_OK && c->past) {
        c->count = 0; /* its statements are what they are */
        return ACCORD_OK;
    }
    if (error == ACCORD_OK)
        error = add_adjustments(c);
    if (error == ACCORD_OK)
        error = add_payments(c);
    if (error == ACCORD_OK)
        error = add_previous(c);
    if (error == ACCORD_OK)
        error = read_rest(c);
    return error;
}

static enum accord_error make_statements(struct closing *c, struct closed *ret)
{
    struct closed closed = {
        .statements = arena_array(c->arena, c->count + 1, sizeof *closed.statements),
        .withheld = arena_array(c->arena, c->count + 1, sizeof *closed.withheld),
    };
    int64_t sum = 0;
    enum accord_error error =
        closed.statements == NULL || closed.withheld == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    sort_accounts(c);
    if (error == ACCORD_OK)
        error = closing_inputs(c);
    for (size_t i = 0; error == ACCORD_OK && i < c->count; i++) {
        error = closing_statement(c, c->accounts[i], &closed.statements[i], &closed.withheld[i]);
        if (error == ACCORD_OK)
            error = accord_add(sum, c->accounts[i]->total.position, &sum);
    }
    if (error == ACCORD_OK && sum != 0)
        return ACCORD_E_INTERNAL; /* what one is owed another owes */
    if (error == ACCORD_OK)
        *ret = closed;
    return error;
}

static enum accord_error result_of(const struct closing *c, const struct closed *closed,
                                   struct close_result *ret)
{
    *ret = (struct close_result){
        .period = {.agreement = c->governs->terms.agreement,
                   .day = c->day,
                   .label = arena_strdup(c->arena, slice_of(c->label)),
                   .to_day = c->next,
                   .from_at = period_from(&c->periods, c->day),
                   .to_at = period_to(&c->periods, c->day),
                   .zone_hash = c->zone_hash,
                   .closed_by = ""},
        .statements = closed->statements,
        .count = c->count,
    };
    return ret->period.label == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error closing_draft(struct db *db, struct arena *arena, const char *agreement,
                                const char *label, instant_us now, closing_lines_fn *lines,
                                void *context, struct close_result *ret)
{
    struct closing c = {.db = db, .arena = arena, .what_if = lines != settle_booked};
    struct closed closed;
    enum accord_error error = begin(&c, agreement, label, now);
    if (error == ACCORD_OK)
        error = store_journal_head(db, &c.cutoff);
    if (error == ACCORD_OK)
        error = settle_accounts(&c, lines, context);
    if (error == ACCORD_OK)
        error = make_statements(&c, &closed);
    closing_done(&c);
    return error != ACCORD_OK ? error : result_of(&c, &closed, ret);
}

enum accord_error close_draft(struct db *db, struct arena *arena, const char *agreement,
                              const char *label, instant_us now, struct close_result *ret)
{
    return closing_draft(db, arena, agreement, label, now, settle_booked, NULL, ret);
}

/* ---- writing ---- */

static enum accord_error write_postings(const struct closing *c, const struct closed *closed,
                                        int64_t seq, instant_us now)
{
    struct posting_row *rows = arena_array(c->arena, 4 * c->count + 1, sizeof *rows);
    int64_t count = 0;
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->count; i++) {
        struct posting_row row = {
            .seq = seq,
            .kind = "earnings",
            .partner = c->accounts[i]->partner,
            .account = POSTING_SETTLEMENT,
            .agreement = c->governs->terms.agreement,
            .currency = c->governs->terms.currency.code,
            .amount = c->accounts[i]->total.position,
            .reference = closed->statements[i].id,
            .posted_at = now,
        };
        if (row.amount != 0) {
            row.number = count;
            rows[count++] = row;
        }
        row.kind = "adjustment";
        row.amount = c->accounts[i]->adjusted;
        if (row.amount != 0) {
            row.number = count;
            rows[count++] = row;
        }
        if (closed->withheld[i] == 0)
            continue;
        row.kind = "withholding";
        row.amount = -closed->withheld[i];
        row.number = count;
        rows[count++] = row;
        row.account = POSTING_TAX_WITHHELD;
        row.amount = closed->withheld[i];
        row.number = count;
        rows[count++] = row;
    }
    return count == 0 ? ACCORD_OK : store_postings_insert(c->db, rows, (size_t)count);
}

enum accord_error close_period(struct ingest_tx *tx, const char *agreement, const char *label,
                               const char *closed_by, struct close_result *ret)
{
    struct closing c = {.db = tx->db, .arena = tx->arena, .publishes = true};
    struct closed closed;
    struct close_result result;
    int64_t seq;
    /* From here on nobody else posts or closes: what is booked is all there will ever be. */
    enum accord_error error = ingest_seq(tx, 1, &seq);
    if (error == ACCORD_OK)
        error = begin(&c, agreement, label, tx->now);
    if (error == ACCORD_OK)
        error = pool_divide_joined(tx, c.periods.versions, c.periods.version_count, c.next);
    /* What was divided just now was known before the close. */
    if (error == ACCORD_OK && tx->last_seq > seq)
        error = ingest_seq(tx, 1, &seq);
    if (error == ACCORD_OK)
        error = rollup_batch_flush(tx->rollups, tx->db);
    if (error != ACCORD_OK)
        return error;
    c.cutoff = seq - 1;
    error = settle_accounts(&c, settle_booked, NULL);
    if (error == ACCORD_OK)
        error = make_statements(&c, &closed);
    closing_done(&c);
    if (error == ACCORD_OK)
        error = result_of(&c, &closed, &result);
    if (error != ACCORD_OK)
        return error;
    result.period.closed_seq = seq;
    result.period.closed_at = tx->now;
    result.period.closed_by = closed_by;
    for (size_t i = 0; i < c.count; i++) {
        result.statements[i].seq = seq;
        result.statements[i].published_at = tx->now;
        result.statements[i].dispute_until = tx->now + c.governs->terms.dispute_days * CLOCK_DAY_US;
    }
    error = store_period_insert(tx->db, &result.period);
    if (error == ACCORD_OK)
        error = store_window_lines_insert(tx->db, c.windows.rows, c.windows.count);
    if (error == ACCORD_OK)
        error = store_statements_insert(tx->db, result.statements, result.count, closed_by);
    if (error == ACCORD_OK)
        error = write_postings(&c, &closed, seq, tx->now);
    for (size_t i = 0; error == ACCORD_OK && i < c.count; i++)
        error = ingest_touch(tx, c.accounts[i]->partner);
    if (error == ACCORD_OK)
        *ret = result;
    return error;
}

/* ---- all of a label ---- */

struct candidates {
    struct db *db;
    struct arena *arena;
    const char **ids;
    size_t count;
    size_t cap;
};

static enum accord_error add_candidate(struct candidates *found, const char *agreement,
                                       bool quarterly, int64_t day)
{
    struct agreement_periods periods;
    bool is_one;
    enum accord_error error = periods_of(found->db, found->arena, agreement, &is_one, &periods);
    if (error != ACCORD_OK || !is_one || periods.quarterly != quarterly || day < periods.open)
        return error;
    error = close_goes_on(found->db, found->arena, &periods, day, &is_one);
    if (error != ACCORD_OK || !is_one)
        return error;
    const char **ids = arena_room(found->arena, found->ids, found->count, &found->cap, sizeof *ids);
    if (ids == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    found->ids = ids;
    found->ids[found->count++] = agreement;
    return ACCORD_OK;
}

enum accord_error close_candidates(struct db *db, struct arena *arena, const char *label,
                                   const char ***ret, size_t *ret_count)
{
    enum { AT_ONCE = 500 };
    struct candidates found = {.db = db, .arena = arena};
    bool quarterly;
    int64_t day;
    enum accord_error error = ACCORD_OK;
    const char *after = "";
    size_t count = AT_ONCE;
    if (!period_parse(slice_of(label), &quarterly, &day))
        return ACCORD_E_NOT_FOUND;
    while (error == ACCORD_OK && count == AT_ONCE) {
        struct agreement_row *rows;
        error = store_agreement_list(db, arena, NULL, "", after, AT_ONCE, &rows, &count);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            error = add_candidate(&found, rows[i].id, quarterly, day);
        if (error == ACCORD_OK && count > 0)
            after = rows[count - 1].id;
    }
    if (error != ACCORD_OK)
        return error;
    *ret = found.ids;
    *ret_count = found.count;
    return ACCORD_OK;
}
