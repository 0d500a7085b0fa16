#include <string.h>

#include "ingest/facts_raw.h"
#include "ingest/facts_typed.h"
#include "ingest/facts_writing.h"
#include "store/touches.h"

/* ---- phase 2: deciding ---- */

static void reject(struct item *item, enum accord_error code, const char *pointer)
{
    item->fact->status = code == ACCORD_E_EVENT_CONFLICT ? FACT_CONFLICT : FACT_REJECTED;
    item->fact->code = code;
    item->fact->code_pointer = pointer;
}

struct fact_row facts_journal_row(const struct item *item, struct slice body)
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
    const struct fact_row row = facts_journal_row(item, body);
    *ret = fact_hash(&row);
    return ACCORD_OK;
}

/* Was the stored fact of this type erased: its text, or who its learner was? */
static enum accord_error was_erased(struct writing *w, const struct fact *fact,
                                    const struct slot *slot, bool *ret)
{
    struct fact_target target = {.seq = slot->known.seq};
    bool known = true;
    *ret = false;
    enum accord_error error = store_fact_targets(w->tx->db, w->tx->arena, &target, 1);
    if (error != ACCORD_OK || !target.found || strcmp(target.type, fact_type_name(fact->type)) != 0)
        return error;
    if (fact->has_learner && target.has_learner)
        error = store_learner_known(w->tx->db, target.learner, &known);
    if (error == ACCORD_OK)
        *ret = !known || (fact->text.data != NULL && target.had_text && !slot->known.has_text);
    return error;
}

/* The id is taken: by the same fact (duplicate), or by another one (conflict). */
static enum accord_error decide_repeat(struct writing *w, struct item *item,
                                       const struct slot *slot)
{
    const struct hash *stands =
        slot->fact != NULL ? &slot->fact->body_hash : &slot->known.body_hash;
    const uint8_t *salt = slot->fact != NULL ? slot->fact->salt : slot->known.salt;
    struct hash hash = {{0}};
    enum accord_error error = hash_under(w, item, salt, &hash);
    bool same = error == ACCORD_OK && hash_equal(&hash, stands);
    if (error == ACCORD_OK && !same && slot->fact == NULL)
        error = was_erased(w, item->fact, slot, &same);
    if (error != ACCORD_OK)
        return error;
    if (same)
        item->fact->status = FACT_DUPLICATE;
    else
        reject(item, ACCORD_E_EVENT_CONFLICT, "/event_id");
    return ACCORD_OK;
}

/* Where the item may not say what it says; NULL: its partner may post it. */
static const char *may_not_post(const struct writing *w, const struct item *item)
{
    const uint32_t roles = facts_roles_of(w, item->batch->partner);
    const bool channel = (roles & ROLE_CHANNEL_BIT) != 0;
    const bool provider = (roles & ROLE_PROVIDER_BIT) != 0;
    bool may = channel;
    switch (fact_class_of(item->fact->type)) {
    case FACT_CLASS_FEEDBACK:
        if (!channel && item->fact->raw->entry.data != NULL)
            return "/entry"; /* a challenge is a channel's */
        may = channel || (provider && strcmp(item->fact->provider, item->batch->partner) == 0);
        break;
    case FACT_CLASS_CONSENT:
        may = channel || provider;
        break;
    case FACT_CLASS_OPERATOR:
        may = (roles & ROLE_PLATFORM_BIT) != 0;
        break;
    case FACT_CLASS_VOID:
        may = true;
        break;
    case FACT_CLASS_REACH:
    case FACT_CLASS_USAGE:
    case FACT_CLASS_ORDER:
    case FACT_CLASS_MEMBERSHIP:
    case FACT_CLASS_CHALLENGE:
    case FACT_CLASS_ALL:
        break;
    }
    return may ? NULL : "/type";
}

/* The agreement and the partners of an adjustment or payment are there. False: rejected. */
static bool check_operator(struct writing *w, struct item *item)
{
    const struct raw_fact *raw = item->fact->raw;
    if (fact_class_of(item->fact->type) != FACT_CLASS_OPERATOR)
        return true;
    const struct {
        struct slice id;
        const char *pointer;
    } partners[] = {{raw->payer, "/payer"}, {raw->payee, "/payee"}, {raw->funded_by, "/funded_by"}};
    for (size_t i = 0; i < sizeof partners / sizeof *partners; i++)
        if (partners[i].id.data != NULL && facts_roles_of(w, partners[i].id.data) == 0) {
            reject(item, ACCORD_E_PARTNER_UNKNOWN, partners[i].pointer);
            return false;
        }
    if (item->fact->type != FACT_ADJUSTMENT)
        return true;
    const struct agreement_slot *agreement = facts_agreement_of(w, raw->agreement.data);
    if (agreement == NULL)
        reject(item, ACCORD_E_AGREEMENT_UNKNOWN, "/agreement");
    else if (strcmp(agreement->currency.code, raw->currency.code) != 0)
        /* No statement of the agreement could ever tell it. */
        reject(item, ACCORD_E_VALUE_UNKNOWN, "/currency");
    return agreement != NULL && strcmp(agreement->currency.code, raw->currency.code) == 0;
}

