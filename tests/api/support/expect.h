/* Assertions on answers. Places within a body are JSON pointers. */
#ifndef ACCORD_TESTS_API_EXPECT_H
#define ACCORD_TESTS_API_EXPECT_H

#include <check.h>

#include "support/client.h"

/* The value at a place, or NULL; borrowed. */
json_t *at(const struct response *response, const char *pointer);
/* Its text or integer; fails the test when it has another type. */
const char *text_at(const struct response *response, const char *pointer);
json_int_t int_at(const struct response *response, const char *pointer);
/* Pointer of the element of an array of objects whose `member` is `value`; fails when none is. */
const char *find(const struct response *response, const char *array, const char *member,
                 const char *value);

/* Each returns NULL when it is so, else why not. */
const char *check_status(const struct response *response, long status);
const char *check_problem(const struct response *response, long status, const char *code);
const char *check_field_problem(const struct response *response, const char *pointer,
                                const char *code);
const char *check_int(const struct response *response, const char *pointer, json_int_t value);
const char *check_text(const struct response *response, const char *pointer, const char *value);
const char *check_bool(const struct response *response, const char *pointer, bool value);
const char *check_null(const struct response *response, const char *pointer);
const char *check_absent(const struct response *response, const char *pointer);
const char *check_count(const struct response *response, const char *pointer, size_t count);
const char *check_money(const struct response *response, const char *pointer, json_int_t amount,
                        const char *currency);

#define EXPECT(check)                                                                              \
    do {                                                                                           \
        const char *why_not = (check);                                                             \
        ck_assert_msg(why_not == NULL, "%s", why_not);                                             \
    } while (0)
#define expect_status(r, status) EXPECT(check_status((r), (status)))
#define expect_problem(r, status, code) EXPECT(check_problem((r), (status), (code)))
#define expect_field_problem(r, pointer, code) EXPECT(check_field_problem((r), (pointer), (code)))
#define expect_int(r, pointer, value) EXPECT(check_int((r), (pointer), (value)))
#define expect_text(r, pointer, value) EXPECT(check_text((r), (pointer), (value)))
#define expect_bool(r, pointer, value) EXPECT(check_bool((r), (pointer), (value)))
#define expect_null(r, pointer) EXPECT(check_null((r), (pointer)))
#define expect_absent(r, pointer) EXPECT(check_absent((r), (pointer)))
#define expect_count(r, pointer, count) EXPECT(check_count((r), (pointer), (count)))
#define expect_money(r, pointer, amount, currency)                                                 \
    EXPECT(check_money((r), (pointer), (amount), (currency)))

#endif
