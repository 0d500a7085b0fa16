/*
 * Facts into the journal, in four phases: look up all keys, decide in memory, insert facts with
 * their keys and typed rows, settle what they touch. Each phase asks and writes in batches; what is
 * decided sees the items before it, of its own request and of others in the transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "ingest/facts.h"
#include "ingest/feedback.h"
#include "ingest/keymap.h"
#include "ingest/post.h"
#include "store/partners.h"
#include "store/sales.h"

enum {
    GROUP_ITEMS_MAX = 20000,
    GROUP_BYTES_MAX = 1 << 30,
    ROLE_PROVIDER_BIT = 1,
    ROLE_CHANNEL_BIT = 2,
};

/* What stands, or comes to stand, under one (partner, event_id). */
struct slot {
    struct fact_name name;
    struct fact_known known;
    const struct fact *fact; /* accepted in this run */
    bool is_target;
    struct fact_target target; /* of a stored one that is to be superseded */
    bool superseded;
};

struct order_slot {
    struct order_name name;
    bool taken;
    bool touched;
    const struct fact
        *sale;   /* its first sale, accepted in this run, as long as nothing replaces it */
    int64_t seq; /* of the last fact that touches it */
    size_t post; /* index of what is posted */
};

struct refund_slot {
    struct refund_name name;
    bool taken;
};

struct item {
    struct fact_batch *batch;
    struct fact *fact;
    size_t slot;
    size_t target;  /* slot of what it supersedes; SIZE_MAX: nothing */
    size_t learner; /* SIZE_MAX: none */
    size_t course;  /* SIZE_MAX: none */
    size_t order;   /* order_slot it touches; SIZE_MAX: none */
    size_t refund;  /* refund_slot of its id; SIZE_MAX: none */
};

/* A growing table with an index by key. */
struct table {
    struct keymap index;
    char *rows;
    size_t size;
    size_t count;
    size_t cap;
};

struct writing {
    struct ingest_tx *tx;
    struct item *items;
    size_t count;
    struct table partners; /* struct partner_slot */
    struct table slots;    /* struct slot */
    struct table orders;   /* struct order_slot */
    struct table refunds;  /* struct refund_slot */
    struct table learners; /* struct learner_slot */
    struct table courses;  /* struct course_slot */
    size_t accepted;
    struct item **kept; /* accepted items, in order */
};

struct partner_slot {
    const char *id;
    uint32_t roles;
};

struct learner_slot {
    struct learner_row row;
    bool used; /* by an accepted fact */
};

struct course_slot {
    struct course_name name;
    bool known;
};

static enum accord_error table_init(struct table *table, struct arena *arena, size_t size,
                                    size_t expected)
{
    *table = (struct table){.size = size};
    return keymap_init(&table->index, arena, expected);
}

/* The row of a key, zeroed when it is new; *ret its place. */
static enum accord_error table_at(struct table *table, const struct key *key, size_t *ret,
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

static void *row_at(const struct table *table, size_t place)
{
    return table->rows + place * table->size;
}

/* ---- phase 1: which keys there are, and what stands under them ---- */

static enum accord_error note_partner(struct writing *w, const char *id)
{
    const struct key key = key_of(id, NULL);
    size_t at;
    bool made;
    const enum accord_error error = table_at(&w->partners, &key, &at, &made);
    if (error == ACCORD_OK && made)
        ((struct partner_slot *)row_at(&w->partners, at))->id = id;
    return error;
}

static uint32_t roles_of(const struct writing *w, const char *id)
{
    const struct key key = key_of(id, NULL);
    const size_t *at = keymap_find(&w->partners.index, &key);
    return at == NULL ? 0 : ((struct partner_slot *)row_at(&w->partners, *at))->roles;
}

static enum accord_error note_name(struct writing *w, const char *partner, const char *event_id,
                                   size_t *ret)
{
    const struct key key = key_of(partner, event_id, NULL);
    bool made;
    const enum accord_error error = table_at(&w->slots, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct slot *)row_at(&w->slots, *ret))->name = (struct fact_name){partner, event_id};
    return error;
}

