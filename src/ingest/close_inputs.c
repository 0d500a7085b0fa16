/* What each statement is made from, as a file of its own: see ingest/inputs.h. */
#include <string.h>

#include "ingest/closing.h"
#include "ingest/inputs.h"
#include "store/statement_inputs.h"
#include "json/write.h"

enum { FILE_BUFFER_MAX = 64 << 20 };

/* ---- files ---- */

enum accord_error closing_inputs_flush(const struct closing *c, struct closing_account *account,
                                       size_t keep_below)
{
    struct closing_inputs *inputs = &account->inputs;
    enum accord_error error = buf_error(&inputs->bytes);
    if (error != ACCORD_OK || inputs->bytes.len < keep_below)
        return error;
    hash_add(&inputs->hash, buf_slice(&inputs->bytes));
    if (c->publishes) {
        char id[STATEMENT_ID_MAX];
        close_statement_id(account->partner, c->governs->terms.agreement, c->day, id);
        error = store_statement_input_insert(c->db, id, inputs->chunks, buf_slice(&inputs->bytes));
    }
    inputs->chunks++;
    inputs->bytes.len = 0;
    return error;
}

void closing_done(struct closing *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_done(&c->accounts[i]->inputs.bytes);
}

static void write_hash(struct json_writer *w, const char *name, const struct hash *hash)
{
    char hex[HASH_HEX_MAX];
    hash_hex(hash, hex);
    jw_key_str(w, name, hex);
}

/* ---- whose lines follow from orders ---- */

static bool is_party(const struct agreement_version *version, const char *partner)
{
    for (uint32_t i = 0; i < version->terms.party_count; i++)
        if (strcmp(version->terms.parties[i], partner) == 0)
            return true;
    return false;
}

/* A version that a line of the period belongs to, or could. */
static bool is_concerned(const struct closing *c, size_t version)
{
    const struct accord_agreement_version *terms = &c->periods.versions[version].terms;
    if (terms->effective_from_us < period_to(&c->periods, c->day) &&
        period_version_end(&c->periods, version) > period_from(&c->periods, c->day))
        return true;
    for (size_t i = 0; i < c->count; i++)
        if (c->accounts[i]->versions[version])
            return true;
    for (size_t i = 0; i < c->sheet.count; i++)
        if (c->sheet.parts[i].version == version && c->sheet.parts[i].takes_part)
            return true;
    return false;
}

static void choose_derived(struct closing *c)
{
    for (size_t i = 0; i < c->count; i++)
        c->accounts[i]->inputs.derived = c->accounts[i]->party && !c->accounts[i]->partial;
    for (size_t v = 0; v < c->periods.version_count; v++) {
        if (!is_concerned(c, v))
            continue;
        const struct agreement_version *version = &c->periods.versions[v];
        for (size_t i = 0; i < c->count; i++)
            if (!is_party(version, c->accounts[i]->partner))
                c->accounts[i]->inputs.derived = false;
    }
}

/* ---- what comes before the lines ---- */

static void write_head(const struct closing *c, const struct closing_account *account,
                       struct buf *out)
{
    struct json_writer w;
    char id[STATEMENT_ID_MAX];
    const struct statement_row *previous = account->previous;
    close_statement_id(account->partner, c->governs->terms.agreement, c->day, id);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "agreement", c->governs->terms.agreement);
    jw_key_int(&w, "cutoff", c->cutoff);
    jw_key_bool(&w, "derived", account->inputs.derived);
    jw_key_int(&w, "format", INPUTS_FORMAT);
    jw_key_time(&w, "from", period_from(&c->periods, c->day));
    jw_key_int(&w, "governs", c->governs->terms.version);
    jw_key_str(&w, "kind", "inputs");
    jw_key_int(&w, "opening", previous == NULL ? 0 : previous->closing);
    jw_key_str(&w, "partner", account->partner);
    jw_key_str(&w, "period", c->label);
    if (previous != NULL) {
        jw_key(&w, "previous");
        jw_object(&w);
        write_hash(&w, "hash", &previous->hash);
        jw_key_str(&w, "id", previous->id);
        jw_object_end(&w);
    }
    jw_key_str(&w, "statement", id);
    jw_key_str(&w, "time_zone", c->periods.time_zone);
    jw_key_time(&w, "to", period_to(&c->periods, c->day));
    write_hash(&w, "zone_hash", &c->zone_hash);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static void write_version(const struct closing *c, size_t version, struct buf *out)
{
    struct json_writer w;
    const instant_us end = period_version_end(&c->periods, version);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_raw(&w, "body", c->periods.bodies[version]);
    if (end != INT64_MAX)
        jw_key_int(&w, "effective_to", end);
    jw_key_str(&w, "kind", "version");
    jw_key_int(&w, "version", c->periods.versions[version].terms.version);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static void write_settings(const struct closing *c, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "kind", "settings");
    jw_key_int(&w, "min_payout", c->governs->terms.min_payout_minor);
    jw_key_int(&w, "reserve_ppm", c->governs->terms.reserve_ppm);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static enum accord_error write_part(const struct closing *c, const struct window_part *part,
                                    struct buf *out)
{
    struct json_writer w;
    struct accord_window_sums sums;
    const struct accord_agreement_version *terms = &c->periods.versions[part->version].terms;
    const struct accord_window_period *period = &part->period;
    const enum accord_error error = windows_part_before(part, &sums);
    if (error != ACCORD_OK)
        return error;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "base", sums.base);
    jw_key_int(&w, "days", period->days);
    jw_key_int(&w, "days_of_period", period->days_of_period);
    jw_key_bool(&w, "ends_life", period->ends_life);
    jw_key_bool(&w, "ends_period", period->ends_period);
    jw_key_bool(&w, "ends_year", period->ends_year);
    jw_key_bool(&w, "first_of_life", period->first_of_life);
    jw_key_str(&w, "kind", "part");
    jw_key(&w, "learners");
    jw_array(&w);
    for (size_t i = 0; i < ACCORD_WINDOWS; i++)
        jw_int(&w, sums.new_learners[i]);
    jw_array_end(&w);
    jw_key_int(&w, "lines", sums.lines);
    jw_key_int(&w, "net", sums.net);
    jw_key_int(&w, "number", period->period);
    jw_key_int(&w, "open", sums.open);
    jw_key_day(&w, "period", part->first);
    jw_key(&w, "shares");
    jw_array(&w);
    for (uint32_t i = 0; i < terms->party_count; i++)
        jw_int(&w, sums.shares[i]);
    jw_array_end(&w);
    jw_key_int(&w, "units", sums.units);
    jw_key_int(&w, "version", terms->version);
    jw_key_day(&w, "year", period->year);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return ACCORD_OK;
}

