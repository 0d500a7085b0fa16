#include "base/config.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { TYPE_TEXT, TYPE_UNSIGNED, TYPE_SIZE, TYPE_INT64, TYPE_LEVEL, TYPE_KEY };

/* Why a text is not acceptable, or NULL. */
typedef const char *check_fn(const char *text);

struct setting {
    const char *variable;
    enum type type;
    size_t offset;
    const char *preset; /* read like a value that was given */
    int64_t min;
    int64_t max;
    check_fn *check; /* of texts */
    bool secret;
    const char *help;
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *check_listen(const char *text)
{
    static const char why[] = "must be HOST:PORT, [IPV6]:PORT or unix:/PATH";
    if (starts_with(text, "unix:"))
        return text[5] == '/' && text[6] != '\0' ? NULL : why;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text)
        return why;
    const size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' ||
        strtol(colon + 1, NULL, 10) > 65535)
        return why;
    const bool bracketed = text[0] == '[' && colon[-1] == ']' && colon - text > 2;
    if (!bracketed && memchr(text, ':', (size_t)(colon - text)) != NULL)
        return why;
    return NULL;
}

static const char *check_database(const char *text)
{
    return starts_with(text, "sqlite:") && text[7] != '\0' ? NULL : "must be sqlite:PATH";
}

static const char *check_public_path(const char *text)
{
    if (text[0] == '\0')
        return NULL;
    const size_t len = strlen(text);
    if (text[0] != '/' || text[len - 1] == '/' || strpbrk(text, " ?#%\"<>\\") != NULL)
        return "must begin with / and not end with it, and hold no blank or any of ? # % \" < > \\";
    return NULL;
}

static const char *check_folder(const char *text)
{
    return text[0] == '/' ? NULL : "must be an absolute path";
}

static const char *check_folder_or_none(const char *text)
{
    return text[0] == '\0' ? NULL : check_folder(text);
}

static const char *check_operator_key(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text[0] == '\0')
        return NULL;
    if (!starts_with(text, "accord_live_") || strlen(text) != 12 + 43 ||
        strspn(text + 12, digits) != 43)
        return "must be accord_live_ and 43 characters of base64url (256 random bits)";
    return NULL;
}

#define AT(member) offsetof(struct config, member)
#define MIB(n) ((int64_t)(n) << 20)