/* A known provider for the course, or for each line. False: rejected. */
static bool check_providers(struct writing *w, struct item *item)
{
    const struct fact *fact = item->fact;
    if (*fact->provider != '\0' && (facts_roles_of(w, fact->provider) & ROLE_PROVIDER_BIT) == 0) {
        reject(item, ACCORD_E_PROVIDER_UNKNOWN, "/provider");
        return false;
    }
    const char *checked = "";
    for (size_t i = 0; fact->order != NULL && i < fact->order->line_count; i++) {
        const char *provider = fact->order->lines[i].provider;
        if (strcmp(provider, checked) == 0)
            continue;
        if ((facts_roles_of(w, provider) & ROLE_PROVIDER_BIT) == 0) {
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
    const char *id;
    const char *part;
};

static struct subject subject_of(const struct fact *fact)
{
    return (struct subject){fact_type_name(fact->type),
                            fact->provider,
                            fact->course_id,
                            fact->has_learner,
                            fact->learner,
                            fact->order_id,
                            fact->refund_id,
                            fact->subject_id,
                            fact->subject_part};
}

static struct subject subject_in(const struct slot *slot)
{
    const struct fact_target *target = &slot->target;
    return slot->fact != NULL
               ? subject_of(slot->fact)
               : (struct subject){target->type,        target->provider,   target->course_id,
                                  target->has_learner, target->learner,    target->order_id,
                                  target->refund_id,   target->subject_id, target->subject_part};
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
           same_text(fact->subject_id, target->id) && same_text(fact->subject_part, target->part) &&
           fact->has_learner == target->has_learner &&
           (!fact->has_learner || memcmp(fact->learner, target->learner, LEARNER_BYTES) == 0);
}

/* The fact that is superseded must be the partner's own current one. False: rejected. */
static enum accord_error check_target(struct writing *w, struct item *item, bool *ret_fine)
{
    const struct slot *slot = facts_row_at(&w->slots, item->target);
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
    if (!facts_may_void_payment(w, item)) {
        reject(item, ACCORD_E_PAYMENT_STATE_INVALID, "/supersedes");
        return ACCORD_OK;
    }
    *ret_fine = true;
    /* Taking back a fact of an order or a membership touches that. */
    enum fact_type type;
    if (item->fact->type == FACT_VOID && target.order_id != NULL)
        return facts_note_order(w, item->batch->partner, target.order_id, &item->order);
    if (item->fact->type == FACT_VOID && fact_type_find(slice_of(target.type), &type) &&
        fact_class_of(type) == FACT_CLASS_MEMBERSHIP)
        return facts_note_membership(w, item->batch->partner, target.id, &item->membership);
    return ACCORD_OK;
}

/* Ids that are taken for ever are free. False: rejected. */
static bool check_ids(struct writing *w, struct item *item)
{
    const struct fact *fact = item->fact;
    enum accord_error code = ACCORD_OK;
    const char *pointer = "";
    if (fact->order != NULL &&
        ((struct order_slot *)facts_row_at(&w->orders, item->order))->taken) {
        code = ACCORD_E_ORDER_EXISTS;
        pointer = "/order_id";
    } else if (item->refund != SIZE_MAX &&
               ((struct refund_slot *)facts_row_at(&w->refunds, item->refund))->taken) {
        code = ACCORD_E_REFUND_EXISTS;
        pointer = "/refund_id";
    } else if (item->subject != SIZE_MAX) {
        static const struct {
            enum accord_error code;
            const char *pointer;
        } kinds[] = {
            [SUBJECT_MEMBERSHIP] = {ACCORD_E_MEMBERSHIP_EXISTS, "/membership_id"},
            [SUBJECT_TERM] = {ACCORD_E_TERM_EXISTS, "/term_id"},
            [SUBJECT_ENTRY] = {ACCORD_E_ENTRY_EXISTS, "/entry_id"},
            [SUBJECT_WITHDRAWAL] = {ACCORD_E_ENTRY_EXISTS, "/entry_id"},
            [SUBJECT_ADJUSTMENT] = {ACCORD_E_ADJUSTMENT_EXISTS, "/adjustment_id"},
        };
        const struct subject_slot *slot = facts_row_at(&w->subjects, item->subject);
        if (slot->taken) {
            code = kinds[slot->name.kind].code;
            pointer = kinds[slot->name.kind].pointer;
        }
    }
    if (code != ACCORD_OK)
        reject(item, code, pointer);
    return code == ACCORD_OK;
}

/* Whether a sale names the touch that the one it corrects had named. */
static bool keeps_touch(const struct writing *w, const struct item *item)
{
    if (item->target == SIZE_MAX)
        return false;
    const struct slot *slot = facts_row_at(&w->slots, item->target);
    const struct raw_fact *raw = item->fact->raw;
    if (slot->fact != NULL) {
        const struct raw_fact *was = slot->fact->raw;
        return was->touch.data != NULL && slice_equal(was->touch, raw->touch) &&
               was->touch_kind == raw->touch_kind;
    }
    return slot->target.touch != NULL && slice_equal(slice_of(slot->target.touch), raw->touch) &&
           strcmp(slot->target.touch_kind, touch_kind_names[raw->touch_kind]) == 0;
}

/* A touch that comes late might be made to fit a sale that is known. False: rejected. */
static bool check_age(const struct writing *w, struct item *item)
{
    const bool sale = item->fact->type == FACT_ORDER_PAID;
    if (!fact_has_touch(item->fact) || (sale && keeps_touch(w, item)) ||
        w->tx->now - item->fact->occurred_at <= FACTS_TOUCH_AGE_MAX_S * CLOCK_SECOND_US)
        return true;
    reject(item, ACCORD_E_TOUCH_TOO_LATE, sale ? "/touch" : "/occurred_at");
    return false;
}

static void accept(struct writing *w, struct item *item)
{
    struct fact *fact = item->fact;
    fact->status = FACT_ACCEPTED;
    ((struct slot *)facts_row_at(&w->slots, item->slot))->fact = fact;
    if (item->learner != SIZE_MAX)
        ((struct learner_slot *)facts_row_at(&w->learners, item->learner))->used = true;
    if (item->target != SIZE_MAX)
        ((struct slot *)facts_row_at(&w->slots, item->target))->superseded = true;
    if (item->order != SIZE_MAX) {
        struct order_slot *order = facts_row_at(&w->orders, item->order);
        order->touched = true;
        if (fact->order != NULL && fact->bundle == NULL && item->target == SIZE_MAX)
            order->sale = fact; /* first and only, so far */
        else if (fact->order != NULL || fact->type == FACT_VOID)
            order->sale = NULL; /* read what stands in the end */
        order->taken |= fact->order != NULL;
    }
    if (item->membership != SIZE_MAX)
        ((struct membership_slot *)facts_row_at(&w->memberships, item->membership))->touched = true;
    if (item->refund != SIZE_MAX)
        ((struct refund_slot *)facts_row_at(&w->refunds, item->refund))->taken = true;
    if (item->subject != SIZE_MAX)
        ((struct subject_slot *)facts_row_at(&w->subjects, item->subject))->taken = true;
    facts_accept_payment(w, item);
    if (item->course != SIZE_MAX &&
        !((struct course_slot *)facts_row_at(&w->courses, item->course))->known)
        fact->held = ACCORD_HELD_UNMATCHED;
    w->kept[w->accepted++] = item;
}

enum accord_error facts_decide(struct writing *w, struct item *item)
{
    struct fact *fact = item->fact;
    const struct slot *slot = facts_row_at(&w->slots, item->slot);
    if (item->learner != SIZE_MAX)
        memcpy(fact->learner,
               ((struct learner_slot *)facts_row_at(&w->learners, item->learner))->row.learner,
               LEARNER_BYTES);
    if (slot->known.found || slot->fact != NULL)
        return decide_repeat(w, item, slot);
    const char *where = may_not_post(w, item);
    if (where != NULL) {
        reject(item, ACCORD_E_EVENT_NOT_ALLOWED, where);
        return ACCORD_OK;
    }
    if (!check_providers(w, item) || !check_operator(w, item) || !check_age(w, item))
        return ACCORD_OK;
    if (item->target != SIZE_MAX) {
        bool fine;
        const enum accord_error error = check_target(w, item, &fine);
        if (error != ACCORD_OK || !fine)
            return error;
    } else if (!check_ids(w, item)) {
        return ACCORD_OK;
    }
    if (item->payment != SIZE_MAX) {
        const char *pointer = "";
        const enum accord_error code = facts_check_payment(w, item, &pointer);
        if (code != ACCORD_OK) {
            reject(item, code, pointer);
            return ACCORD_OK;
        }
    }
    const struct fact_row row = facts_journal_row(item, fact->body);
    fact->body_hash = fact_hash(&row);
    accept(w, item);
    return ACCORD_OK;
}
