/*
 * Facts into the journal, in four phases: look up all keys, decide in memory, insert facts with
 * their keys and typed rows, settle what they touch. Each phase asks and writes in batches; what is
 * decided sees the items before it, of its own request and of others in the transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "ingest/bundles.h"
#include "ingest/challenge_rounds.h"
#include "ingest/facts_typed.h"
#include "ingest/facts_writing.h"
#include "ingest/feedback.h"
#include "ingest/pool_division.h"
#include "ingest/post.h"
#include "ingest/post_membership.h"
#include "ingest/referral.h"
#include "store/partners.h"

enum { GROUP_ITEMS_MAX = 20000, GROUP_BYTES_MAX = 1 << 30 };

/* ---- phase 3: the journal ---- */

static int64_t seq_of_target(const struct writing *w, const struct item *item)
{
    if (item->target == SIZE_MAX)
        return 0;
    const struct slot *slot = facts_row_at(&w->slots, item->target);
    return slot->fact != NULL ? slot->fact->seq : slot->known.seq;
}

static enum accord_error insert_facts(struct writing *w)
{
    struct fact_row *rows = arena_array(w->tx->arena, w->accepted, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->accepted; i++) {
        rows[i] = facts_journal_row(w->kept[i], w->kept[i]->fact->body);
        rows[i].received_at = w->tx->now;
        rows[i].supersedes = seq_of_target(w, w->kept[i]);
    }
    return store_facts_insert(w->tx->db, rows, w->accepted);
}

static enum accord_error insert_learners(struct writing *w)
{
    const struct learner_slot *slots = (const void *)w->learners.rows;
    struct learner_row *rows = arena_array(w->tx->arena, w->learners.count + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->learners.count; i++)
        if (slots[i].used && !slots[i].row.found)
            rows[count++] = slots[i].row;
    return store_learners_insert(w->tx->db, rows, count);
}

/* Opaque, and the same for every correction of the order. */
static const char *opaque_id(struct writing *w, const struct order_name *name)
{
    const struct key key = key_of("order", name->channel, name->order_id, NULL);
    const struct hash hash =
        hash_keyed(w->tx->config->learner_key, (struct slice){key.bytes, key.len});
    char hex[HASH_HEX_MAX];
    hash_hex(&hash, hex);
    return arena_printf(w->tx->arena, "ord_%.26s", hex);
}

/* Offers sold as a whole get the lines that the offers make of them. */
static enum accord_error insert_bundles(struct writing *w, struct sale_row *rows, size_t count)
{
    struct arena *arena = w->tx->arena;
    struct bundle_row *bundles = arena_array(arena, count + 1, sizeof *bundles);
    struct accord_order *orders = arena_array(arena, count + 1, sizeof *orders);
    size_t *of_row = arena_array(arena, count + 1, sizeof *of_row);
    size_t found = 0;
    size_t sale = 0;
    if (bundles == NULL || orders == NULL || of_row == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct fact *fact = w->kept[i]->fact;
        if (fact->order == NULL)
            continue;
        if (fact->bundle != NULL) {
            bundles[found] = *fact->bundle;
            bundles[found].seq = fact->seq;
            orders[found] = *fact->order;
            of_row[found++] = sale;
        }
        sale++;
    }
    if (found == 0)
        return ACCORD_OK;
    enum accord_error error = ingest_bundle_lines(w->tx->db, arena, bundles, found, orders);
    for (size_t i = 0; error == ACCORD_OK && i < found; i++)
        rows[of_row[i]].order = &orders[i];
    return error == ACCORD_OK ? store_bundles_insert(w->tx->db, bundles, found) : error;
}