static enum accord_error note_order(struct writing *w, const char *channel, const char *order_id,
                                    size_t *ret)
{
    const struct key key = key_of(channel, order_id, NULL);
    bool made;
    const enum accord_error error = table_at(&w->orders, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct order_slot *)row_at(&w->orders, *ret))->name =
            (struct order_name){channel, order_id};
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
    const enum accord_error error = table_at(&w->refunds, &key, ret, &made);
    if (error == ACCORD_OK && made)
        ((struct refund_slot *)row_at(&w->refunds, *ret))->name =
            (struct refund_name){channel, fact->order_id, fact->refund_id, is_reversal(fact), 0};
    return error;
}

static enum accord_error note_item(struct writing *w, struct item *item)
{
    const struct fact *fact = item->fact;
    const char *partner = item->batch->partner;
    bool made;
    item->target = item->learner = item->course = item->order = item->refund = SIZE_MAX;
    enum accord_error error = note_name(w, partner, fact->event_id, &item->slot);
    if (error == ACCORD_OK && fact->supersedes != NULL) {
        error = note_name(w, partner, fact->supersedes, &item->target);
        if (error == ACCORD_OK)
            ((struct slot *)row_at(&w->slots, item->target))->is_target = true;
    }
    if (error == ACCORD_OK && *fact->provider != '\0')
        error = note_partner(w, fact->provider);
    if (error == ACCORD_OK && *fact->course_id != '\0') {
        const struct key key = key_of(fact->provider, fact->course_id, NULL);
        error = table_at(&w->courses, &key, &item->course, &made);
        if (error == ACCORD_OK && made)
            ((struct course_slot *)row_at(&w->courses, item->course))->name =
                (struct course_name){fact->provider, fact->course_id};
    }
    if (error == ACCORD_OK && fact->has_learner) {
        struct key key = {.len = 0};
        key_bytes(&key, fact->learner_lookup.bytes, HASH_BYTES);
        error = table_at(&w->learners, &key, &item->learner, &made);
        if (error == ACCORD_OK && made)
            ((struct learner_slot *)row_at(&w->learners, item->learner))->row.lookup =
                fact->learner_lookup;
    }
    if (error == ACCORD_OK && fact->order_id != NULL)
        error = note_order(w, partner, fact->order_id, &item->order);
    if (error == ACCORD_OK && fact->refund_id != NULL)
        error = note_refund(w, partner, fact, &item->refund);
    for (size_t i = 0; error == ACCORD_OK && fact->order != NULL && i < fact->order->line_count;
         i++)
        if (i == 0 ||
            strcmp(fact->order->lines[i].provider, fact->order->lines[i - 1].provider) != 0)
            error = note_partner(w, fact->order->lines[i].provider);
    return error;
}

/* A list of one member of every row of a table, for asking, and room for the answers. */
#define ASK(w, table, slot_type, member, member_type, answer_type)                                 \
    member_type *asked = arena_array((w)->tx->arena, (w)->table.count + 1, sizeof *asked);         \
    answer_type *answers = arena_array((w)->tx->arena, (w)->table.count + 1, sizeof *answers);     \
    if (asked == NULL || answers == NULL)                                                          \
        return ACCORD_E_OUT_OF_MEMORY;                                                             \
    slot_type *rows = (void *)(w)->table.rows;                                                     \
    for (size_t i = 0; i < (w)->table.count; i++)                                                  \
    asked[i] = rows[i].member

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
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->learners.count; i++)
        rows[i] = slots[i].row;
    const enum accord_error error = store_learners_find(w->tx->db, rows, w->learners.count);
    for (size_t i = 0; error == ACCORD_OK && i < w->learners.count; i++) {
        slots[i].row = rows[i];
        if (!rows[i].found)
            random_bytes(slots[i].row.learner, LEARNER_BYTES);
    }
    return error;
}

static enum accord_error look_up(struct writing *w)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < w->count; i++)
        error = note_item(w, &w->items[i]);
    enum accord_error (*const asks[])(struct writing *) = {
        ask_partners, ask_names, ask_targets, ask_orders, ask_refunds, ask_courses, ask_learners};
    for (size_t i = 0; error == ACCORD_OK && i < sizeof asks / sizeof *asks; i++)
        error = asks[i](w);
    return error;
}