static const struct setting settings[] = {
    {"ACCORD_LISTEN", TYPE_TEXT, AT(listen), "127.0.0.1:8080", 1, 200, check_listen, false,
     "Address to listen on: HOST:PORT, [IPV6]:PORT or unix:/PATH. TLS is the reverse proxy's."},
    {"ACCORD_PUBLIC_PATH", TYPE_TEXT, AT(public_path), "", 0, 200, check_public_path, false,
     "Path under which a reverse proxy shows the service (/accord); put before every link."},
    {"ACCORD_WORKERS", TYPE_UNSIGNED, AT(workers), "0", 0, 256, NULL, false,
     "Threads that serve connections; 0: one per core."},
    {"ACCORD_CONNECTIONS_MAX", TYPE_UNSIGNED, AT(connections_max), "4096", 1, 100000, NULL, false,
     "Open connections; beyond it a new one is answered 503 and closed."},
    {"ACCORD_HEAD_TIMEOUT_MS", TYPE_INT64, AT(head_timeout_ms), "10000", 100, 600000, NULL, false,
     "Milliseconds within which request line and headers must be complete."},
    {"ACCORD_IDLE_TIMEOUT_MS", TYPE_INT64, AT(idle_timeout_ms), "75000", 100, 3600000, NULL, false,
     "Milliseconds that a connection may be idle between requests."},
    {"ACCORD_RUN_TIMEOUT_MS", TYPE_INT64, AT(run_timeout_ms), "30000", 100, 3600000, NULL, false,
     "Milliseconds within which a request is answered once its body is there; then 503."},
    {"ACCORD_BODY_RATE_MIN", TYPE_SIZE, AT(body_rate_min), "1024", 0, MIB(1024), NULL, false,
     "Bytes per second that a body must arrive with at least, on average; 0: no minimum."},
    {"ACCORD_RATE_PER_SECOND", TYPE_INT64, AT(rate_per_second), "0", 0, 1000000, NULL, false,
     "Requests per second that one key may make; 0: no limit."},
    {"ACCORD_CACHE_BYTES", TYPE_SIZE, AT(cache_bytes), "16777216", 0, MIB(4096), NULL, false,
     "Memory for answers that are kept until something is written; 0: none is."},
    {"ACCORD_BODY_MEMORY", TYPE_SIZE, AT(body_memory), "67108864", 0, MIB(65536), NULL, false,
     "Memory for request bodies, of all requests together; beyond it they wait in files."},
    {"ACCORD_BODY_FILES", TYPE_SIZE, AT(body_files), "1073741824", 0, MIB(1048576), NULL, false,
     "Bytes of those files together; beyond it requests are answered 503."},
    {"ACCORD_SPILL_BYTES", TYPE_SIZE, AT(spill_bytes), "1048576", 4096, MIB(64), NULL, false,
     "A request body larger than this waits in a file instead of in memory."},
    {"ACCORD_SPILL_DIR", TYPE_TEXT, AT(spill_dir), "", 0, 1000, check_folder_or_none, false,
     "Folder of those files, by default that of the books; they have no name there, and none "
     "outlives its request."},
    {"ACCORD_DECODED_MAX", TYPE_SIZE, AT(decoded_max), "67108864", 1024, MIB(1024), NULL, false,
     "Bytes that a compressed body may have after decompression."},
    {"ACCORD_DATABASE", TYPE_TEXT, AT(database), "sqlite:accord.db", 1, 1000, check_database, false,
     "The live books: sqlite:PATH. The test books lie beside them (accord-test.db)."},
    {"ACCORD_QUEUE_MAX", TYPE_SIZE, AT(queue_max), "4096", 1, 1000000, NULL, false,
     "Requests that may wait to be written; beyond it they are answered 503."},
    {"ACCORD_BATCH_TASKS_MAX", TYPE_SIZE, AT(batch_tasks_max), "256", 1, 10000, NULL, false,
     "Requests that one transaction takes together."},
    {"ACCORD_BATCH_ROWS_MAX", TYPE_SIZE, AT(batch_rows_max), "20000", 1, 1000000, NULL, false,
     "Facts after which a transaction takes no further request."},
    {"ACCORD_WAL_BYTES_MAX", TYPE_INT64, AT(wal_bytes_max), "67108864", MIB(1), MIB(16384), NULL,
     false, "SQLite: size from which the write-ahead log is emptied, holding up writes shortly."},
    {"ACCORD_JOB_THREADS", TYPE_UNSIGNED, AT(job_threads), "2", 1, 64, NULL, false,
     "Threads for imports and long reads."},
    {"ACCORD_JOB_QUEUE_MAX", TYPE_SIZE, AT(job_queue_max), "256", 1, 100000, NULL, false,
     "Jobs that may wait for such a thread; beyond it they are answered 503."},
    {"ACCORD_LOG_LEVEL", TYPE_LEVEL, AT(log_level), "info", 0, 0, NULL, false,
     "error, warn, info or debug."},
    {"ACCORD_LOG_FILE", TYPE_TEXT, AT(log_file), "", 0, 1000, NULL, false,
     "File that log lines are appended to; empty: standard error."},
    {"ACCORD_OPERATOR_KEY", TYPE_TEXT, AT(operator_key), "", 0, 100, check_operator_key, true,
     "A first key of the operator, for containers: created at start when it is not there."},
    {"ACCORD_LEARNER_KEY", TYPE_KEY, AT(learner_key), "", 0, 0, NULL, true,
     "64 hexadecimal digits: keys the look-up of learners. Empty: made once and kept in the books. "
     "Changing it makes known learners unknown."},
    {"ACCORD_RATING_PRIOR_MEAN_MILLI", TYPE_INT64, AT(rating_prior_mean_milli), "4200", 1000, 5000,
     NULL, false, "Rating that a course without ratings is taken to have, in thousandths."},
    {"ACCORD_RATING_PRIOR_WEIGHT", TYPE_INT64, AT(rating_prior_weight), "20", 0, 1000000, NULL,
     false, "How many ratings that assumption weighs as much as."},
    {"ACCORD_CATALOG_DROP_MAX_PPM", TYPE_INT64, AT(catalog_drop_max_ppm), "200000", 0, 1000000,
     NULL, false,
     "A full import that would withdraw a larger share of a catalog (in millionths) waits for "
     "approval."},
    {"ACCORD_CATALOG_GUARD_MIN", TYPE_INT64, AT(catalog_guard_min), "50", 0, 1000000000, NULL,
     false, "Catalogs with fewer active courses are imported without that guard."},
    {"ACCORD_CATALOG_FLAPS_MAX", TYPE_INT64, AT(catalog_flaps_max), "3", 0, 1000, NULL, false,
     "A course that got the same content so often within 24 hours, and lost it again, does not get "
     "it once more by an import. 0: no such guard."},
    {"ACCORD_ZONEINFO", TYPE_TEXT, AT(zoneinfo), "/usr/share/zoneinfo", 1, 1000, check_folder,
     false, "Folder of the time zone files (TZif)."},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static void *member(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

static const void *const_member(const struct config *config, const struct setting *setting)
{
    return (const char *)config + setting->offset;
}

static enum accord_error refuse(const struct setting *setting, char why[CONFIG_WHY_MAX],
                                const char *reason)
{
    snprintf(why, CONFIG_WHY_MAX, "%s %s", setting->variable, reason);
    return ACCORD_E_CONFIG_INVALID;
}

static enum accord_error refuse_number(const struct setting *setting, char why[CONFIG_WHY_MAX])
{
    snprintf(why, CONFIG_WHY_MAX, "%s must be a whole number from %" PRId64 " to %" PRId64,
             setting->variable, setting->min, setting->max);
    return ACCORD_E_CONFIG_INVALID;
}

/* Digits only; false when there is none, or too many for int64. */
static bool parse_number(const char *text, int64_t *ret)
{
    int64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return false;
    }
    *ret = value;
    return true;
}

static enum accord_error set_text(const struct setting *setting, const char *text, char **ret,
                                  char why[CONFIG_WHY_MAX])
{
    const size_t len = strlen(text);
    if (len < (size_t)setting->min || len > (size_t)setting->max) {
        snprintf(why, CONFIG_WHY_MAX, "%s must have from %" PRId64 " to %" PRId64 " bytes",
                 setting->variable, setting->min, setting->max);
        return ACCORD_E_CONFIG_INVALID;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return refuse(setting, why, "must not hold control characters");
    }
    const char *reason = setting->check == NULL ? NULL : setting->check(text);
    if (reason != NULL)
        return refuse(setting, why, reason);
    *ret = strdup(text);
    return *ret == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error set_level(const struct setting *setting, const char *text,
                                   enum log_level *ret, char why[CONFIG_WHY_MAX])
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return ACCORD_OK;
        }
    }
    return refuse(setting, why, "must be error, warn, info or debug");
}

