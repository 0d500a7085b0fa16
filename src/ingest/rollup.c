#include "ingest/rollup.h"

#include <stdlib.h>
#include <string.h>

#include "accord/money.h"
#include "base/clock.h"
#include "ingest/keymap.h"

enum { BATCH_BYTES_MAX = 1 << 30 };

struct number_sum {
    struct rollup_row row;
    bool seen;
};

struct share_sum {
    struct rollup_share share;
    bool seen;
};

struct count_sum {
    struct feedback_count count;
    bool seen;
};

/* A list of sums of one kind with its index; elements are `size` bytes. */
struct sums {
    struct keymap index;
    char *items;
    size_t size;
    size_t count;
    size_t cap;
};

struct rollup_batch {
    struct arena *arena;
    struct keymap texts; /* of keys: copied once */
    const char **interned;
    size_t interned_count;
    size_t interned_cap;
    struct sums numbers;
    struct sums shares;
    struct sums counts;
    bool ready;
};

struct rollup_batch *rollup_batch_new(void)
{
    struct rollup_batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL && (batch->arena = arena_new(BATCH_BYTES_MAX)) == NULL) {
        free(batch);
        return NULL;
    }
    return batch;
}

void rollup_batch_free(struct rollup_batch *batch)
{
    if (batch == NULL)
        return;
    arena_free(batch->arena);
    free(batch);
}

void rollup_batch_clear(struct rollup_batch *batch)
{
    struct arena *arena = batch->arena;
    arena_reset(arena);
    *batch = (struct rollup_batch){.arena = arena};
}

static enum accord_error prepare(struct rollup_batch *batch)
{
    if (batch->ready)
        return ACCORD_OK;
    batch->numbers.size = sizeof(struct number_sum);
    batch->shares.size = sizeof(struct share_sum);
    batch->counts.size = sizeof(struct count_sum);
    struct keymap *maps[] = {&batch->texts, &batch->numbers.index, &batch->shares.index,
                             &batch->counts.index};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        const enum accord_error error = keymap_init(maps[i], batch->arena, 64);
        if (error != ACCORD_OK)
            return error;
    }
    batch->ready = true;
    return ACCORD_OK;
}

static bool make_room(struct arena *arena, char **items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    const size_t more = *cap == 0 ? 64 : 2 * *cap;
    char *ret = arena_array(arena, more, size);
    if (ret == NULL)
        return false;
    if (count > 0)
        memcpy(ret, *items, count * size);
    *items = ret;
    *cap = more;
    return true;
}

/* A copy of a text that lives as long as the batch's contents. */
static const char *intern(struct rollup_batch *batch, const char *text)
{
    const struct key key = key_of(text, NULL);
    size_t *at;
    if (keymap_at(&batch->texts, &key, batch->interned_count, &at) != ACCORD_OK)
        return NULL;
    if (*at == batch->interned_count) {
        char *items = (char *)batch->interned;
        if (!make_room(batch->arena, &items, batch->interned_count, &batch->interned_cap,
                       sizeof *batch->interned))
            return NULL;
        batch->interned = (const char **)(void *)items;
        const char *copy = arena_strdup(batch->arena, slice_of(text));
        if (copy == NULL)
            return NULL;
        batch->interned[batch->interned_count++] = copy;
    }
    return batch->interned[*at];
}

/* The element under a key; *ret_new when it was made now, zeroed. */
static enum accord_error sums_at(struct rollup_batch *batch, struct sums *sums,
                                 const struct key *key, void **ret, bool *ret_new)
{
    size_t *at;
    const enum accord_error error = keymap_at(&sums->index, key, sums->count, &at);
    if (error != ACCORD_OK)
        return error;
    *ret_new = *at == sums->count;
    if (*ret_new) {
        if (!make_room(batch->arena, &sums->items, sums->count, &sums->cap, sums->size))
            return ACCORD_E_OUT_OF_MEMORY;
        sums->count++;
    }
    *ret = sums->items + *at * sums->size;
    return ACCORD_OK;
}

static struct key map_key(const struct rollup_key *key)
{
    struct key ret =
        key_of(key->agreement, key->grain, key->held, key->channel, key->provider, key->course_id,
               key->currency, key->sale_currency, key->payee == NULL ? "" : key->payee, NULL);
    key_number(&ret, key->version);
    key_number(&ret, key->day);
    key_number(&ret, key->staged);
    return ret;
}

