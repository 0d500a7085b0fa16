/* From the lines of a statement to the accounts of those who see them: one pass for everybody. */
#include <string.h>

#include "ingest/closing.h"

const char *const line_kind_names[LINE_KINDS] = {
    [LINE_SALE] = "sale",
    [LINE_MEMBERSHIP] = "membership",
    [LINE_CHALLENGE] = "challenge",
    [LINE_TIERED] = "tiered",
    [LINE_CPA] = "cpa",
    [LINE_GREATER_OF] = "greater_of",
    [LINE_RESIDUAL] = "residual",
    [LINE_POOL] = "pool",
    [LINE_LATE_USAGE] = "late_usage",
    [LINE_GUARANTEE] = "guarantee",
    [LINE_RECOUPMENT] = "recoupment",
    [LINE_ADVANCE] = "advance",
    [LINE_TRUE_UP] = "true_up",
    [LINE_FLOOR] = "floor",
    [LINE_CAP] = "cap",
};

enum accord_error closing_account_of(struct closing *c, const char *partner,
                                     struct closing_account **ret)
{
    const struct key key = key_of(partner, NULL);
    size_t *at;
    const enum accord_error error = keymap_at(&c->index, &key, c->count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at < c->count) {
        *ret = c->accounts[*at];
        return ACCORD_OK;
    }
    struct closing_account *account = arena_alloc(c->arena, sizeof *account);
    struct closing_account **accounts =
        arena_room(c->arena, c->accounts, c->count, &c->cap, sizeof(struct closing_account *));
    if (account == NULL || accounts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    account->partner = arena_strdup(c->arena, slice_of(partner));
    account->versions = arena_array(c->arena, c->periods.version_count, sizeof *account->versions);
    if (account->partner == NULL || account->versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    hash_begin(&account->lines_hash);
    c->accounts = accounts;
    c->accounts[c->count++] = account;
    *ret = account;
    return ACCORD_OK;
}

static enum accord_error kind_of(const struct statement_line *line, enum line_kind *ret)
{
    for (int kind = 0; kind < LINE_KINDS; kind++)
        if (strcmp(line_kind_names[kind], line->kind) == 0) {
            *ret = (enum line_kind)kind;
            return ACCORD_OK;
        }
    return ACCORD_E_INTERNAL;
}

static enum accord_error add_sums(struct line_sums *sums, const struct statement_part *part)
{
    sums->count++;
    enum accord_error error = accord_add(sums->earned, part->earned, &sums->earned);
    if (error == ACCORD_OK)
        error = accord_add(sums->position, part->position, &sums->position);
    return error;
}

/* Differences by period, few and in order: most lines are about one of the latest. */
static enum accord_error add_difference(struct closing *c, struct closing_account *account,
                                        int64_t period, const struct statement_part *part)
{
    size_t at = account->difference_count;
    while (at > 0 && account->differences[at - 1].period > period)
        at--;
    if (at > 0 && account->differences[at - 1].period == period)
        return add_sums(&account->differences[at - 1].sums, part);
    account->differences = arena_room(c->arena, account->differences, account->difference_count,
                                      &account->difference_cap, sizeof *account->differences);
    if (account->differences == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memmove(&account->differences[at + 1], &account->differences[at],
            (account->difference_count - at) * sizeof *account->differences);
    account->differences[at] = (struct closing_difference){.period = period};
    account->difference_count++;
    return add_sums(&account->differences[at].sums, part);
}

/* The collector holds the net: what others earn, each gets from it. */
static enum accord_error add_flow(struct closing *c, struct closing_account *account,
                                  const char *collector, int64_t amount)
{
    if (amount == 0 || strcmp(collector, account->partner) == 0)
        return ACCORD_OK;
    for (size_t i = 0; i < account->flow_count; i++)
        if (strcmp(account->flows[i].collector, collector) == 0)
            return accord_add(account->flows[i].amount, amount, &account->flows[i].amount);
    struct closing_account *other;
    const enum accord_error error = closing_account_of(c, collector, &other);
    if (error != ACCORD_OK)
        return error;
    other->collects = true;
    account->flows = arena_room(c->arena, account->flows, account->flow_count, &account->flow_cap,
                                sizeof *account->flows);
    if (account->flows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    account->flows[account->flow_count++] = (struct closing_flow){collector, amount};
    return ACCORD_OK;
}

static enum accord_error give_line(struct closing *c, const struct statement_line *line,
                                   enum line_kind kind, const char *partner)
{
    struct closing_account *account;
    struct statement_part part;
    enum accord_error error = closing_account_of(c, partner, &account);
    if (error == ACCORD_OK)
        error = statement_part_of(line, partner, &part);
    if (error != ACCORD_OK)
        return error;
    account->party |= part.party;
    account->partial |= (line->is_term || line->is_entry) && strcmp(partner, line->channel) != 0 &&
                        strcmp(partner, line->provider) != 0;
    account->versions[line->terms - c->periods.versions] = true;
    c->line.len = 0;
    statement_line_write(&c->line, line, &part);
    buf_add_char(&c->line, '\n');
    error = buf_error(&c->line);
    if (error != ACCORD_OK)
        return error;
    hash_add(&account->lines_hash, buf_slice(&c->line));
    error = line->difference ? add_difference(c, account, line->period, &part)
                             : add_sums(&account->kinds[kind], &part);
    if (error == ACCORD_OK)
        error = add_sums(&account->total, &part);
    if (error == ACCORD_OK && (kind == LINE_ADVANCE || kind == LINE_RECOUPMENT))
        error = accord_add(account->unearned, part.earned, &account->unearned);
    if (error == ACCORD_OK)
        error = add_flow(c, account, line->terms->terms.parties[line->terms->terms.collector],
                         part.earned);
    return error;
}

enum accord_error closing_add_booked(struct closing *c, const struct statement_line *line)
{
    struct window_part *part =
        windows_sheet_part(&c->sheet, &c->periods, line->period, line->version);
    if (part == NULL)
        return c->sheet.count == 0 ? ACCORD_OK : ACCORD_E_INTERNAL;
    const struct accord_agreement_version *terms = &line->terms->terms;
    struct accord_window_sums *sums = &part->booked;
    const int64_t *n = line->numbers;
    enum accord_error error = accord_add(sums->net, n[ENTRY_NET], &sums->net);
    if (error == ACCORD_OK)
        error = accord_add(sums->base, n[ENTRY_BASE], &sums->base);
    if (error == ACCORD_OK)
        error = accord_add(sums->open, line->open, &sums->open);
    if (error == ACCORD_OK)
        error = accord_add(sums->lines, n[ENTRY_LINES_QUALIFIED], &sums->lines);
    if (error == ACCORD_OK)
        error = accord_add(sums->units, n[ENTRY_UNITS_QUALIFIED], &sums->units);
    for (uint32_t i = 0; error == ACCORD_OK && i < terms->party_count; i++)
        for (size_t j = 0; error == ACCORD_OK && j < line->payee_count; j++)
            if (strcmp(terms->parties[i], line->payees[j].payee) == 0)
                error = accord_add(sums->shares[i], line->payees[j].amount, &sums->shares[i]);
    return error;
}

enum accord_error closing_take_line(void *context, const struct statement_line *line)
{
    struct closing *c = context;
    const struct accord_agreement_version *terms = &line->terms->terms;
    enum line_kind kind = LINE_SALE;
    enum accord_error error = kind_of(line, &kind);
    if (error == ACCORD_OK && !line->is_window)
        error = closing_add_booked(c, line);
    if (error == ACCORD_OK && c->only != NULL)
        return give_line(c, line, kind, c->only);
    for (uint32_t i = 0; error == ACCORD_OK && i < terms->party_count; i++)
        error = give_line(c, line, kind, terms->parties[i]);
    for (size_t i = 0; error == ACCORD_OK && i < line->payee_count; i++) {
        bool party = false;
        for (uint32_t j = 0; j < terms->party_count; j++)
            party |= strcmp(terms->parties[j], line->payees[i].payee) == 0;
        if (!party)
            error = give_line(c, line, kind, line->payees[i].payee);
    }
    return error;
}
