#include "api/revenue_windows.h"

#include "ingest/windows.h"

/* Stops the reading of rows; never leaves this file. */
#define STOP ACCORD_E_NOT_FOUND

/* ---- windows of the month ---- */

/* Weights from nets: none below zero, and not all of them zero. */
static void make_weights(int64_t *nets, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        nets[i] = nets[i] > 0 ? nets[i] : 0;
        any = any || nets[i] > 0;
    }
    if (!any && count > 0)
        nets[0] = 1;
}

/* Of a quarter's amounts what falls to the month. */
static enum accord_error cut_to_month(struct db *db, struct arena *arena,
                                      const struct report_ask *ask, int64_t quarter,
                                      struct report_window *window)
{
    enum { MONTHS = 3 };
    const struct accord_agreement_version *terms = &window->version->terms;
    int64_t nets[MONTHS] = {0};
    int64_t parts[MONTHS];
    int64_t days[MONTHS + 1] = {quarter};
    size_t wanted = 0;
    for (size_t m = 0; m < MONTHS; m++) {
        days[m + 1] = period_after(false, days[m]);
        if (days[m] == ask->day_from)
            wanted = m;
    }
    struct window_month *months;
    size_t count;
    enum accord_error error = store_window_months(db, arena, terms->agreement, &terms->version, 1,
                                                  days[MONTHS], &months, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        for (size_t m = 0; m < MONTHS && error == ACCORD_OK; m++)
            if (months[i].day == days[m])
                error = accord_add(nets[m], months[i].net, &nets[m]);
    make_weights(nets, MONTHS);
    for (uint32_t p = 0; error == ACCORD_OK && p < REPORT_PAYEES; p++) {
        error = accord_apportion(window->amounts[p], nets, MONTHS, parts, NULL);
        if (error == ACCORD_OK)
            window->amounts[p] = parts[wanted];
    }
    return error;
}

static enum accord_error add_line(struct report_windows *windows, const struct window_row *row)
{
    for (size_t i = 0; i < windows->count; i++) {
        struct report_window *window = &windows->items[i];
        const struct accord_agreement_version *terms = &window->version->terms;
        if (terms->version != row->version)
            continue;
        for (uint32_t p = 0; p < terms->party_count; p++)
            if (strcmp(terms->parties[p], row->payee) == 0)
                return accord_add(window->amounts[p], row->amount, &window->amounts[p]);
        int64_t *pools = &window->amounts[REPORT_POOLS];
        return accord_add(*pools, row->amount, pools);
    }
    return ACCORD_OK; /* of a version that is not seen */
}

/* Fills the windows of one agreement. */
static enum accord_error settle(struct db *db, struct arena *arena, const struct report_ask *ask,
                                struct report_windows *windows)
{
    struct agreement_periods periods;
    struct window_lines lines;
    bool found;
    enum accord_error error =
        periods_of(db, arena, windows->items[0].version->terms.agreement, &found, &periods);
    if (error != ACCORD_OK || !found)
        return error;
    const int64_t period = period_of_day(periods.quarterly, ask->day_from);
    for (size_t i = 0; i < windows->count; i++)
        windows->items[i].provisional = period > periods.last_closed;
    if (period < periods.first || period_from(&periods, period) > ask->now)
        return ACCORD_OK;
    error = windows_settle(db, arena, &periods, period, &lines);
    for (size_t i = 0; error == ACCORD_OK && i < lines.count; i++)
        if (lines.rows[i].day == period)
            error = add_line(windows, &lines.rows[i]);
    for (size_t i = 0; error == ACCORD_OK && i < windows->count; i++) {
        struct report_window *window = &windows->items[i];
        if (periods.quarterly)
            error = cut_to_month(db, arena, ask, period, window);
        for (uint32_t p = 0; p < REPORT_PAYEES; p++)
            window->pays = window->pays || window->amounts[p] != 0;
    }
    return error;
}

static bool is_wanted(const struct report_ask *ask, const struct accord_agreement_version *terms)
{
    return windows_any(terms) &&
           (ask->currency.len == 0 || slice_equal(ask->currency, slice_of(terms->currency.code)));
}

enum accord_error report_windows_read(struct db *db, struct arena *arena,
                                      const struct report_ask *ask,
                                      const struct agreement_version *versions,
                                      size_t version_count, struct report_windows *ret)
{
    struct report_windows all = {NULL, 0};
    for (size_t i = 0; i < version_count; i++)
        all.count += is_wanted(ask, &versions[i].terms);
    all.items = arena_array(arena, all.count + 1, sizeof *all.items);
    if (all.items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < version_count; i++)
        if (is_wanted(ask, &versions[i].terms))
            all.items[at++].version = &versions[i];
    enum accord_error error = ACCORD_OK;
    for (size_t from = 0; error == ACCORD_OK && from < all.count;) {
        struct report_windows one = {&all.items[from], 1};
        while (from + one.count < all.count && strcmp(one.items[one.count].version->terms.agreement,
                                                      one.items[0].version->terms.agreement) == 0)
            one.count++;
        error = settle(db, arena, ask, &one);
        from += one.count;
    }
    if (error == ACCORD_OK)
        *ret = all;
    return error;
}

struct report_window *report_window_of(const struct report_windows *windows,
                                       const struct agreement_version *version)
{
    size_t low = 0;
    size_t high = windows->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        /* They point into one array. */
        if (windows->items[middle].version == version)
            return &windows->items[middle];
        if (windows->items[middle].version < version)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- over the currencies of its sales ---- */

/* Rows come by currency, so it is the last part or a new one. */
static enum accord_error part_of(struct arena *arena, struct report_window *window,
                                 struct slice sale_currency, struct report_window_part **ret)
{
    const size_t count = window->part_count;
    if (count == 0 || !slice_equal(window->parts[count - 1].sale_currency, sale_currency)) {
        struct report_window_part *parts = arena_array(arena, count + 1, sizeof *parts);
        const char *text = arena_strdup(arena, sale_currency);
        if (parts == NULL || text == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (count > 0)
            memcpy(parts, window->parts, count * sizeof *parts);
        parts[count].sale_currency = slice_of(text);
        window->parts = parts;
        window->part_count++;
    }
    *ret = &window->parts[window->part_count - 1];
    return ACCORD_OK;
}

enum accord_error report_window_count(struct arena *arena, struct report_window *window,
                                      struct slice sale_currency, int64_t net)
{
    struct report_window_part *part;
    const enum accord_error error = part_of(arena, window, sale_currency, &part);
    return error == ACCORD_OK ? accord_add(part->net, net, &part->net) : error;
}

static enum accord_error divide(struct arena *arena, struct report_window *window)
{
    const struct accord_agreement_version *terms = &window->version->terms;
    struct report_window_part *own;
    enum accord_error error = ACCORD_OK;
    if (window->part_count == 0)
        error = part_of(arena, window, slice_of(terms->currency.code), &own);
    const size_t count = window->part_count;
    int64_t *nets = arena_array(arena, 2 * count, sizeof *nets);
    if (error != ACCORD_OK || nets == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t *amounts = nets + count;
    for (size_t i = 0; i < count; i++)
        nets[i] = window->parts[i].net;
    make_weights(nets, count);
    for (uint32_t p = 0; error == ACCORD_OK && p < REPORT_PAYEES; p++) {
        error = accord_apportion(window->amounts[p], nets, count, amounts, NULL);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            window->parts[i].amounts[p] = amounts[i];
    }
    return error;
}

enum accord_error report_windows_divide(struct arena *arena, struct report_windows *windows)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < windows->count; i++)
        if (windows->items[i].pays)
            error = divide(arena, &windows->items[i]);
    return error;
}

/* ---- over the rows of a grouping ---- */

enum { SLUG_ROOM = 64, COURSE_ROOM = 256 };

/* Walks all rows of a part, those of other pages, too. */
struct spreading {
    struct arena *arena;
    const struct report_ask *ask;
    const struct accord_agreement_version *terms;
    const struct report_window_part *part;
    struct report_group *groups; /* of the page */
    size_t group_count;
    size_t group_at;
    size_t *places; /* of the page's groups among all of the part */
    int64_t *nets;  /* of all of them */
    size_t count;
    size_t cap;
    /* the group that the walk is in; its texts */
    struct report_key key;
    char provider[SLUG_ROOM];
    char channel[SLUG_ROOM];
    char course_id[COURSE_ROOM];
};

static struct slice copy_of(struct slice text, char *room, size_t size)
{
    const size_t len = text.len < size ? text.len : size;
    if (len > 0)
        memcpy(room, text.data, len);
    return (struct slice){room, len};
}

static enum accord_error begin_group(struct spreading *s, const struct report_key *key)
{
    int64_t *nets = arena_room(s->arena, s->nets, s->count, &s->cap, sizeof *nets);
    if (nets == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    s->nets = nets;
    s->key = (struct report_key){
        .agreement = slice_of(s->terms->agreement),
        .version = key->version,
        .sale_currency = s->part->sale_currency,
        .day = key->day,
        .provider = copy_of(key->provider, s->provider, sizeof s->provider),
        .channel = copy_of(key->channel, s->channel, sizeof s->channel),
        .course_id = copy_of(key->course_id, s->course_id, sizeof s->course_id)};
    if (s->group_at < s->group_count &&
        report_compare_groups(s->ask->group_by, &s->groups[s->group_at].key, key) == 0)
        s->places[s->group_at++] = s->count;
    s->nets[s->count++] = 0;
    return ACCORD_OK;
}

static enum accord_error walk(void *context, const struct report_key *key,
                              const struct report_sums *sums)
{
    struct spreading *s = context;
    if (key->version != s->terms->version ||
        !slice_equal(key->agreement, slice_of(s->terms->agreement)) ||
        !slice_equal(key->sale_currency, s->part->sale_currency))
        return STOP;
    if (key->held.len > 0 || report_is_nothing(sums))
        return ACCORD_OK;
    if (s->count == 0 || report_compare_groups(s->ask->group_by, &s->key, key) != 0) {
        const enum accord_error error = begin_group(s, key);
        if (error != ACCORD_OK)
            return error;
    }
    return accord_add(s->nets[s->count - 1], sums->net, &s->nets[s->count - 1]);
}

static enum accord_error add_amounts(struct spreading *s)
{
    int64_t *amounts = arena_array(s->arena, s->count, sizeof *amounts);
    enum accord_error error = amounts == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    make_weights(s->nets, s->count);
    for (uint32_t p = 0; error == ACCORD_OK && p < REPORT_PAYEES; p++) {
        if (s->part->amounts[p] == 0)
            continue;
        error = accord_apportion(s->part->amounts[p], s->nets, s->count, amounts, NULL);
        for (size_t g = 0; error == ACCORD_OK && g < s->group_at; g++) {
            struct report_group *group = &s->groups[g];
            int64_t *share = p == REPORT_POOLS ? &group->pooled : &group->shares[p];
            error = accord_add(*share, amounts[s->places[g]], share);
        }
    }
    return error;
}

enum accord_error report_window_spread(struct db *db, struct arena *arena,
                                       const struct report_ask *ask,
                                       const struct report_filter *filter,
                                       const struct report_window *window,
                                       const struct report_window_part *part,
                                       struct report_group *groups, size_t count)
{
    struct spreading s = {.arena = arena,
                          .ask = ask,
                          .terms = &window->version->terms,
                          .part = part,
                          .groups = groups,
                          .group_count = count,
                          .places = arena_array(arena, count, sizeof *s.places)};
    struct report_filter whole = *filter;
    /* Before every row of the part. */
    whole.after = (struct report_key){.agreement = slice_of(s.terms->agreement),
                                      .version = s.terms->version,
                                      .sale_currency = part->sale_currency,
                                      .day = ask->day_from - 1};
    if (s.places == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_report_rows(db, &whole, walk, &s);
    if (error == STOP)
        error = ACCORD_OK;
    if (error == ACCORD_OK && s.count == 0)
        error = begin_group(&s, &groups[0].key);
    return error == ACCORD_OK ? add_amounts(&s) : error;
}
