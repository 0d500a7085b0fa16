#include "ingest/payments.h"

#include <string.h>

#include "ingest/statement_state.h"
#include "store/payment_covers.h"
#include "store/postings.h"
#include "store/statement_states.h"

/* A payment being laid on statements. */
struct laying {
    struct ingest_tx *tx;
    const struct payment_row *row;
    const char *reference;
    int64_t seq;
    struct payment_cover *covers;
    size_t cover_count;
    struct posting_row *postings;
    size_t posting_count;
    struct statement_summary *statements; /* that it names and that are there */
    size_t statement_count;
};

static enum accord_error load_statements(struct laying *l)
{
    const struct payment_row *row = l->row;
    struct arena *arena = l->tx->arena;
    /* Each side: one posting a statement, and one for what remains. */
    const size_t most = 2 * (row->statement_count + 1);
    l->statements = arena_array(arena, row->statement_count + 1, sizeof *l->statements);
    l->covers = arena_array(arena, row->statement_count + 1, sizeof *l->covers);
    l->postings = arena_array(arena, most, sizeof *l->postings);
    if (l->statements == NULL || l->covers == NULL || l->postings == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row->statement_count; i++) {
        const char *id = arena_strdup(arena, row->statements[i]);
        bool found;
        if (id == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        const enum accord_error error = store_statement_summary(
            l->tx->db, arena, id, INT64_MIN, &found, &l->statements[l->statement_count]);
        if (error != ACCORD_OK)
            return error;
        l->statement_count +=
            found && strcmp(l->statements[l->statement_count].currency, row->currency) == 0;
    }
    return ACCORD_OK;
}

/* One amount of one side: it goes onto a posting of the same agreement, if there is one. */
static void post(struct laying *l, const char *partner, int sign, const char *agreement,
                 int64_t amount)
{
    if (amount == 0)
        return;
    for (size_t i = 0; i < l->posting_count; i++)
        if (strcmp(l->postings[i].partner, partner) == 0 &&
            strcmp(l->postings[i].agreement, agreement) == 0) {
            l->postings[i].amount += sign * amount;
            return;
        }
    const size_t number = l->posting_count++;
    l->postings[number] = (struct posting_row){.seq = l->seq,
                                               .number = (int64_t)number,
                                               .kind = POSTING_PAYMENT,
                                               .partner = partner,
                                               .account = POSTING_SETTLEMENT,
                                               .agreement = agreement,
                                               .currency = l->row->currency,
                                               .amount = sign * amount,
                                               .reference = l->reference,
                                               .posted_at = l->tx->now};
}

/* Lays the amount on the statements of one side. False: it has none. */
static enum accord_error lay_side(struct laying *l, const char *partner, int sign, bool *ret_any)
{
    int64_t left = l->row->amount;
    const char *last = NULL;
    for (size_t i = 0; i < l->statement_count; i++) {
        const struct statement_summary *statement = &l->statements[i];
        /* The payee's are to receive, the payer's to pay. */
        const bool own = strcmp(statement->partner, partner) == 0 &&
                         (sign < 0 ? statement->payable > 0 : statement->payable < 0);
        if (!own)
            continue;
        int64_t covered;
        const enum accord_error error = store_statement_covered(l->tx->db, statement->id, &covered);
        if (error != ACCORD_OK)
            return error;
        const int64_t to_pay = (sign < 0 ? statement->payable : -statement->payable) - covered;
        const int64_t part = to_pay < 0 ? 0 : to_pay < left ? to_pay : left;
        last = statement->agreement;
        left -= part;
        post(l, partner, sign, last, part);
        if (part > 0)
            l->covers[l->cover_count++] = (struct payment_cover){
                .statement = statement->id, .payment = l->reference, .seq = l->seq, .amount = part};
    }
    *ret_any = last != NULL;
    if (last != NULL)
        post(l, partner, sign, last, left);
    return ACCORD_OK;
}

/* A side without statements follows the other: the amounts stand there by agreement. */
static void follow(struct laying *l, const char *other, const char *partner)
{
    const size_t count = l->posting_count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(l->postings[i].partner, other) == 0) {
            const int64_t amount = l->postings[i].amount;
            post(l, partner, amount < 0 ? 1 : -1, l->postings[i].agreement,
                 amount < 0 ? -amount : amount);
        }
}

