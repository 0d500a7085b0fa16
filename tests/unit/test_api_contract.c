/* The route table and api/openapi.yaml say the same: every operation on both sides. */
#include "unit.h"

#include <stdio.h>

#include "api/auth.h"
#include "api/dispatch.h"
#include "api/openapi.h"

enum { WORDS_MAX = 32, TEXT_MAX = 512 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The words of a blank-separated list in bytewise order. */
static void sorted(const char *list, char ret[TEXT_MAX])
{
    char copy[TEXT_MAX];
    const char *words[WORDS_MAX];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", list == NULL ? "" : list);
    for (char *word = copy; *word != '\0';) {
        const size_t len = strcspn(word, " ");
        char *next = word + len + (word[len] == ' ');
        word[len] = '\0';
        if (len > 0)
            words[count++] = word;
        word = next;
    }
    qsort(words, count, sizeof words[0], by_text);
    ret[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(ret, i == 0 ? "" : " ");
        strcat(ret, words[i]);
    }
}

static const struct openapi_operation *in_contract(const char *id)
{
    for (size_t i = 0; i < openapi_operations_count; i++)
        if (strcmp(openapi_operations[i].id, id) == 0)
            return &openapi_operations[i];
    return NULL;
}

static const struct operation *in_table(const char *id)
{
    for (size_t i = 0; i < operations_count(); i++)
        if (strcmp(operations_at(i)->id, id) == 0)
            return operations_at(i);
    return NULL;
}

START_TEST(every_operation_of_the_contract_is_served)
{
    for (size_t i = 0; i < openapi_operations_count; i++)
        ck_assert_msg(in_table(openapi_operations[i].id) != NULL, "%s has no row",
                      openapi_operations[i].id);
}
END_TEST

static uint32_t scope_bits(const struct openapi_operation *stated)
{
    uint32_t bits = 0;
    const char *word = stated->scopes;
    if (stated->is_public)
        return SCOPE_PUBLIC;
    while (*word != '\0') {
        const size_t len = strcspn(word, " ");
        bits |= auth_scope_find((struct slice){word, len});
        word += len + (word[len] == ' ');
    }
    return bits == 0 ? SCOPE_ANY : bits;
}

static uint32_t role_bits(const char *roles)
{
    static const char *const names[] = {"provider", "channel", "promoter", "platform"};
    uint32_t bits = 0;
    for (unsigned i = 0; i < 4; i++)
        if (strstr(roles, names[i]) != NULL)
            bits |= 1U << i;
    return bits;
}

/* The operator passes whatever the roles are; none named are all. */
static uint32_t any_role(uint32_t roles)
{
    return roles == 0 ? ROLE_PROVIDER | ROLE_CHANNEL | ROLE_PROMOTER | ROLE_PLATFORM
                      : roles | ROLE_PLATFORM;
}

static unsigned differences;

static void differ(const struct operation *row, const char *what, const char *ours,
                   const char *theirs)
{
    if (strcmp(ours, theirs) == 0)
        return;
    fprintf(stderr, "%s: %s is '%s', in the contract '%s'\n", row->id, what, ours, theirs);
    differences++;
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

/* Every difference is named before the test fails. */
START_TEST(every_row_is_as_the_contract_says)
{
    differences = 0;
    for (size_t i = 0; i < operations_count(); i++) {
        const struct operation *row = operations_at(i);
        const struct openapi_operation *stated = in_contract(row->id);
        char ours[TEXT_MAX];
        char theirs[TEXT_MAX];
        ck_assert_msg(stated != NULL, "%s is not in the contract", row->id);
        differ(row, "method", row->method, stated->method);
        differ(row, "path", row->pattern, stated->path);
        snprintf(ours, sizeof ours, "%x", row->scope);
        snprintf(theirs, sizeof theirs, "%x", scope_bits(stated));
        differ(row, "scope", ours, theirs);
        snprintf(ours, sizeof ours, "%x", any_role(row->roles));
        snprintf(theirs, sizeof theirs, "%x", any_role(role_bits(stated->roles)));
        differ(row, "roles", ours, theirs);
        sorted(row->query, ours);
        sorted(stated->query, theirs);
        differ(row, "query", ours, theirs);
        sorted(row->media, ours);
        sorted(stated->media, theirs);
        differ(row, "media", ours, theirs);
        differ(row, "body", yes_no(row->body_max > 0), yes_no(row->media != NULL));
        differ(row, "Idempotency-Key", yes_no((row->flags & OP_IDEMPOTENCY_KEY) != 0),
               yes_no(stated->idempotency_key));
        if (strcmp(row->method, "PUT") == 0 || strcmp(row->method, "PATCH") == 0)
            differ(row, "If-Match", yes_no((row->flags & OP_IF_MATCH) != 0), "yes");
    }
    ck_assert_uint_eq(differences, 0);
}
END_TEST

START_TEST(no_row_stands_twice)
{
    for (size_t i = 0; i < operations_count(); i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(operations_at(i)->id, operations_at(k)->id);
}
END_TEST

/* Deny by default: what changes something, or shows a partner's data, needs a key. */
START_TEST(only_the_system_is_public)
{
    for (size_t i = 0; i < operations_count(); i++) {
        const struct operation *row = operations_at(i);
        const bool is_system = strncmp(row->pattern, "/v1/", 4) != 0;
        ck_assert_msg((row->scope == SCOPE_PUBLIC) == is_system, "%s", row->id);
        ck_assert(!is_system || strcmp(row->method, "GET") == 0);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api_contract");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, every_operation_of_the_contract_is_served);
    tcase_add_test(cases, every_row_is_as_the_contract_says);
    tcase_add_test(cases, no_row_stands_twice);
    tcase_add_test(cases, only_the_system_is_public);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