static enum accord_error insert_sales(struct writing *w)
{
    struct sale_row *rows = arena_array(w->tx->arena, w->accepted, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        if (item->fact->order == NULL)
            continue;
        struct sale_row *row = &rows[count++];
        *row = (struct sale_row){
            .seq = item->fact->seq,
            .event_id = item->fact->event_id,
            .has_learner = item->fact->has_learner,
            .first = item->target == SIZE_MAX,
            .order = item->fact->order,
        };
        row->id = opaque_id(w, &((struct order_slot *)facts_row_at(&w->orders, item->order))->name);
        if (row->id == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(row->learner, item->fact->learner, LEARNER_BYTES);
    }
    const enum accord_error error = insert_bundles(w, rows, count);
    return error != ACCORD_OK ? error : store_sales_insert(w->tx->db, rows, count);
}

static enum refund_kind kind_of(enum fact_type type)
{
    return type == FACT_ORDER_REFUNDED       ? REFUND_PLAIN
           : type == FACT_ORDER_CHARGED_BACK ? REFUND_CHARGE_BACK
                                             : REFUND_REVERSAL;
}

static void add_refund(const struct item *item, const struct accord_refund *from, size_t line,
                       struct refund_row *ret)
{
    *ret = (struct refund_row){
        .seq = item->fact->seq,
        .line = (int64_t)line,
        .channel = item->batch->partner,
        .order_id = item->fact->order_id,
        .refund_id = item->fact->refund_id,
        .kind = kind_of(item->fact->type),
        .event_id = item->fact->event_id,
        .occurred_at = item->fact->occurred_at,
        .tax_returned = -1,
    };
    if (from != NULL) {
        ret->line_id = from->line_id;
        ret->amount = from->amount;
        ret->tax_returned = from->tax_returned;
        ret->fee_returned = from->fee_returned;
    }
}

static enum accord_error insert_refunds(struct writing *w)
{
    size_t lines = 0;
    for (size_t i = 0; i < w->accepted; i++)
        lines += w->kept[i]->fact->row_count + 1;
    struct refund_row *rows = arena_array(w->tx->arena, lines, sizeof *rows);
    struct refund_name *names = arena_array(w->tx->arena, w->accepted, sizeof *names);
    if (rows == NULL || names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    size_t name_count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        const struct fact *fact = item->fact;
        if (fact->refund_id == NULL)
            continue;
        if (item->target == SIZE_MAX) {
            names[name_count] =
                ((struct refund_slot *)facts_row_at(&w->refunds, item->refund))->name;
            names[name_count++].seq = fact->seq;
        }
        if (fact->row_count == 0)
            add_refund(item, NULL, 0, &rows[count++]);
        for (size_t j = 0; j < fact->row_count; j++)
            add_refund(item, &fact->rows[j], j, &rows[count++]);
    }
    const enum accord_error error = store_refund_names_insert(w->tx->db, names, name_count);
    return error != ACCORD_OK ? error : store_refunds_insert(w->tx->db, rows, count);
}

static enum accord_error insert(struct writing *w)
{
    int64_t first;
    enum accord_error error = ingest_seq(w->tx, (int64_t)w->accepted, &first);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < w->accepted; i++) {
        w->kept[i]->fact->seq = first + (int64_t)i;
        if (w->kept[i]->order != SIZE_MAX)
            ((struct order_slot *)facts_row_at(&w->orders, w->kept[i]->order))->seq =
                w->kept[i]->fact->seq;
        if (w->kept[i]->membership != SIZE_MAX)
            ((struct membership_slot *)facts_row_at(&w->memberships, w->kept[i]->membership))->seq =
                w->kept[i]->fact->seq;
    }
    error = insert_facts(w);
    if (error == ACCORD_OK)
        error = insert_learners(w);
    if (error == ACCORD_OK)
        error = insert_sales(w);
    if (error == ACCORD_OK)
        error = insert_refunds(w);
    if (error == ACCORD_OK)
        error = facts_insert_typed(w);
    return error;
}

/* ---- phase 4: what they come to ---- */

