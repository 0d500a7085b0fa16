#include <string.h>

#include "ingest/agreement.h"
#include "ingest/facts_raw.h"
#include "ingest/facts_typed.h"
#include "ingest/facts_writing.h"
#include "store/agreements.h"

enum accord_error facts_table_init(struct table *table, struct arena *arena, size_t size,
                                   size_t expected)
{
    *table = (struct table){.size = size};
    return keymap_init(&table->index, arena, expected);
}

enum accord_error facts_table_at(struct table *table, const struct key *key, size_t *ret,
                                 bool *ret_new)
{
    size_t *at;
    const enum accord_error error = keymap_at(&table->index, key, table->count, &at);
    if (error != ACCORD_OK)
        return error;
    *ret_new = *at == table->count;
    if (*ret_new && table->count == table->cap) {
        const size_t cap = table->cap == 0 ? 64 : 2 * table->cap;
        char *rows = arena_array(table->index.arena, cap, table->size);
        if (rows == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (table->count > 0)
            memcpy(rows, table->rows, table->count * table->size);
        table->rows = rows;
        table->cap = cap;
    }
    table->count += *ret_new;
    *ret = *at;
    return ACCORD_OK;
}

void *facts_row_at(const struct table *table, size_t place)
{
    return table->rows + place * table->size;
}

/* ---- phase 1: which keys there are, and what stands under them ---- */

enum accord_error facts_note_partner(struct writing *w, const char *id)
{
    const struct key key = key_of(id, NULL);
    size_t at;
    bool made;
    const enum accord_error error = facts_table_at(&w->partners, &key, &at, &made);
    if (error == ACCORD_OK && made)
        ((struct partner_slot *)facts_row_at(&w->partners, at))->id = id;
    return error;
}

uint32_t facts_roles_of(const struct writing *w, const char *id)
{
    const struct key key = key_of(id, NULL);
    const size_t *at = keymap_find(&w->partners.index, &key);
    return at == NULL ? 0 : ((struct partner_slot *)facts_row_at(&w->partners, *at))->roles;
}

static enum accord_error note_name(struct writing *w, const char *partner, const char *event_id,
                                   size_t *ret)
{
    const struct key key = key_of(partner, event_id, NULL);
    bool made;
    const enum accord_error error = facts_table_at(&w->slots, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct slot *)facts_row_at(&w->slots, *ret))->name =
            (struct fact_name){partner, event_id};
    return error;
}

enum accord_error facts_note_order(struct writing *w, const char *channel, const char *order_id,
                                   size_t *ret)
{
    const struct key key = key_of(channel, order_id, NULL);
    bool made;
    const enum accord_error error = facts_table_at(&w->orders, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct order_slot *)facts_row_at(&w->orders, *ret))->name =
            (struct order_name){channel, order_id};
    return error;
}

enum accord_error facts_note_membership(struct writing *w, const char *channel,
                                        const char *membership_id, size_t *ret)
{
    const struct key key = key_of(channel, membership_id, NULL);
    bool made;
    const enum accord_error error = facts_table_at(&w->memberships, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct membership_slot *)facts_row_at(&w->memberships, *ret))->name =
            (struct membership_name){channel, membership_id};
    return error;
}

static bool is_reversal(const struct fact *fact)
{
    return fact->type == FACT_ORDER_CHARGEBACK_REVERSED;
}

static enum accord_error note_refund(struct writing *w, const char *channel,
                                     const struct fact *fact, size_t *ret)
{
    struct key key = key_of(channel, fact->order_id, fact->refund_id, NULL);
    key_number(&key, is_reversal(fact));
    bool made;
    const enum accord_error error = facts_table_at(&w->refunds, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct refund_slot *)facts_row_at(&w->refunds, *ret))->name =
            (struct refund_name){channel, fact->order_id, fact->refund_id, is_reversal(fact), 0};
    return error;
}

static enum accord_error note_subject(struct writing *w, struct item *item)
{
    struct subject_name name;
    if (!fact_subject_name(item->fact, item->batch->partner, &name))
        return ACCORD_OK;
    struct key key = key_of(name.partner, name.id, name.part, NULL);
    key_number(&key, name.kind);
    bool made;
    const enum accord_error error = facts_table_at(&w->subjects, &key, &item->subject, &made);
    if (error == ACCORD_OK && made)
        ((struct subject_slot *)facts_row_at(&w->subjects, item->subject))->name = name;
    return error;
}

