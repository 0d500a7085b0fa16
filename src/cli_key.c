/* `accord key`: works on the books themselves, whether or not a service is running. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/bootstrap.h"
#include "cli.h"
#include "store/upgrade.h"

static const char usage[] =
    "key create --operator [--test] [--scopes A,B] [--label TEXT] [--expires TIME]\n"
    "       accord key create --partner ID --scopes A,B [--test] [--label TEXT] [--expires TIME]\n"
    "       accord key list [--partner ID]\n"
    "       accord key revoke KEY-ID\n"
    "The secret alone is written to standard output, once.";

enum { ARENA_MAX = 1 << 26, LIST_PAGE = 500, MESSAGE_MAX = 640 };

struct options {
    bool is_operator;
    bool is_test;
    const char *partner;
    const char *scopes;
    const char *label;
    const char *expires;
};

static bool take_value(char *const **argv, const char *name, const char **ret)
{
    if (strcmp(**argv, name) != 0 || (*argv)[1] == NULL)
        return false;
    *ret = (*argv)[1];
    *argv += 2;
    return true;
}

static bool take_flag(char *const **argv, const char *name, bool *ret)
{
    if (strcmp(**argv, name) != 0)
        return false;
    *ret = true;
    *argv += 1;
    return true;
}

static bool parse_options(char *const *argv, struct options *ret)
{
    while (*argv != NULL) {
        if (!take_flag(&argv, "--operator", &ret->is_operator) &&
            !take_flag(&argv, "--test", &ret->is_test) &&
            !take_value(&argv, "--partner", &ret->partner) &&
            !take_value(&argv, "--scopes", &ret->scopes) &&
            !take_value(&argv, "--label", &ret->label) &&
            !take_value(&argv, "--expires", &ret->expires))
            return false;
    }
    return true;
}

static bool parse_scopes(const char *text, uint32_t *ret)
{
    uint32_t scopes = 0;
    while (*text != '\0') {
        const size_t len = strcspn(text, ",");
        const uint32_t bit = auth_scope_find((struct slice){text, len});
        if (bit == 0) {
            fprintf(stderr, "accord: '%.*s' is not a scope; there are:", (int)len, text);
            for (unsigned i = 0; auth_scope_name(i) != NULL; i++)
                fprintf(stderr, " %s", auth_scope_name(i));
            fprintf(stderr, "\n");
            return false;
        }
        scopes |= bit;
        text += len + (text[len] == ',');
    }
    *ret = scopes;
    return scopes != 0;
}

static int failed(const char *what, enum accord_error error)
{
    fprintf(stderr, "accord: %s: %s\n", what, accord_error_title(error));
    return EXIT_FAILED;
}

/* Opens a database that has this program's schema, making it when there is none. */
static struct db *open_book(const char *url)
{
    char why[MESSAGE_MAX] = "";
    struct db *db = NULL;
    enum accord_error error = store_upgrade(url, why, sizeof why);
    if (error == ACCORD_OK)
        error = db_open(url, DB_READ_WRITE, &db);
    if (error == ACCORD_OK)
        return db;
    fprintf(stderr, "accord: %s: %s\n", url, why[0] == '\0' ? accord_error_title(error) : why);
    return NULL;
}

/* ---- create ---- */

/* The partner as the live books have it, for its first test key. */
static bool live_partner(const struct config *config, struct arena *arena, const char *id,
                         struct partner_row *ret)
{
    bool found = false;
    struct db *db = open_book(config->database);
    if (db == NULL)
        return false;
    const enum accord_error error = store_partner_get(db, arena, id, ret, &found);
    db_close(db);
    return error == ACCORD_OK && found;
}

static int create_in(const char *url, const struct bootstrap_key *key, enum auth_mode mode)
{
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    struct db *db = open_book(url);
    if (db == NULL)
        return EXIT_FAILED;
    auth_secret_make(mode, secret);
    const enum accord_error error = bootstrap_key_create(db, key, secret, id);
    db_close(db);
    if (error == ACCORD_E_SCOPE_MISSING) {
        fprintf(stderr, "accord: admin is for keys of the operator, and they all have it\n");
        return EXIT_FAILED;
    }
    if (error != ACCORD_OK)
        return failed(key->partner, error);
    fprintf(stderr, "key %s of partner %s (%s books):\n", id, key->partner,
            mode == AUTH_TEST ? "test" : "live");
    printf("%s\n", secret);
    return EXIT_OK;
}

