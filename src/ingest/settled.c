#include "ingest/settled.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum accord_error settled_refunds(const struct sale_view *view, struct arena *arena,
                                  struct accord_refund **ret, size_t *ret_count)
{
    struct accord_refund *refunds = arena_array(arena, view->refund_count + 1, sizeof *refunds);
    /* Ids of the charge-backs that a current reversal takes back. */
    const char **reversed = arena_array(arena, view->refund_count + 1, sizeof *reversed);
    if (refunds == NULL || reversed == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t reversed_count = 0;
    for (size_t i = 0; i < view->refund_count; i++)
        if (view->refunds[i].kind == REFUND_REVERSAL && !view->refunds[i].superseded)
            reversed[reversed_count++] = view->refunds[i].refund_id;
    qsort(reversed, reversed_count, sizeof *reversed, by_text);
    size_t count = 0;
    for (size_t i = 0; i < view->refund_count; i++) {
        const struct refund_row *row = &view->refunds[i];
        if (row->superseded || row->kind == REFUND_REVERSAL ||
            (row->kind == REFUND_CHARGE_BACK &&
             bsearch(&row->refund_id, reversed, reversed_count, sizeof *reversed, by_text) != NULL))
            continue;
        refunds[count++] = (struct accord_refund){
            .occurred_at_us = row->occurred_at,
            .partner = row->channel,
            .event_id = row->event_id,
            .row = (uint32_t)row->line,
            .line_id = row->line_id,
            .amount = row->amount,
            .tax_returned = row->tax_returned,
            .fee_returned = row->fee_returned,
        };
    }
    *ret = refunds;
    *ret_count = count;
    return ACCORD_OK;
}

/* The distinct providers of an order's lines, in order of appearance. */
static enum accord_error providers_of(const struct accord_order *order, struct arena *arena,
                                      const char ***ret, size_t *ret_count)
{
    const char **providers = arena_array(arena, order->line_count + 1, sizeof *providers);
    if (providers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < order->line_count; i++) {
        size_t j = 0;
        while (j < count && strcmp(providers[j], order->lines[i].provider) != 0)
            j++;
        if (j == count)
            providers[count++] = order->lines[i].provider;
    }
    *ret = providers;
    *ret_count = count;
    return ACCORD_OK;
}

static int64_t utc_day(int64_t at_us)
{
    const int64_t day = at_us / CLOCK_DAY_US;
    return at_us % CLOCK_DAY_US < 0 ? day - 1 : day;
}

/* A promoter may be a party, too. */
static void add_payee(struct entry_row *row, const char *payee, int64_t amount)
{
    size_t i = 0;
    if (amount == 0)
        return;
    while (i < row->share_count && strcmp(row->shares[i].payee, payee) != 0)
        i++;
    if (i == row->share_count)
        row->shares[row->share_count++] = (struct entry_share){payee, 0};
    row->shares[i].amount += amount; /* parts of net, checked when they were added up */
}

static void line_shares(const struct accord_agreement_version *terms,
                        const struct accord_line_result *result, struct entry_row *row)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        add_payee(row, terms->parties[i], result->shares[i]);
    for (unsigned i = 0; i < ACCORD_LEVELS_MAX; i++)
        if (result->promoters[i] != NULL)
            add_payee(row, result->promoters[i], result->referral[i]);
    add_payee(row, ACCORD_PAYEE_WINDOW, result->open);
}

static void line_row(const struct sale_view *view, size_t index,
                     const struct accord_line_result *result, const struct agreement_choice *choice,
                     struct entry_row *ret)
{
    const struct accord_order *order = view->order;
    const struct accord_line *line = &order->lines[index];
    struct entry_row row = {
        .sale_seq = view->seq,
        .line = (int64_t)index,
        .agreement = "",
        .held = accord_held_name(result->held),
        .day = utc_day(order->occurred_at_us),
        .channel = order->channel,
        .provider = line->provider,
        .course_id = line->course_id,
        .currency = order->currency.code,
        .sale_currency = order->currency.code,
        .numbers =
            {
                [ENTRY_LINES] = 1,
                [ENTRY_QUANTITY] = line->quantity,
                [ENTRY_GROSS] = result->gross,
                [ENTRY_REFUNDED] = result->refunded,
                [ENTRY_TAX] = result->tax,
                [ENTRY_STORE_FEE] = result->store_fee,
                [ENTRY_PAYMENT_FEE] = result->payment_fee,
                [ENTRY_ADMIN_FEE] = result->admin_fee,
                [ENTRY_NET_SALE] = result->net_sale,
                [ENTRY_NET] = result->net,
                [ENTRY_ADDED_BACK] = result->added_back,
                [ENTRY_BASE] = result->base,
                [ENTRY_LINES_QUALIFIED] = result->lines_qualified,
                [ENTRY_UNITS_QUALIFIED] = result->units_qualified,
            },
    };
    if (result->version != SIZE_MAX) {
        const struct agreement_version *version = choice->versions[result->version];
        row.agreement = version->terms.agreement;
        row.version = version->terms.version;
        row.currency = version->terms.currency.code;
        row.day = zone_day(version->zone, order->occurred_at_us);
        if (result->held == ACCORD_HELD_NOT)
            line_shares(&version->terms, result, &row);
    }
    *ret = row;
}