static enum accord_error lay(struct laying *l)
{
    const struct payment_row *row = l->row;
    bool payee_any = false;
    bool payer_any = false;
    enum accord_error error = load_statements(l);
    if (error == ACCORD_OK)
        error = lay_side(l, row->payee, -1, &payee_any);
    if (error == ACCORD_OK)
        error = lay_side(l, row->payer, 1, &payer_any);
    if (error != ACCORD_OK)
        return error;
    if (!payee_any && !payer_any)
        post(l, row->payee, -1, "", row->amount);
    if (!payer_any)
        follow(l, row->payee, row->payer);
    else if (!payee_any)
        follow(l, row->payer, row->payee);
    return ACCORD_OK;
}

/* What was posted of the payment and not taken back, as it would be taken back. */
static enum accord_error taken_back(struct laying *l)
{
    struct posting_row *rows;
    size_t count;
    enum accord_error error =
        store_postings_of(l->tx->db, l->tx->arena, POSTING_PAYMENT, l->reference, &rows, &count);
    if (error == ACCORD_OK)
        error = store_payment_covers(l->tx->db, l->tx->arena, l->reference, &l->covers,
                                     &l->cover_count);
    if (error != ACCORD_OK)
        return error;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < kept && (strcmp(rows[at].partner, rows[i].partner) != 0 ||
                             strcmp(rows[at].agreement, rows[i].agreement) != 0))
            at++;
        if (at < kept)
            rows[at].amount += rows[i].amount;
        else
            rows[kept++] = rows[i];
    }
    l->postings = rows;
    for (size_t i = 0; i < kept; i++) {
        if (rows[i].amount == 0)
            continue;
        struct posting_row *row = &rows[l->posting_count];
        *row = rows[i];
        row->amount = -row->amount;
        row->seq = l->seq;
        row->number = (int64_t)l->posting_count++;
        row->posted_at = l->tx->now;
    }
    for (size_t i = 0; i < l->cover_count; i++) {
        l->covers[i].amount = -l->covers[i].amount;
        l->covers[i].seq = l->seq;
    }
    return ACCORD_OK;
}

static enum accord_error write_laying(struct laying *l)
{
    struct ingest_tx *tx = l->tx;
    enum accord_error error = store_postings_insert(tx->db, l->postings, l->posting_count);
    if (error == ACCORD_OK)
        error = store_payment_covers_insert(tx->db, l->covers, l->cover_count);
    for (size_t i = 0; error == ACCORD_OK && i < l->posting_count; i++)
        error = ingest_touch(tx, l->postings[i].partner);
    return error;
}

static enum accord_error renew_states(const struct laying *l, const char *by)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < l->cover_count; i++)
        error = statement_renew(l->tx, l->covers[i].statement, l->seq, by);
    return error;
}

/* Whatever the payment's state, both sides see it. */
static enum accord_error touch_sides(struct ingest_tx *tx, const struct payment_standing *payment)
{
    enum accord_error error = ACCORD_OK;
    for (int state = 0; state < PAYMENT_STATES; state++) {
        const struct payment_row *row = &payment->rows[state];
        if (row->payer == NULL)
            continue;
        if (error == ACCORD_OK)
            error = ingest_touch(tx, row->payer);
        if (error == ACCORD_OK)
            error = ingest_touch(tx, row->payee);
    }
    return error;
}

enum accord_error payment_post(struct ingest_tx *tx, const struct payment_standing *payment,
                               int64_t seq)
{
    struct laying l = {.tx = tx, .row = &payment->rows[PAYMENT_CONFIRMED], .seq = seq};
    l.reference = payment_reference(tx->arena, payment->partner, payment->payment_id);
    if (l.reference == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = touch_sides(tx, payment);
    if (error == ACCORD_OK)
        error = taken_back(&l);
    if (error != ACCORD_OK)
        return error;
    const bool posted = l.posting_count > 0;
    if (posted == payment->stands[PAYMENT_CONFIRMED])
        return ACCORD_OK;
    if (!posted) {
        l.posting_count = 0;
        l.cover_count = 0;
        error = lay(&l);
    }
    if (error == ACCORD_OK)
        error = write_laying(&l);
    return error == ACCORD_OK ? renew_states(&l, payment->partner) : error;
}
