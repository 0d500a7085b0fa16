#include "ingest/windows.h"

#include <string.h>

#include "ingest/keymap.h"
#include "ingest/window_pools.h"

/* ---- parts: the versions of each period ---- */

struct folding {
    struct arena *arena;
    const struct agreement_periods *periods;
    int64_t last;
    struct window_part *parts; /* of every period up to the last and every version, in order */
    size_t period_count;
};

static struct window_part *part_of(const struct folding *f, size_t period, size_t version)
{
    return &f->parts[period * f->periods->version_count + version];
}

/* Days of a period that a version is in force for. A day on which one version takes over from
 * another is the later one's; one on which the agreement ends counts whole. */
static int64_t days_in_force(const struct agreement_periods *periods, size_t index, int64_t first,
                             int64_t next)
{
    const instant_us begin = periods->versions[index].terms.effective_from_us;
    const instant_us end = period_version_end(periods, index);
    if (begin >= end)
        return 0;
    int64_t from = zone_day(periods->zone, begin);
    int64_t to = next;
    if (end != INT64_MAX) {
        to = zone_day(periods->zone, end);
        if (end == periods->end && zone_day_start(periods->zone, (int32_t)to) != end)
            to++;
    }
    from = from > first ? from : first;
    to = to < next ? to : next;
    return to > from ? to - from : 0;
}

static enum accord_error make_parts(struct folding *f, int64_t first)
{
    const struct agreement_periods *periods = f->periods;
    for (int64_t day = first; day <= f->last; day = period_after(periods->quarterly, day))
        f->period_count++;
    f->parts =
        arena_array(f->arena, f->period_count * periods->version_count + 1, sizeof *f->parts);
    if (f->parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t day = first;
    for (size_t p = 0; p < f->period_count; p++) {
        const int64_t next = period_after(periods->quarterly, day);
        for (size_t v = 0; v < periods->version_count; v++) {
            struct window_part *part = part_of(f, p, v);
            part->version = v;
            part->first = day;
            part->period = (struct accord_window_period){
                .period = (int64_t)p,
                .year = period_year_of(day),
                .days = days_in_force(periods, v, day, next),
                .days_of_period = next - day,
            };
        }
        day = next;
    }
    return ACCORD_OK;
}

/* ---- sums ---- */

static struct window_part *find_part(const struct folding *f, int64_t version, int64_t day)
{
    const int64_t first = period_of_day(f->periods->quarterly, day);
    for (size_t p = 0; p < f->period_count; p++) {
        if (part_of(f, p, 0)->first != first)
            continue;
        for (size_t v = 0; v < f->periods->version_count; v++)
            if (f->periods->versions[v].terms.version == version)
                return part_of(f, p, v);
    }
    return NULL;
}

static enum accord_error add_month(struct window_part *part, const struct window_month *month)
{
    struct accord_window_sums *sums = &part->sums;
    part->has_sums = true;
    enum accord_error error = accord_add(sums->net, month->net, &sums->net);
    if (error == ACCORD_OK)
        error = accord_add(sums->base, month->base, &sums->base);
    if (error == ACCORD_OK)
        error = accord_add(sums->lines, month->lines, &sums->lines);
    if (error == ACCORD_OK)
        error = accord_add(sums->units, month->units, &sums->units);
    return error;
}

/* What promoters got has left the version: it is no party's. */
static enum accord_error add_share(const struct folding *f, struct window_part *part,
                                   const struct window_month_share *share)
{
    const struct accord_agreement_version *terms = &f->periods->versions[part->version].terms;
    struct accord_window_sums *sums = &part->sums;
    part->has_sums = true;
    if (strcmp(share->payee, ACCORD_PAYEE_WINDOW) == 0)
        return accord_add(sums->open, share->amount, &sums->open);
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], share->payee) == 0)
            return accord_add(sums->shares[i], share->amount, &sums->shares[i]);
    return ACCORD_OK;
}

static enum accord_error add_sums(struct folding *f, const struct window_month *months,
                                  size_t month_count, const struct window_month_share *shares,
                                  size_t share_count)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < month_count; i++) {
        struct window_part *part = find_part(f, months[i].version, months[i].day);
        error = part == NULL ? ACCORD_E_INTERNAL : add_month(part, &months[i]);
    }
    for (size_t i = 0; error == ACCORD_OK && i < share_count; i++) {
        struct window_part *part = find_part(f, shares[i].version, shares[i].day);
        error = part == NULL ? ACCORD_E_INTERNAL : add_share(f, part, &shares[i]);
    }
    return error;
}

