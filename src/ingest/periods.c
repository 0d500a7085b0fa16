#include "ingest/periods.h"

#include <stdio.h>

int64_t period_of_day(bool quarterly, int64_t day)
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    return clock_days_from_civil(year, quarterly ? (month - 1) / 3 * 3 + 1 : month, 1);
}

int64_t period_after(bool quarterly, int64_t first)
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)first, &year, &month, &of_month);
    month += quarterly ? 3 : 1;
    return month > 12 ? clock_days_from_civil(year + 1, month - 12, 1)
                      : clock_days_from_civil(year, month, 1);
}

int64_t period_year_of(int64_t day)
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    return clock_days_from_civil(year, 1, 1);
}

/* ---- labels ---- */

void period_label(bool quarterly, int64_t first, char text[PERIOD_LABEL_MAX])
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)first, &year, &month, &of_month);
    if (quarterly)
        snprintf(text, PERIOD_LABEL_MAX, "%04d-Q%u", year, (month - 1) / 3 + 1);
    else
        snprintf(text, PERIOD_LABEL_MAX, "%04d-%02u", year, month);
}

static bool digits(const char *text, size_t count, unsigned *ret)
{
    unsigned number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = 10 * number + (unsigned)(text[i] - '0');
    }
    *ret = number;
    return true;
}

bool period_parse(struct slice label, bool *ret_quarterly, int64_t *ret_first)
{
    enum { YEAR_MIN = 1970, YEAR_MAX = 2199 };
    unsigned year;
    unsigned number;
    if (label.len != 7 || label.data[4] != '-' || !digits(label.data, 4, &year) ||
        year < YEAR_MIN || year > YEAR_MAX)
        return false;
    const bool quarterly = label.data[5] == 'Q';
    if (!digits(label.data + (quarterly ? 6 : 5), quarterly ? 1 : 2, &number) || number == 0 ||
        number > (quarterly ? 4 : 12))
        return false;
    *ret_quarterly = quarterly;
    *ret_first = clock_days_from_civil((int)year, quarterly ? 3 * number - 2 : number, 1);
    return true;
}

int64_t period_booked(bool quarterly, int64_t own, int64_t last_closed)
{
    return last_closed == PERIOD_NONE || own > last_closed ? own
                                                           : period_after(quarterly, last_closed);
}

/* ---- of an agreement ---- */

instant_us period_from(const struct agreement_periods *periods, int64_t first)
{
    return zone_day_start(periods->zone, (int32_t)first);
}

instant_us period_to(const struct agreement_periods *periods, int64_t first)
{
    return zone_day_start(periods->zone, (int32_t)period_after(periods->quarterly, first));
}

instant_us period_version_end(const struct agreement_periods *periods, size_t version)
{
    const struct accord_agreement_version *terms = &periods->versions[version].terms;
    instant_us end = terms->effective_to_us;
    for (size_t i = version + 1; i < periods->version_count; i++)
        if (periods->versions[i].terms.effective_from_us < end)
            end = periods->versions[i].terms.effective_from_us;
    return end < terms->effective_from_us ? terms->effective_from_us : end;
}

static bool settles(enum agreement_state state)
{
    return state == AGREEMENT_ACTIVE || state == AGREEMENT_SUPERSEDED ||
           state == AGREEMENT_TERMINATED;
}

enum accord_error periods_of(struct db *db, struct arena *arena, const char *agreement,
                             bool *ret_found, struct agreement_periods *ret)
{
    struct agreement_version_row *rows;
    size_t count;
    struct agreement_periods periods = {.end = INT64_MIN, .last = INT64_MAX};
    enum accord_error error = store_agreement_versions(db, arena, &agreement, 1, &rows, &count);
    if (error == ACCORD_OK)
        error = store_periods_last(db, &agreement, 1, &periods.last_closed);
    if (error != ACCORD_OK)
        return error;
    periods.versions = arena_array(arena, count + 1, sizeof *periods.versions);
    periods.bodies = arena_array(arena, count + 1, sizeof *periods.bodies);
    if (periods.versions == NULL || periods.bodies == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    instant_us first = INT64_MAX;
    int64_t tail_days = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (!settles(rows[i].state))
            continue;
        periods.bodies[periods.version_count] = rows[i].body;
        struct agreement_version *version = &periods.versions[periods.version_count++];
        error = agreement_decode_row(arena, &rows[i], version);
        if (error != ACCORD_OK)
            return error;
        const struct accord_agreement_version *terms = &version->terms;
        if (terms->effective_from_us < first)
            first = terms->effective_from_us;
    }
    *ret_found = periods.version_count > 0;
    if (!*ret_found)
        return ACCORD_OK;
    for (size_t i = 0; i < periods.version_count; i++) {
        const instant_us end = period_version_end(&periods, i);
        if (end >= periods.end) {
            periods.end = end;
            tail_days = periods.versions[i].terms.tail_days;
        }
    }
    periods.quarterly = periods.versions[0].quarterly;
    periods.time_zone = periods.versions[0].time_zone;
    periods.zone = periods.versions[0].zone;
    periods.first = period_of_day(periods.quarterly, zone_day(periods.zone, first));
    if (periods.end != INT64_MAX)
        /* The end is exclusive: what lies in the period is the instant before it. */
        periods.last =
            period_of_day(periods.quarterly, zone_day(periods.zone, periods.end - 1) + tail_days);
    periods.open = periods.last_closed == PERIOD_NONE
                       ? periods.first
                       : period_after(periods.quarterly, periods.last_closed);
    *ret = periods;
    return ACCORD_OK;
}
