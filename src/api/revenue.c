#include "api/revenue.h"

#include <stdio.h>

#include "api/etag.h"
#include "api/revenue_report.h"
#include "base/number.h"
#include "store/entries.h"
#include "store/partners.h"

/* ---- what is asked ---- */

static const char *const group_names[REPORT_GROUPINGS] = {
    [REPORT_BY_AGREEMENT] = "agreement",
    [REPORT_BY_COURSE] = "course",
    [REPORT_BY_DAY] = "day",
    [REPORT_BY_COUNTERPARTY] = "counterparty",
};

/* The place of a rollup row, as the parts of a cursor. */
enum { PLACE_PARTS = 8 };

struct revenue_call {
    const char *period;
    struct report_ask ask;
    struct list_page page;
    int64_t as_of;
    bool pending;
    bool not_modified;
    struct report report;
};

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

static bool take_place(struct call *call, struct revenue_call *state)
{
    const struct slice *parts = state->page.parts;
    int64_t version;
    int64_t day;
    if (number_parse_int(parts[1], &version) != ACCORD_OK ||
        number_parse_int(parts[3], &day) != ACCORD_OK) {
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
        return false;
    }
    state->ask.after = (struct report_key){.agreement = parts[0],
                                           .version = version,
                                           .sale_currency = parts[2],
                                           .day = day,
                                           .held = parts[4],
                                           .provider = parts[5],
                                           .course_id = parts[6],
                                           .channel = parts[7]};
    return true;
}

static bool take_group_by(struct call *call, struct report_ask *ask)
{
    const char *group_by = call_query(call, "group_by");
    int found = REPORT_BY_AGREEMENT;
    while (group_by != NULL && found < REPORT_GROUPINGS &&
           strcmp(group_by, group_names[found]) != 0)
        found++;
    if (found == REPORT_GROUPINGS) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "group_by: agreement, course, day or counterparty");
        return false;
    }
    ask->group_by = (enum report_group_by)found;
    return true;
}

static bool take_currency(struct call *call, struct report_ask *ask)
{
    const char *currency = call_query(call, "currency");
    struct accord_currency known;
    if (currency == NULL)
        return true;
    ask->currency = slice_of(currency);
    if (accord_currency_parse(currency, ask->currency.len, &known) == ACCORD_OK)
        return true;
    call_fail(call, ACCORD_E_QUERY_INVALID, "currency: an ISO 4217 code is needed");
    return false;
}

static void prepare(struct call *call)
{
    struct revenue_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    struct report_ask *ask = &state->ask;
    state->period = call_query(call, "period");
    if (state->period == NULL || !month_days(state->period, &ask->day_from, &ask->day_to)) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "period: a month is needed, as 2026-01");
        return;
    }
    if (!take_group_by(call, ask) || !take_currency(call, ask))
        return;
    const char *partner = call_query(call, "partner");
    ask->partner = partner == NULL ? call->caller.partner : partner;
    ask->everything = call->caller.is_operator && partner == NULL;
    if (!call->caller.is_operator && strcmp(ask->partner, call->caller.partner) != 0) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (!call_page(call, PLACE_PARTS, &state->page))
        return;
    ask->limit = (size_t)state->page.limit;
    if (state->page.has_cursor)
        take_place(call, state);
}

/* ---- what is read ---- */

/* How far the month has begun, around the world: it does so from 14 hours before to 12 hours after
 * midnight in UTC, at quarters of an hour. */
static int64_t begun(const struct report_ask *ask)
{
    const instant_us hour = CLOCK_DAY_US / 24;
    const instant_us since = ask->now - (ask->day_from * CLOCK_DAY_US - 14 * hour);
    if (since < 0)
        return 0;
    return since < 27 * hour ? 1 + since / (hour / 4) : 1 + 27 * 4;
}

/* When that goes on. */
static instant_us begins_next(const struct report_ask *ask)
{
    const instant_us step = CLOCK_DAY_US / 96;
    const instant_us since = ask->now - (ask->day_from * CLOCK_DAY_US - 56 * step);
    if (since < 0)
        return ask->now - since;
    return since < 27 * 4 * step ? ask->now + step - since % step : INT64_MAX;
}

