#include "base/zone_rule.h"

#include "base/clock.h"

static char here(const struct slice *text)
{
    return text->len > 0 ? text->data[0] : '\0';
}

static bool take(struct slice *text, char c)
{
    if (here(text) != c || text->len == 0)
        return false;
    text->data++;
    text->len--;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* An abbreviation: three letters or more, or anything of letters, digits and signs between <>. */
static bool take_name(struct slice *text)
{
    const bool quoted = take(text, '<');
    size_t len = 0;
    while (is_letter(here(text)) ||
           (quoted && (is_digit(here(text)) || here(text) == '+' || here(text) == '-'))) {
        take(text, here(text));
        len++;
    }
    return len >= 3 && (!quoted || take(text, '>'));
}

static bool take_number(struct slice *text, int min, int max, int *ret)
{
    int value = 0;
    int digits = 0;
    for (; digits < 4 && is_digit(here(text)); digits++) {
        value = value * 10 + (here(text) - '0');
        take(text, here(text));
    }
    *ret = value;
    return digits > 0 && value >= min && value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct slice *text, int hours_max, int32_t *ret)
{
    const bool negative = take(text, '-');
    int hours;
    int minutes = 0;
    int seconds = 0;
    if (!negative)
        take(text, '+');
    if (!take_number(text, 0, hours_max, &hours))
        return false;
    if (take(text, ':')) {
        if (!take_number(text, 0, 59, &minutes))
            return false;
        if (take(text, ':') && !take_number(text, 0, 59, &seconds))
            return false;
    }
    *ret = (negative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_change(struct slice *text, struct zone_change *ret)
{
    bool good;
    if (!take(text, ','))
        return false;
    ret->time_s = 2 * 3600;
    if (take(text, 'M')) {
        ret->kind = CHANGE_MONTH_WEEK;
        good = take_number(text, 1, 12, &ret->month) && take(text, '.') &&
               take_number(text, 1, 5, &ret->week) && take(text, '.') &&
               take_number(text, 0, 6, &ret->day);
    } else if (take(text, 'J')) {
        ret->kind = CHANGE_JULIAN;
        good = take_number(text, 1, 365, &ret->day);
    } else {
        ret->kind = CHANGE_DAY;
        good = take_number(text, 0, 365, &ret->day);
    }
    return good && (!take(text, '/') || take_time(text, 167, &ret->time_s));
}

bool zone_rule_parse(struct slice text, struct zone_rule *ret)
{
    struct zone_rule rule = {.has_summer = false};
    /* POSIX counts offsets to the west. */
    if (!take_name(&text) || !take_time(&text, 24, &rule.standard_s))
        return false;
    rule.standard_s = -rule.standard_s;
    if (text.len > 0) {
        rule.has_summer = true;
        rule.summer_s = rule.standard_s + 3600;
        if (!take_name(&text))
            return false;
        if (here(&text) != ',') {
            if (!take_time(&text, 24, &rule.summer_s))
                return false;
            rule.summer_s = -rule.summer_s;
        }
        if (!take_change(&text, &rule.begin) || !take_change(&text, &rule.end) || text.len > 0)
            return false;
    }
    *ret = rule;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day of a change in a year, as days since 1970. */
static int32_t change_day(const struct zone_change *change, int year)
{
    const int32_t new_year = clock_days_from_civil(year, 1, 1);
    switch (change->kind) {
    case CHANGE_DAY:
        return new_year + change->day;
    case CHANGE_JULIAN: /* February 29 is never counted */
        return new_year + change->day - 1 + (change->day >= 60 && is_leap(year) ? 1 : 0);
    case CHANGE_MONTH_WEEK:
        break;
    }
    const int32_t first = clock_days_from_civil(year, (unsigned)change->month, 1);
    const int32_t next = change->month == 12
                             ? clock_days_from_civil(year + 1, 1, 1)
                             : clock_days_from_civil(year, (unsigned)change->month + 1, 1);
    const int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    int32_t day = first + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= next)
        day -= 7;
    return day;
}

struct turn {
    int64_t at_s;
    bool to_summer;
};

/* Ends come before beginnings at the same instant: there it stays summer ("all year"). */
static bool before(const struct turn *a, const struct turn *b)
{
    return a->at_s != b->at_s ? a->at_s < b->at_s : !a->to_summer && b->to_summer;
}

struct zone_span zone_rule_span(const struct zone_rule *rule, int64_t at_s)
{
    if (!rule->has_summer)
        return (struct zone_span){rule->standard_s, INT64_MAX};
    const int64_t local_s = at_s + rule->standard_s;
    int year;
    unsigned month;
    unsigned day;
    clock_civil_from_days((int32_t)(local_s / 86400 - (local_s % 86400 < 0)), &year, &month, &day);
    /* A change may lie up to a week outside its year: so the one in force may be of the year before
     * last, behind the first of last year. */
    struct turn turns[8];
    size_t count = 0;
    for (int y = year - 2; y <= year + 1; y++) {
        for (int which = 0; which < 2; which++) {
            const struct zone_change *change = which == 0 ? &rule->begin : &rule->end;
            const int32_t offset = which == 0 ? rule->standard_s : rule->summer_s;
            const struct turn turn = {
                (int64_t)change_day(change, y) * 86400 + change->time_s - offset, which == 0};
            size_t i = count++;
            for (; i > 0 && before(&turn, &turns[i - 1]); i--)
                turns[i] = turns[i - 1];
            turns[i] = turn;
        }
    }
    struct zone_span span = {rule->standard_s, INT64_MAX};
    for (size_t i = 0; i < count; i++) {
        if (turns[i].at_s > at_s) {
            span.end_s = turns[i].at_s;
            break;
        }
        span.offset_s = turns[i].to_summer ? rule->summer_s : rule->standard_s;
    }
    return span;
}