/* The agreement and the partners that an adjustment or a payment speaks of. */
static enum accord_error note_operator(struct writing *w, struct item *item)
{
    const struct raw_fact *raw = item->fact->raw;
    if (item->fact->type == FACT_PAYMENT) {
        enum accord_error error =
            facts_note_payment(w, item->batch->partner, raw->payment_id.data, &item->payment);
        if (error == ACCORD_OK)
            error = facts_note_partner(w, raw->payer.data);
        return error != ACCORD_OK ? error : facts_note_partner(w, raw->payee.data);
    }
    const struct key key = key_of(raw->agreement.data, NULL);
    size_t at;
    bool made;
    enum accord_error error = facts_table_at(&w->agreements, &key, &at, &made);
    if (error == ACCORD_OK && made)
        ((struct agreement_slot *)facts_row_at(&w->agreements, at))->id = raw->agreement.data;
    if (error == ACCORD_OK)
        error = facts_note_partner(w, raw->payee.data);
    return error != ACCORD_OK ? error : facts_note_partner(w, raw->funded_by.data);
}

const struct agreement_slot *facts_agreement_of(const struct writing *w, const char *id)
{
    const struct key key = key_of(id, NULL);
    const size_t *at = keymap_find(&w->agreements.index, &key);
    const struct agreement_slot *slot = at == NULL ? NULL : facts_row_at(&w->agreements, *at);
    return slot != NULL && slot->known ? slot : NULL;
}

static enum accord_error note_item(struct writing *w, struct item *item)
{
    const struct fact *fact = item->fact;
    const char *partner = item->batch->partner;
    bool made;
    item->target = item->learner = item->course = item->order = item->refund = SIZE_MAX;
    item->subject = item->membership = item->payment = SIZE_MAX;
    enum accord_error error = note_name(w, partner, fact->event_id, &item->slot);
    if (error == ACCORD_OK && fact->supersedes != NULL) {
        error = note_name(w, partner, fact->supersedes, &item->target);
        if (error == ACCORD_OK)
            ((struct slot *)facts_row_at(&w->slots, item->target))->is_target = true;
    }
    if (error == ACCORD_OK && *fact->provider != '\0')
        error = facts_note_partner(w, fact->provider);
    if (error == ACCORD_OK && *fact->course_id != '\0') {
        const struct key key = key_of(fact->provider, fact->course_id, NULL);
        error = facts_table_at(&w->courses, &key, &item->course, &made);
        if (error == ACCORD_OK && made)
            ((struct course_slot *)facts_row_at(&w->courses, item->course))->name =
                (struct course_name){fact->provider, fact->course_id};
    }
    if (error == ACCORD_OK && fact->has_learner) {
        struct key key = {.len = 0};
        key_bytes(&key, fact->learner_lookup.bytes, HASH_BYTES);
        error = facts_table_at(&w->learners, &key, &item->learner, &made);
        if (error == ACCORD_OK && made)
            ((struct learner_slot *)facts_row_at(&w->learners, item->learner))->row.lookup =
                fact->learner_lookup;
    }
    if (error == ACCORD_OK && fact->order_id != NULL)
        error = facts_note_order(w, partner, fact->order_id, &item->order);
    if (error == ACCORD_OK && fact->refund_id != NULL)
        error = note_refund(w, partner, fact, &item->refund);
    if (error == ACCORD_OK && fact_class_of(fact->type) == FACT_CLASS_MEMBERSHIP)
        error = facts_note_membership(w, partner, fact->subject_id, &item->membership);
    if (error == ACCORD_OK)
        error = note_subject(w, item);
    if (error == ACCORD_OK && fact_class_of(fact->type) == FACT_CLASS_OPERATOR)
        error = note_operator(w, item);
    for (size_t i = 0; error == ACCORD_OK && fact->order != NULL && i < fact->order->line_count;
         i++)
        if (i == 0 ||
            strcmp(fact->order->lines[i].provider, fact->order->lines[i - 1].provider) != 0)
            error = facts_note_partner(w, fact->order->lines[i].provider);
    return error;
}

/* A list of one member of every row of a table, for asking, and room for the answers. */
/* NOLINTBEGIN(bugprone-macro-parentheses): types take none */
#define ASK(w, table, slot_type, member, member_type, answer_type)                                 \
    member_type *asked = arena_array((w)->tx->arena, (w)->table.count + 1, sizeof *asked);         \
    answer_type *answers = arena_array((w)->tx->arena, (w)->table.count + 1, sizeof *answers);     \
    if (asked == NULL || answers == NULL)                                                          \
        return ACCORD_E_OUT_OF_MEMORY;                                                             \
    slot_type *rows = (void *)(w)->table.rows;                                                     \
    for (size_t i = 0; i < (w)->table.count; i++)                                                  \
    asked[i] = rows[i].member
/* NOLINTEND(bugprone-macro-parentheses) */

static enum accord_error ask_partners(struct writing *w)
{
    ASK(w, partners, struct partner_slot, id, const char *, uint32_t);
    const enum accord_error error = store_roles_of(w->tx->db, asked, w->partners.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->partners.count; i++)
        rows[i].roles = answers[i];
    return error;
}

