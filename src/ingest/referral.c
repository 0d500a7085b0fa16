#include "ingest/referral.h"

#include <string.h>

#include "ingest/book.h"
#include "ingest/keymap.h"

int64_t referral_window(const struct accord_agreement_version *const *terms, size_t count)
{
    int64_t window = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t t = 0; t < terms[i]->term_count; t++)
            if (terms[i]->terms[t].kind == ACCORD_TERM_REFERRAL &&
                terms[i]->terms[t].attribution_window_us > window)
                window = terms[i]->terms[t].attribution_window_us;
    return window;
}

/* ---- what a sale may be paid on ---- */

/* What is found for one order, before it is handed over. */
struct finding {
    struct accord_touch *touches;
    size_t touch_count;
    struct accord_promoter *promoters;
    size_t promoter_count;
};

static uint32_t number_of(struct finding *finding, const char *id)
{
    size_t i = 0;
    while (i < finding->promoter_count && strcmp(finding->promoters[i].id, id) != 0)
        i++;
    if (i == finding->promoter_count)
        finding->promoters[finding->promoter_count++] =
            (struct accord_promoter){.id = id, .parent = ACCORD_PROMOTER_NONE};
    return (uint32_t)i;
}

static void take_touch(const struct touch_list *list, const struct linked_touch *from,
                       struct finding *ret)
{
    static const enum accord_touch_kind kinds[] = {[TOUCH_CLICK] = ACCORD_TOUCH_CLICK,
                                                   [TOUCH_SHARE] = ACCORD_TOUCH_SHARE,
                                                   [TOUCH_COUPON] = ACCORD_TOUCH_COUPON};
    uint32_t promoter = ACCORD_PROMOTER_NONE;
    if (from->standing != TOUCH_LINK_UNKNOWN) {
        promoter = number_of(ret, from->promoter);
        if (*from->parent != '\0') {
            const uint32_t parent = number_of(ret, from->parent);
            ret->promoters[promoter].parent = parent;
        }
    }
    ret->touches[ret->touch_count++] = (struct accord_touch){
        .occurred_at_us = from->occurred_at,
        .partner = list->channel,
        .event_id = from->event_id,
        .kind = kinds[from->kind],
        .promoter = promoter,
    };
}

/* @param all  also those that cannot count */
static enum accord_error take_touches(struct arena *arena, const struct touch_list *list, bool all,
                                      struct finding *ret)
{
    ret->touches = arena_array(arena, list->count + 1, sizeof *ret->touches);
    ret->promoters = arena_array(arena, 2 * list->count + 1, sizeof *ret->promoters);
    if (ret->touches == NULL || ret->promoters == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        if (all || list->items[i].standing == TOUCH_LINKED)
            take_touch(list, &list->items[i], ret);
    return ACCORD_OK;
}

/* What is known of all promoters at the time of each sale, in one question. */
static enum accord_error know_promoters(struct db *db, struct arena *arena,
                                        const struct referred_order *orders,
                                        struct finding *findings, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += findings[i].promoter_count;
    struct promoter_row *rows = arena_array(arena, total + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < findings[i].promoter_count; j++)
            rows[n++] = (struct promoter_row){.id = findings[i].promoters[j].id,
                                              .channel = orders[i].order->channel,
                                              .learner = orders[i].learner,
                                              .at = orders[i].order->occurred_at_us};
    const enum accord_error error = store_promoters_load(db, rows, total);
    n = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct finding *finding = &findings[i];
        for (size_t j = 0; j < finding->promoter_count; j++, n++) {
            finding->promoters[j].suspended = rows[n].suspended;
            finding->promoters[j].self_referral = rows[n].is_buyer;
        }
        for (size_t j = 0; j < finding->touch_count; j++) {
            struct accord_touch *touch = &finding->touches[j];
            if (touch->promoter == ACCORD_PROMOTER_NONE)
                continue;
            touch->promoter_suspended = finding->promoters[touch->promoter].suspended;
            touch->self_referral = finding->promoters[touch->promoter].self_referral;
        }
    }
    return error;
}

