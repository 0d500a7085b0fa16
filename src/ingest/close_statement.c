/* A statement from an account: what it comes to, and its body. */
#include <stdio.h>
#include <string.h>

#include "accord/withholding.h"
#include "ingest/closing.h"
#include "store/partners.h"
#include "json/decode.h"
#include "json/write.h"

enum { BODY_BYTES_MAX = 32 << 20 };

void close_statement_id(const char *partner, const char *agreement, int64_t day,
                        char text[STATEMENT_ID_MAX])
{
    struct key key = key_of(partner, agreement, NULL);
    key_number(&key, day);
    const struct hash hash = hash_of((struct slice){key.bytes, key.len});
    char hex[HASH_HEX_MAX];
    hash_hex(&hash, hex);
    snprintf(text, STATEMENT_ID_MAX, "stm_%.26s", hex);
}

/* ---- amounts ---- */

int64_t closing_reserve_from(const struct closing *c)
{
    int64_t from = c->day;
    for (int64_t i = 1; i < c->governs->terms.reserve_periods; i++)
        from = period_of_day(c->periods.quarterly, from - 1);
    return from;
}

enum accord_error closing_reserve_of(const struct closing *c, int64_t earned, int64_t *ret)
{
    if (earned <= 0 || c->governs->terms.reserve_ppm == 0) {
        *ret = 0;
        return ACCORD_OK;
    }
    return accord_mul_div(earned, c->governs->terms.reserve_ppm, ACCORD_PPM_WHOLE, ret);
}

static enum accord_error withhold(const struct closing *c, const struct closing_account *account,
                                  struct closing_amounts *a)
{
    const struct accord_agreement_version *terms = &c->governs->terms;
    a->withholding_term = SIZE_MAX;
    for (uint32_t i = 0; i < terms->term_count; i++) {
        const struct accord_term *term = &terms->terms[i];
        if (term->kind != ACCORD_TERM_WITHHOLDING ||
            strcmp(terms->parties[term->payee], account->partner) != 0)
            continue;
        a->withholding_term = i;
        a->withholding_base = account->total.earned;
        enum accord_error error = ACCORD_OK;
        if (!term->after_recoupment)
            error = accord_sub(a->withholding_base, account->unearned, &a->withholding_base);
        if (a->withholding_base < 0)
            a->withholding_base = 0;
        if (error == ACCORD_OK)
            error =
                accord_withholding_of(term->withholding, a->withholding_base, &a->withheld, NULL);
        return error;
    }
    return ACCORD_OK;
}

static bool is_collector(const struct closing *c, const struct closing_account *account)
{
    const struct accord_agreement_version *terms = &c->governs->terms;
    return strcmp(terms->parties[terms->collector], account->partner) == 0;
}

/* What is not due yet. The collector holds the money: nothing is kept from it. */
static enum accord_error hold_back(const struct closing *c, const struct closing_account *account,
                                   struct closing_amounts *a)
{
    if (is_collector(c, account))
        return ACCORD_OK;
    a->pending = account->recent > 0 ? account->recent : 0;
    const enum accord_error error = closing_reserve_of(c, account->total.earned, &a->reserve);
    return error != ACCORD_OK ? error
                              : accord_add(a->reserve, account->reserve_before, &a->reserve);
}

enum accord_error closing_work_out(const struct closing *c, const struct closing_account *account,
                                   struct closing_amounts *ret)
{
    struct closing_amounts a = {.opening =
                                    account->previous == NULL ? 0 : account->previous->closing};
    enum accord_error error = withhold(c, account, &a);
    if (error == ACCORD_OK)
        error = accord_add(a.opening, account->total.position, &a.closing);
    if (error == ACCORD_OK)
        error = accord_add(a.closing, account->adjusted, &a.closing);
    if (error == ACCORD_OK)
        error = accord_sub(a.closing, a.withheld, &a.closing);
    if (error == ACCORD_OK)
        error = accord_add(a.closing, account->paid, &a.closing);
    if (error == ACCORD_OK)
        error = hold_back(c, account, &a);
    a.due = a.closing;
    if (error == ACCORD_OK && a.closing > 0) {
        error = accord_sub(a.due, a.pending, &a.due);
        if (error == ACCORD_OK)
            error = accord_sub(a.due, a.reserve, &a.due);
        if (a.due < 0)
            a.due = 0; /* more is held back than there is */
    }
    if (a.due <= 0 || a.due >= c->governs->terms.min_payout_minor)
        a.payable = a.due;
    if (error == ACCORD_OK)
        *ret = a;
    return error;
}

/* ---- body ---- */

static void write_name(struct json_writer *w, const struct partner_name *name)
{
    jw_object(w);
    jw_key_str(w, "id", name->id);
    jw_key_str(w, "legal_name", name->legal_name);
    jw_key_str(w, "tax_id", name->tax_id);
    jw_object_end(w);
}