static enum accord_error ask_names(struct writing *w)
{
    ASK(w, slots, struct slot, name, struct fact_name, struct fact_known);
    const enum accord_error error = store_facts_known(w->tx->db, asked, w->slots.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->slots.count; i++)
        rows[i].known = answers[i];
    return error;
}

static enum accord_error ask_targets(struct writing *w)
{
    struct slot *slots = (void *)w->slots.rows;
    struct fact_target *targets = arena_array(w->tx->arena, w->slots.count + 1, sizeof *targets);
    if (targets == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->slots.count; i++)
        if (slots[i].is_target && slots[i].known.found)
            targets[count++].seq = slots[i].known.seq;
    const enum accord_error error = store_fact_targets(w->tx->db, w->tx->arena, targets, count);
    count = 0;
    for (size_t i = 0; error == ACCORD_OK && i < w->slots.count; i++)
        if (slots[i].is_target && slots[i].known.found) {
            slots[i].target = targets[count++];
            slots[i].superseded = slots[i].target.superseded;
        }
    return error;
}

static enum accord_error ask_orders(struct writing *w)
{
    ASK(w, orders, struct order_slot, name, struct order_name, int64_t);
    const enum accord_error error = store_orders_known(w->tx->db, asked, w->orders.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->orders.count; i++)
        rows[i].taken = answers[i] != 0;
    return error;
}

static enum accord_error ask_refunds(struct writing *w)
{
    ASK(w, refunds, struct refund_slot, name, struct refund_name, int64_t);
    const enum accord_error error =
        store_refunds_known(w->tx->db, asked, w->refunds.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->refunds.count; i++)
        rows[i].taken = answers[i] != 0;
    return error;
}

static enum accord_error ask_subjects(struct writing *w)
{
    ASK(w, subjects, struct subject_slot, name, struct subject_name, int64_t);
    const enum accord_error error =
        store_subjects_known(w->tx->db, asked, w->subjects.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->subjects.count; i++)
        rows[i].taken = answers[i] != 0;
    return error;
}

static enum accord_error ask_agreements(struct writing *w)
{
    struct agreement_slot *slots = (void *)w->agreements.rows;
    const size_t count = w->agreements.count;
    const char **ids = arena_array(w->tx->arena, count + 1, sizeof *ids);
    struct agreement_version_row *versions;
    size_t version_count = 0;
    if (ids == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        ids[i] = slots[i].id;
    enum accord_error error = count == 0
                                  ? ACCORD_OK
                                  : store_agreement_versions(w->tx->db, w->tx->arena, ids, count,
                                                             &versions, &version_count);
    for (size_t i = 0; error == ACCORD_OK && i < version_count; i++) {
        struct agreement_version version;
        const struct key key = key_of(versions[i].agreement, NULL);
        const size_t *at = keymap_find(&w->agreements.index, &key);
        if (at == NULL || slots[*at].known)
            continue;
        error = agreement_decode_row(w->tx->arena, &versions[i], &version);
        if (error == ACCORD_OK)
            slots[*at].currency = version.terms.currency;
        slots[*at].known = error == ACCORD_OK;
    }
    return error;
}

static enum accord_error ask_courses(struct writing *w)
{
    ASK(w, courses, struct course_slot, name, struct course_name, bool);
    const enum accord_error error =
        store_courses_known(w->tx->db, asked, w->courses.count, answers);
    for (size_t i = 0; error == ACCORD_OK && i < w->courses.count; i++)
        rows[i].known = answers[i];
    return error;
}

static enum accord_error ask_learners(struct writing *w)
{
    struct learner_slot *slots = (void *)w->learners.rows;
    struct learner_row *rows = arena_array(w->tx->arena, w->learners.count + 1, sizeof *rows);
    uint8_t *fresh = arena_array(w->tx->arena, w->learners.count + 1, LEARNER_BYTES);
    if (rows == NULL || fresh == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->learners.count; i++)
        rows[i] = slots[i].row;
    const enum accord_error error = store_learners_find(w->tx->db, rows, w->learners.count);
    /* One question to the system for all of them. */
    random_bytes(fresh, w->learners.count * LEARNER_BYTES);
    for (size_t i = 0; error == ACCORD_OK && i < w->learners.count; i++) {
        slots[i].row = rows[i];
        if (!rows[i].found)
            memcpy(slots[i].row.learner, fresh + i * LEARNER_BYTES, LEARNER_BYTES);
    }
    return error;
}

enum accord_error facts_look_up(struct writing *w)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < w->count; i++)
        error = note_item(w, &w->items[i]);
    static enum accord_error (*const asks[])(struct writing *) = {
        ask_partners, ask_names,      ask_targets,        ask_orders,  ask_refunds,
        ask_subjects, ask_agreements, facts_ask_payments, ask_courses, ask_learners};
    for (size_t i = 0; error == ACCORD_OK && i < sizeof asks / sizeof *asks; i++)
        error = asks[i](w);
    return error;
}