static void read(struct call *call)
{
    struct revenue_call *state = call->state;
    bool found;
    struct partner_row partner;
    if (call_check(call,
                   store_partner_get(call->db, call->arena, state->ask.partner, &partner, &found)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (call_check(call, store_partner_version(call->db, state->ask.partner, &state->as_of)) ||
        call_check(call, store_resettle_pending(call->db, &state->pending)))
        return;
    state->ask.now = clock_now_us();
    /* A job that settles others' sales again begins and ends without a change of this partner's,
     * and periods begin by themselves. */
    const int64_t parts[] = {state->as_of, state->pending, begun(&state->ask)};
    state->not_modified = call_etag(call, etag_of(parts, 3));
    call_keep(call, begins_next(&state->ask));
    if (!state->not_modified)
        call_check(call, report_read(call->db, call->arena, &state->ask, &state->report));
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
                       struct accord_currency sale, struct accord_currency currency)
{
    jw_key_int(w, "lines", sums->line_count);
    jw_key_int(w, "quantity", sums->quantity);
    jw_key_money(w, "gross", sums->gross, sale);
    jw_key_money(w, "refunded", sums->refunded, sale);
    jw_key_money(w, "tax", sums->tax, sale);
    jw_key_money(w, "store_fee", sums->store_fee, sale);
    jw_key_money(w, "payment_fee", sums->payment_fee, sale);
    jw_key_money(w, "admin_fee", sums->admin_fee, sale);
    jw_key_money(w, "net_sale", sums->net_sale, sale);
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

/* Who is paid for a sale that came by a link, whoever it was. */
static const char promoter[] = "@promoter";
/* What memberships put into pools, whichever they are. */
static const char pool[] = "@pool";

/* One balance through the operator, or a pair with the collector. */
static void write_party_balance(struct json_writer *w, const struct accord_agreement_version *terms,
                                const char *party, int64_t due, struct accord_currency currency)
{
    const char *collector = terms->parties[terms->collector];
    write_balance(w, party, due, terms->clearing_direct ? collector : "operator", currency);
    if (terms->clearing_direct)
        write_balance(w, collector, -due, party, currency);
}

/* Signed, adding up to zero. Fits: report_read() has tried. */
static void write_balances(struct json_writer *w, const struct report_group *group,
                           struct accord_currency currency)
{
    const struct accord_agreement_version *terms = &group->version->terms;
    jw_key(w, "balances");
    jw_array(w);
    for (uint32_t i = 0; i < terms->party_count; i++) {
        if (i != terms->collector)
            write_party_balance(w, terms, terms->parties[i], group->shares[i], currency);
        else if (!terms->clearing_direct)
            write_balance(w, terms->parties[i], group->shares[i] - group->handed_out, "operator",
                          currency);
    }
    if (group->referral != 0)
        write_party_balance(w, terms, promoter, group->referral, currency);
    if (group->pooled != 0) { /* the operator keeps it for the pool, in any case */
        write_balance(w, pool, group->pooled, "operator", currency);
        if (terms->clearing_direct)
            write_balance(w, terms->parties[terms->collector], -group->pooled, "operator",
                          currency);
    }
    jw_array_end(w);
}

static void write_payee(struct json_writer *w, const char *payee, int64_t amount,
                        struct accord_currency currency)
{
    jw_object(w);
    jw_key_str(w, "payee", payee);
    jw_key_money(w, "amount", amount, currency);
    jw_object_end(w);
}

static void write_group_key(struct json_writer *w, const struct report_ask *ask,
                            const struct report_group *group)
{
    switch (ask->group_by) {
    case REPORT_BY_AGREEMENT:
    case REPORT_GROUPINGS:
        break;
    case REPORT_BY_COURSE:
        jw_key(w, "course");
        jw_object(w);
        jw_key_slice(w, "provider", group->key.provider);
        jw_key_slice(w, "course_id", group->key.course_id);
        jw_object_end(w);
        break;
    case REPORT_BY_DAY:
        jw_key_day(w, "day", group->key.day);
        break;
    case REPORT_BY_COUNTERPARTY:
        jw_key(w, "counterparty");
        jw_object(w);
        jw_key_slice(w, "provider", group->key.provider);
        jw_key_slice(w, "channel", group->key.channel);
        jw_object_end(w);
        break;
    }
}

static void write_group(struct json_writer *w, const struct report_ask *ask,
                        const struct report_group *group)
{
    const struct accord_agreement_version *terms = &group->version->terms;
    const struct accord_currency currency = currency_of(group->key.currency);
    jw_object(w);
    jw_key_slice(w, "agreement", group->key.agreement);
    jw_key_int(w, "version", group->key.version);
    jw_key_slice(w, "currency", group->key.currency);
    jw_key_slice(w, "sale_currency", group->key.sale_currency);
    write_group_key(w, ask, group);
    write_sums(w, &group->sums, currency_of(group->key.sale_currency), currency);
    jw_key(w, "payees");
    jw_array(w);
    for (uint32_t i = 0; i < terms->party_count; i++)
        write_payee(w, terms->parties[i], group->shares[i], currency);
    if (group->referral != 0)
        write_payee(w, promoter, group->referral, currency);
    if (group->pooled != 0)
        write_payee(w, pool, group->pooled, currency);
    jw_array_end(w);
    jw_key_bool(w, "provisional", group->provisional);
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], ask->partner) == 0)
            jw_key_money(w, "own", group->shares[i], currency);
    write_balances(w, group, currency);
    jw_object_end(w);
}