static enum accord_error find_touches(struct db *db, struct arena *arena, int64_t window_us,
                                      bool all, const struct referred_order *orders, size_t count,
                                      struct touch_list *lists, struct finding *findings)
{
    for (size_t i = 0; i < count; i++) {
        findings[i] = (struct finding){.touches = NULL};
        lists[i] = (struct touch_list){.channel = orders[i].order->channel,
                                       .learner = orders[i].learner,
                                       .sale_seq = orders[i].sale_seq,
                                       .from = orders[i].order->occurred_at_us - window_us,
                                       .to = orders[i].order->occurred_at_us};
    }
    enum accord_error error = store_touches_load(db, arena, lists, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = take_touches(arena, &lists[i], all, &findings[i]);
    return error == ACCORD_OK ? know_promoters(db, arena, orders, findings, count) : error;
}

enum accord_error ingest_fill_touches(struct db *db, struct arena *arena, int64_t window_us,
                                      const struct referred_order *orders, size_t count)
{
    if (window_us == 0)
        return ACCORD_OK;
    struct touch_list *lists = arena_array(arena, count + 1, sizeof *lists);
    struct finding *findings = arena_array(arena, count + 1, sizeof *findings);
    if (lists == NULL || findings == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        find_touches(db, arena, window_us, false, orders, count, lists, findings);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        orders[i].order->touches = findings[i].touches;
        orders[i].order->touch_count = findings[i].touch_count;
        orders[i].order->promoters = findings[i].promoters;
        orders[i].order->promoter_count = findings[i].promoter_count;
    }
    return error;
}

enum accord_error ingest_order_touches(struct db *db, struct arena *arena, int64_t window_us,
                                       const struct referred_order *order,
                                       struct order_touches *ret)
{
    struct touch_list list;
    struct finding finding;
    const enum accord_error error =
        find_touches(db, arena, window_us, true, order, 1, &list, &finding);
    if (error == ACCORD_OK)
        *ret = (struct order_touches){.items = list.items,
                                      .touches = finding.touches,
                                      .count = finding.touch_count,
                                      .promoters = finding.promoters,
                                      .promoter_count = finding.promoter_count};
    return error;
}

struct hash referral_learner_lookup(const uint8_t key[32], const char *partner,
                                    struct slice learner)
{
    enum { PARTNER_MAX = 63, LEARNER_MAX = 255 };
    char text[PARTNER_MAX + 1 + LEARNER_MAX];
    const size_t len = strnlen(partner, PARTNER_MAX);
    const size_t more = learner.len < LEARNER_MAX ? learner.len : LEARNER_MAX;
    memcpy(text, partner, len);
    text[len] = '\0';
    memcpy(text + len + 1, learner.data, more);
    return hash_keyed(key, (struct slice){text, len + 1 + more});
}

/* ---- what a change may touch ---- */

enum accord_error ingest_touches_changed(struct ingest_tx *tx, const struct touch_name *touches,
                                         size_t count)
{
    struct agreement_book *book;
    struct seq_list sales = {.arena = tx->arena};
    enum accord_error error = ingest_agreements(tx, &book);
    const int64_t window = error == ACCORD_OK ? agreement_book_window(book) : 0;
    if (window == 0 || count == 0)
        return error;
    struct learner_sales *of = arena_array(tx->arena, count, sizeof *of);
    if (of == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        of[i] = (struct learner_sales){.channel = touches[i].channel,
                                       .learner = touches[i].learner,
                                       .from = touches[i].occurred_at,
                                       .to = touches[i].occurred_at + window,
                                       .but = touches[i].sale_seq};
    error = store_sales_of_learners(tx->db, of, count, &sales);
    return error != ACCORD_OK ? error : ingest_sales_changed(tx, sales.items, sales.count);
}

enum accord_error ingest_link_changed(struct ingest_tx *tx, const struct link_row *link)
{
    struct agreement_book *book;
    struct seq_list sales = {.arena = tx->arena};
    enum accord_error error = ingest_agreements(tx, &book);
    const int64_t window = error == ACCORD_OK ? agreement_book_window(book) : 0;
    if (window == 0)
        return error;
    error = store_sales_of_link(tx->db, link->channel, link->code, window, &sales);
    struct learner_row learner = {.lookup = link->learner_lookup};
    if (error == ACCORD_OK && link->has_learner)
        error = store_learners_find(tx->db, &learner, 1);
    /* What the promoter bought itself is its own referral from now on. */
    const struct learner_sales own = {link->channel, learner.learner, INT64_MIN, INT64_MAX, 0};
    if (error == ACCORD_OK && learner.found)
        error = store_sales_of_learners(tx->db, &own, 1, &sales);
    return error != ACCORD_OK ? error : ingest_sales_changed(tx, sales.items, sales.count);
}

enum accord_error ingest_promoter_changed(struct ingest_tx *tx, const char *promoter,
                                          instant_us from)
{
    struct seq_list sales = {.arena = tx->arena};
    const enum accord_error error = store_sales_of_promoter(tx->db, promoter, from, &sales);
    return error != ACCORD_OK ? error : ingest_sales_changed(tx, sales.items, sales.count);
}
