/* Ratings, reviews and counts; in any order of arrival. */
#include "books.h"

#include "store/feedback.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

#define COURSE "\"provider\":\"p1\",\"course_id\":\"python\""
#define FACT(event, type, day, rest)                                                               \
    "{\"event_id\":\"" event "\",\"type\":\"" type "\",\"occurred_at\":\"2025-01-" day             \
    "T00:00:00Z\"," rest "}"
#define RATE(event, day, learner, value)                                                           \
    FACT(event, "rating", day, COURSE ",\"learner\":\"" learner "\",\"value\":" value)
#define VOID(event, target) FACT(event, "void", "20", "\"supersedes\":\"" target "\"")

static int64_t count_of(const char *kind)
{
    struct feedback_count *rows;
    size_t count;
    ck_assert_int_eq(store_feedback_of(b.db, b.arena, "p1", "python", &rows, &count), ACCORD_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return rows[i].total;
    return 0;
}

static void expect_stars(int64_t one, int64_t two, int64_t three, int64_t four, int64_t five)
{
    ck_assert_int_eq(count_of("rating.1"), one);
    ck_assert_int_eq(count_of("rating.2"), two);
    ck_assert_int_eq(count_of("rating.3"), three);
    ck_assert_int_eq(count_of("rating.4"), four);
    ck_assert_int_eq(count_of("rating.5"), five);
}

START_TEST(test_newer_rating_is_live)
{
    books_accept(&b, "c1", RATE("a", "05", "u1", "2"));
    expect_stars(0, 1, 0, 0, 0);
    books_accept(&b, "c1", RATE("b", "07", "u1", "5"));
    expect_stars(0, 0, 0, 0, 1);
    books_accept(&b, "c1", RATE("c", "06", "u1", "1")); /* older, though it comes later */
    expect_stars(0, 0, 0, 0, 1);
    books_accept(&b, "c2", RATE("z", "05", "u1", "3")); /* another channel's learner */
    expect_stars(0, 0, 1, 0, 1);
    /* Taking the live one back brings the one before it to life. */
    books_accept(&b, "c1", VOID("v", "b"));
    expect_stars(1, 0, 1, 0, 0);
    books_accept(
        &b, "c1",
        FACT("d", "rating", "06", COURSE ",\"learner\":\"u1\",\"value\":4,\"supersedes\":\"c\""));
    expect_stars(0, 0, 1, 1, 0);
    books_refuse(
        &b, "c1",
        FACT("e", "rating", "06", COURSE ",\"learner\":\"u2\",\"value\":4,\"supersedes\":\"d\""),
        ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    ck_assert_int_eq(count_of("rating"), 3); /* facts that stand: a, d, z */
}
END_TEST

START_TEST(test_without_learner)
{
    books_accept(&b, "c1", FACT("a", "rating", "05", COURSE ",\"value\":5"));
    books_accept(&b, "c1", FACT("b", "rating", "05", COURSE ",\"value\":5"));
    expect_stars(0, 0, 0, 0, 2);
    books_accept(&b, "c1", FACT("c", "rating", "05", COURSE ",\"value\":1,\"supersedes\":\"a\""));
    expect_stars(1, 0, 0, 0, 1);
    books_accept(&b, "c1", VOID("v", "c"));
    expect_stars(0, 0, 0, 0, 1);
}
END_TEST

START_TEST(test_reviews)
{
    books_accept(&b, "c1",
                 FACT("a", "review", "05",
                      COURSE ",\"learner\":\"u1\",\"text\":\"很好\",\"value\":4,\"language\":"
                             "\"zh\""));
    books_accept(&b, "p1", FACT("b", "review", "06", COURSE ",\"text\":\"good\""));
    expect_stars(0, 0, 0, 1, 0);
    ck_assert_int_eq(count_of("review"), 2);
    struct review_row *rows;
    size_t count;
    ck_assert_int_eq(store_reviews_of(b.db, b.arena, "p1", "python", 10, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].event_id, "b");
    ck_assert_str_eq(rows[0].partner, "p1");
    ck_assert_int_eq(rows[0].value, 0);
    ck_assert_str_eq(rows[1].text.data, "很好");
    ck_assert_str_eq(rows[1].language, "zh");
    books_accept(&b, "c1",
                 FACT("c", "review", "05",
                      COURSE ",\"learner\":\"u1\",\"text\":\"一般\",\"supersedes\":\"a\""));
    expect_stars(0, 0, 0, 0, 0);
    ck_assert_int_eq(store_reviews_of(b.db, b.arena, "p1", "python", 10, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[1].text.data, "一般");
}
END_TEST

START_TEST(test_counts)
{
    books_accept(&b, "c1", FACT("a", "impression", "05", COURSE ",\"count\":1000"));
    books_accept(&b, "c1", FACT("b", "impression", "05", COURSE));
    books_accept(&b, "c1", FACT("c", "usage", "05", COURSE ",\"seconds\":90"));
    books_accept(&b, "c1", FACT("d", "usage", "05", COURSE ",\"seconds\":10"));
    books_accept(&b, "c1", FACT("e", "progress", "05", COURSE ",\"progress_ppm\":500000"));
    books_accept(&b, "c1", FACT("f", "usage", "05", COURSE ",\"seconds\":30,\"supersedes\":\"c\""));
    books_accept(&b, "c1", VOID("g", "a"));
    ck_assert_int_eq(count_of("impression"), 1);
    ck_assert_int_eq(count_of("usage"), 2);
    ck_assert_int_eq(count_of("usage.seconds"), 40);
    ck_assert_int_eq(count_of("progress"), 1);
    /* Unknown courses are counted for the day on which they come. */
    const struct fact *fact = books_accept(
        &b, "c1",
        FACT("h", "rating", "05", "\"provider\":\"p1\",\"course_id\":\"课\",\"value\":3"));
    ck_assert_int_eq(fact->held, ACCORD_HELD_UNMATCHED);
}
END_TEST

/* ---- any order ---- */

enum { RATINGS = 60 };

START_TEST(test_any_order)
{
    uint64_t rnd = (uint64_t)_i + 1;
    const char *texts[2 * RATINGS];
    int after[2 * RATINGS];
    int count = 0;
    /* Naively: of each learner the latest that stands. */
    int64_t best_key[5] = {-1, -1, -1, -1, -1};
    int best_value[5] = {0};
    uint64_t world = 77; /* the same facts for every order */
    for (int i = 0; i < RATINGS; i++) {
        const int learner = (int)random_below(&world, 5);
        const int day = 1 + (int)random_below(&world, 9);
        const int value = 1 + (int)random_below(&world, 5);
        const bool taken_back = random_below(&world, 4) == 0;
        after[count] = -1;
        texts[count++] = books_text(
            &b,
            "{\"event_id\":\"e%02d\",\"type\":\"rating\",\"occurred_at\":\"2025-01-0%dT00:00:00Z\","
            "\"learner\":\"u%d\",\"value\":%d," COURSE "}",
            i, day, learner, value);
        if (taken_back) {
            after[count] = count - 1;
            texts[count++] = books_text(&b,
                                        "{\"event_id\":\"v%02d\",\"type\":\"void\",\"occurred_at\":"
                                        "\"2025-01-10T00:00:00Z\",\"supersedes\":\"e%02d\"}",
                                        i, i);
        } else if (day * 1000 + i > best_key[learner]) {
            best_key[learner] = day * 1000 + i;
            best_value[learner] = value;
        }
    }
    bool done[2 * RATINGS] = {false};
    for (int n = 0; n < count;) {
        const char *batch = "";
        const int64_t most = 1 + random_below(&rnd, 10);
        for (int64_t k = 0; k < most && n < count;) {
            const int i = (int)random_below(&rnd, count);
            if (done[i] || (after[i] >= 0 && !done[after[i]]))
                continue;
            done[i] = true;
            batch = books_text(&b, "%s%s\n", batch, texts[i]);
            n++;
            k++;
        }
        const struct fact_batch *posted = books_post(&b, "c1", batch);
        ck_assert_uint_eq(posted->counts[FACT_ACCEPTED], posted->count);
    }
    int64_t stars[6] = {0};
    for (int i = 0; i < 5; i++)
        if (best_key[i] >= 0)
            stars[best_value[i]]++;
    expect_stars(stars[1], stars[2], stars[3], stars[4], stars[5]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("feedback");
    TCase *tc = tcase_create("feedback");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_newer_rating_is_live);
    tcase_add_test(tc, test_without_learner);
    tcase_add_test(tc, test_reviews);
    tcase_add_test(tc, test_counts);
    tcase_add_loop_test(tc, test_any_order, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