static enum accord_error add_learners(struct db *db, struct folding *f)
{
    const struct agreement_periods *periods = f->periods;
    const size_t parts = f->period_count * periods->version_count;
    struct window_learners_ask *asks =
        arena_array(f->arena, ACCORD_WINDOWS * parts + 1, sizeof *asks);
    int64_t *counts = arena_array(f->arena, ACCORD_WINDOWS * parts + 1, sizeof *counts);
    struct window_part **asking = arena_array(f->arena, parts + 1, sizeof(struct window_part *));
    if (asks == NULL || counts == NULL || asking == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < parts; i++) {
        struct window_part *part = &f->parts[i];
        const struct accord_agreement_version *terms = &periods->versions[part->version].terms;
        if (!part->has_sums || !windows_count_learners(terms))
            continue;
        const int64_t since[ACCORD_WINDOWS] = {
            [ACCORD_WINDOW_PERIOD] = part->first,
            [ACCORD_WINDOW_YEAR] = part->period.year,
            [ACCORD_WINDOW_LIFE] = INT64_MIN,
        };
        for (size_t w = 0; w < ACCORD_WINDOWS; w++)
            asks[ACCORD_WINDOWS * count + w] = (struct window_learners_ask){
                .agreement = terms->agreement,
                .version = terms->version,
                .since = since[w],
                .from = part->first,
                .to = period_after(periods->quarterly, part->first),
            };
        asking[count++] = part;
    }
    const enum accord_error error =
        store_window_new_learners(db, asks, ACCORD_WINDOWS * count, counts);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        for (size_t w = 0; w < ACCORD_WINDOWS; w++)
            asking[i]->sums.new_learners[w] = counts[ACCORD_WINDOWS * i + w];
    return error;
}

/* ---- the fold ---- */

/* Which parts begin and end what. A year or life that goes on behind the last period has no end. */
static void mark_ends(struct folding *f)
{
    const struct agreement_periods *periods = f->periods;
    const bool ended = periods->end <= period_to(periods, f->last);
    const bool year_over = ended || period_year_of(period_after(periods->quarterly, f->last)) !=
                                        period_year_of(f->last);
    struct window_part *before = NULL;
    for (size_t i = 0; i < f->period_count * periods->version_count; i++) {
        struct window_part *part = &f->parts[i];
        part->takes_part = part->has_sums || part->period.days > 0;
        if (!part->takes_part)
            continue;
        part->period.first_of_life = before == NULL;
        if (before != NULL) {
            before->period.ends_period = before->period.period != part->period.period;
            before->period.ends_year = before->period.year != part->period.year;
        }
        before = part;
    }
    if (before == NULL)
        return;
    before->period.ends_period = true;
    before->period.ends_life = ended;
    before->period.ends_year = year_over || before->period.year != period_year_of(f->last);
}

/* new_learners are not additive: those of the sums stay. */
static enum accord_error combine(struct accord_window_sums *sums,
                                 const struct accord_window_sums *other,
                                 enum accord_error (*with)(int64_t, int64_t, int64_t *))
{
    enum accord_error error = with(sums->net, other->net, &sums->net);
    if (error == ACCORD_OK)
        error = with(sums->base, other->base, &sums->base);
    if (error == ACCORD_OK)
        error = with(sums->open, other->open, &sums->open);
    if (error == ACCORD_OK)
        error = with(sums->lines, other->lines, &sums->lines);
    if (error == ACCORD_OK)
        error = with(sums->units, other->units, &sums->units);
    for (size_t i = 0; error == ACCORD_OK && i < ACCORD_PARTIES_MAX; i++)
        error = with(sums->shares[i], other->shares[i], &sums->shares[i]);
    return error;
}

enum accord_error windows_part_add_booked(struct window_part *part)
{
    return combine(&part->sums, &part->booked, accord_add);
}

