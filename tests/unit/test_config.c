#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "temp_dir.h"

/* An environment of up to three variables. */
struct variables {
    const char *pairs[3][2];
};

static const char *look_up(void *context, const char *variable)
{
    const struct variables *variables = context;
    for (size_t i = 0; i < 3; i++) {
        if (variables->pairs[i][0] != NULL && strcmp(variables->pairs[i][0], variable) == 0)
            return variables->pairs[i][1];
    }
    return NULL;
}

static const char secret[] = "accord_live_0123456789012345678901234567890123456789_-A";

START_TEST(defaults)
{
    struct config config;
    struct variables none = {.pairs = {{NULL}}};
    char why[CONFIG_WHY_MAX];
    ck_assert_int_eq(config_load(look_up, &none, &config, why), ACCORD_OK);
    ck_assert_str_eq(config.listen, "127.0.0.1:8080");
    ck_assert_uint_eq(config.workers, 0);
    ck_assert_uint_eq(config.decoded_max, 67108864);
    ck_assert_int_eq(config.rating_prior_mean_milli, 4200);
    ck_assert_int_eq(config.rating_prior_weight, 20);
    ck_assert_int_eq(config.catalog_drop_max_ppm, 200000);
    ck_assert_int_eq(config.catalog_guard_min, 50);
    ck_assert_int_eq(config.log_level, LOG_INFO);
    ck_assert_str_eq(config.log_file, "");
    ck_assert_str_eq(config.operator_key, "");
    ck_assert(!config.learner_key.given);
    config_done(&config);
    config_done(&config);
}
END_TEST

START_TEST(values)
{
    struct config config;
    struct variables given = {
        .pairs = {{"ACCORD_LISTEN", "[::]:0"},
                  {"ACCORD_WORKERS", "3"},
                  {"ACCORD_LEARNER_KEY", "000102030405060708090a0b0c0d0e0f"
                                         "101112131415161718191A1B1C1D1E1F"}}};
    char why[CONFIG_WHY_MAX];
    ck_assert_int_eq(config_load(look_up, &given, &config, why), ACCORD_OK);
    ck_assert_str_eq(config.listen, "[::]:0");
    ck_assert_uint_eq(config.workers, 3);
    ck_assert(config.learner_key.given);
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(config.learner_key.bytes[i], i);
    config_done(&config);
}
END_TEST