static enum accord_error copy_key(struct rollup_batch *batch, struct rollup_key *key)
{
    const char **texts[] = {&key->agreement, &key->grain,         &key->held,
                            &key->channel,   &key->provider,      &key->course_id,
                            &key->currency,  &key->sale_currency, &key->payee};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i] != NULL && (*texts[i] = intern(batch, *texts[i])) == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    return ACCORD_OK;
}

static enum accord_error add_numbers(struct rollup_batch *batch, const struct rollup_key *key,
                                     const int64_t numbers[ENTRY_NUMBERS])
{
    const struct key at = map_key(key);
    void *found;
    bool made;
    enum accord_error error = sums_at(batch, &batch->numbers, &at, &found, &made);
    if (error != ACCORD_OK)
        return error;
    struct number_sum *sum = found;
    if (made) {
        sum->row.key = *key;
        error = copy_key(batch, &sum->row.key);
    }
    for (size_t i = 0; error == ACCORD_OK && i < ENTRY_NUMBERS; i++)
        error = accord_add(sum->row.numbers[i], numbers[i], &sum->row.numbers[i]);
    return error;
}

static enum accord_error add_share(struct rollup_batch *batch, const struct rollup_key *key,
                                   int64_t amount)
{
    const struct key at = map_key(key);
    void *found;
    bool made;
    enum accord_error error = sums_at(batch, &batch->shares, &at, &found, &made);
    if (error != ACCORD_OK)
        return error;
    struct share_sum *sum = found;
    if (made) {
        sum->share.key = *key;
        error = copy_key(batch, &sum->share.key);
    }
    return error != ACCORD_OK ? error : accord_add(sum->share.amount, amount, &sum->share.amount);
}

static int64_t first_of_month(int64_t day)
{
    int year;
    unsigned month;
    unsigned day_of_month;
    clock_civil_from_days((int32_t)day, &year, &month, &day_of_month);
    return day - (int64_t)day_of_month + 1;
}

enum accord_error rollup_batch_entry(struct rollup_batch *batch, const struct entry_row *entry)
{
    enum accord_error error = prepare(batch);
    for (int grain = 0; error == ACCORD_OK && grain < ROLLUP_GRAINS; grain++) {
        struct rollup_key key = {
            .staged = entry->generation != 0,
            .agreement = entry->agreement,
            .version = entry->version,
            .grain = rollup_grain_name((enum rollup_grain)grain),
            .day = grain == ROLLUP_DAY ? entry->day : first_of_month(entry->day),
            .held = entry->held,
            .channel = entry->channel,
            .provider = entry->provider,
            .course_id = grain == ROLLUP_COURSE ? entry->course_id : "",
            .currency = entry->currency,
            .sale_currency = entry->sale_currency,
        };
        error = add_numbers(batch, &key, entry->numbers);
        for (size_t i = 0; error == ACCORD_OK && i < entry->share_count; i++) {
            key.payee = entry->shares[i].payee;
            error = add_share(batch, &key, entry->shares[i].amount);
        }
    }
    return error;
}

