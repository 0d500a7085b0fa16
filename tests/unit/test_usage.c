/* From what a learner did to units: by hand, and against a model that looks at every second. */
#include "accord/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { SECOND = 1000000, EVENTS_MAX = 12, PAYEES = 4, COURSES = 6, DAYS = 3 };

static const struct accord_usage_caps uncapped;

static struct accord_usage_event used(const char *id, uint32_t payee, int64_t at_s, int64_t seconds)
{
    return (struct accord_usage_event){.kind = ACCORD_USAGE_TIME,
                                       .payee = payee,
                                       .course = payee,
                                       .occurred_at_us = at_s * SECOND,
                                       .event_id = id,
                                       .seconds = seconds};
}

static struct accord_usage_event session(const char *id, uint32_t payee, int64_t from_s,
                                         int64_t to_s, int64_t seconds)
{
    struct accord_usage_event event = used(id, payee, from_s, seconds);
    event.has_session = true;
    event.from_us = from_s * SECOND;
    event.to_us = to_s * SECOND;
    return event;
}

static int64_t units_of(enum accord_usage_basis basis, const struct accord_usage_caps *caps,
                        const struct accord_usage_event *events, size_t count, uint32_t payee)
{
    struct accord_usage_event own[EVENTS_MAX];
    struct accord_pool_cell cells[EVENTS_MAX];
    size_t found = 0;
    int64_t units = 0;
    memcpy(own, events, count * sizeof *own);
    ck_assert_int_eq(accord_usage_cells(basis, caps, own, count, cells, &found), ACCORD_OK);
    for (size_t i = 0; i < found; i++) {
        ck_assert_int_gt(cells[i].units, 0);
        ck_assert(i == 0 || cells[i].payee > cells[i - 1].payee);
        if (cells[i].payee == payee)
            units = cells[i].units;
    }
    return units;
}

START_TEST(sessions_that_overlap_are_one)
{
    const struct accord_usage_event events[] = {
        session("c", 2, 10, 130, 120),                             /* of it 100 to 130 is left */
        session("a", 0, 0, 100, 100), session("b", 1, 20, 90, 70), /* all of it covered */
        session("d", 3, 200, 300, 40)                              /* paused for a minute */
    };
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 4, 0), 100);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 4, 1), 0);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 4, 2), 30);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 4, 3), 40);
}
END_TEST

START_TEST(of_two_that_begin_together_the_smaller_id_comes_first)
{
    const struct accord_usage_event events[] = {session("b", 1, 0, 60, 60),
                                                session("a", 0, 0, 20, 20)};
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 2, 0), 20);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 2, 1), 40);
}
END_TEST

/* Without sessions nothing is known to overlap. */
START_TEST(seconds_alone_count_whole)
{
    const struct accord_usage_event events[] = {used("a", 0, 0, 60), used("b", 1, 0, 60),
                                                used("c", 0, 5, 1)};
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 3, 0), 61);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 3, 1), 60);
}
END_TEST

START_TEST(caps_take_what_came_first)
{
    struct accord_usage_event events[] = {used("a", 0, 300, 50), used("b", 1, 100, 50),
                                          used("c", 0, 200, 50)};
    const struct accord_usage_caps all = {.learner = 120};
    /* b 50, c 50, then of a 20. */
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &all, events, 3, 0), 70);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &all, events, 3, 1), 50);
    const struct accord_usage_caps course = {.learner_course = 60};
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &course, events, 3, 0), 60);
    events[0].day = 1;
    const struct accord_usage_caps day = {.learner_day = 30};
    /* Of day 0 only b's first 30; of day 1 a's. */
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &day, events, 3, 0), 30);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &day, events, 3, 1), 30);
}
END_TEST