enum accord_error windows_part_before(const struct window_part *part,
                                      struct accord_window_sums *ret)
{
    struct accord_window_sums sums = part->sums;
    const enum accord_error error = combine(&sums, &part->booked, accord_sub);
    if (error == ACCORD_OK)
        *ret = sums;
    return error;
}

/* NULL: out of memory. */
static const char *payee_of(struct arena *arena, const struct accord_agreement_version *terms,
                            const struct accord_window_line *line)
{
    return line->payee != ACCORD_PARTY_POOL
               ? terms->parties[line->payee]
               : arena_printf(arena, ACCORD_PAYEE_POOL "%s", terms->terms[line->term].pool);
}

static enum accord_error fold(struct arena *arena, const struct agreement_periods *periods,
                              const struct window_sheet *sheet, const struct windows_steps *steps,
                              struct window_lines *ret)
{
    struct accord_window_state *state = arena_alloc(arena, sizeof *state);
    struct window_lines lines = {NULL, 0};
    size_t cap = 0;
    if (state == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < sheet->count; i++) {
        const struct window_part *part = &sheet->parts[i];
        const struct accord_agreement_version *terms = &periods->versions[part->version].terms;
        struct accord_window_line settled[ACCORD_WINDOW_LINES_MAX];
        size_t count = 0;
        if (!part->takes_part)
            continue;
        const bool explained =
            steps != NULL && steps->day == part->first && steps->version == terms->version;
        const enum accord_error error =
            accord_window_settle(terms, &part->period, &part->sums, state, settled, &count, NULL,
                                 explained ? steps->step : NULL, explained ? steps->context : NULL);
        if (error != ACCORD_OK)
            return error;
        if (lines.count + count > cap) {
            cap = 2 * (lines.count + count);
            struct window_row *rows = arena_array(arena, cap, sizeof *rows);
            if (rows == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            if (lines.count > 0)
                memcpy(rows, lines.rows, lines.count * sizeof *rows);
            lines.rows = rows;
        }
        for (size_t j = 0; j < count; j++, lines.count++) {
            lines.rows[lines.count] = (struct window_row){
                .agreement = terms->agreement,
                .number = (int64_t)lines.count,
                .day = part->first,
                .version = terms->version,
                .term = settled[j].term,
                .kind = settled[j].kind,
                .payee = payee_of(arena, terms, &settled[j]),
                .amount = settled[j].amount,
            };
            if (lines.rows[lines.count].payee == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
        }
    }
    *ret = lines;
    return ACCORD_OK;
}

enum accord_error windows_fold(struct arena *arena, const struct agreement_periods *periods,
                               const struct window_sheet *sheet, struct window_lines *ret)
{
    return fold(arena, periods, sheet, NULL, ret);
}

bool windows_any(const struct accord_agreement_version *version)
{
    bool any = accord_agreement_has_window(version);
    for (uint32_t i = 0; i < version->term_count; i++)
        any |= version->terms[i].kind == ACCORD_TERM_POOL;
    return any;
}

/* The parts; none of an agreement that settles nothing on sums. */
static enum accord_error load(struct db *db, struct arena *arena,
                              const struct agreement_periods *periods, int64_t last, int64_t booked,
                              struct window_sheet *ret)
{
    struct folding f = {.arena = arena, .periods = periods, .last = last};
    int64_t *versions = arena_array(arena, periods->version_count, sizeof *versions);
    bool has_window = false;
    if (versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < periods->version_count; i++) {
        versions[i] = periods->versions[i].terms.version;
        has_window |= windows_any(&periods->versions[i].terms);
    }
    if (!has_window) {
        *ret = (struct window_sheet){.count = 0};
        return ACCORD_OK;
    }
    const char *agreement = periods->versions[0].terms.agreement;
    const int64_t to_day = period_after(periods->quarterly, last);
    struct window_month *months;
    struct window_month_share *shares;
    size_t month_count;
    size_t share_count;
    enum accord_error error = store_window_months(
        db, arena, agreement, versions, periods->version_count, to_day, &months, &month_count);
    if (error == ACCORD_OK)
        error = store_window_shares(db, arena, agreement, versions, periods->version_count, to_day,
                                    &shares, &share_count);
    if (error == ACCORD_OK)
        error = make_parts(&f, periods->first);
    if (error == ACCORD_OK)
        error = add_sums(&f, months, month_count, shares, share_count);
    if (error == ACCORD_OK)
        error = add_learners(db, &f);
    struct window_sheet sheet = {.parts = f.parts,
                                 .count = f.period_count * periods->version_count};
    if (error == ACCORD_OK)
        error =
            store_window_posted(db, arena, agreement, booked, &sheet.posted, &sheet.posted_count);
    if (error == ACCORD_OK)
        error = window_pools_read(db, arena, periods, to_day, &sheet);
    if (error != ACCORD_OK)
        return error;
    mark_ends(&f);
    *ret = sheet;
    return ACCORD_OK;
}

enum accord_error windows_settle(struct db *db, struct arena *arena,
                                 const struct agreement_periods *periods, int64_t last,
                                 struct window_lines *ret)
{
    return windows_explain(db, arena, periods, last, NULL, ret);
}

enum accord_error windows_explain(struct db *db, struct arena *arena,
                                  const struct agreement_periods *periods, int64_t last,
                                  const struct windows_steps *steps, struct window_lines *ret)
{
    struct window_sheet sheet;
    const enum accord_error error = load(db, arena, periods, last, periods->open, &sheet);
    return error != ACCORD_OK ? error : fold(arena, periods, &sheet, steps, ret);
}

enum accord_error windows_sheet_read(struct db *db, struct arena *arena,
                                     const struct agreement_periods *periods, int64_t booked,
                                     struct window_sheet *ret)
{
    return load(db, arena, periods, booked, booked, ret);
}

struct window_part *windows_sheet_part(const struct window_sheet *sheet,
                                       const struct agreement_periods *periods, int64_t period,
                                       int64_t version)
{
    for (size_t i = 0; i < sheet->count; i++)
        if (sheet->parts[i].first == period &&
            periods->versions[sheet->parts[i].version].terms.version == version)
            return &sheet->parts[i];
    return NULL;
}

/* ---- beside what was posted ---- */

static enum accord_error place_of(struct keymap *map, const struct window_row *row, size_t fresh,
                                  size_t *ret)
{
    struct key key = key_of(row->kind, row->payee, NULL);
    key_number(&key, row->day);
    key_number(&key, row->version);
    key_number(&key, row->term);
    size_t *at;
    const enum accord_error error = keymap_at(map, &key, fresh, &at);
    if (error == ACCORD_OK)
        *ret = *at;
    return error;
}

enum accord_error windows_sheet_post(struct arena *arena, const struct agreement_periods *periods,
                                     const struct window_sheet *sheet, int64_t booked,
                                     struct window_lines *ret)
{
    const struct window_row *posted = sheet->posted;
    const size_t posted_count = sheet->posted_count;
    struct window_lines want;
    struct keymap map;
    enum accord_error error = windows_fold(arena, periods, sheet, &want);
    if (error == ACCORD_OK)
        error = keymap_init(&map, arena, want.count + posted_count);
    if (error != ACCORD_OK)
        return error;
    struct window_row *rows = arena_array(arena, want.count + posted_count + 1, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; error == ACCORD_OK && i < want.count + posted_count; i++) {
        const bool stands = i >= want.count;
        const struct window_row *row = stands ? &posted[i - want.count] : &want.rows[i];
        size_t at;
        error = place_of(&map, row, count, &at);
        if (error != ACCORD_OK)
            break;
        if (at == count) {
            rows[count] = *row;
            rows[count++].amount = 0;
        }
        error = stands ? accord_sub(rows[at].amount, row->amount, &rows[at].amount)
                       : accord_add(rows[at].amount, row->amount, &rows[at].amount);
    }
    if (error != ACCORD_OK)
        return error;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].amount == 0)
            continue;
        rows[kept] = rows[i];
        rows[kept].booked = booked;
        rows[kept].number = (int64_t)kept;
        kept++;
    }
    *ret = (struct window_lines){rows, kept};
    return ACCORD_OK;
}

enum accord_error windows_to_post(struct db *db, struct arena *arena,
                                  const struct agreement_periods *periods, int64_t booked,
                                  struct window_lines *ret)
{
    struct window_sheet sheet;
    const enum accord_error error = windows_sheet_read(db, arena, periods, booked, &sheet);
    return error != ACCORD_OK ? error : windows_sheet_post(arena, periods, &sheet, booked, ret);
}