static enum accord_error post_orders(struct writing *w)
{
    struct order_slot *slots = (void *)w->orders.rows;
    struct post_order *orders = arena_array(w->tx->arena, w->orders.count + 1, sizeof *orders);
    if (orders == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->orders.count; i++) {
        if (!slots[i].touched)
            continue;
        slots[i].post = count;
        orders[count++] = (struct post_order){
            .name = slots[i].name,
            .fresh = slots[i].sale == NULL ? NULL : slots[i].sale->order,
            .fresh_seq = slots[i].sale == NULL ? 0 : slots[i].sale->seq,
            .fresh_learner =
                slots[i].sale != NULL && slots[i].sale->has_learner ? slots[i].sale->learner : NULL,
            .seq = slots[i].seq,
        };
    }
    const enum accord_error error = ingest_post(w->tx, orders, count);
    for (size_t i = 0; error == ACCORD_OK && i < w->accepted; i++) {
        struct fact *fact = w->kept[i]->fact;
        if (w->kept[i]->order == SIZE_MAX)
            continue;
        const struct post_order *order = &orders[slots[w->kept[i]->order].post];
        if (fact->order != NULL)
            fact->held = order->held;
        else if (fact->row_count > 0 && order->excess_grew)
            fact->held = ACCORD_HELD_EXCESS_REFUND;
    }
    return error;
}

static enum accord_error post_memberships(struct writing *w)
{
    struct membership_slot *slots = (void *)w->memberships.rows;
    struct post_membership *posts =
        arena_array(w->tx->arena, w->memberships.count + 1, sizeof *posts);
    if (posts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->memberships.count; i++) {
        if (!slots[i].touched)
            continue;
        slots[i].post = count;
        posts[count++] = (struct post_membership){.name = slots[i].name, .seq = slots[i].seq};
    }
    const enum accord_error error = ingest_post_memberships(w->tx, posts, count);
    for (size_t i = 0; error == ACCORD_OK && i < w->accepted; i++) {
        struct fact *fact = w->kept[i]->fact;
        if (w->kept[i]->membership == SIZE_MAX || fact->type == FACT_VOID)
            continue;
        const struct post_membership *post = &posts[slots[w->kept[i]->membership].post];
        if (fact->type != FACT_MEMBERSHIP_CANCELLED)
            fact->held = post->held;
        else if (post->excess_grew)
            fact->held = ACCORD_HELD_EXCESS_REFUND;
    }
    return error;
}

static struct feedback_item taken_back(const struct item *item, const struct slot *slot)
{
    if (slot->fact == NULL) {
        const struct fact_target *target = &slot->target;
        struct feedback_item ret = {
            .sign = -1,
            .partner = item->batch->partner,
            .event_id = slot->name.event_id,
            .seq = target->seq,
            .occurred_at = target->occurred_at,
            .provider = target->provider,
            .course_id = target->course_id,
            .has_learner = target->has_learner,
            .measure = target->measure,
            .language = "",
        };
        if (!fact_type_find(slice_of(target->type), &ret.type))
            ret.type = FACT_VOID;
        memcpy(ret.learner, target->learner, LEARNER_BYTES);
        return ret;
    }
    const struct fact *fact = slot->fact;
    struct feedback_item ret = {
        .sign = -1,
        .type = fact->type,
        .partner = item->batch->partner,
        .event_id = fact->event_id,
        .seq = fact->seq,
        .occurred_at = fact->occurred_at,
        .provider = fact->provider,
        .course_id = fact->course_id,
        .has_learner = fact->has_learner,
        .measure = fact->measure,
        .language = fact->language,
    };
    memcpy(ret.learner, fact->learner, LEARNER_BYTES);
    return ret;
}

static enum accord_error apply_feedback(struct writing *w)
{
    struct feedback_item *items = arena_array(w->tx->arena, 2 * w->accepted, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        const struct slot own = {.name = {item->batch->partner, item->fact->event_id},
                                 .fact = item->fact};
        items[count] = taken_back(item, &own);
        items[count++].sign = 1;
        if (item->target != SIZE_MAX)
            items[count++] = taken_back(item, facts_row_at(&w->slots, item->target));
    }
    return ingest_feedback(w->tx, items, count);
}

/* Touches that came, or were taken back, may be what sales behind them are paid on. One that a sale
 * names counts for its buyer's other sales, too; for itself it was there when it was posted. */
