/* Matching of paths, scopes and keys: what is decided without a database. */
#include "unit.h"

#include <stdio.h>

#include "api/auth.h"
#include "api/limits.h"
#include "api/route.h"

static const struct operation rows[] = {
    {.id = "a", .method = "GET", .pattern = "/v1/things"},
    {.id = "b", .method = "POST", .pattern = "/v1/things"},
    {.id = "c", .method = "GET", .pattern = "/v1/things/{thing}"},
    {.id = "d", .method = "GET", .pattern = "/v1/things/special"},
    {.id = "e", .method = "DELETE", .pattern = "/v1/things/{thing}/parts/{part}"},
    {.id = "f", .method = "GET", .pattern = "/v1/things/{thing}/parts/all"},
    {.id = "g", .method = "GET", .pattern = "/v1/{kind}/special"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct operation *row_at(size_t index)
{
    return &rows[index];
}

/* Splits at '/', undecoded. */
static struct route_match find(const struct route_table *table, const char *method,
                               const char *path)
{
    struct slice segments[HTTP_SEGMENTS_MAX];
    size_t count = 0;
    while (*path == '/' && count < HTTP_SEGMENTS_MAX) {
        const size_t len = strcspn(++path, "/");
        segments[count++] = (struct slice){path, len};
        path += len;
    }
    return route_find(table, slice_of(method), segments, count);
}

START_TEST(paths)
{
    static const struct {
        const char *method, *path, *id, *allow, *arg0, *arg1;
    } cases[] = {
        {"GET", "/v1/things", "a", "GET, HEAD, POST, OPTIONS", NULL, NULL},
        {"HEAD", "/v1/things", "a", "GET, HEAD, POST, OPTIONS", NULL, NULL},
        {"POST", "/v1/things", "b", "GET, HEAD, POST, OPTIONS", NULL, NULL},
        {"PUT", "/v1/things", NULL, "GET, HEAD, POST, OPTIONS", NULL, NULL},
        {"get", "/v1/things", NULL, "GET, HEAD, POST, OPTIONS", NULL, NULL},
        {"GET", "/v1/things/x", "c", "GET, HEAD, OPTIONS", "x", NULL},
        {"GET", "/v1/things/special", "d", "GET, HEAD, OPTIONS", NULL, NULL},
        {"GET", "/v1/other/special", "g", "GET, HEAD, OPTIONS", "other", NULL},
        {"DELETE", "/v1/things/x/parts/y", "e", "DELETE, OPTIONS", "x", "y"},
        {"GET", "/v1/things/x/parts/y", NULL, "DELETE, OPTIONS", "x", "y"},
        {"GET", "/v1/things/x/parts/all", "f", "GET, HEAD, OPTIONS", "x", NULL},
        {"DELETE", "/v1/things/x/parts/all", NULL, "GET, HEAD, OPTIONS", "x", NULL},
        {"GET", "/v1/things/", NULL, NULL, NULL, NULL},
        {"GET", "/v1", NULL, NULL, NULL, NULL},
        {"GET", "/", NULL, NULL, NULL, NULL},
        {"GET", "/v1/things/x/parts", NULL, NULL, NULL, NULL},
        {"GET", "/v1/Things", NULL, NULL, NULL, NULL},
        {"GET", "//v1/things", NULL, NULL, NULL, NULL},
    };
    struct route_table *table = NULL;
    ck_assert_int_eq(route_table_new(ROWS, row_at, &table), ACCORD_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct route_match match = find(table, cases[i].method, cases[i].path);
        const char *id = match.operation == SIZE_MAX ? NULL : rows[match.operation].id;
        ck_assert_msg((id == NULL) == (cases[i].id == NULL) &&
                          (id == NULL || strcmp(id, cases[i].id) == 0),
                      "%s %s", cases[i].method, cases[i].path);
        ck_assert_pstr_eq(match.allow, cases[i].allow);
        if (cases[i].arg0 != NULL)
            ck_assert(slice_equal(match.args[0], slice_of(cases[i].arg0)));
        if (cases[i].arg1 != NULL)
            ck_assert(slice_equal(match.args[1], slice_of(cases[i].arg1)));
    }
    /* A parameter that would end early as a C string names nothing. */
    const struct slice with_nul[] = {SLICE("v1"), SLICE("things"), {"a\0b", 3}};
    ck_assert_ptr_null(route_find(table, SLICE("GET"), with_nul, 3).path);
    route_table_free(table);
}
END_TEST

static const struct operation *bad_row;
static const struct operation *bad_at(size_t index)
{
    return &bad_row[index];
}

START_TEST(wrong_tables)
{
    static const struct operation twice[] = {{.id = "a", .method = "GET", .pattern = "/x"},
                                             {.id = "b", .method = "GET", .pattern = "/x"}};
    static const struct operation relative[] = {{.id = "a", .method = "GET", .pattern = "x"}};
    static const struct operation open[] = {{.id = "a", .method = "GET", .pattern = "/x/{y"}};
    static const struct operation slash[] = {{.id = "a", .method = "GET", .pattern = "/x/"}};
    struct route_table *table = NULL;
    bad_row = twice;
    ck_assert_int_eq(route_table_new(2, bad_at, &table), ACCORD_E_INTERNAL);
    bad_row = relative;
    ck_assert_int_eq(route_table_new(1, bad_at, &table), ACCORD_E_INTERNAL);
    bad_row = open;
    ck_assert_int_eq(route_table_new(1, bad_at, &table), ACCORD_E_INTERNAL);
    bad_row = slash;
    ck_assert_int_eq(route_table_new(1, bad_at, &table), ACCORD_E_INTERNAL);
    ck_assert_ptr_null(table);
}
END_TEST

START_TEST(decisions)
{
    const instant_us now = 1000;
    const struct {
        const char *what;
        uint32_t op_scope, op_roles;
        bool has_key;
        uint32_t scopes, roles;
        bool suspended;
        instant_us expires_at, revoked_at;
        enum accord_error want;
    } cases[] = {
        {"public", SCOPE_PUBLIC, 0, false, 0, 0, false, INT64_MAX, INT64_MAX, ACCORD_OK},
        {"no key", SCOPE_ANY, 0, false, 0, 0, false, 0, 0, ACCORD_E_UNAUTHENTICATED},
        {"any", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false, INT64_MAX, INT64_MAX,
         ACCORD_OK},
        {"expired now", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false, 1000, INT64_MAX,
         ACCORD_E_UNAUTHENTICATED},
        {"expires later", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false, 1001,
         INT64_MAX, ACCORD_OK},
        {"revoked", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false, INT64_MAX, 1,
         ACCORD_E_UNAUTHENTICATED},
        {"revoked by a clock ahead", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false,
         INT64_MAX, 5000, ACCORD_E_UNAUTHENTICATED},
        {"suspended", SCOPE_ANY, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, true, INT64_MAX,
         INT64_MAX, ACCORD_E_PARTNER_SUSPENDED},
        {"scope", SCOPE_EVENTS_WRITE, 0, true, SCOPE_EVENTS_WRITE, ROLE_CHANNEL, false, INT64_MAX,
         INT64_MAX, ACCORD_OK},
        {"other scope", SCOPE_EVENTS_WRITE, 0, true, SCOPE_EVENTS_READ, ROLE_CHANNEL, false,
         INT64_MAX, INT64_MAX, ACCORD_E_SCOPE_MISSING},
        {"operator needs scopes too", SCOPE_EVENTS_WRITE, 0, true, SCOPE_ADMIN, ROLE_PLATFORM,
         false, INT64_MAX, INT64_MAX, ACCORD_E_SCOPE_MISSING},
        {"role", SCOPE_EVENTS_WRITE, ROLE_CHANNEL, true, SCOPE_EVENTS_WRITE,
         ROLE_CHANNEL | ROLE_PROVIDER, false, INT64_MAX, INT64_MAX, ACCORD_OK},
        {"other role", SCOPE_EVENTS_WRITE, ROLE_CHANNEL, true, SCOPE_EVENTS_WRITE, ROLE_PROVIDER,
         false, INT64_MAX, INT64_MAX, ACCORD_E_ROLE_MISSING},
        {"operator passes roles", SCOPE_EVENTS_WRITE, ROLE_CHANNEL, true, SCOPE_EVENTS_WRITE,
         ROLE_PLATFORM, false, INT64_MAX, INT64_MAX, ACCORD_OK},
        {"admin", SCOPE_ADMIN, ROLE_PLATFORM, true, SCOPE_ADMIN, ROLE_PLATFORM, false, INT64_MAX,
         INT64_MAX, ACCORD_OK},
        {"admin of who is no operator any more", SCOPE_ADMIN, 0, true, SCOPE_ADMIN, ROLE_PROVIDER,
         false, INT64_MAX, INT64_MAX, ACCORD_E_SCOPE_MISSING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct operation operation = {.scope = cases[i].op_scope, .roles = cases[i].op_roles};
        const struct key_owner owner = {
            .key = {.scopes = cases[i].scopes,
                    .expires_at = cases[i].expires_at,
                    .revoked_at = cases[i].revoked_at},
            .roles = cases[i].roles,
            .suspended = cases[i].suspended,
        };
        const enum accord_error got =
            auth_decide(&operation, cases[i].has_key ? &owner : NULL, now);
        ck_assert_msg(got == cases[i].want, "%s: %s", cases[i].what, accord_error_code(got));
    }
}
END_TEST

START_TEST(secrets)
{
    char a[AUTH_SECRET_MAX];
    char b[AUTH_SECRET_MAX];
    auth_secret_make(AUTH_LIVE, a);
    auth_secret_make(AUTH_TEST, b);
    ck_assert_uint_eq(strlen(a), 55);
    ck_assert_int_eq(strncmp(a, "accord_live_", 12), 0);
    ck_assert_int_eq(strncmp(b, "accord_test_", 12), 0);
    ck_assert_str_ne(a + 12, b + 12);
    ck_assert_int_eq(auth_secret_mode(slice_of(a)), AUTH_LIVE);
    ck_assert_int_eq(auth_secret_mode(slice_of(b)), AUTH_TEST);
    ck_assert_int_eq(auth_secret_mode((struct slice){a, 54}), AUTH_NONE);
    ck_assert_int_eq(auth_secret_mode((struct slice){NULL, 0}), AUTH_NONE);
    a[20] = '+';
    ck_assert_int_eq(auth_secret_mode(slice_of(a)), AUTH_NONE);
    /* Every character of base64url comes up: none of the 256 bits is fixed. */
    bool seen[128] = {false};
    for (unsigned i = 0; i < 200; i++) {
        auth_secret_make(AUTH_LIVE, a);
        for (unsigned k = 12; k < 55; k++)
            seen[(unsigned char)a[k]] = true;
    }
    unsigned count = 0;
    for (unsigned i = 0; i < 128; i++)
        count += seen[i];
    ck_assert_uint_eq(count, 64);

    char id[RANDOM_ID_MAX];
    auth_key_id(AUTH_TEST, id);
    ck_assert_int_eq(auth_key_id_mode(id), AUTH_TEST);
    auth_key_id(AUTH_LIVE, id);
    ck_assert_int_eq(auth_key_id_mode(id), AUTH_LIVE);
}
END_TEST

START_TEST(bearer)
{
    static const struct {
        const char *header, *token;
    } cases[] = {
        {"Bearer abc", "abc"}, {"bearer  abc", "abc"}, {"BEARER abc", "abc"}, {"Bearer", NULL},
        {"Bearer ", NULL},     {"Basic abc", NULL},    {"Bearerabc", NULL},   {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slice token = auth_bearer(slice_of(cases[i].header));
        if (cases[i].token == NULL)
            ck_assert_ptr_null(token.data);
        else
            ck_assert(slice_equal(token, slice_of(cases[i].token)));
    }
    ck_assert_ptr_null(auth_bearer((struct slice){NULL, 0}).data);
}
END_TEST

START_TEST(scopes)
{
    uint32_t all = 0;
    unsigned count = 0;
    while (auth_scope_name(count) != NULL) {
        const uint32_t bit = auth_scope_find(slice_of(auth_scope_name(count)));
        ck_assert(bit != 0 && (bit & (bit - 1)) == 0 && (all & bit) == 0);
        all |= bit;
        count++;
    }
    ck_assert_uint_eq(count, 10);
    ck_assert_uint_eq(auth_scope_find(SLICE("events")), 0);
    ck_assert_uint_eq(auth_scope_find(SLICE("")), 0);
}
END_TEST

START_TEST(buckets)
{
    struct limits *limits = limits_new(10);
    struct limit_state state;
    int64_t now = 1000000;
    for (int i = 0; i < 10; i++) {
        ck_assert(limits_take(limits, "a", now, &state));
        ck_assert_int_eq(state.remaining, 9 - i);
        ck_assert_int_eq(state.limit, 10);
    }
    ck_assert(!limits_take(limits, "a", now, &state));
    ck_assert_int_eq(state.remaining, 0);
    ck_assert_int_eq(state.wait_s, 1);
    ck_assert(limits_take(limits, "b", now, &state)); /* another key has its own */
    ck_assert(!limits_take(limits, "a", now + 99999, &state));
    ck_assert(limits_take(limits, "a", now + 100000, &state)); /* a tenth of a second brings one */
    ck_assert(!limits_take(limits, "a", now + 100001, &state));
    now += INT64_C(3600) * 1000000;
    for (int i = 0; i < 10; i++) /* a long rest brings no more than the bucket holds */
        ck_assert(limits_take(limits, "a", now, &state));
    ck_assert(!limits_take(limits, "a", now, &state));
    ck_assert(!limits_take(limits, "a", now - 5000000, &state)); /* a clock that goes back */
    limits_free(limits);
}
END_TEST

START_TEST(many_keys)
{
    struct limits *limits = limits_new(5);
    struct limit_state state;
    char key[32];
    /* More keys than there are buckets: each is still served, none is refused at its first. */
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert(limits_take(limits, key, 1000 + i, &state));
    }
    limits_free(limits);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api_route");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, paths);
    tcase_add_test(cases, wrong_tables);
    tcase_add_test(cases, decisions);
    tcase_add_test(cases, secrets);
    tcase_add_test(cases, bearer);
    tcase_add_test(cases, scopes);
    tcase_add_test(cases, buckets);
    tcase_add_test(cases, many_keys);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
