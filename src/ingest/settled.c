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
                        const struct accord_line *line, const struct accord_line_result *result,
                        struct entry_row *row)
{
    if (line->pool != NULL)
        add_payee(row, line->pool->payee, result->pooled);
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
            line_shares(&version->terms, line, result, &row);
    }
    *ret = row;
}

/* ---- refunds that count when they occur ---- */

/* The rows of an order while they are made. */
struct making {
    const struct sale_view *view;
    struct arena *arena;
    const struct agreement_choice *choice;
    const struct accord_refund *refunds;
    size_t refund_count;
    struct accord_line_result *results; /* with all refunds */
    struct entry_row *later;            /* rows on days behind that of the sale */
    size_t later_count;
    size_t later_cap;
};

static enum accord_error add_later(struct making *m, const struct entry_row *row)
{
    struct entry_row *rows =
        arena_room(m->arena, m->later, m->later_count, &m->later_cap, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    m->later = rows;
    m->later[m->later_count++] = *row;
    return ACCORD_OK;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int by_line_day(const void *a, const void *b)
{
    const struct entry_row *x = a;
    const struct entry_row *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->day < y->day ? -1 : x->day > y->day;
}

/* The local day on which a refund counts: a clock that was wrong does not put it before the sale.
 */
static int64_t refund_day(const struct agreement_version *version, int64_t sale_at, int64_t at)
{
    return zone_day(version->zone, at > sale_at ? at : sale_at);
}

/* True for a line whose refunds are to stand on their own days. */
static bool counts_in_period(const struct making *m, size_t line, size_t version)
{
    const struct accord_line_result *result = &m->results[line];
    return result->version == version && result->held == ACCORD_HELD_NOT && result->refunded != 0;
}

/* The lines of one version with the refunds up to each day: what a day changed stands on it. Rows
 * on the day of the sale are put in the place of those with all refunds. */
static enum accord_error split_by_day(struct making *m, size_t version, struct entry_row *rows)
{
    const struct accord_order *order = m->view->order;
    const struct agreement_version *terms = m->choice->versions[version];
    const int64_t sale_day = zone_day(terms->zone, order->occurred_at_us);
    struct accord_line_result *results =
        arena_array(m->arena, order->line_count + 1, sizeof *results);
    struct accord_refund *upto = arena_array(m->arena, m->refund_count + 1, sizeof *upto);
    int64_t *of_refund = arena_array(m->arena, m->refund_count + 1, sizeof *of_refund);
    int64_t *days = arena_array(m->arena, m->refund_count + 1, sizeof *days);
    struct entry_row *before = arena_array(m->arena, order->line_count + 1, sizeof *before);
    if (results == NULL || upto == NULL || of_refund == NULL || days == NULL || before == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < m->refund_count; i++)
        of_refund[i] = days[i] =
            refund_day(terms, order->occurred_at_us, m->refunds[i].occurred_at_us);
    days[m->refund_count] = sale_day;
    qsort(days, m->refund_count + 1, sizeof *days, by_number);
    for (size_t d = 0; d <= m->refund_count; d++) {
        struct accord_excess unused;
        size_t count = 0;
        if (d > 0 && days[d] == days[d - 1])
            continue;
        for (size_t i = 0; i < m->refund_count; i++)
            if (of_refund[i] <= days[d])
                upto[count++] = m->refunds[i];
        enum accord_error error = accord_settle_order(order, upto, count, m->choice->terms,
                                                      m->choice->count, results, &unused);
        for (size_t i = 0; error == ACCORD_OK && i < order->line_count; i++) {
            struct entry_row now;
            if (!counts_in_period(m, i, version))
                continue;
            line_row(m->view, i, &results[i], m->choice, &now);
            struct entry_row change = now;
            change.day = days[d];
            if (days[d] == sale_day)
                rows[i] = now;
            else
                error = entry_add(&change, &before[i], -1);
            before[i] = now;
            if (error == ACCORD_OK && days[d] != sale_day && !entry_is_zero(&change))
                error = add_later(m, &change);
        }
        if (error != ACCORD_OK)
            return error;
    }
    return ACCORD_OK;
}

/* One row per line, and those on later days behind it. */
static enum accord_error make_rows(struct making *m, struct settled *ret)
{
    const size_t lines = m->view->order->line_count;
    struct entry_row *rows = arena_array(m->arena, lines + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < lines; i++) {
        line_row(m->view, i, &m->results[i], m->choice, &rows[i]);
        if (ret->held == ACCORD_HELD_NOT)
            ret->held = m->results[i].held;
    }
    for (size_t v = 0; m->refund_count > 0 && v < m->choice->count; v++) {
        bool any = false;
        if (m->choice->terms[v]->refund_basis != ACCORD_REFUND_IN_PERIOD)
            continue;
        for (size_t i = 0; i < lines && !any; i++)
            any = counts_in_period(m, i, v);
        const enum accord_error error = any ? split_by_day(m, v, rows) : ACCORD_OK;
        if (error != ACCORD_OK)
            return error;
    }
    ret->rows = rows;
    ret->count = lines;
    if (m->later_count == 0)
        return ACCORD_OK;
    ret->rows = arena_array(m->arena, lines + m->later_count + 1, sizeof *ret->rows);
    if (ret->rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    qsort(m->later, m->later_count, sizeof *m->later, by_line_day);
    ret->count = 0;
    size_t later = 0;
    for (size_t i = 0; i < lines; i++) {
        ret->rows[ret->count++] = rows[i];
        while (later < m->later_count && m->later[later].line == (int64_t)i)
            ret->rows[ret->count++] = m->later[later++];
    }
    return ACCORD_OK;
}

/* The provider of all lines, or ''. */
static const char *one_provider(const struct accord_order *order)
{
    for (size_t i = 1; i < order->line_count; i++)
        if (strcmp(order->lines[i].provider, order->lines[0].provider) != 0)
            return "";
    return order->line_count == 0 ? "" : order->lines[0].provider;
}

enum accord_error settled_with(const struct agreement_choice *choice, struct arena *arena,
                               const struct sale_view *view, struct settled *ret)
{
    const struct accord_order *order = view->order;
    struct making making = {.view = view, .arena = arena, .choice = choice};
    struct settled settled = {.count = 0};
    struct accord_excess excess = {0, 0};
    struct accord_refund *refunds;
    enum accord_error error = settled_refunds(view, arena, &refunds, &making.refund_count);
    if (error != ACCORD_OK)
        return error;
    making.refunds = refunds;
    making.results = arena_array(arena, order->line_count + 1, sizeof *making.results);
    if (making.results == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    error = accord_settle_order(order, refunds, making.refund_count, choice->terms, choice->count,
                                making.results, &excess);
    if (error == ACCORD_OK)
        error = make_rows(&making, &settled);
    if (error != ACCORD_OK)
        return error;
    if (excess.count > 0)
        settled.rows[settled.count++] = (struct entry_row){
            .sale_seq = view->seq,
            .line = ENTRY_LINE_EXCESS,
            .agreement = "",
            .held = accord_held_name(ACCORD_HELD_EXCESS_REFUND),
            .day = utc_day(order->occurred_at_us),
            .channel = order->channel,
            .provider = one_provider(order),
            .course_id = "",
            .currency = order->currency.code,
            .sale_currency = order->currency.code,
            .numbers = {[ENTRY_LINES] = (int64_t)excess.count, [ENTRY_REFUNDED] = excess.amount},
        };
    *ret = settled;
    return ACCORD_OK;
}

enum accord_error settled_of(struct agreement_book *book, struct rate_book *rates,
                             struct arena *arena, const struct sale_view *view, struct settled *ret)
{
    const char **providers;
    size_t provider_count;
    struct agreement_choice choice = {NULL, NULL, 0};
    struct accord_order *order = arena_alloc(arena, sizeof *order);
    struct sale_view converted = *view;
    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *order = *view->order;
    converted.order = order;
    enum accord_error error = providers_of(order, arena, &providers, &provider_count);
    if (error == ACCORD_OK)
        error =
            agreement_book_choose(book, arena, order->channel, providers, provider_count, &choice);
    if (error == ACCORD_OK)
        error = rate_book_pins(rates, arena, order, choice.versions, choice.count, &order->rates);
    return error != ACCORD_OK ? error : settled_with(&choice, arena, &converted, ret);
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