static void write_posted(const struct window_row *row, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "amount", row->amount);
    jw_key_str(&w, "kind", "posted");
    jw_key_str(&w, "of", row->kind);
    jw_key_str(&w, "payee", row->payee);
    jw_key_day(&w, "period", row->day);
    jw_key_int(&w, "term", row->term);
    jw_key_int(&w, "version", row->version);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static enum accord_error write_beginning(const struct closing *c, struct closing_account *account)
{
    struct buf *out = &account->inputs.bytes;
    bool governed = false;
    enum accord_error error = ACCORD_OK;
    buf_init(out, FILE_BUFFER_MAX);
    hash_begin(&account->inputs.hash);
    write_head(c, account, out);
    for (size_t v = 0; v < c->periods.version_count; v++) {
        const struct agreement_version *version = &c->periods.versions[v];
        if (!is_party(version, account->partner) ||
            (version->terms.version != c->governs->terms.version &&
             version->terms.effective_from_us >= period_to(&c->periods, c->day)))
            continue;
        governed |= version->terms.version == c->governs->terms.version;
        write_version(c, v, out);
    }
    if (!governed)
        write_settings(c, out);
    for (size_t i = 0; error == ACCORD_OK && account->inputs.derived && i < c->sheet.count; i++)
        if (c->sheet.parts[i].takes_part)
            error = write_part(c, &c->sheet.parts[i], out);
    for (size_t i = 0; account->inputs.derived && i < c->sheet.posted_count; i++)
        write_posted(&c->sheet.posted[i], out);
    return error != ACCORD_OK ? error : closing_inputs_flush(c, account, CLOSING_CHUNK_BYTES);
}

enum accord_error closing_inputs(struct closing *c)
{
    enum accord_error error = ACCORD_OK;
    choose_derived(c);
    for (size_t i = 0; error == ACCORD_OK && i < c->count; i++)
        error = write_beginning(c, c->accounts[i]);
    if (error == ACCORD_OK)
        error = closing_inputs_pools(c);
    return error != ACCORD_OK ? error : closing_inputs_lines(c);
}

/* ---- what comes behind the lines ---- */

static void write_adjustments(const struct closing *c, const struct closing_account *account,
                              struct buf *out)
{
    for (size_t i = 0; i < c->adjustment_count; i++) {
        const struct statement_adjustment *row = c->adjustments[i].row;
        const bool receives = strcmp(row->payee, account->partner) == 0;
        const bool bears = strcmp(row->funded_by, account->partner) == 0;
        struct json_writer w;
        if (receives == bears)
            continue;
        jw_init(&w, out);
        jw_object(&w);
        jw_key_str(&w, "adjustment", row->adjustment_id);
        jw_key_int(&w, "amount", receives ? c->adjustments[i].amount : -c->adjustments[i].amount);
        jw_key_str(&w, "kind", "adjustment");
        jw_object_end(&w);
        buf_add_char(out, '\n');
    }
}

static void write_payments(const struct closing *c, const struct closing_account *account,
                           struct buf *out)
{
    for (size_t i = 0; i < c->payment_count; i++) {
        struct json_writer w;
        if (strcmp(c->payments[i].partner, account->partner) != 0 ||
            strcmp(c->payments[i].currency, c->governs->terms.currency.code) != 0)
            continue;
        jw_init(&w, out);
        jw_object(&w);
        jw_key_int(&w, "amount", c->payments[i].amount);
        jw_key_str(&w, "kind", "payment");
        jw_key_str(&w, "payment", c->payments[i].payment);
        jw_object_end(&w);
        buf_add_char(out, '\n');
    }
}

enum accord_error closing_inputs_end(struct closing *c, struct closing_account *account,
                                     const struct closing_amounts *amounts,
                                     const struct hash *lines_hash, struct hash *ret)
{
    struct buf *out = &account->inputs.bytes;
    struct json_writer w;
    write_adjustments(c, account, out);
    write_payments(c, account, out);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "kind", "hold");
    jw_key_int(&w, "pending", account->recent);
    jw_key_int(&w, "reserve", account->reserve_before);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "closing", amounts->closing);
    jw_key_int(&w, "due", amounts->due);
    jw_key_int(&w, "earned", account->total.earned);
    jw_key_str(&w, "kind", "end");
    jw_key_int(&w, "lines", account->total.count);
    write_hash(&w, "lines_hash", lines_hash);
    jw_key_int(&w, "payable", amounts->payable);
    jw_key_int(&w, "withheld", amounts->withheld);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    const enum accord_error error = closing_inputs_flush(c, account, 0);
    if (error == ACCORD_OK)
        *ret = hash_end(&account->inputs.hash);
    return error;
}