static int create(const struct config *config, char *const *argv)
{
    struct options options = {.label = ""};
    struct bootstrap_key key = {.expires_at = INT64_MAX};
    struct partner_row row;
    int status = EXIT_FAILED;
    if (!parse_options(argv, &options) || options.is_operator == (options.partner != NULL) ||
        (!options.is_operator && options.scopes == NULL))
        return cli_usage(usage);
    key.partner = options.is_operator ? bootstrap_operator : options.partner;
    key.label = options.label;
    key.scopes = bootstrap_scopes(ROLE_PLATFORM);
    if (options.scopes != NULL && !parse_scopes(options.scopes, &key.scopes))
        return EXIT_USAGE;
    if (options.expires != NULL &&
        clock_parse(slice_of(options.expires), &key.expires_at) != ACCORD_OK)
        return failed(options.expires, ACCORD_E_TIME_INVALID);

    struct arena *arena = arena_new(ARENA_MAX);
    char *test_url = app_test_url(config->database);
    if (arena == NULL || test_url == NULL) {
        status = failed("key create", ACCORD_E_OUT_OF_MEMORY);
    } else {
        if (options.is_operator) {
            row = bootstrap_operator_row();
            key.otherwise = &row;
        } else if (options.is_test && live_partner(config, arena, key.partner, &row)) {
            key.otherwise = &row;
        }
        status = create_in(options.is_test ? test_url : config->database, &key,
                           options.is_test ? AUTH_TEST : AUTH_LIVE);
    }
    free(test_url);
    arena_free(arena);
    return status;
}

/* ---- list ---- */

static void print_key(const struct key_row *row)
{
    char created[CLOCK_TEXT_MAX];
    char expires[CLOCK_TEXT_MAX] = "never";
    char revoked[CLOCK_TEXT_MAX] = "-";
    clock_format(row->created_at, created);
    if (row->expires_at != INT64_MAX)
        clock_format(row->expires_at, expires);
    if (row->revoked_at != INT64_MAX)
        clock_format(row->revoked_at, revoked);
    printf("%s\t%s\t%s\t", row->id, row->partner,
           auth_key_id_mode(row->id) == AUTH_TEST ? "test" : "live");
    const char *comma = "";
    for (unsigned i = 0; auth_scope_name(i) != NULL; i++) {
        if ((row->scopes & auth_scope_find(slice_of(auth_scope_name(i)))) == 0)
            continue;
        printf("%s%s", comma, auth_scope_name(i));
        comma = ",";
    }
    printf("\t%s\t%s\t%s\t%s\n", created, expires, revoked, row->label);
}

static int list_book(const char *url, const char *partner)
{
    struct arena *arena = arena_new(ARENA_MAX);
    struct db *db = open_book(url);
    enum accord_error error = arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    char after[RANDOM_ID_MAX] = "";
    size_t count = LIST_PAGE;
    while (db != NULL && error == ACCORD_OK && count == LIST_PAGE) {
        struct key_row *rows = NULL;
        error = store_key_list(db, arena, partner, after, LIST_PAGE, &rows, &count);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            print_key(&rows[i]);
        if (error == ACCORD_OK && count > 0)
            snprintf(after, sizeof after, "%s", rows[count - 1].id);
        arena_reset(arena);
    }
    const bool opened = db != NULL;
    db_close(db);
    arena_free(arena);
    if (error != ACCORD_OK)
        return failed(url, error);
    return opened ? EXIT_OK : EXIT_FAILED;
}

static int list(const struct config *config, char *const *argv)
{
    struct options options = {.label = ""};
    if (!parse_options(argv, &options))
        return cli_usage(usage);
    char *test_url = app_test_url(config->database);
    if (test_url == NULL)
        return failed("key list", ACCORD_E_OUT_OF_MEMORY);
    printf("id\tpartner\tmode\tscopes\tcreated\texpires\trevoked\tlabel\n");
    int status = list_book(config->database, options.partner);
    if (status == EXIT_OK)
        status = list_book(test_url, options.partner);
    free(test_url);
    return status;
}

/* ---- revoke ---- */

static int revoke(const struct config *config, char *const *argv)
{
    bool found = false;
    if (argv[0] == NULL || argv[1] != NULL)
        return cli_usage(usage);
    char *test_url = app_test_url(config->database);
    if (test_url == NULL)
        return failed("key revoke", ACCORD_E_OUT_OF_MEMORY);
    struct db *db = open_book(auth_key_id_mode(argv[0]) == AUTH_TEST ? test_url : config->database);
    free(test_url);
    if (db == NULL)
        return EXIT_FAILED;
    const enum accord_error error = bootstrap_key_revoke(db, argv[0], &found);
    db_close(db);
    if (error != ACCORD_OK || !found)
        return failed(argv[0], error == ACCORD_OK ? ACCORD_E_NOT_FOUND : error);
    return EXIT_OK;
}

int cli_key(const struct config *config, char *const *argv)
{
    if (argv[0] != NULL && strcmp(argv[0], "create") == 0)
        return create(config, argv + 1);
    if (argv[0] != NULL && strcmp(argv[0], "list") == 0)
        return list(config, argv + 1);
    if (argv[0] != NULL && strcmp(argv[0], "revoke") == 0)
        return revoke(config, argv + 1);
    return cli_usage(usage);
}
