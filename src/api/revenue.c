#include "api/revenue.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/agreement.h"
#include "store/entries.h"
#include "store/partners.h"
#include "store/reports.h"

/* ---- what is asked ---- */

enum group_by { BY_AGREEMENT, BY_COURSE, BY_DAY, BY_COUNTERPARTY, GROUPINGS };
static const char *const group_names[GROUPINGS] = {"agreement", "course", "day", "counterparty"};
static const enum report_grain group_grains[GROUPINGS] = {REPORT_PERIOD, REPORT_COURSE, REPORT_DAY,
                                                          REPORT_PERIOD};

/* The place of a rollup row, as the parts of a cursor. */
enum { PLACE_PARTS = 7 };

struct group {
    struct report_key key;
    const struct agreement_version *version;
    struct report_sums sums;
    int64_t shares[ACCORD_PARTIES_MAX]; /* by party of the version */
};

struct total {
    struct slice currency;
    struct report_sums sums;
    int64_t own;
    int64_t due;
};

struct held {
    struct report_key key;
    int64_t lines;
    int64_t gross;
    bool gross_hidden; /* a provider sees only how many lines wait at a channel */
};

struct report {
    const char *period;
    const char *partner;   /* whose report it is */
    bool everything;       /* the operator's view over all agreements */
    struct slice currency; /* only rows in it; empty: all */
    enum group_by group_by;
    int32_t day_from;
    int32_t day_to;
    struct list_page page;

    int64_t as_of;
    bool not_modified;
    bool pending;
    struct agreement_version *versions; /* in order of (agreement, version) */
    size_t version_count;
    struct group *groups;
    size_t group_count;
    size_t group_at; /* of the shares read */
    bool more;
    struct report_key last; /* the last rollup row in `groups` */
    struct total *totals;
    size_t total_count;
    struct held *held;
    size_t held_count;
    size_t held_cap;
    struct arena *arena;
};

/* Stops the reading of rows; never leaves this file. */
#define STOP ACCORD_E_NOT_FOUND

static bool month_days(const char *text, int32_t *ret_from, int32_t *ret_to)
{
    if (strlen(text) != 7 || text[4] != '-')
        return false;
    char whole[32];
    snprintf(whole, sizeof whole, "%s-01T00:00:00Z", text);
    instant_us at;
    if (clock_parse(slice_of(whole), &at) != ACCORD_OK)
        return false;
    int year;
    unsigned month;
    unsigned day;
    *ret_from = (int32_t)(at / CLOCK_DAY_US);
    clock_civil_from_days(*ret_from, &year, &month, &day);
    *ret_to = month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                          : clock_days_from_civil(year, month + 1, 1);
    return true;
}

static bool take_place(struct call *call, struct report *report)
{
    const struct slice *parts = report->page.parts;
    int64_t numbers[2];
    for (int i = 0; i < 2; i++) {
        char *end;
        numbers[i] = strtoll(parts[1 + i].data, &end, 10);
        if (end == parts[1 + i].data || *end != '\0') {
            call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
            return false;
        }
    }
    report->last = (struct report_key){.agreement = parts[0],
                                       .version = numbers[0],
                                       .day = numbers[1],
                                       .held = parts[3],
                                       .provider = parts[4],
                                       .course_id = parts[5],
                                       .channel = parts[6]};
    return true;
}

static void prepare(struct call *call)
{
    struct report *report = call_alloc(call, sizeof *report);
    if (report == NULL)
        return;
    call->state = report;
    report->arena = call->arena;
    report->period = call_query(call, "period");
    if (report->period == NULL || !month_days(report->period, &report->day_from, &report->day_to)) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "period: a month is needed, as 2026-01");
        return;
    }
    const char *group_by = call_query(call, "group_by");
    while (group_by != NULL && report->group_by < GROUPINGS &&
           strcmp(group_by, group_names[report->group_by]) != 0)
        report->group_by++;
    if (report->group_by == GROUPINGS) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "group_by: agreement, course, day or counterparty");
        return;
    }
    const char *currency = call_query(call, "currency");
    struct accord_currency known;
    report->currency = slice_of(currency);
    if (currency != NULL &&
        accord_currency_parse(currency, report->currency.len, &known) != ACCORD_OK) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "currency: an ISO 4217 code is needed");
        return;
    }
    const char *partner = call_query(call, "partner");
    report->partner = partner == NULL ? call->caller.partner : partner;
    report->everything = call->caller.is_operator && partner == NULL;
    if (!call->caller.is_operator && strcmp(report->partner, call->caller.partner) != 0) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (call_page(call, PLACE_PARTS, &report->page) && report->page.has_cursor)
        take_place(call, report);
}