START_TEST(starts_completions_and_learners)
{
    struct accord_usage_event events[] = {used("a", 0, 1, 5), used("b", 0, 2, 5),
                                          used("c", 1, 3, 0), used("d", 1, 4, 9),
                                          used("e", 2, 5, 0)};
    ck_assert_int_eq(units_of(ACCORD_USAGE_LEARNERS, &uncapped, events, 5, 0), 1);
    ck_assert_int_eq(units_of(ACCORD_USAGE_LEARNERS, &uncapped, events, 5, 1), 1);
    ck_assert_int_eq(units_of(ACCORD_USAGE_LEARNERS, &uncapped, events, 5, 2), 0);
    ck_assert_int_eq(units_of(ACCORD_USAGE_STARTS, &uncapped, events, 5, 0), 0);
    for (size_t i = 0; i < 4; i++)
        events[i].kind = ACCORD_USAGE_START;
    events[1].course = 7;
    ck_assert_int_eq(units_of(ACCORD_USAGE_STARTS, &uncapped, events, 5, 0), 2);
    ck_assert_int_eq(units_of(ACCORD_USAGE_STARTS, &uncapped, events, 5, 1), 1);
    ck_assert_int_eq(units_of(ACCORD_USAGE_COMPLETIONS, &uncapped, events, 5, 0), 0);
    events[0].kind = ACCORD_USAGE_COMPLETION;
    ck_assert_int_eq(units_of(ACCORD_USAGE_COMPLETIONS, &uncapped, events, 5, 0), 1);
    ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &uncapped, events, 4, 0), 0);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    struct accord_usage_event event = used("a", 0, 0, -1);
    struct accord_pool_cell cell;
    size_t count = 77;
    const struct accord_usage_caps negative = {.learner_day = -1};
    ck_assert_int_eq(accord_usage_cells(ACCORD_USAGE_SECONDS, &uncapped, &event, 1, &cell, &count),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    event = session("a", 0, 9, 8, 1);
    ck_assert_int_eq(accord_usage_cells(ACCORD_USAGE_SECONDS, &uncapped, &event, 1, &cell, &count),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    event = used("a", 0, 0, 1);
    ck_assert_int_eq(accord_usage_cells(ACCORD_USAGE_SECONDS, &negative, &event, 1, &cell, &count),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    struct accord_usage_event two[] = {used("a", 0, 0, INT64_MAX), used("b", 0, 0, 1)};
    struct accord_pool_cell cells[2];
    ck_assert_int_eq(accord_usage_cells(ACCORD_USAGE_SECONDS, &uncapped, two, 2, cells, &count),
                     ACCORD_E_OVERFLOW);
    ck_assert_uint_eq(count, 77);
    ck_assert_int_eq(accord_usage_cells(ACCORD_USAGE_SECONDS, &uncapped, NULL, 0, NULL, &count),
                     ACCORD_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* ---- at random ---- */

static uint64_t seed;

static int64_t below(int64_t limit)
{
    return random_below(&seed, limit);
}

static bool comes_before(const struct accord_usage_event *a, const struct accord_usage_event *b)
{
    const int64_t x = a->has_session ? a->from_us : a->occurred_at_us;
    const int64_t y = b->has_session ? b->from_us : b->occurred_at_us;
    return x != y ? x < y : strcmp(a->event_id, b->event_id) < 0;
}

/* Second by second, what is free of it; sessions are whole seconds of a short time. */
static void model(const struct accord_usage_caps *caps, const struct accord_usage_event *events,
                  size_t count, int64_t ret[PAYEES])
{
    bool covered[400] = {false};
    bool taken[EVENTS_MAX] = {false};
    int64_t days[DAYS] = {0};
    int64_t courses[COURSES] = {0};
    int64_t all = 0;
    memset(ret, 0, PAYEES * sizeof *ret);
    for (size_t turn = 0; turn < count; turn++) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            if (!taken[i] && (next == SIZE_MAX || comes_before(&events[i], &events[next])))
                next = i;
        const struct accord_usage_event *event = &events[next];
        taken[next] = true;
        int64_t free_seconds = event->seconds;
        if (event->has_session) {
            free_seconds = 0;
            for (int64_t s = event->from_us / SECOND; s < event->to_us / SECOND; s++) {
                free_seconds += !covered[s];
                covered[s] = true;
            }
        }
        for (int64_t s = 0; s < event->seconds && s < free_seconds; s++) {
            if ((caps->learner > 0 && all == caps->learner) ||
                (caps->learner_day > 0 && days[event->day] == caps->learner_day) ||
                (caps->learner_course > 0 && courses[event->course] == caps->learner_course))
                break;
            all++;
            days[event->day]++;
            courses[event->course]++;
            ret[event->payee]++;
        }
    }
}

START_TEST(seconds_are_those_of_a_model_in_any_order)
{
    static const char *const ids[EVENTS_MAX] = {"a", "b", "c", "d", "e", "f",
                                                "g", "h", "i", "j", "k", "l"};
    seed = 20261201;
    for (int round = 0; round < 5000; round++) {
        struct accord_usage_event events[EVENTS_MAX];
        const size_t count = (size_t)below(EVENTS_MAX + 1);
        const struct accord_usage_caps caps = {.learner = below(3) == 0 ? 1 + below(300) : 0,
                                               .learner_day = below(3) == 0 ? 1 + below(120) : 0,
                                               .learner_course = below(3) == 0 ? 1 + below(90) : 0};
        for (size_t i = 0; i < count; i++) {
            const int64_t from = below(300);
            events[i] = below(3) == 0 ? used(ids[i], (uint32_t)below(PAYEES), from, below(90))
                                      : session(ids[i], (uint32_t)below(PAYEES), from,
                                                from + below(100), below(120));
            events[i].course = (uint32_t)below(COURSES);
            events[i].day = below(DAYS);
        }
        int64_t want[PAYEES];
        model(&caps, events, count, want);
        for (int order = 0; order < 2; order++) {
            for (uint32_t payee = 0; payee < PAYEES; payee++)
                ck_assert_int_eq(units_of(ACCORD_USAGE_SECONDS, &caps, events, count, payee),
                                 want[payee]);
            for (size_t i = count; i > 1; i--) {
                const size_t j = (size_t)below((int64_t)i);
                const struct accord_usage_event swap = events[i - 1];
                events[i - 1] = events[j];
                events[j] = swap;
            }
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("usage");
    TCase *cases = tcase_create("usage");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, sessions_that_overlap_are_one);
    tcase_add_test(cases, of_two_that_begin_together_the_smaller_id_comes_first);
    tcase_add_test(cases, seconds_alone_count_whole);
    tcase_add_test(cases, caps_take_what_came_first);
    tcase_add_test(cases, starts_completions_and_learners);
    tcase_add_test(cases, what_cannot_be_is_refused);
    tcase_add_test(cases, seconds_are_those_of_a_model_in_any_order);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