/* Parties see each other, a promoter who holds the money. */
static void write_counterparties(struct json_writer *w, const struct closing *c,
                                 const struct closing_account *account)
{
    jw_key(w, "counterparties");
    jw_array(w);
    for (uint32_t i = 0; i < c->governs->terms.party_count; i++) {
        const struct closing_account *other = closing_find(c, c->governs->terms.parties[i]);
        if (other != NULL && other != account && (account->party || is_collector(c, other)))
            write_name(w, other->name);
    }
    jw_array_end(w);
}

static void write_versions(struct json_writer *w, const struct closing *c,
                           const struct closing_account *account)
{
    jw_key(w, "versions");
    jw_array(w);
    for (size_t i = 0; i < c->periods.version_count; i++)
        if (account->versions[i] ||
            c->periods.versions[i].terms.version == c->governs->terms.version)
            jw_int(w, c->periods.versions[i].terms.version);
    jw_array_end(w);
}

static void write_sums(struct json_writer *w, const struct line_sums *sums)
{
    jw_key_int(w, "count", sums->count);
    jw_key_int(w, "earned", sums->earned);
    jw_key_int(w, "position", sums->position);
}

static void write_lines(struct json_writer *w, const struct closing_account *account)
{
    struct line_sums own = {0, 0, 0};
    jw_key(w, "lines");
    jw_object(w);
    jw_key(w, "kinds");
    jw_array(w);
    for (size_t i = 0; i < LINE_KINDS; i++) {
        const struct line_sums *sums = &account->kinds[i];
        if (sums->count == 0)
            continue;
        jw_object(w);
        jw_key_str(w, "kind", line_kind_names[i]);
        write_sums(w, sums);
        jw_object_end(w);
        own.count += sums->count;
        own.earned += sums->earned; /* parts of the total, which has been added up */
        own.position += sums->position;
    }
    jw_array_end(w);
    write_sums(w, &own);
    jw_object_end(w);
}