/* ---- what is read ---- */

static int compare_version(const struct agreement_version *version, const struct report_key *key)
{
    const int order = slice_compare(slice_of(version->terms.agreement), key->agreement);
    if (order != 0)
        return order;
    return (version->terms.version > key->version) - (version->terms.version < key->version);
}

static const struct agreement_version *find_version(const struct report *report,
                                                    const struct report_key *key)
{
    size_t low = 0;
    size_t high = report->version_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare_version(&report->versions[middle], key);
        if (order == 0)
            return &report->versions[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum accord_error add_sums(struct report_sums *to, const struct report_sums *more)
{
    int64_t *const sums[] = {&to->line_count,  &to->quantity, &to->gross,
                             &to->refunded,    &to->tax,      &to->store_fee,
                             &to->payment_fee, &to->net,      &to->added_back};
    const int64_t values[] = {more->line_count,  more->quantity, more->gross,
                              more->refunded,    more->tax,      more->store_fee,
                              more->payment_fee, more->net,      more->added_back};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const enum accord_error error = accord_add(*sums[i], values[i], sums[i]);
        if (error != ACCORD_OK)
            return error;
    }
    return ACCORD_OK;
}

/* The currency asked for, or any. */
static bool is_wanted(const struct report *report, const struct report_key *key)
{
    return report->currency.len == 0 || slice_equal(report->currency, key->currency);
}

static struct slice keep(struct report *report, struct slice text)
{
    return (struct slice){arena_strdup(report->arena, text), text.len};
}

static bool keep_key(struct report *report, const struct report_key *key, struct report_key *ret)
{
    *ret = (struct report_key){
        .agreement = keep(report, key->agreement),
        .version = key->version,
        .day = key->day,
        .held = keep(report, key->held),
        .provider = keep(report, key->provider),
        .course_id = keep(report, key->course_id),
        .channel = keep(report, key->channel),
        .currency = keep(report, key->currency),
    };
    return ret->agreement.data != NULL && ret->held.data != NULL && ret->provider.data != NULL &&
           ret->course_id.data != NULL && ret->channel.data != NULL && ret->currency.data != NULL;
}

/* True for rows of the settled part of the report. */
static bool is_reported(const struct report *report, const struct report_key *key)
{
    return key->held.len == 0 && is_wanted(report, key);
}

/* Rows of one group stand next to each other in the store's order. */
static bool same_group(enum group_by group_by, const struct report_key *a,
                       const struct report_key *b)
{
    if (!slice_equal(a->agreement, b->agreement) || a->version != b->version)
        return false;
    switch (group_by) {
    case BY_AGREEMENT:
        return true;
    case BY_COURSE:
        return slice_equal(a->provider, b->provider) && slice_equal(a->course_id, b->course_id);
    case BY_DAY:
        return a->day == b->day;
    case BY_COUNTERPARTY:
        return slice_equal(a->provider, b->provider) && slice_equal(a->channel, b->channel);
    case GROUPINGS:
        break;
    }
    return false;
}

static enum accord_error take_row(void *context, const struct report_key *key,
                                  const struct report_sums *sums)
{
    struct report *report = context;
    if (!is_reported(report, key))
        return ACCORD_OK;
    struct group *group =
        report->group_count == 0 ? NULL : &report->groups[report->group_count - 1];
    if (group == NULL || !same_group(report->group_by, &group->key, key)) {
        if (report->group_count == (size_t)report->page.limit) {
            report->more = true;
            return STOP;
        }
        group = &report->groups[report->group_count];
        group->version = find_version(report, key);
        if (group->version == NULL)
            return ACCORD_E_DATABASE_ERROR;
        if (!keep_key(report, key, &group->key))
            return ACCORD_E_OUT_OF_MEMORY;
        report->group_count++;
    }
    if (!keep_key(report, key, &report->last))
        return ACCORD_E_OUT_OF_MEMORY;
    return add_sums(&group->sums, sums);
}

static enum accord_error add_share(const struct agreement_version *version, int64_t *shares,
                                   struct slice payee, int64_t amount)
{
    for (uint32_t i = 0; i < version->terms.party_count; i++)
        if (slice_equal(slice_of(version->terms.parties[i]), payee))
            return accord_add(shares[i], amount, &shares[i]);
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_share(void *context, const struct report_key *key, struct slice payee,
                                    int64_t amount)
{
    struct report *report = context;
    if (!is_reported(report, key))
        return ACCORD_OK;
    while (report->group_at < report->group_count &&
           !same_group(report->group_by, &report->groups[report->group_at].key, key))
        report->group_at++;
    if (report->group_at == report->group_count)
        return STOP;
    struct group *group = &report->groups[report->group_at];
    return add_share(group->version, group->shares, payee, amount);
}

static struct total *total_of(struct report *report, struct slice currency)
{
    for (size_t i = 0; i < report->total_count; i++)
        if (slice_equal(report->totals[i].currency, currency))
            return &report->totals[i];
    struct total *totals =
        arena_array(report->arena, report->total_count + 1, sizeof *report->totals);
    if (totals == NULL)
        return NULL;
    if (report->total_count > 0)
        memcpy(totals, report->totals, report->total_count * sizeof *totals);
    report->totals = totals;
    struct total *total = &totals[report->total_count++];
    total->currency = keep(report, currency);
    return total->currency.data == NULL ? NULL : total;
}

/* True for what was refunded beyond what was paid, which both sides see. */
static bool is_excess(const struct report_key *key)
{
    return slice_equal(key->held, slice_of(accord_held_name(ACCORD_HELD_EXCESS_REFUND)));
}

static enum accord_error add_held(struct report *report, const struct report_key *key,
                                  const struct report_sums *sums, bool gross_hidden)
{
    if (!is_wanted(report, key) ||
        (sums->line_count == 0 && sums->gross == 0 && sums->refunded == 0))
        return ACCORD_OK;
    if (report->held_count == report->held_cap) {
        /* An arena only grows, so the array doubles. */
        const size_t cap = report->held_cap == 0 ? 8 : report->held_cap * 2;
        struct held *held = arena_array(report->arena, cap, sizeof *held);
        if (held == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (report->held_count > 0)
            memcpy(held, report->held, report->held_count * sizeof *held);
        report->held = held;
        report->held_cap = cap;
    }
    struct held *last = &report->held[report->held_count];
    /* What could not be refunded stands under refunds, what waits is what is left of the sale. */
    const bool is_excess =
        slice_equal(key->held, slice_of(accord_held_name(ACCORD_HELD_EXCESS_REFUND)));
    *last = (struct held){.lines = sums->line_count,
                          .gross = is_excess ? sums->refunded : sums->gross - sums->refunded,
                          .gross_hidden = gross_hidden};
    if (!keep_key(report, key, &last->key))
        return ACCORD_E_OUT_OF_MEMORY;
    report->held_count++;
    return ACCORD_OK;
}

/* The signed view: the collector holds net and owes all of it but its own share. */
static bool is_collector(const struct report *report, const struct agreement_version *version)
{
    return strcmp(version->terms.parties[version->terms.collector], report->partner) == 0;
}

static enum accord_error total_row(void *context, const struct report_key *key,
                                   const struct report_sums *sums)
{
    struct report *report = context;
    if (key->held.len > 0)
        return add_held(report, key, sums, false);
    if (!is_wanted(report, key))
        return ACCORD_OK;
    const struct agreement_version *version = find_version(report, key);
    if (version == NULL)
        return ACCORD_E_DATABASE_ERROR;
    struct total *total = total_of(report, key->currency);
    if (total == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (is_collector(report, version) &&
        accord_sub(total->due, sums->net, &total->due) != ACCORD_OK)
        return ACCORD_E_OVERFLOW;
    return add_sums(&total->sums, sums);
}

static enum accord_error total_share(void *context, const struct report_key *key,
                                     struct slice payee, int64_t amount)
{
    struct report *report = context;
    if (!is_reported(report, key) || !slice_equal(payee, slice_of(report->partner)))
        return ACCORD_OK;
    struct total *total = total_of(report, key->currency);
    if (total == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = accord_add(total->own, amount, &total->own);
    return error == ACCORD_OK ? accord_add(total->due, amount, &total->due) : error;
}

static enum accord_error uncovered_row(void *context, const struct report_key *key,
                                       const struct report_sums *sums)
{
    return add_held(context, key, sums, false);
}

/* Of lines that wait at a channel a provider sees how many; what it sold itself it has seen. */
static enum accord_error uncovered_count(void *context, const struct report_key *key,
                                         const struct report_sums *sums)
{
    struct report *report = context;
    if (slice_equal(key->channel, slice_of(report->partner)))
        return ACCORD_OK;
    return add_held(report, key, sums, !is_excess(key));
}

static enum accord_error read_uncovered(struct call *call, struct report *report)
{
    if (report->everything)
        return store_report_uncovered(call->db, REPORT_AS_OPERATOR, NULL, report->day_from,
                                      report->day_to, uncovered_row, report);
    const enum accord_error error =
        store_report_uncovered(call->db, REPORT_AS_CHANNEL, report->partner, report->day_from,
                               report->day_to, uncovered_row, report);
    if (error != ACCORD_OK)
        return error;
    return store_report_uncovered(call->db, REPORT_AS_PROVIDER, report->partner, report->day_from,
                                  report->day_to, uncovered_count, report);
}

static enum accord_error read_report(struct call *call, struct report *report)
{
    enum accord_error error = store_resettle_pending(call->db, &report->pending);
    if (error == ACCORD_OK)
        error = agreement_load_settling(call->db, call->arena,
                                        report->everything ? NULL : report->partner,
                                        &report->versions, &report->version_count);
    if (error != ACCORD_OK)
        return error;
    report->groups = arena_array(call->arena, (size_t)report->page.limit, sizeof *report->groups);
    if (report->groups == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct report_filter filter = {.partner = report->everything ? NULL : report->partner,
                                   .grain = REPORT_PERIOD,
                                   .day_from = report->day_from,
                                   .day_to = report->day_to};
    error = store_report_rows(call->db, &filter, total_row, report);
    if (error == ACCORD_OK)
        error = store_report_shares(call->db, &filter, total_share, report);
    if (error == ACCORD_OK)
        error = read_uncovered(call, report);
    if (error != ACCORD_OK)
        return error;
    filter.grain = group_grains[report->group_by];
    filter.after = report->last;
    error = store_report_rows(call->db, &filter, take_row, report);
    if (error == ACCORD_OK || error == STOP)
        error = store_report_shares(call->db, &filter, take_share, report);
    return error == STOP ? ACCORD_OK : error;
}

static void read(struct call *call)
{
    struct report *report = call->state;
    bool found;
    struct partner_row partner;
    if (call_check(call,
                   store_partner_get(call->db, call->arena, report->partner, &partner, &found)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (call_check(call, store_partner_version(call->db, report->partner, &report->as_of)))
        return;
    report->not_modified = call_etag(call, report->as_of);
    if (!report->not_modified)
        call_check(call, read_report(call, report));
}

/* ---- what is answered ---- */

static struct accord_currency currency_of(struct slice code)
{
    struct accord_currency currency = {{0}};
    if (code.len < sizeof currency.code)
        memcpy(currency.code, code.data, code.len);
    return currency;
}

static void write_sums(struct json_writer *w, const struct report_sums *sums,
                       struct accord_currency currency)
{
    jw_key_int(w, "lines", sums->line_count);
    jw_key_int(w, "quantity", sums->quantity);
    jw_key_money(w, "gross", sums->gross, currency);
    jw_key_money(w, "refunded", sums->refunded, currency);
    jw_key_money(w, "tax", sums->tax, currency);
    jw_key_money(w, "store_fee", sums->store_fee, currency);
    jw_key_money(w, "payment_fee", sums->payment_fee, currency);
    jw_key_money(w, "net", sums->net, currency);
    jw_key_money(w, "added_back", sums->added_back, currency);
}

static void write_balance(struct json_writer *w, const char *party, int64_t due,
                          const char *settles_with, struct accord_currency currency)
{
    jw_object(w);
    jw_key_str(w, "party", party);
    jw_key_money(w, "due", due, currency);
    jw_key_str(w, "settles_with", settles_with);
    jw_object_end(w);
}

/* Signed, adding up to zero: through the operator one balance a party; directly a pair for each
 * party and the collector. Cannot overflow: shares are parts of net. */
static void write_balances(struct json_writer *w, const struct group *group,
                           struct accord_currency currency)
{
    const struct accord_agreement_version *terms = &group->version->terms;
    const char *collector = terms->parties[terms->collector];
    jw_key(w, "balances");
    jw_array(w);
    for (uint32_t i = 0; i < terms->party_count; i++) {
        const char *party = terms->parties[i];
        if (terms->clearing_direct && i != terms->collector) {
            write_balance(w, party, group->shares[i], collector, currency);
            write_balance(w, collector, -group->shares[i], party, currency);
        } else if (!terms->clearing_direct) {
            const int64_t held = i == terms->collector ? group->sums.net : 0;
            write_balance(w, party, group->shares[i] - held, "operator", currency);
        }
    }
    jw_array_end(w);
}

static void write_day(struct json_writer *w, int64_t day)
{
    int year;
    unsigned month;
    unsigned of_month;
    char text[16];
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    snprintf(text, sizeof text, "%04d-%02u-%02u", year, month, of_month);
    jw_key_str(w, "day", text);
}

static void write_group_key(struct json_writer *w, const struct report *report,
                            const struct group *group)
{
    switch (report->group_by) {
    case BY_AGREEMENT:
    case GROUPINGS:
        break;
    case BY_COURSE:
        jw_key(w, "course");
        jw_object(w);
        jw_key_slice(w, "provider", group->key.provider);
        jw_key_slice(w, "course_id", group->key.course_id);
        jw_object_end(w);
        break;
    case BY_DAY:
        write_day(w, group->key.day);
        break;
    case BY_COUNTERPARTY:
        jw_key(w, "counterparty");
        jw_object(w);
        jw_key_slice(w, "provider", group->key.provider);
        jw_key_slice(w, "channel", group->key.channel);
        jw_object_end(w);
        break;
    }
}

static void write_group(struct json_writer *w, const struct report *report,
                        const struct group *group)
{
    const struct accord_agreement_version *terms = &group->version->terms;
    const struct accord_currency currency = currency_of(group->key.currency);
    jw_object(w);
    jw_key_slice(w, "agreement", group->key.agreement);
    jw_key_int(w, "version", group->key.version);
    jw_key_slice(w, "currency", group->key.currency);
    write_group_key(w, report, group);
    write_sums(w, &group->sums, currency);
    jw_key(w, "payees");
    jw_array(w);
    for (uint32_t i = 0; i < terms->party_count; i++) {
        jw_object(w);
        jw_key_str(w, "payee", terms->parties[i]);
        jw_key_money(w, "amount", group->shares[i], currency);
        jw_object_end(w);
    }
    jw_array_end(w);
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], report->partner) == 0)
            jw_key_money(w, "own", group->shares[i], currency);
    write_balances(w, group, currency);
    jw_object_end(w);
}

static void write_held(struct json_writer *w, const struct held *held)
{
    jw_object(w);
    jw_key_slice(w, "reason", held->key.held);
    if (held->key.agreement.len > 0)
        jw_key_slice(w, "agreement", held->key.agreement);
    jw_key_slice(w, "channel", held->key.channel);
    jw_key_slice(w, "provider", held->key.provider);
    jw_key_slice(w, "currency", held->key.currency);
    jw_key_int(w, "lines", held->lines);
    if (!held->gross_hidden)
        jw_key_money(w, "gross", held->gross, currency_of(held->key.currency));
    jw_object_end(w);
}

static void write_next(struct call *call, struct json_writer *w, const struct report *report)
{
    const struct report_key *last = &report->last;
    const char *version = arena_printf(call->arena, "%lld", (long long)last->version);
    const char *day = arena_printf(call->arena, "%lld", (long long)last->day);
    const struct slice parts[PLACE_PARTS] = {last->agreement, slice_of(version), slice_of(day),
                                             last->held,      last->provider,    last->course_id,
                                             last->channel};
    call_page_next(call, w, parts, PLACE_PARTS, report->more);
}

static void answer(struct call *call)
{
    const struct report *report = call->state;
    if (report->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "partner", report->partner);
    jw_key_str(&w, "period", report->period);
    jw_key_str(&w, "group_by", group_names[report->group_by]);
    jw_key_str(&w, "as_of", call_as_of(call, report->as_of));
    jw_key_bool(&w, "pending_resettlement", report->pending);
    jw_key(&w, "rows");
    jw_array(&w);
    for (size_t i = 0; i < report->group_count; i++)
        write_group(&w, report, &report->groups[i]);
    jw_array_end(&w);
    jw_key(&w, "totals");
    jw_array(&w);
    for (size_t i = 0; i < report->total_count; i++) {
        const struct total *total = &report->totals[i];
        const struct accord_currency currency = currency_of(total->currency);
        jw_object(&w);
        jw_key_slice(&w, "currency", total->currency);
        write_sums(&w, &total->sums, currency);
        jw_key_money(&w, "own", total->own, currency);
        jw_key_money(&w, "due", total->due, currency);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_key(&w, "held");
    jw_array(&w);
    for (size_t i = 0; i < report->held_count; i++)
        write_held(&w, &report->held[i]);
    jw_array_end(&w);
    write_next(call, &w, report);
    jw_object_end(&w);
}

const struct operation revenue_operations[] = {
    {.id = "getRevenue",
     .method = "GET",
     .pattern = "/v1/revenue",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_FAST,
     .query = "period group_by partner currency limit cursor",
     .prepare = prepare,
     .read = read,
     .answer = answer},
};
const size_t revenue_operation_count = sizeof revenue_operations / sizeof revenue_operations[0];