static void write_held(struct json_writer *w, const struct report_held *held)
{
    jw_object(w);
    jw_key_slice(w, "reason", held->key.held);
    if (held->key.agreement.len > 0)
        jw_key_slice(w, "agreement", held->key.agreement);
    jw_key_slice(w, "channel", held->key.channel);
    jw_key_slice(w, "provider", held->key.provider);
    jw_key_slice(w, "currency", held->key.currency);
    jw_key_slice(w, "sale_currency", held->key.sale_currency);
    jw_key_int(w, "lines", held->lines);
    if (!held->amount_hidden)
        jw_key_money(w, "gross", held->amount, currency_of(held->key.sale_currency));
    jw_object_end(w);
}

static void write_next(struct call *call, struct json_writer *w, const struct report *report)
{
    const struct report_key *last = &report->last;
    const char *version = arena_printf(call->arena, "%lld", (long long)last->version);
    const char *day = arena_printf(call->arena, "%lld", (long long)last->day);
    const struct slice parts[PLACE_PARTS] = {
        last->agreement, slice_of(version), last->sale_currency, slice_of(day),
        last->held,      last->provider,    last->course_id,     last->channel};
    call_page_next(call, w, parts, PLACE_PARTS, report->more);
}

static void write_total(struct json_writer *w, const struct report_total *total)
{
    const struct accord_currency currency = currency_of(total->currency);
    jw_object(w);
    jw_key_slice(w, "currency", total->currency);
    jw_key_slice(w, "sale_currency", total->sale_currency);
    write_sums(w, &total->sums, currency_of(total->sale_currency), currency);
    jw_key_money(w, "own", total->own, currency);
    jw_key_money(w, "due", total->due, currency);
    jw_key_bool(w, "provisional", total->provisional);
    jw_object_end(w);
}

/* Of agreements of others a promoter sees its own amount, and nothing else. */
static void write_referrals(struct json_writer *w, const struct report *report)
{
    jw_key(w, "referrals");
    jw_array(w);
    for (size_t i = 0; i < report->referral_count; i++) {
        const struct report_referral *referral = &report->referrals[i];
        jw_object(w);
        jw_key_slice(w, "agreement", referral->agreement);
        jw_key_int(w, "version", referral->version);
        jw_key_money(w, "own", referral->amount, currency_of(referral->currency));
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void answer(struct call *call)
{
    const struct revenue_call *state = call->state;
    const struct report *report = &state->report;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "partner", state->ask.partner);
    jw_key_str(&w, "period", state->period);
    jw_key_str(&w, "group_by", group_names[state->ask.group_by]);
    jw_key_str(&w, "as_of", call_as_of(call, state->as_of));
    jw_key_bool(&w, "pending_resettlement", state->pending);
    jw_key(&w, "rows");
    jw_array(&w);
    for (size_t i = 0; i < report->group_count; i++)
        write_group(&w, &state->ask, &report->groups[i]);
    jw_array_end(&w);
    jw_key(&w, "totals");
    jw_array(&w);
    for (size_t i = 0; i < report->total_count; i++)
        write_total(&w, &report->totals[i]);
    jw_array_end(&w);
    if (report->referral_count > 0)
        write_referrals(&w, report);
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