static enum accord_error set_key(const struct setting *setting, const char *text,
                                 struct config_key *ret, char why[CONFIG_WHY_MAX])
{
    if (text[0] == '\0')
        return ACCORD_OK;
    struct config_key key = {.given = true};
    size_t bytes = 0;
    if (strlen(text) != 64 ||
        sodium_hex2bin(key.bytes, sizeof key.bytes, text, 64, NULL, &bytes, NULL) != 0 ||
        bytes != sizeof key.bytes)
        return refuse(setting, why, "must be 64 hexadecimal digits");
    *ret = key;
    sodium_memzero(&key, sizeof key);
    return ACCORD_OK;
}

static enum accord_error set(const struct setting *setting, const char *text, struct config *config,
                             char why[CONFIG_WHY_MAX])
{
    int64_t number = 0;
    switch (setting->type) {
    case TYPE_TEXT:
        return set_text(setting, text, member(config, setting), why);
    case TYPE_LEVEL:
        return set_level(setting, text, member(config, setting), why);
    case TYPE_KEY:
        return set_key(setting, text, member(config, setting), why);
    case TYPE_UNSIGNED:
    case TYPE_SIZE:
    case TYPE_INT64:
        break;
    }
    if (!parse_number(text, &number) || number < setting->min || number > setting->max)
        return refuse_number(setting, why);
    if (setting->type == TYPE_UNSIGNED)
        *(unsigned *)member(config, setting) = (unsigned)number;
    else if (setting->type == TYPE_SIZE)
        *(size_t *)member(config, setting) = (size_t)number;
    else
        *(int64_t *)member(config, setting) = number;
    return ACCORD_OK;
}

enum { SECRET_MAX = 512, VARIABLE_MAX = 64 };