static void write_differences(struct json_writer *w, const struct closing *c,
                              const struct closing_account *account)
{
    jw_key(w, "differences");
    jw_array(w);
    for (size_t i = 0; i < account->difference_count; i++) {
        char label[PERIOD_LABEL_MAX];
        period_label(c->periods.quarterly, account->differences[i].period, label);
        jw_object(w);
        jw_key_str(w, "period", label);
        write_sums(w, &account->differences[i].sums);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_held(struct json_writer *w, const struct closing *c,
                       const struct closing_account *account)
{
    jw_key(w, "held");
    jw_array(w);
    for (size_t i = 0; account->party && i < c->held_count; i++) {
        jw_object(w);
        jw_key_str(w, "reason", c->held[i].reason);
        jw_key_int(w, "lines", c->held[i].lines);
        jw_key_int(w, "gross", c->held[i].gross);
        jw_key_str(w, "currency", c->held[i].currency);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* All parties see them; what it is to the partner is its position. */
static void write_adjustments(struct json_writer *w, const struct closing *c,
                              const struct closing_account *account)
{
    jw_key(w, "adjustments");
    jw_array(w);
    for (size_t i = 0; i < c->adjustment_count; i++) {
        const struct statement_adjustment *row = c->adjustments[i].row;
        const bool receives = strcmp(row->payee, account->partner) == 0;
        const bool bears = strcmp(row->funded_by, account->partner) == 0;
        const int64_t amount = c->adjustments[i].amount;
        if (!account->party && !receives && !bears)
            continue;
        jw_object(w);
        jw_key_str(w, "adjustment", row->adjustment_id);
        jw_key_int(w, "amount", amount);
        jw_key_str(w, "funded_by", row->funded_by);
        if (*row->of_period != '\0')
            jw_key_str(w, "of_period", row->of_period);
        jw_key_str(w, "payee", row->payee);
        jw_key_int(w, "position", (receives ? amount : 0) - (bears ? amount : 0));
        jw_key_str(w, "reason", row->reason);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_payments(struct json_writer *w, const struct closing *c,
                           const struct closing_account *account)
{
    jw_key(w, "payments");
    jw_array(w);
    for (size_t i = 0; i < c->payment_count; i++) {
        if (strcmp(c->payments[i].partner, account->partner) != 0 ||
            strcmp(c->payments[i].currency, c->governs->terms.currency.code) != 0)
            continue;
        jw_object(w);
        jw_key_int(w, "amount", c->payments[i].amount);
        jw_key_str(w, "payment", c->payments[i].payment);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_flow(struct json_writer *w, const char *partner, int64_t amount)
{
    if (amount == 0)
        return;
    jw_object(w);
    jw_key_int(w, "amount", amount);
    jw_key_str(w, "partner", partner);
    jw_object_end(w);
}

/* With whom the position of this period is settled: it is the sum of these amounts. */
static void write_settles_with(struct json_writer *w, const struct closing *c,
                               const struct closing_account *account)
{
    const bool operates = c->operator_id != NULL && strcmp(c->operator_id, account->partner) == 0;
    jw_key(w, "settles_with");
    jw_array(w);
    if (!c->governs->terms.clearing_direct && !operates) {
        if (c->operator_id != NULL)
            write_flow(w, c->operator_id, account->total.position);
    } else if (!c->governs->terms.clearing_direct) {
        for (size_t i = 0; i < c->count; i++)
            if (c->accounts[i] != account)
                write_flow(w, c->accounts[i]->partner, -c->accounts[i]->total.position);
    } else if (!account->collects) {
        for (size_t i = 0; i < account->flow_count; i++)
            write_flow(w, account->flows[i].collector, account->flows[i].amount);
    } else {
        for (size_t i = 0; i < c->count; i++) {
            int64_t amount = 0;
            for (size_t j = 0; j < account->flow_count; j++)
                if (strcmp(account->flows[j].collector, c->accounts[i]->partner) == 0)
                    amount += account->flows[j].amount;
            for (size_t j = 0; j < c->accounts[i]->flow_count; j++)
                if (strcmp(c->accounts[i]->flows[j].collector, account->partner) == 0)
                    amount -= c->accounts[i]->flows[j].amount;
            write_flow(w, c->accounts[i]->partner, amount);
        }
    }
    jw_array_end(w);
}

static void write_hash(struct json_writer *w, const char *name, const struct hash *hash)
{
    char hex[HASH_HEX_MAX];
    hash_hex(hash, hex);
    jw_key_str(w, name, hex);
}

static void write_body(struct json_writer *w, const struct closing *c,
                       const struct closing_account *account, const struct closing_amounts *a,
                       const struct statement_row *row, const struct hash *inputs)
{
    const struct accord_agreement_version *terms = &c->governs->terms;
    jw_object(w);
    jw_key_str(w, "id", row->id);
    jw_key(w, "partner");
    write_name(w, account->name);
    write_counterparties(w, c, account);
    jw_key_str(w, "agreement", terms->agreement);
    write_versions(w, c, account);
    jw_key_str(w, "period", c->label);
    jw_key_time(w, "from", period_from(&c->periods, c->day));
    jw_key_time(w, "to", period_to(&c->periods, c->day));
    jw_key_str(w, "currency", terms->currency.code);
    jw_key_str(w, "collector", terms->parties[terms->collector]);
    jw_key_str(w, "clearing", terms->clearing_direct ? "direct" : "operator");
    jw_key_int(w, "opening", a->opening);
    write_lines(w, account);
    write_differences(w, c, account);
    write_held(w, c, account);
    write_adjustments(w, c, account);
    jw_key(w, "withholding");
    if (a->withholding_term == SIZE_MAX) {
        jw_null(w);
    } else {
        jw_object(w);
        jw_key_int(w, "amount", a->withheld);
        jw_key_int(w, "base", a->withholding_base);
        jw_key_int(w, "term", (int64_t)a->withholding_term);
        jw_object_end(w);
    }
    write_payments(w, c, account);
    jw_key_int(w, "closing", a->closing);
    jw_key_int(w, "pending", a->pending);
    jw_key_int(w, "reserve", a->reserve);
    jw_key_int(w, "due", a->due);
    jw_key_int(w, "payable", a->payable);
    write_settles_with(w, c, account);
    jw_key_int(w, "cutoff", c->cutoff);
    write_hash(w, "inputs_hash", inputs);
    write_hash(w, "lines_hash", &row->lines_hash);
    jw_key(w, "previous");
    if (account->previous == NULL) {
        jw_null(w);
    } else {
        jw_object(w);
        jw_key_str(w, "id", account->previous->id);
        write_hash(w, "hash", &account->previous->hash);
        jw_object_end(w);
    }
    jw_object_end(w);
}

enum accord_error closing_statement(struct closing *c, struct closing_account *account,
                                    struct statement_row *ret, int64_t *ret_withheld)
{
    struct closing_amounts a;
    struct hash inputs;
    char id[STATEMENT_ID_MAX];
    close_statement_id(account->partner, c->governs->terms.agreement, c->day, id);
    enum accord_error error = closing_work_out(c, account, &a);
    const struct hash lines_hash = hash_end(&account->lines_hash);
    if (error == ACCORD_OK)
        error = closing_inputs_end(c, account, &a, &lines_hash, &inputs);
    if (error != ACCORD_OK)
        return error;
    struct statement_row row = {
        .id = arena_strdup(c->arena, slice_of(id)),
        .partner = account->partner,
        .agreement = c->governs->terms.agreement,
        .day = c->day,
        .label = arena_strdup(c->arena, slice_of(c->label)),
        .currency = c->governs->terms.currency.code,
        .opening = a.opening,
        .earned = account->total.earned,
        .closing = a.closing,
        .due = a.due,
        .payable = a.payable,
        .previous = account->previous == NULL ? "" : account->previous->id,
        .lines_hash = lines_hash,
        .state = "published",
    };
    if (row.id == NULL || row.label == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct buf out;
    struct json_writer w;
    buf_init(&out, BODY_BYTES_MAX);
    jw_init(&w, &out);
    write_body(&w, c, account, &a, &row, &inputs);
    error = buf_error(&out);
    if (error == ACCORD_OK)
        error = json_canonical(c->arena, buf_slice(&out), &row.body);
    buf_done(&out);
    if (error != ACCORD_OK)
        return error;
    row.hash = hash_of(row.body);
    *ret = row;
    *ret_withheld = a.withheld;
    return ACCORD_OK;
}