enum accord_error settled_of(struct agreement_book *book, struct rate_book *rates,
                             struct arena *arena, const struct sale_view *view, struct settled *ret)
{
    const struct accord_order *order = view->order;
    struct accord_refund *refunds;
    size_t refund_count;
    const char **providers;
    size_t provider_count;
    struct agreement_choice choice = {NULL, NULL, 0};
    enum accord_error error = settled_refunds(view, arena, &refunds, &refund_count);
    if (error == ACCORD_OK)
        error = providers_of(order, arena, &providers, &provider_count);
    if (error == ACCORD_OK)
        error =
            agreement_book_choose(book, arena, order->channel, providers, provider_count, &choice);
    struct accord_order converted = *order;
    if (error == ACCORD_OK)
        error =
            rate_book_pins(rates, arena, order, choice.versions, choice.count, &converted.rates);
    if (error != ACCORD_OK)
        return error;

    struct accord_line_result *results = arena_array(arena, order->line_count + 1, sizeof *results);
    struct settled settled = {.rows =
                                  arena_array(arena, order->line_count + 1, sizeof *settled.rows)};
    struct accord_excess excess = {0, 0};
    if (results == NULL || settled.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    error = accord_settle_order(&converted, refunds, refund_count, choice.terms, choice.count,
                                results, &excess);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < order->line_count; i++) {
        line_row(view, i, &results[i], &choice, &settled.rows[settled.count++]);
        if (settled.held == ACCORD_HELD_NOT)
            settled.held = results[i].held;
    }
    if (excess.count > 0)
        settled.rows[settled.count++] = (struct entry_row){
            .sale_seq = view->seq,
            .line = ENTRY_LINE_EXCESS,
            .agreement = "",
            .held = accord_held_name(ACCORD_HELD_EXCESS_REFUND),
            .day = utc_day(order->occurred_at_us),
            .channel = order->channel,
            .provider = provider_count == 1 ? providers[0] : "",
            .course_id = "",
            .currency = order->currency.code,
            .sale_currency = order->currency.code,
            .numbers = {[ENTRY_LINES] = (int64_t)excess.count, [ENTRY_REFUNDED] = excess.amount},
        };
    *ret = settled;
    return ACCORD_OK;
}

/* ---- adding up ---- */

bool entry_same_group(const struct entry_row *a, const struct entry_row *b)
{
    return a->line == b->line && a->version == b->version && a->day == b->day &&
           strcmp(a->agreement, b->agreement) == 0 && strcmp(a->held, b->held) == 0 &&
           strcmp(a->course_id, b->course_id) == 0 && strcmp(a->provider, b->provider) == 0 &&
           strcmp(a->channel, b->channel) == 0 && strcmp(a->currency, b->currency) == 0 &&
           strcmp(a->sale_currency, b->sale_currency) == 0;
}

static enum accord_error add_amount(int64_t *sum, int64_t amount, int sign)
{
    return sign < 0 ? accord_sub(*sum, amount, sum) : accord_add(*sum, amount, sum);
}

/* Payees whose amounts have come to nothing make room for others. */
static void drop_zeros(struct entry_row *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < row->share_count; i++)
        if (row->shares[i].amount != 0)
            row->shares[kept++] = row->shares[i];
    row->share_count = kept;
}

enum accord_error entry_add(struct entry_row *sum, const struct entry_row *row, int sign)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < ENTRY_NUMBERS; i++)
        error = add_amount(&sum->numbers[i], row->numbers[i], sign);
    drop_zeros(sum);
    for (size_t i = 0; error == ACCORD_OK && i < row->share_count; i++) {
        size_t j = 0;
        while (j < sum->share_count && strcmp(sum->shares[j].payee, row->shares[i].payee) != 0)
            j++;
        if (j == ENTRY_SHARES_MAX)
            return ACCORD_E_DATABASE_ERROR; /* more payees than a line can have */
        if (j == sum->share_count)
            sum->shares[sum->share_count++] = (struct entry_share){row->shares[i].payee, 0};
        error = add_amount(&sum->shares[j].amount, row->shares[i].amount, sign);
    }
    return error;
}

bool entry_is_zero(const struct entry_row *row)
{
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        if (row->numbers[i] != 0)
            return false;
    for (size_t i = 0; i < row->share_count; i++)
        if (row->shares[i].amount != 0)
            return false;
    return true;
}