static const struct {
    const char *variable;
    const char *value;
    bool good;
} cases[] = {
    {"ACCORD_LISTEN", "localhost:65535", true},
    {"ACCORD_LISTEN", "unix:/run/accord.sock", true},
    {"ACCORD_LISTEN", "unix:accord.sock", false},
    {"ACCORD_LISTEN", "8080", false},
    {"ACCORD_LISTEN", ":8080", false},
    {"ACCORD_LISTEN", "::1:8080", false},
    {"ACCORD_LISTEN", "a:65536", false},
    {"ACCORD_LISTEN", "a:80x", false},
    {"ACCORD_LISTEN", "", false},
    {"ACCORD_LISTEN", "a\n:80", false},
    {"ACCORD_WORKERS", "256", true},
    {"ACCORD_WORKERS", "257", false},
    {"ACCORD_WORKERS", "-1", false},
    {"ACCORD_WORKERS", "", false},
    {"ACCORD_WORKERS", " 1", false},
    {"ACCORD_WORKERS", "1e1", false},
    {"ACCORD_QUEUE_MAX", "0", false},
    {"ACCORD_QUEUE_MAX", "18446744073709551617", false},
    {"ACCORD_DATABASE", "sqlite:", false},
    {"ACCORD_DATABASE", "/var/lib/accord.db", false},
    {"ACCORD_LOG_LEVEL", "debug", true},
    {"ACCORD_LOG_LEVEL", "verbose", false},
    {"ACCORD_PUBLIC_PATH", "/accord/api", true},
    {"ACCORD_PUBLIC_PATH", "accord", false},
    {"ACCORD_PUBLIC_PATH", "/accord/", false},
    {"ACCORD_SPILL_DIR", "tmp", false},
    {"ACCORD_OPERATOR_KEY", secret, true},
    {"ACCORD_OPERATOR_KEY", "accord_live_short", false},
    {"ACCORD_OPERATOR_KEY", "accord_test_0123456789012345678901234567890123456789_-A", false},
    {"ACCORD_LEARNER_KEY", "00", false},
    {"ACCORD_LEARNER_KEY", "0g0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     false},
};

START_TEST(ranges)
{
    struct config config = {.workers = 77};
    struct variables given = {.pairs = {{cases[_i].variable, cases[_i].value}}};
    char why[CONFIG_WHY_MAX];
    const enum accord_error error = config_load(look_up, &given, &config, why);
    if (cases[_i].good) {
        ck_assert_int_eq(error, ACCORD_OK);
        ck_assert_str_eq(why, "");
        config_done(&config);
        return;
    }
    ck_assert_int_eq(error, ACCORD_E_CONFIG_INVALID);
    ck_assert_uint_eq(config.workers, 77);
    /* It names the variable, and never what was given. */
    ck_assert_int_eq(strncmp(why, cases[_i].variable, strlen(cases[_i].variable)), 0);
    ck_assert(strstr(why, "short") == NULL);
}
END_TEST

START_TEST(secrets_from_files)
{
    char dir[TEMP_DIR_MAX];
    char path[TEMP_DIR_MAX + 16];
    char why[CONFIG_WHY_MAX];
    struct config config;
    temp_dir_make(dir);
    snprintf(path, sizeof path, "%s/key", dir);
    FILE *file = fopen(path, "w");
    fprintf(file, "%s\n", secret);
    fclose(file);
    struct variables given = {.pairs = {{"ACCORD_OPERATOR_KEY_FILE", path}}};
    ck_assert_int_eq(config_load(look_up, &given, &config, why), ACCORD_OK);
    ck_assert_str_eq(config.operator_key, secret);
    config_done(&config);
    given.pairs[1][0] = "ACCORD_OPERATOR_KEY";
    given.pairs[1][1] = secret;
    ck_assert_int_eq(config_load(look_up, &given, &config, why), ACCORD_E_CONFIG_INVALID);
    struct variables missing = {.pairs = {{"ACCORD_OPERATOR_KEY_FILE", "/no/such/file"}}};
    ck_assert_int_eq(config_load(look_up, &missing, &config, why), ACCORD_E_CONFIG_INVALID);
    ck_assert_ptr_nonnull(strstr(why, "ACCORD_OPERATOR_KEY"));
    temp_dir_remove(dir);
}
END_TEST

START_TEST(known_variables)
{
    ck_assert(config_is_known("ACCORD_LISTEN"));
    ck_assert(config_is_known("ACCORD_OPERATOR_KEY_FILE"));
    ck_assert(!config_is_known("ACCORD_LISTEN_FILE"));
    ck_assert(!config_is_known("ACCORD_LISTENS"));
    ck_assert(!config_is_known("ACCORD_LIST"));
}
END_TEST

START_TEST(output_masks_secrets)
{
    struct config config;
    struct variables given = {.pairs = {{"ACCORD_OPERATOR_KEY", secret},
                                        {"ACCORD_LEARNER_KEY", "abababababababababababababababab"
                                                               "abababababababababababababababab"},
                                        {"ACCORD_LOG_LEVEL", "warn"}}};
    char why[CONFIG_WHY_MAX];
    struct buf out;
    ck_assert_int_eq(config_load(look_up, &given, &config, why), ACCORD_OK);
    buf_init(&out, 65536);
    config_print(&config, &out);
    config_document(&out);
    buf_add_char(&out, '\0');
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    ck_assert_ptr_null(strstr(out.data, secret + 12));
    ck_assert_ptr_null(strstr(out.data, "abab"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nACCORD_OPERATOR_KEY=********\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nACCORD_LEARNER_KEY=********\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nACCORD_LOG_LEVEL=warn\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nACCORD_WORKERS=0\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "| `ACCORD_WORKERS` | 0 to 256 | `0` | Threads"));
    buf_done(&out);
    config_done(&config);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, values);
    tcase_add_loop_test(tests, ranges, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, secrets_from_files);
    tcase_add_test(tests, known_variables);
    tcase_add_test(tests, output_masks_secrets);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