/* ---- phase 2: deciding ---- */

static void reject(struct item *item, enum accord_error code, const char *pointer)
{
    item->fact->status = code == ACCORD_E_EVENT_CONFLICT ? FACT_CONFLICT : FACT_REJECTED;
    item->fact->code = code;
    item->fact->code_pointer = pointer;
}

static struct fact_row journal_row(const struct item *item, struct slice body)
{
    const struct fact *fact = item->fact;
    struct fact_row row = {
        .seq = fact->seq,
        .partner = item->batch->partner,
        .posted_by = item->batch->posted_by,
        .event_id = fact->event_id,
        .type = fact_type_name(fact->type),
        .occurred_at = fact->occurred_at,
        .has_learner = fact->has_learner,
        .provider = fact->provider,
        .course_id = fact->course_id,
        .measure = fact->measure,
        .body = body,
        .canon = FACT_CANON,
        .body_hash = fact->body_hash,
        .text = fact->text,
    };
    memcpy(row.learner, fact->learner, LEARNER_BYTES);
    memcpy(row.salt, fact->salt, FACT_SALT_BYTES);
    return row;
}

/* Its hash as it would be stored with the text's hash under a salt. */
static enum accord_error hash_under(struct writing *w, const struct item *item, const uint8_t *salt,
                                    struct hash *ret)
{
    struct slice body = item->fact->body;
    if (item->fact->text.data != NULL) {
        body = fact_body(w->tx->arena, item->fact, salt);
        if (body.data == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    const struct fact_row row = journal_row(item, body);
    *ret = fact_hash(&row);
    return ACCORD_OK;
}

/* A stored fact whose text is no longer there: erased, unless it never had one. */
static enum accord_error was_erased(struct writing *w, const struct slot *slot, bool *ret)
{
    struct fact_target target = {.seq = slot->known.seq};
    const enum accord_error error = store_fact_targets(w->tx->db, w->tx->arena, &target, 1);
    if (error == ACCORD_OK)
        *ret = target.found && target.had_text;
    return error;
}

/* The id is taken: by the same fact (duplicate), or by another one (conflict). */
static enum accord_error decide_repeat(struct writing *w, struct item *item,
                                       const struct slot *slot)
{
    const struct hash *stands =
        slot->fact != NULL ? &slot->fact->body_hash : &slot->known.body_hash;
    const uint8_t *salt = slot->fact != NULL ? slot->fact->salt : slot->known.salt;
    bool erased = false;
    enum accord_error error = ACCORD_OK;
    if (item->fact->text.data != NULL && slot->fact == NULL && !slot->known.has_text)
        error = was_erased(w, slot, &erased);
    struct hash hash = {{0}};
    if (error == ACCORD_OK)
        error = hash_under(w, item, salt, &hash);
    if (error != ACCORD_OK)
        return error;
    if (erased || hash_equal(&hash, stands))
        item->fact->status = FACT_DUPLICATE;
    else
        reject(item, ACCORD_E_EVENT_CONFLICT, "/event_id");
    return ACCORD_OK;
}

static bool may_post(const struct writing *w, const struct item *item)
{
    const uint32_t roles = roles_of(w, item->batch->partner);
    const enum fact_class kind = fact_class_of(item->fact->type);
    if (kind == FACT_CLASS_VOID || (roles & ROLE_CHANNEL_BIT) != 0)
        return true;
    return kind == FACT_CLASS_FEEDBACK && (roles & ROLE_PROVIDER_BIT) != 0 &&
           strcmp(item->fact->provider, item->batch->partner) == 0;
}

/* A known provider for the course, or for each line. False: rejected. */
static bool check_providers(struct writing *w, struct item *item)
{
    const struct fact *fact = item->fact;
    if (*fact->provider != '\0' && (roles_of(w, fact->provider) & ROLE_PROVIDER_BIT) == 0) {
        reject(item, ACCORD_E_PROVIDER_UNKNOWN, "/provider");
        return false;
    }
    const char *checked = "";
    for (size_t i = 0; fact->order != NULL && i < fact->order->line_count; i++) {
        const char *provider = fact->order->lines[i].provider;
        if (strcmp(provider, checked) == 0)
            continue;
        if ((roles_of(w, provider) & ROLE_PROVIDER_BIT) == 0) {
            const char *pointer = arena_printf(item->batch->arena, "/lines/%zu/provider", i);
            reject(item, ACCORD_E_PROVIDER_UNKNOWN, pointer == NULL ? "/lines" : pointer);
            return false;
        }
        checked = provider;
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What a fact is about, whether it is stored or was accepted in this run. */
struct subject {
    const char *type;
    const char *provider;
    const char *course_id;
    bool has_learner;
    const uint8_t *learner;
    const char *order_id;
    const char *refund_id;
};

static struct subject subject_of(const struct fact *fact)
{
    return (struct subject){fact_type_name(fact->type),
                            fact->provider,
                            fact->course_id,
                            fact->has_learner,
                            fact->learner,
                            fact->order_id,
                            fact->refund_id};
}

static struct subject subject_in(const struct slot *slot)
{
    const struct fact_target *target = &slot->target;
    return slot->fact != NULL
               ? subject_of(slot->fact)
               : (struct subject){target->type,        target->provider, target->course_id,
                                  target->has_learner, target->learner,  target->order_id,
                                  target->refund_id};
}

static bool may_supersede(const struct fact *fact, const struct subject *target)
{
    if (strcmp(target->type, fact_type_name(FACT_VOID)) == 0)
        return false;
    if (fact->type == FACT_VOID)
        return true;
    if (strcmp(target->type, fact_type_name(fact->type)) != 0)
        return false;
    if (fact->order_id != NULL)
        return same_text(fact->order_id, target->order_id) &&
               same_text(fact->refund_id, target->refund_id);
    return same_text(fact->provider, target->provider) &&
           same_text(fact->course_id, target->course_id) &&
           fact->has_learner == target->has_learner &&
           (!fact->has_learner || memcmp(fact->learner, target->learner, LEARNER_BYTES) == 0);
}

/* The fact that is superseded must be the partner's own current one. False: rejected. */
static enum accord_error check_target(struct writing *w, struct item *item, bool *ret_fine)
{
    const struct slot *slot = row_at(&w->slots, item->target);
    *ret_fine = false;
    if (slot->superseded || (slot->fact == NULL && !slot->target.found)) {
        reject(item, ACCORD_E_SUPERSEDES_UNKNOWN, "/supersedes");
        return ACCORD_OK;
    }
    const struct subject target = subject_in(slot);
    if (!may_supersede(item->fact, &target)) {
        reject(item, ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
        return ACCORD_OK;
    }
    *ret_fine = true;
    /* Taking back a fact of an order touches that order. */
    if (item->fact->type == FACT_VOID && target.order_id != NULL)
        return note_order(w, item->batch->partner, target.order_id, &item->order);
    return ACCORD_OK;
}

static void accept(struct writing *w, struct item *item)
{
    struct fact *fact = item->fact;
    fact->status = FACT_ACCEPTED;
    ((struct slot *)row_at(&w->slots, item->slot))->fact = fact;
    if (item->learner != SIZE_MAX)
        ((struct learner_slot *)row_at(&w->learners, item->learner))->used = true;
    if (item->target != SIZE_MAX)
        ((struct slot *)row_at(&w->slots, item->target))->superseded = true;
    if (item->order != SIZE_MAX) {
        struct order_slot *order = row_at(&w->orders, item->order);
        order->touched = true;
        if (fact->order != NULL && item->target == SIZE_MAX)
            order->sale = fact; /* first and only, so far */
        else if (fact->order != NULL || fact->type == FACT_VOID)
            order->sale = NULL; /* read what stands in the end */
        order->taken |= fact->order != NULL;
    }
    if (item->refund != SIZE_MAX)
        ((struct refund_slot *)row_at(&w->refunds, item->refund))->taken = true;
    if (item->course != SIZE_MAX &&
        !((struct course_slot *)row_at(&w->courses, item->course))->known)
        fact->held = ACCORD_HELD_UNMATCHED;
    w->kept[w->accepted++] = item;
}

static enum accord_error decide(struct writing *w, struct item *item)
{
    struct fact *fact = item->fact;
    const struct slot *slot = row_at(&w->slots, item->slot);
    if (item->learner != SIZE_MAX)
        memcpy(fact->learner,
               ((struct learner_slot *)row_at(&w->learners, item->learner))->row.learner,
               LEARNER_BYTES);
    if (slot->known.found || slot->fact != NULL)
        return decide_repeat(w, item, slot);
    if (!may_post(w, item)) {
        reject(item, ACCORD_E_EVENT_NOT_ALLOWED, "/type");
        return ACCORD_OK;
    }
    if (!check_providers(w, item))
        return ACCORD_OK;
    if (item->target != SIZE_MAX) {
        bool fine;
        const enum accord_error error = check_target(w, item, &fine);
        if (error != ACCORD_OK || !fine)
            return error;
    } else if (fact->order != NULL &&
               ((struct order_slot *)row_at(&w->orders, item->order))->taken) {
        reject(item, ACCORD_E_ORDER_EXISTS, "/order_id");
        return ACCORD_OK;
    } else if (item->refund != SIZE_MAX &&
               ((struct refund_slot *)row_at(&w->refunds, item->refund))->taken) {
        reject(item, ACCORD_E_REFUND_EXISTS, "/refund_id");
        return ACCORD_OK;
    }
    const struct fact_row row = journal_row(item, fact->body);
    fact->body_hash = fact_hash(&row);
    accept(w, item);
    return ACCORD_OK;
}

/* ---- phase 3: the journal ---- */

static int64_t seq_of_target(const struct writing *w, const struct item *item)
{
    if (item->target == SIZE_MAX)
        return 0;
    const struct slot *slot = row_at(&w->slots, item->target);
    return slot->fact != NULL ? slot->fact->seq : slot->known.seq;
}

static enum accord_error insert_facts(struct writing *w)
{
    struct fact_row *rows = arena_array(w->tx->arena, w->accepted, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->accepted; i++) {
        rows[i] = journal_row(w->kept[i], w->kept[i]->fact->body);
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
        row->id = opaque_id(w, &((struct order_slot *)row_at(&w->orders, item->order))->name);
        if (row->id == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(row->learner, item->fact->learner, LEARNER_BYTES);
    }
    return store_sales_insert(w->tx->db, rows, count);
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
            names[name_count] = ((struct refund_slot *)row_at(&w->refunds, item->refund))->name;
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
            ((struct order_slot *)row_at(&w->orders, w->kept[i]->order))->seq =
                w->kept[i]->fact->seq;
    }
    error = insert_facts(w);
    if (error == ACCORD_OK)
        error = insert_learners(w);
    if (error == ACCORD_OK)
        error = insert_sales(w);
    if (error == ACCORD_OK)
        error = insert_refunds(w);
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
            items[count++] = taken_back(item, row_at(&w->slots, item->target));
    }
    return ingest_feedback(w->tx, items, count);
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
        {&w->learners, sizeof(struct learner_slot), items},
        {&w->courses, sizeof(struct course_slot), items / 4},
    };
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < sizeof tables / sizeof *tables; i++)
        error = table_init(tables[i].table, arena, tables[i].size, tables[i].expected);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = note_partner(w, batches[i]->partner);
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
            roles_of(w, batches[i]->partner) == 0 ? ACCORD_E_PARTNER_UNKNOWN : ACCORD_OK;
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
        error = look_up(w);
    if (error == ACCORD_OK)
        refuse(w, batches, count);
    for (size_t i = 0; error == ACCORD_OK && i < w->count; i++)
        if (w->items[i].batch->refused == ACCORD_OK)
            error = decide(w, &w->items[i]);
    if (error == ACCORD_OK && w->accepted > 0) {
        error = insert(w);
        if (error == ACCORD_OK)
            error = post_orders(w);
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
