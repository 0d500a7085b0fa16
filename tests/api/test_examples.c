/* The example partnership: its requests, sent anew, are answered as the recorded answers say. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static json_t *read_json(const char *path)
{
    json_t *value = json_load_file(path, 0, NULL);
    ck_assert_msg(value != NULL, "%s is not JSON", path);
    return value;
}

/* Members that no two runs have in common. */
static const char *const own[] = {"as_of",       "created_at",  "changed_at", "updated_at",
                                  "finished_at", "received_at", "signed_at"};
/* Of made-up ids only the prefix is the same. */
static const char *const made[] = {"crs_", "ord_", "imp_", "key_"};

static void drop_what_differs(json_t *value)
{
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item) drop_what_differs(item);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (json_object_get(value, own[i]) != NULL)
            json_object_set_new(value, own[i], json_null());
    const char *id = json_string_value(json_object_get(value, "id"));
    for (size_t i = 0; id != NULL && i < sizeof made / sizeof made[0]; i++)
        if (strncmp(id, made[i], 4) == 0) {
            json_object_set_new(value, "id", json_string(made[i]));
            break;
        }
    const char *name;
    json_object_foreach(value, name, item) drop_what_differs(item);
}

START_TEST(the_examples_are_true)
{
    const char *folder = getenv("ACCORD_EXAMPLES");
    ck_assert_msg(folder != NULL, "ACCORD_EXAMPLES must name api/examples");
    const char *keys = text("%s/keys", world_server.dir);
    const char *answers = text("%s/answers", world_server.dir);
    ck_assert(mkdir(answers, 0700) == 0);
    FILE *file = fopen(keys, "we");
    ck_assert(file != NULL);
    fprintf(file, "operator %s\n", operator_key);
    fclose(file);
    const char *seed = text("%s/seed.sh %s %s %s", folder, world_server.base, keys, answers);
    ck_assert_int_eq(system(seed), 0);
    FILE *steps = fopen(text("%s/steps.tsv", folder), "re");
    ck_assert(steps != NULL);
    char line[1024];
    int compared = 0;
    while (fgets(line, sizeof line, steps) != NULL) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\t")] = '\0';
        json_t *is = read_json(text("%s/%s.json", answers, line));
        json_t *was = read_json(text("%s/answers/%s.json", folder, line));
        drop_what_differs(is);
        drop_what_differs(was);
        if (!json_equal(is, was)) {
            char *dump = json_dumps(is, JSON_INDENT(1));
            ck_abort_msg("%s: answered\n%.3000s", line, dump);
        }
        json_decref(is);
        json_decref(was);
        compared++;
    }
    fclose(steps);
    ck_assert_int_gt(compared, 20);
    /* What is there already stays as it is. */
    ck_assert_int_eq(system(text("%s/seed.sh %s %s", folder, world_server.base, keys)), 0);
    struct response *is = get(operator_key, "/v1/revenue?period=2025-01&currency=CNY");
    expect_status(is, 200);
    /* 1001: 19900 − 1126 − 119 = 18655; 1002: 17900 − 8950 − 107 and 26900 − 162; 1003: 39900 −
     * 239. Coursera's 60 %: 11193 + 5306 + 16043 + 23797 = 56339. */
    const char *row = find(is, "/rows", "agreement", "coursera-on-udemy");
    expect_money(is, text("%s/net", row), 18655 + 8843 + 26738 + 39661, "CNY");
    expect_money(is, text("%s/amount", find(is, text("%s/payees", row), "payee", "coursera")),
                 56339, "CNY");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("examples");
    TCase *all = tcase_create("examples");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, the_examples_are_true);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "examples")