static enum accord_error apply_touches(struct writing *w)
{
    struct touch_name *touches = arena_array(w->tx->arena, 2 * w->accepted, sizeof *touches);
    if (touches == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        const struct fact *fact = item->fact;
        const char *channel = item->batch->partner;
        if (fact_has_touch(fact) && fact->has_learner)
            touches[count++] =
                (struct touch_name){channel, fact->learner, fact->occurred_at, fact->seq};
        if (item->target == SIZE_MAX)
            continue;
        const struct slot *slot = facts_row_at(&w->slots, item->target);
        const struct fact_target *target = &slot->target;
        if (slot->fact != NULL && fact_has_touch(slot->fact) && slot->fact->has_learner)
            touches[count++] = (struct touch_name){channel, slot->fact->learner,
                                                   slot->fact->occurred_at, slot->fact->seq};
        else if (slot->fact == NULL && target->touch != NULL && target->has_learner)
            touches[count++] =
                (struct touch_name){channel, target->learner, target->occurred_at, target->seq};
    }
    return ingest_touches_changed(w->tx, touches, count);
}

static bool is_usage(enum fact_type type)
{
    return type == FACT_USAGE || type == FACT_COMPLETION || type == FACT_ENROLMENT;
}

/* Usage that came, or was taken back, may divide months of pools otherwise. */
static enum accord_error apply_usage(struct writing *w)
{
    struct pool_usage_change *changes = arena_array(w->tx->arena, 2 * w->accepted, sizeof *changes);
    if (changes == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        const struct fact *fact = item->fact;
        if (is_usage(fact->type))
            changes[count++] = (struct pool_usage_change){item->batch->partner, fact->occurred_at};
        if (item->target == SIZE_MAX)
            continue;
        const struct slot own = *(const struct slot *)facts_row_at(&w->slots, item->target);
        const struct feedback_item target = taken_back(item, &own);
        if (is_usage(target.type))
            changes[count++] = (struct pool_usage_change){item->batch->partner, target.occurred_at};
    }
    return pool_usage_changed(w->tx, changes, count);
}

/* Facts about entries of challenges, and those that they take the place of. */
static enum accord_error apply_challenges(struct writing *w)
{
    int64_t *seqs = arena_array(w->tx->arena, 2 * w->accepted, sizeof *seqs);
    struct challenge_name *names = arena_array(w->tx->arena, 2 * w->accepted, sizeof *names);
    size_t count = 0;
    if (seqs == NULL || names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        const enum fact_type type = item->fact->type;
        if (type == FACT_CHALLENGE_JOINED || type == FACT_CHALLENGE_WITHDRAWN ||
            type == FACT_CHECKIN)
            seqs[count++] = item->fact->seq;
        else if (type != FACT_VOID)
            continue;
        if (item->target != SIZE_MAX)
            seqs[count++] = seq_of_target(w, item);
    }
    const enum accord_error error =
        store_challenges_of_facts(w->tx->db, w->tx->arena, seqs, count, names);
    return error == ACCORD_OK ? challenge_entries_changed(w->tx, names, count) : error;
}

/* ---- a group of batches ---- */

static enum accord_error collect(struct writing *w, struct fact_batch *const *batches, size_t count,
                                 size_t items)
{
    struct arena *arena = w->tx->arena;
    w->items = arena_array(arena, items + 1, sizeof *w->items);
    w->kept = arena_array(arena, items + 1, sizeof *w->kept);
    if (w->items == NULL || w->kept == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct {
        struct table *table;
        size_t size;
        size_t expected;
    } tables[] = {
        {&w->partners, sizeof(struct partner_slot), 16},
        {&w->slots, sizeof(struct slot), items},
        {&w->orders, sizeof(struct order_slot), items / 2},
        {&w->refunds, sizeof(struct refund_slot), items / 4},
        {&w->memberships, sizeof(struct membership_slot), items / 4},
        {&w->learners, sizeof(struct learner_slot), items},
        {&w->courses, sizeof(struct course_slot), items / 4},
        {&w->subjects, sizeof(struct subject_slot), items / 4},
        {&w->payments, sizeof(struct payment_standing), 16},
        {&w->agreements, sizeof(struct agreement_slot), 16},
    };
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < sizeof tables / sizeof *tables; i++)
        error = facts_table_init(tables[i].table, arena, tables[i].size, tables[i].expected);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = facts_note_partner(w, batches[i]->partner);
        for (size_t j = 0; j < batches[i]->count; j++) {
            struct fact *fact = &batches[i]->facts[j];
            fact->status = FACT_REJECTED;
            fact->code = fact->error;
            fact->code_pointer = fact->pointer;
            fact->held = ACCORD_HELD_NOT;
            fact->seq = 0;
            memset(fact->learner, 0, sizeof fact->learner);
            if (fact->error == ACCORD_OK)
                w->items[w->count++] = (struct item){.batch = batches[i], .fact = fact};
        }
    }
    return error;
}

