/*
 * Payments: facts of one payment tell its states, in order, and agree on what is paid. What stands
 * of a payment is read once for a batch, and kept up as its items are accepted.
 */
#include <string.h>

#include "ingest/facts_raw.h"
#include "ingest/facts_writing.h"
#include "ingest/payments.h"

enum accord_error facts_note_payment(struct writing *w, const char *partner, const char *payment_id,
                                     size_t *ret)
{
    const struct key key = key_of(partner, payment_id, NULL);
    bool made;
    const enum accord_error error = facts_table_at(&w->payments, &key, ret, &made);
    if (error == ACCORD_OK && made)
        *(struct payment_standing *)facts_row_at(&w->payments, *ret) =
            (struct payment_standing){.partner = partner, .payment_id = payment_id};
    return error;
}

enum accord_error facts_ask_payments(struct writing *w)
{
    /* Payments that a void speaks of are known only now. */
    const struct slot *slots = (const void *)w->slots.rows;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < w->slots.count; i++) {
        const struct fact_target *target = &slots[i].target;
        size_t at;
        if (target->found && strcmp(target->type, fact_type_name(FACT_PAYMENT)) == 0 &&
            target->subject_id != NULL)
            error = facts_note_payment(w, slots[i].name.partner, target->subject_id, &at);
    }
    return error != ACCORD_OK
               ? error
               : store_payments_standing(w->tx->db, w->tx->arena, (void *)w->payments.rows,
                                         w->payments.count);
}

/* The last state reached; PAYMENT_STATES: none. */
static enum payment_state last_of(const struct payment_standing *payment)
{
    for (int state = PAYMENT_STATES - 1; state >= 0; state--)
        if (payment->stands[state])
            return (enum payment_state)state;
    return PAYMENT_STATES;
}

static bool may_follow(enum payment_state last, enum payment_state next)
{
    switch (last) {
    case PAYMENT_STATES:
        return next == PAYMENT_APPROVED;
    case PAYMENT_APPROVED:
        return next == PAYMENT_SENT || next == PAYMENT_FAILED;
    case PAYMENT_SENT:
        return next == PAYMENT_CONFIRMED || next == PAYMENT_FAILED;
    case PAYMENT_CONFIRMED:
    case PAYMENT_FAILED:
        break;
    }
    return false;
}

/* Where two states of a payment say different things; NULL: nowhere. */
static const char *difference(const struct payment_row *a, const struct payment_row *b)
{
    if (strcmp(a->payer, b->payer) != 0)
        return "/payer";
    if (strcmp(a->payee, b->payee) != 0)
        return "/payee";
    if (strcmp(a->currency, b->currency) != 0)
        return "/currency";
    if (a->amount != b->amount)
        return "/amount";
    bool same = a->statement_count == b->statement_count;
    for (size_t i = 0; same && i < a->statement_count; i++)
        same = slice_equal(a->statements[i], b->statements[i]);
    return same ? NULL : "/statements";
}

static struct payment_row row_of(const struct item *item)
{
    const struct raw_fact *raw = item->fact->raw;
    return (struct payment_row){
        .payer = raw->payer.data,
        .payee = raw->payee.data,
        .currency = raw->currency.code,
        .amount = raw->amount,
        .state = (enum payment_state)raw->state,
        .statements = raw->statements.items,
        .statement_count = raw->statements.count,
    };
}

enum accord_error facts_check_payment(const struct writing *w, const struct item *item,
                                      const char **ret_pointer)
{
    const struct payment_standing *payment = facts_row_at(&w->payments, item->payment);
    const struct payment_row row = row_of(item);
    if (item->target == SIZE_MAX && !may_follow(last_of(payment), row.state)) {
        *ret_pointer = "/state";
        return ACCORD_E_PAYMENT_STATE_INVALID;
    }
    for (int state = 0; state < PAYMENT_STATES; state++) {
        const bool corrected = item->target != SIZE_MAX && state == (int)row.state;
        if (!payment->stands[state] || corrected)
            continue;
        *ret_pointer = difference(&row, &payment->rows[state]);
        if (*ret_pointer != NULL)
            return ACCORD_E_PAYMENT_DIFFERS;
    }
    return ACCORD_OK;
}

/* Which payment and state a void takes back; false: it is not of a payment. */
static bool voided(const struct writing *w, const struct item *item, size_t *ret_payment,
                   enum payment_state *ret_state)
{
    if (item->fact->type != FACT_VOID || item->target == SIZE_MAX)
        return false;
    const struct slot *slot = facts_row_at(&w->slots, item->target);
    const char *type = slot->fact != NULL ? fact_type_name(slot->fact->type) : slot->target.type;
    if (type == NULL || strcmp(type, fact_type_name(FACT_PAYMENT)) != 0)
        return false;
    const char *id = slot->fact != NULL ? slot->fact->subject_id : slot->target.subject_id;
    const char *part = slot->fact != NULL ? slot->fact->subject_part : slot->target.subject_part;
    if (id == NULL || part == NULL)
        return false;
    const struct key key = key_of(slot->name.partner, id, NULL);
    const size_t *at = keymap_find(&w->payments.index, &key);
    for (int state = 0; at != NULL && state < PAYMENT_STATES; state++)
        if (strcmp(part, payment_state_names[state]) == 0) {
            *ret_payment = *at;
            *ret_state = (enum payment_state)state;
            return true;
        }
    return false;
}

bool facts_may_void_payment(const struct writing *w, const struct item *item)
{
    size_t payment;
    enum payment_state state;
    return !voided(w, item, &payment, &state) ||
           state == last_of(facts_row_at(&w->payments, payment));
}

void facts_accept_payment(struct writing *w, const struct item *item)
{
    size_t at;
    enum payment_state state;
    if (item->payment != SIZE_MAX) {
        struct payment_standing *payment = facts_row_at(&w->payments, item->payment);
        const struct payment_row row = row_of(item);
        payment->stands[row.state] = true;
        payment->rows[row.state] = row;
    } else if (voided(w, item, &at, &state)) {
        struct payment_standing *payment = facts_row_at(&w->payments, at);
        payment->stands[state] = false;
    }
}

enum accord_error facts_post_payments(struct writing *w)
{
    /* Of each payment the last fact that changed it. */
    int64_t *seqs = arena_array(w->tx->arena, w->payments.count + 1, sizeof *seqs);
    if (seqs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        size_t at;
        enum payment_state state;
        if (item->payment != SIZE_MAX)
            seqs[item->payment] = item->fact->seq;
        else if (voided(w, item, &at, &state))
            seqs[at] = item->fact->seq;
    }
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < w->payments.count; i++)
        if (seqs[i] != 0)
            error = payment_post(w->tx, facts_row_at(&w->payments, i), seqs[i]);
    return error;
}
