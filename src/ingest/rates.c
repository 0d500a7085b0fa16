#include "ingest/rates.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/keymap.h"

enum { BOOK_BYTES_MAX = 1 << 28, SCRATCH_BYTES_MAX = 1 << 22 };

struct point {
    int64_t day;
    struct accord_rate rate;
};

/* The rates of one currency in one year, with the last one before it. */
struct chunk {
    struct point *points;
    size_t count;
    bool has_before;
    struct point before;
};

struct rate_book {
    struct db *db;
    struct rate_head head;
    struct arena *arena;
    struct arena *scratch;
    struct keymap index; /* (currency, year) -> place in chunks */
    struct chunk *chunks;
    size_t count;
    size_t cap;
    bool ready; /* the index is there */
};

enum accord_error rate_book_new(struct rate_book **ret)
{
    struct rate_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    book->arena = arena_new(BOOK_BYTES_MAX);
    book->scratch = arena_new(SCRATCH_BYTES_MAX);
    if (book->arena == NULL || book->scratch == NULL) {
        rate_book_free(book);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = book;
    return ACCORD_OK;
}

void rate_book_free(struct rate_book *book)
{
    if (book == NULL)
        return;
    arena_free(book->arena);
    arena_free(book->scratch);
    free(book);
}

void rate_book_forget(struct rate_book *book)
{
    arena_reset(book->arena);
    *book = (struct rate_book){.arena = book->arena, .scratch = book->scratch};
}

enum accord_error rate_book_enter(struct rate_book *book, struct db *db)
{
    struct rate_head head;
    const enum accord_error error = store_rates_head(db, RATES_BASE, &head);
    if (error != ACCORD_OK)
        return error;
    if (head.seq != book->head.seq || head.newest_day != book->head.newest_day)
        rate_book_forget(book);
    book->db = db;
    book->head = head;
    return ACCORD_OK;
}

int64_t rate_book_seq(const struct rate_book *book)
{
    return book->head.seq;
}

bool rate_book_is_final(const struct rate_book *book, int64_t day)
{
    return book->head.known && day < book->head.newest_day;
}

/* ---- reading ---- */

static enum accord_error parse_point(const struct rate_row *row, struct point *ret)
{
    ret->day = row->day;
    return accord_rate_parse(row->rate, strlen(row->rate), &ret->rate) == ACCORD_OK
               ? ACCORD_OK
               : ACCORD_E_DATABASE_ERROR;
}

static enum accord_error load_chunk(struct rate_book *book, struct accord_currency currency,
                                    int year, struct chunk *ret)
{
    const int64_t from = clock_days_from_civil(year, 1, 1);
    const int64_t to = clock_days_from_civil(year + 1, 1, 1);
    struct chunk chunk = {.count = 0};
    struct rate_row *rows;
    struct rate_row before;
    arena_reset(book->scratch);
    enum accord_error error = store_rates_series(book->db, book->scratch, RATES_BASE, currency,
                                                 from, to, &rows, &chunk.count);
    if (error == ACCORD_OK)
        error = store_rates_before(book->db, book->scratch, RATES_BASE, currency, from,
                                   &chunk.has_before, &before);
    if (error != ACCORD_OK)
        return error;
    chunk.points = arena_array(book->arena, chunk.count + 1, sizeof *chunk.points);
    if (chunk.points == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < chunk.count; i++)
        error = parse_point(&rows[i], &chunk.points[i]);
    if (error == ACCORD_OK && chunk.has_before)
        error = parse_point(&before, &chunk.before);
    if (error == ACCORD_OK)
        *ret = chunk;
    return error;
}

/* The chunk that a day lies in. Valid until the next call. */
static enum accord_error chunk_of(struct rate_book *book, struct accord_currency currency,
                                  int64_t day, const struct chunk **ret)
{
    int year;
    unsigned month;
    unsigned of_month;
    enum accord_error error = ACCORD_OK;
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    if (!book->ready) {
        error = keymap_init(&book->index, book->arena, 64);
        book->ready = error == ACCORD_OK;
    }
    if (error != ACCORD_OK)
        return error;
    struct key key = key_of(currency.code, NULL);
    key_number(&key, year);
    const size_t *known = keymap_find(&book->index, &key);
    if (known != NULL) {
        *ret = &book->chunks[*known];
        return ACCORD_OK;
    }
    struct chunk *chunks =
        arena_room(book->arena, book->chunks, book->count, &book->cap, sizeof *chunks);
    if (chunks == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    book->chunks = chunks;
    error = load_chunk(book, currency, year, &book->chunks[book->count]);
    size_t *at = NULL;
    if (error == ACCORD_OK)
        error = keymap_at(&book->index, &key, book->count, &at);
    if (error == ACCORD_OK)
        *ret = &book->chunks[book->count++];
    return error;
}

/* How many points of a chunk lie before a day. */
static size_t points_before(const struct chunk *chunk, int64_t day)
{
    size_t low = 0;
    size_t high = chunk->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (chunk->points[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- what applies ---- */

/* One side of a conversion. */
struct side {
    bool is_base;
    bool found;
    struct point point;
};

/* The last rate up to a day. */
static enum accord_error rate_on(struct rate_book *book, struct accord_currency currency,
                                 int64_t day, struct side *ret)
{
    const struct chunk *chunk;
    const enum accord_error error = chunk_of(book, currency, day, &chunk);
    if (error != ACCORD_OK)
        return error;
    const size_t upto = points_before(chunk, day + 1);
    *ret = (struct side){.found = upto > 0 || chunk->has_before,
                         .point = upto > 0 ? chunk->points[upto - 1] : chunk->before};
    return ACCORD_OK;
}

/* The mean of what was published on the days first .. last, which lie in one year. */
static enum accord_error mean_of(struct rate_book *book, struct accord_currency currency,
                                 int64_t first, int64_t last, struct side *ret)
{
    struct accord_rate rates[366];
    const struct chunk *chunk;
    const enum accord_error error = chunk_of(book, currency, last, &chunk);
    if (error != ACCORD_OK)
        return error;
    size_t count = 0;
    for (size_t i = points_before(chunk, first);
         i < chunk->count && chunk->points[i].day <= last && count < 366; i++)
        rates[count++] = chunk->points[i].rate;
    if (count == 0)
        return rate_on(book, currency, last, ret);
    *ret = (struct side){.point.day = last};
    /* A mean that cannot be told is none: what it would convert is held. */
    ret->found = accord_rate_mean(rates, count, &ret->point.rate) == ACCORD_OK;
    return ACCORD_OK;
}

void rates_period(const struct agreement_version *version, int64_t day, int64_t *ret_first,
                  int64_t *ret_last)
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    const unsigned months = version->quarterly ? 3 : 1;
    const unsigned first = month - (month - 1) % months;
    *ret_first = clock_days_from_civil(year, first, 1);
    *ret_last = (first + months > 12 ? clock_days_from_civil(year + 1, 1, 1)
                                     : clock_days_from_civil(year, first + months, 1)) -
                1;
}

static enum accord_error side_of(struct rate_book *book, struct accord_currency currency,
                                 enum accord_fx_policy policy, int64_t first, int64_t day,
                                 struct side *ret)
{
    static const struct accord_currency base = {RATES_BASE};
    if (accord_currency_equal(currency, base)) {
        *ret = (struct side){.is_base = true, .found = true, .point.day = day};
        return ACCORD_OK;
    }
    return policy == ACCORD_FX_PERIOD_AVERAGE ? mean_of(book, currency, first, day, ret)
                                              : rate_on(book, currency, day, ret);
}

static enum accord_error make_pin(struct rate_book *book, const struct accord_order *order,
                                  const struct agreement_version *version,
                                  struct accord_rate_pin *ret)
{
    const struct accord_agreement_version *terms = &version->terms;
    int64_t first = zone_day(version->zone, order->occurred_at_us);
    int64_t day = first; /* whose rate it is, or the last one of the mean's */
    if (terms->fx_policy != ACCORD_FX_ORDER_DAY)
        rates_period(version, first, &first, &day);
    if (!rate_book_is_final(book, day))
        return ACCORD_OK;
    struct side from = {.found = false};
    struct side to = {.found = false};
    enum accord_error error = side_of(book, order->currency, terms->fx_policy, first, day, &from);
    if (error == ACCORD_OK)
        error = side_of(book, terms->currency, terms->fx_policy, first, day, &to);
    if (error != ACCORD_OK || !from.found || !to.found)
        return error;
    /* What does not fit is none: see struct accord_rate_pin. */
    struct accord_rate_pin pin;
    if (accord_rate_cross(from.is_base ? NULL : &from.point.rate, order->currency,
                          to.is_base ? NULL : &to.point.rate, terms->currency,
                          from.point.day < to.point.day ? from.point.day : to.point.day,
                          &pin) == ACCORD_OK)
        *ret = pin;
    return ACCORD_OK;
}

enum accord_error rate_book_pins(struct rate_book *book, struct arena *arena,
                                 const struct accord_order *order,
                                 const struct agreement_version *const *versions, size_t count,
                                 const struct accord_rate_pin **ret)
{
    struct accord_rate_pin *pins = NULL;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (accord_currency_equal(versions[i]->terms.currency, order->currency))
            continue;
        if (pins == NULL && (pins = arena_array(arena, count, sizeof *pins)) == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        error = make_pin(book, order, versions[i], &pins[i]);
    }
    if (error == ACCORD_OK)
        *ret = pins;
    return error;
}