/* The first line of a file. */
static bool read_secret(const char *path, char text[SECRET_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    setvbuf(file, NULL, _IONBF, 0); /* no second copy of a secret */
    const size_t len = fread(text, 1, SECRET_MAX - 1, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return !failed;
}

static enum accord_error load(const struct setting *setting, config_lookup *lookup, void *context,
                              struct config *config, char why[CONFIG_WHY_MAX])
{
    const char *value = lookup(context, setting->variable);
    const char *path = NULL;
    if (setting->secret) {
        char variable[VARIABLE_MAX];
        snprintf(variable, sizeof variable, "%s_FILE", setting->variable);
        path = lookup(context, variable);
    }
    if (path == NULL)
        return set(setting, value == NULL ? setting->preset : value, config, why);
    if (value != NULL)
        return refuse(setting, why, "is given both itself and as a file");
    char text[SECRET_MAX];
    enum accord_error error = ACCORD_OK;
    if (read_secret(path, text))
        error = set(setting, text, config, why);
    else
        error = refuse(setting, why, "cannot be read from the file of its _FILE variable");
    sodium_memzero(text, sizeof text);
    return error;
}

static const char *from_environment(void *context, const char *variable)
{
    (void)context;
    return getenv(variable);
}

enum accord_error config_load(config_lookup *lookup, void *context, struct config *ret,
                              char why[CONFIG_WHY_MAX])
{
    struct config config = {.listen = NULL};
    enum accord_error error = ACCORD_OK;
    snprintf(why, CONFIG_WHY_MAX, "out of memory");
    for (size_t i = 0; i < SETTINGS && error == ACCORD_OK; i++)
        error =
            load(&settings[i], lookup == NULL ? from_environment : lookup, context, &config, why);
    if (error != ACCORD_OK) {
        config_done(&config);
        return error;
    }
    why[0] = '\0';
    *ret = config;
    return ACCORD_OK;
}

void config_done(struct config *config)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (settings[i].type != TYPE_TEXT)
            continue;
        char *text = *(char **)member(config, &settings[i]);
        if (settings[i].secret && text != NULL)
            sodium_memzero(text, strlen(text));
        free(text);
    }
    sodium_memzero(config, sizeof *config);
}

bool config_is_known(const char *variable)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const size_t len = strlen(settings[i].variable);
        if (strncmp(variable, settings[i].variable, len) == 0 &&
            (variable[len] == '\0' || (settings[i].secret && strcmp(variable + len, "_FILE") == 0)))
            return true;
    }
    return false;
}

/* ---- output ---- */

static void print_value(const struct config *config, const struct setting *setting, struct buf *out)
{
    const void *value = const_member(config, setting);
    switch (setting->type) {
    case TYPE_TEXT: {
        const char *text = *(char *const *)value;
        buf_add_str(out, setting->secret && text[0] != '\0' ? "********" : text);
        break;
    }
    case TYPE_KEY:
        buf_add_str(out, ((const struct config_key *)value)->given ? "********" : "");
        break;
    case TYPE_LEVEL:
        buf_add_str(out, level_names[*(const enum log_level *)value]);
        break;
    case TYPE_UNSIGNED:
        buf_printf(out, "%u", *(const unsigned *)value);
        break;
    case TYPE_SIZE:
        buf_printf(out, "%zu", *(const size_t *)value);
        break;
    case TYPE_INT64:
        buf_printf(out, "%" PRId64, *(const int64_t *)value);
        break;
    }
}

void config_print(const struct config *config, struct buf *out)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        buf_printf(out, "%s# %s\n%s=", i == 0 ? "" : "\n", settings[i].help, settings[i].variable);
        print_value(config, &settings[i], out);
        buf_add_char(out, '\n');
    }
}

static void print_range(const struct setting *setting, struct buf *out)
{
    switch (setting->type) {
    case TYPE_TEXT:
        buf_add_str(out, "text");
        break;
    case TYPE_LEVEL:
        buf_add_str(out, "level");
        break;
    case TYPE_KEY:
        buf_add_str(out, "key");
        break;
    case TYPE_UNSIGNED:
    case TYPE_SIZE:
    case TYPE_INT64:
        buf_printf(out, "%" PRId64 " to %" PRId64, setting->min, setting->max);
        break;
    }
}

void config_document(struct buf *out)
{
    buf_add_str(out, "# Settings\n\n"
                     "Read from the environment when the program starts; a value that is not "
                     "acceptable stops the start with the name of its variable. `accord config` "
                     "prints what is in force. A secret may also stand in a file (its first line) "
                     "whose path is given as the variable's name with `_FILE` behind it.\n\n"
                     "| variable | value | default | meaning |\n"
                     "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        buf_printf(out, "| `%s` | ", setting->variable);
        print_range(setting, out);
        if (setting->secret)
            buf_add_str(out, ", secret");
        if (setting->preset[0] == '\0')
            buf_add_str(out, " | | ");
        else
            buf_printf(out, " | `%s` | ", setting->preset);
        buf_printf(out, "%s |\n", setting->help);
    }
}