enum accord_error rollup_batch_feedback(struct rollup_batch *batch, const char *provider,
                                        const char *course_id, const char *kind, int64_t change)
{
    enum accord_error error = prepare(batch);
    if (error != ACCORD_OK || change == 0)
        return error;
    const struct key key = key_of(provider, course_id, kind, NULL);
    void *found;
    bool made;
    error = sums_at(batch, &batch->counts, &key, &found, &made);
    if (error != ACCORD_OK)
        return error;
    struct count_sum *sum = found;
    if (made) {
        sum->count = (struct feedback_count){intern(batch, provider), intern(batch, course_id),
                                             intern(batch, kind), 0};
        if (sum->count.provider == NULL || sum->count.course_id == NULL || sum->count.kind == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return accord_add(sum->count.total, change, &sum->count.total);
}

/* ---- writing ---- */

static bool all_zero(const int64_t numbers[ENTRY_NUMBERS])
{
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        if (numbers[i] != 0)
            return false;
    return true;
}

static int by_row_key(const void *a, const void *b)
{
    return rollup_key_compare(&((const struct rollup_row *)a)->key,
                              &((const struct rollup_row *)b)->key);
}

static int by_share_key(const void *a, const void *b)
{
    return rollup_key_compare(&((const struct rollup_share *)a)->key,
                              &((const struct rollup_share *)b)->key);
}

static int by_course(const void *a, const void *b)
{
    const struct feedback_count *x = a;
    const struct feedback_count *y = b;
    int order = strcmp(x->provider, y->provider);
    if (order == 0)
        order = strcmp(x->course_id, y->course_id);
    return order != 0 ? order : strcmp(x->kind, y->kind);
}

static enum accord_error flush_numbers(struct rollup_batch *batch, struct db *db)
{
    struct rollup_row *rows = arena_array(batch->arena, batch->numbers.count + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct number_sum *sums = (const void *)batch->numbers.items;
    size_t count = 0;
    for (size_t i = 0; i < batch->numbers.count; i++)
        if (!all_zero(sums[i].row.numbers))
            rows[count++] = sums[i].row;
    qsort(rows, count, sizeof *rows, by_row_key);
    return store_rollups_add(db, rows, count);
}

static enum accord_error flush_shares(struct rollup_batch *batch, struct db *db)
{
    struct rollup_share *rows = arena_array(batch->arena, batch->shares.count + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct share_sum *sums = (const void *)batch->shares.items;
    size_t count = 0;
    for (size_t i = 0; i < batch->shares.count; i++)
        if (sums[i].share.amount != 0)
            rows[count++] = sums[i].share;
    qsort(rows, count, sizeof *rows, by_share_key);
    return store_rollup_shares_add(db, rows, count);
}

static enum accord_error flush_counts(struct rollup_batch *batch, struct db *db)
{
    struct feedback_count *rows = arena_array(batch->arena, batch->counts.count + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct count_sum *sums = (const void *)batch->counts.items;
    size_t count = 0;
    for (size_t i = 0; i < batch->counts.count; i++)
        if (sums[i].count.total != 0)
            rows[count++] = sums[i].count;
    qsort(rows, count, sizeof *rows, by_course);
    return store_feedback_add(db, rows, count);
}

enum accord_error rollup_batch_flush(struct rollup_batch *batch, struct db *db)
{
    enum accord_error error = ACCORD_OK;
    if (batch->ready) {
        error = flush_numbers(batch, db);
        if (error == ACCORD_OK)
            error = flush_shares(batch, db);
        if (error == ACCORD_OK)
            error = flush_counts(batch, db);
    }
    if (error == ACCORD_OK)
        rollup_batch_clear(batch);
    return error;
}

/* ---- comparing ---- */

static void *sum_of(const struct rollup_batch *batch, const struct sums *sums,
                    const struct key *key)
{
    const size_t *at = batch->ready ? keymap_find(&sums->index, key) : NULL;
    return at == NULL ? NULL : sums->items + *at * sums->size;
}

const int64_t *rollup_batch_numbers(struct rollup_batch *batch, const struct rollup_key *key)
{
    const struct key at = map_key(key);
    struct number_sum *sum = sum_of(batch, &batch->numbers, &at);
    if (sum == NULL)
        return NULL;
    sum->seen = true;
    return sum->row.numbers;
}

const int64_t *rollup_batch_amount(struct rollup_batch *batch, const struct rollup_key *key)
{
    const struct key at = map_key(key);
    struct share_sum *sum = sum_of(batch, &batch->shares, &at);
    if (sum == NULL)
        return NULL;
    sum->seen = true;
    return &sum->share.amount;
}

const int64_t *rollup_batch_total(struct rollup_batch *batch, const char *provider,
                                  const char *course_id, const char *kind)
{
    const struct key at = key_of(provider, course_id, kind, NULL);
    struct count_sum *sum = sum_of(batch, &batch->counts, &at);
    if (sum == NULL)
        return NULL;
    sum->seen = true;
    return &sum->count.total;
}

enum accord_error rollup_batch_unseen(struct rollup_batch *batch, rollup_row_fn *row,
                                      rollup_share_fn *share, feedback_count_fn *count,
                                      void *context)
{
    enum accord_error error = ACCORD_OK;
    const struct number_sum *numbers = (const void *)batch->numbers.items;
    for (size_t i = 0; error == ACCORD_OK && i < batch->numbers.count; i++)
        if (!numbers[i].seen && !all_zero(numbers[i].row.numbers))
            error = row(context, &numbers[i].row);
    const struct share_sum *shares = (const void *)batch->shares.items;
    for (size_t i = 0; error == ACCORD_OK && i < batch->shares.count; i++)
        if (!shares[i].seen && shares[i].share.amount != 0)
            error = share(context, &shares[i].share);
    const struct count_sum *counts = (const void *)batch->counts.items;
    for (size_t i = 0; error == ACCORD_OK && i < batch->counts.count; i++)
        if (!counts[i].seen && counts[i].count.total != 0)
            error = count(context, &counts[i].count);
    return error;
}
