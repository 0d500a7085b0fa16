/* From events of a learner to units. */
#include "accord/usage.h"

#include <stdlib.h>
#include <string.h>

#include "accord/money.h"

/* Sums by some number of the events: a day, a course, a payee. */
struct tally {
    int64_t *numbers; /* ascending, distinct */
    int64_t *units;
    size_t count;
};

static int by_begin(const void *a, const void *b)
{
    const struct accord_usage_event *x = a;
    const struct accord_usage_event *y = b;
    const int64_t from = x->has_session ? x->from_us : x->occurred_at_us;
    const int64_t other = y->has_session ? y->from_us : y->occurred_at_us;
    if (from != other)
        return from < other ? -1 : 1;
    return strcmp(x->event_id, y->event_id);
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tally_free(struct tally *tally)
{
    free(tally->numbers);
    free(tally->units);
}

/* Takes over the numbers of `count` events, in any order, as its own. */
static void tally_begin(struct tally *tally, size_t count)
{
    qsort(tally->numbers, count, sizeof *tally->numbers, by_number);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || tally->numbers[i] != tally->numbers[i - 1])
            tally->numbers[tally->count++] = tally->numbers[i];
}

static int64_t *tally_at(const struct tally *tally, int64_t number)
{
    const int64_t *at =
        bsearch(&number, tally->numbers, tally->count, sizeof *tally->numbers, by_number);
    return &tally->units[at - tally->numbers];
}

struct counting {
    enum accord_usage_basis basis;
    const struct accord_usage_caps *caps;
    struct tally days;
    struct tally courses;
    struct tally payees;
    int64_t all;
    bool any_session;
    int64_t covered_to; /* where the sessions before end */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Of a session what those before it do not cover: they all began before it, so that is its end. */
static int64_t seconds_of(struct counting *c, const struct accord_usage_event *event)
{
    enum { SECOND_US = 1000000 };
    if (!event->has_session)
        return event->seconds;
    const int64_t from = c->any_session ? most(event->from_us, c->covered_to) : event->from_us;
    c->covered_to = c->any_session ? most(c->covered_to, event->to_us) : event->to_us;
    c->any_session = true;
    return from >= event->to_us ? 0 : least(event->seconds, (event->to_us - from) / SECOND_US);
}

/* What an event counts before caps. */
static int64_t units_of(struct counting *c, const struct accord_usage_event *event)
{
    switch (c->basis) {
    case ACCORD_USAGE_SECONDS:
        return event->kind == ACCORD_USAGE_TIME ? seconds_of(c, event) : 0;
    case ACCORD_USAGE_LEARNERS:
        return event->kind == ACCORD_USAGE_TIME && event->seconds > 0 &&
               *tally_at(&c->payees, event->payee) == 0;
    case ACCORD_USAGE_STARTS:
        return event->kind == ACCORD_USAGE_START && *tally_at(&c->courses, event->course) == 0;
    case ACCORD_USAGE_COMPLETIONS:
        return event->kind == ACCORD_USAGE_COMPLETION && *tally_at(&c->courses, event->course) == 0;
    }
    return 0;
}

static int64_t under_cap(int64_t units, int64_t cap, int64_t so_far)
{
    return cap == 0 ? units : least(units, cap - so_far);
}

static enum accord_error count_event(struct counting *c, const struct accord_usage_event *event)
{
    int64_t *day = tally_at(&c->days, event->day);
    int64_t *course = tally_at(&c->courses, event->course);
    int64_t *payee = tally_at(&c->payees, event->payee);
    int64_t units = units_of(c, event);
    units = under_cap(units, c->caps->learner, c->all);
    units = under_cap(units, c->caps->learner_day, *day);
    units = under_cap(units, c->caps->learner_course, *course);
    /* The others are parts of it. */
    const enum accord_error error = accord_add(c->all, units, &c->all);
    if (error != ACCORD_OK)
        return error;
    *day += units;
    *course += units;
    *payee += units;
    return ACCORD_OK;
}

static enum accord_error begin(struct counting *c, const struct accord_usage_event *events,
                               size_t count)
{
    struct tally *const tallies[] = {&c->days, &c->courses, &c->payees};
    for (size_t i = 0; i < sizeof tallies / sizeof *tallies; i++) {
        tallies[i]->numbers = calloc(count, sizeof *tallies[i]->numbers);
        tallies[i]->units = calloc(count, sizeof *tallies[i]->units);
        if (tallies[i]->numbers == NULL || tallies[i]->units == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (events[i].seconds < 0 || (events[i].has_session && events[i].to_us < events[i].from_us))
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        c->days.numbers[i] = events[i].day;
        c->courses.numbers[i] = events[i].course;
        c->payees.numbers[i] = events[i].payee;
    }
    for (size_t i = 0; i < sizeof tallies / sizeof *tallies; i++)
        tally_begin(tallies[i], count);
    return ACCORD_OK;
}

enum accord_error accord_usage_cells(enum accord_usage_basis basis,
                                     const struct accord_usage_caps *caps,
                                     struct accord_usage_event *events, size_t count,
                                     struct accord_pool_cell *ret_cells, size_t *ret_count)
{
    struct counting c = {.basis = basis, .caps = caps};
    if ((unsigned)basis > (unsigned)ACCORD_USAGE_COMPLETIONS || caps->learner < 0 ||
        caps->learner_day < 0 || caps->learner_course < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (count == 0) {
        *ret_count = 0;
        return ACCORD_OK;
    }
    enum accord_error error = begin(&c, events, count);
    if (error == ACCORD_OK)
        qsort(events, count, sizeof *events, by_begin);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = count_event(&c, &events[i]);
    if (error == ACCORD_OK) {
        size_t found = 0;
        for (size_t i = 0; i < c.payees.count; i++)
            if (c.payees.units[i] > 0)
                ret_cells[found++] = (struct accord_pool_cell){
                    .payee = (uint32_t)c.payees.numbers[i], .units = c.payees.units[i]};
        *ret_count = found;
    }
    tally_free(&c.days);
    tally_free(&c.courses);
    tally_free(&c.payees);
    return error;
}