/* Batches of partners that do not exist are refused as a whole. */
static void refuse(struct writing *w, struct fact_batch *const *batches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batches[i]->refused =
            facts_roles_of(w, batches[i]->partner) == 0 ? ACCORD_E_PARTNER_UNKNOWN : ACCORD_OK;
}

static enum accord_error summarize(struct writing *w, struct fact_batch *const *batches,
                                   size_t count)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct fact_batch *batch = batches[i];
        memset(batch->counts, 0, sizeof batch->counts);
        error = store_partner_version(w->tx->db, batch->partner, &batch->as_of);
        bool touched = false;
        for (size_t j = 0; j < batch->count; j++) {
            const struct fact *fact = &batch->facts[j];
            batch->counts[fact->status]++;
            touched |= fact->status == FACT_ACCEPTED;
            if (fact->seq > batch->as_of)
                batch->as_of = fact->seq;
        }
        if (error == ACCORD_OK && touched)
            error = ingest_touch(w->tx, batch->partner);
    }
    return error;
}

static enum accord_error write_group(struct ingest_tx *tx, struct fact_batch *const *batches,
                                     size_t count, size_t items)
{
    struct writing writing = {.tx = tx};
    struct writing *w = &writing;
    enum accord_error error = collect(w, batches, count, items);
    if (error == ACCORD_OK)
        error = facts_look_up(w);
    if (error == ACCORD_OK)
        refuse(w, batches, count);
    for (size_t i = 0; error == ACCORD_OK && i < w->count; i++)
        if (w->items[i].batch->refused == ACCORD_OK)
            error = facts_decide(w, &w->items[i]);
    if (error == ACCORD_OK && w->accepted > 0) {
        error = insert(w);
        if (error == ACCORD_OK)
            error = post_orders(w);
        if (error == ACCORD_OK)
            error = post_memberships(w);
        if (error == ACCORD_OK)
            error = apply_touches(w);
        if (error == ACCORD_OK)
            error = apply_usage(w);
        if (error == ACCORD_OK)
            error = apply_challenges(w);
        if (error == ACCORD_OK)
            error = facts_post_payments(w);
        if (error == ACCORD_OK)
            error = apply_feedback(w);
    }
    return error != ACCORD_OK ? error : summarize(w, batches, count);
}

/* A group's memory is given back at its end: a transaction may take many. */
static enum accord_error write_apart(struct ingest_tx *tx, struct fact_batch *const *batches,
                                     size_t count, size_t items)
{
    struct arena *const outer = tx->arena;
    tx->arena = arena_new(GROUP_BYTES_MAX);
    const enum accord_error error =
        tx->arena == NULL ? ACCORD_E_OUT_OF_MEMORY : write_group(tx, batches, count, items);
    arena_free(tx->arena);
    tx->arena = outer;
    return error;
}

enum accord_error facts_write(struct ingest_tx *tx, struct fact_batch *const *batches, size_t count)
{
    size_t from = 0;
    size_t items = 0;
    for (size_t i = 0; i < count; i++) {
        items += batches[i]->count;
        if (items < GROUP_ITEMS_MAX && i + 1 < count)
            continue;
        const enum accord_error error = write_apart(tx, batches + from, i + 1 - from, items);
        if (error != ACCORD_OK)
            return error;
        from = i + 1;
        items = 0;
    }
    return ACCORD_OK;
}
