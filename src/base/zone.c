#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/zone_rule.h"

enum { NAME_MAX_BYTES = 63, FILE_MAX = 1 << 20, HEADER_BYTES = 44, TYPE_BYTES = 6 };

struct zone {
    size_t count;     /* of transitions */
    int64_t *times;   /* ascending, seconds */
    int32_t *offsets; /* in force from times[i] on */
    int32_t first_s;  /* in force before times[0] */
    bool has_rule;    /* in force from the last transition on */
    struct zone_rule rule;
};

/* ---- the file ---- */

struct reader {
    const unsigned char *data;
    size_t len;
};

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

struct header {
    int version;
    uint64_t isut, isstd, leap, time, type, chars;
};

static bool take_header(struct reader *r, struct header *ret)
{
    if (r->len < HEADER_BYTES || memcmp(r->data, "TZif", 4) != 0)
        return false;
    const unsigned char version = r->data[4];
    ret->version = version == 0 ? 1 : version - '0';
    ret->isut = big_endian(r->data + 20, 4);
    ret->isstd = big_endian(r->data + 24, 4);
    ret->leap = big_endian(r->data + 28, 4);
    ret->time = big_endian(r->data + 32, 4);
    ret->type = big_endian(r->data + 36, 4);
    ret->chars = big_endian(r->data + 40, 4);
    r->data += HEADER_BYTES;
    r->len -= HEADER_BYTES;
    return ret->version >= 1 && ret->version <= 9;
}

/* Bytes of the block behind a header whose times have `width` bytes. 32-bit counts cannot overflow
 * the sum. */
static uint64_t block_bytes(const struct header *h, uint64_t width)
{
    return h->time * (width + 1) + h->type * TYPE_BYTES + h->chars + h->leap * (width + 4) +
           h->isstd + h->isut;
}

static bool read_offset(const unsigned char *types, uint64_t index, int32_t *ret)
{
    *ret = (int32_t)(uint32_t)big_endian(types + index * TYPE_BYTES, 4);
    return *ret > -ZONE_OFFSET_MAX_S && *ret < ZONE_OFFSET_MAX_S;
}

/* Fills a zone with room for h->time transitions; false when the block is unsound. */
static bool read_block(const unsigned char *block, const struct header *h, size_t width,
                       struct zone *zone)
{
    const unsigned char *indexes = block + h->time * width;
    const unsigned char *types = indexes + h->time;
    if (!read_offset(types, 0, &zone->first_s))
        return false;
    for (size_t i = 0; i < h->time; i++) {
        const uint64_t bits = big_endian(block + i * width, width);
        zone->times[i] = width == 4 ? (int32_t)(uint32_t)bits : (int64_t)bits;
        if (indexes[i] >= h->type || !read_offset(types, indexes[i], &zone->offsets[i]) ||
            (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    zone->count = h->time;
    return true;
}

/* "\n" TZ string "\n"; an empty string says that the last transition holds for ever. */
static bool read_footer(const struct reader *r, struct zone *zone)
{
    if (r->len < 2 || r->data[0] != '\n')
        return false;
    const char *text = (const char *)r->data + 1;
    const char *end = memchr(text, '\n', r->len - 1);
    if (end == NULL)
        return false;
    zone->has_rule = end > text;
    return !zone->has_rule ||
           zone_rule_parse((struct slice){text, (size_t)(end - text)}, &zone->rule);
}

static struct zone *make_zone(size_t count)
{
    struct zone *zone = calloc(1, sizeof *zone);
    if (zone == NULL)
        return NULL;
    zone->times = calloc(count + 1, sizeof *zone->times);
    zone->offsets = calloc(count + 1, sizeof *zone->offsets);
    if (zone->times == NULL || zone->offsets == NULL) {
        zone_free(zone);
        return NULL;
    }
    return zone;
}

enum accord_error zone_parse(struct slice file, struct zone **ret)
{
    struct reader r = {(const unsigned char *)file.data, file.len};
    struct header h;
    size_t width = 4;
    if (!take_header(&r, &h) || block_bytes(&h, width) > r.len)
        return ACCORD_E_TIME_ZONE_UNKNOWN;
    if (h.version > 1) {
        /* The first block is for readers of version 1; the one that counts stands behind it. */
        const size_t skip = (size_t)block_bytes(&h, width);
        r.data += skip;
        r.len -= skip;
        width = 8;
        if (!take_header(&r, &h) || block_bytes(&h, width) > r.len)
            return ACCORD_E_TIME_ZONE_UNKNOWN;
    }
    /* Leap seconds belong to clocks that count them; this one does not. */
    if (h.type == 0 || h.type > 256 || h.leap != 0)
        return ACCORD_E_TIME_ZONE_UNKNOWN;
    struct zone *zone = make_zone((size_t)h.time);
    if (zone == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    bool good = read_block(r.data, &h, width, zone);
    if (good && width == 8) {
        const size_t skip = (size_t)block_bytes(&h, width);
        good = read_footer(&(struct reader){r.data + skip, r.len - skip}, zone);
    }
    if (!good) {
        zone_free(zone);
        return ACCORD_E_TIME_ZONE_UNKNOWN;
    }
    *ret = zone;
    return ACCORD_OK;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->times);
    free(zone->offsets);
    free(zone);
}

static const char *directory(void)
{
    static const char *const variables[] = {"ACCORD_ZONEINFO", "TZDIR"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return "/usr/share/zoneinfo";
}

static enum accord_error read_all(int fd, char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        const ssize_t got = read(fd, data + at, len - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ACCORD_E_IO_ERROR;
        at += (size_t)got;
    }
    return ACCORD_OK;
}

/* Reads and parses directory/name. */
static enum accord_error load(struct slice name, struct zone **ret)
{
    char path[4096];
    const int path_len =
        snprintf(path, sizeof path, "%s/%.*s", directory(), (int)name.len, name.data);
    if (path_len < 0 || (size_t)path_len >= sizeof path)
        return ACCORD_E_IO_ERROR;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ACCORD_E_TIME_ZONE_UNKNOWN : ACCORD_E_IO_ERROR;
    struct stat status;
    char *data = NULL;
    enum accord_error error = ACCORD_OK;
    if (fstat(fd, &status) != 0)
        error = ACCORD_E_IO_ERROR;
    else if (!S_ISREG(status.st_mode) || status.st_size <= 0 || status.st_size > FILE_MAX)
        error = ACCORD_E_TIME_ZONE_UNKNOWN;
    if (error == ACCORD_OK) {
        const size_t len = (size_t)status.st_size;
        data = malloc(len);
        error = data == NULL ? ACCORD_E_OUT_OF_MEMORY : read_all(fd, data, len);
        if (error == ACCORD_OK)
            error = zone_parse((struct slice){data, len}, ret);
    }
    free(data);
    close(fd);
    return error;
}

void zone_data_version(char text[ZONE_VERSION_MAX])
{
    char path[4096];
    char line[64] = "";
    static const char mark[] = "# version ";
    text[0] = '\0';
    const int len = snprintf(path, sizeof path, "%s/tzdata.zi", directory());
    if (len < 0 || (size_t)len >= sizeof path)
        return;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL && strncmp(line, mark, sizeof mark - 1) == 0) {
        char *version = line + sizeof mark - 1;
        version[strcspn(version, "\r\n")] = '\0';
        snprintf(text, ZONE_VERSION_MAX, "%.*s", ZONE_VERSION_MAX - 1, version);
    }
    fclose(file);
}

/* ---- the cache ---- */

/* Only zones that exist get in, so their number is bounded by the zone data. The list only grows
 * at its head: readers need no lock. */
struct entry {
    struct entry *next;
    struct zone *zone;
    size_t len;
    char name[NAME_MAX_BYTES];
};

static _Atomic(struct entry *) entries;
static pthread_mutex_t entries_lock = PTHREAD_MUTEX_INITIALIZER;

/* Parts of letters, digits, '_', '+' and '-' joined by '/': no IANA name holds a dot, so none can
 * lead out of the directory. */
static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return false;
    bool part_is_empty = true;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.data[i];
        if (c == '/' ? part_is_empty
                     : !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-'))
            return false;
        part_is_empty = c == '/';
    }
    /* These folders repeat all zones, one of them with leap seconds. */
    return !part_is_empty && !(name.len > 6 && (memcmp(name.data, "posix/", 6) == 0 ||
                                                memcmp(name.data, "right/", 6) == 0));
}

static const struct zone *look_up(struct slice name)
{
    for (const struct entry *e = atomic_load_explicit(&entries, memory_order_acquire); e != NULL;
         e = e->next)
        if (slice_equal((struct slice){e->name, e->len}, name))
            return e->zone;
    return NULL;
}

/* With the lock held and the name not in the list. */
static enum accord_error add(struct slice name, const struct zone **ret)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = load(name, &entry->zone);
    if (error != ACCORD_OK) {
        free(entry);
        return error;
    }
    memcpy(entry->name, name.data, name.len);
    entry->len = name.len;
    entry->next = atomic_load_explicit(&entries, memory_order_relaxed);
    *ret = entry->zone;
    atomic_store_explicit(&entries, entry, memory_order_release);
    return ACCORD_OK;
}

enum accord_error zone_find(struct slice name, const struct zone **ret)
{
    static const struct zone utc = {.count = 0};
    if (slice_equal(name, SLICE("UTC"))) {
        *ret = &utc;
        return ACCORD_OK;
    }
    if (!is_name(name))
        return ACCORD_E_TIME_ZONE_UNKNOWN;
    const struct zone *zone = look_up(name);
    enum accord_error error = ACCORD_OK;
    if (zone == NULL) {
        pthread_mutex_lock(&entries_lock);
        zone = look_up(name); /* another thread may have been faster */
        if (zone == NULL)
            error = add(name, &zone);
        pthread_mutex_unlock(&entries_lock);
    }
    if (error == ACCORD_OK)
        *ret = zone;
    return error;
}

/* ---- questions ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static struct zone_span span_at(const struct zone *zone, int64_t at_s)
{
    if (zone->count == 0 || at_s >= zone->times[zone->count - 1]) {
        if (zone->has_rule)
            return zone_rule_span(&zone->rule, at_s);
        return (struct zone_span){zone->count == 0 ? zone->first_s : zone->offsets[zone->count - 1],
                                  INT64_MAX};
    }
    /* The first transition behind `at_s`. */
    size_t low = 0;
    size_t high = zone->count - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->times[middle] > at_s)
            high = middle;
        else
            low = middle + 1;
    }
    return (struct zone_span){low == 0 ? zone->first_s : zone->offsets[low - 1], zone->times[low]};
}

int32_t zone_offset_s(const struct zone *zone, instant_us at)
{
    return span_at(zone, floor_div(at, CLOCK_SECOND_US)).offset_s;
}

int32_t zone_day(const struct zone *zone, instant_us at)
{
    const int64_t at_s = floor_div(at, CLOCK_SECOND_US);
    return (int32_t)floor_div(at_s + span_at(zone, at_s).offset_s, 86400);
}

instant_us zone_day_start(const struct zone *zone, int32_t day)
{
    /* Days that an instant can reach, to keep the arithmetic in 64 bits. */
    const int32_t last = 100000000;
    const int64_t midnight_s = (int64_t)(day > last ? last : day < -last ? -last : day) * 86400;
    /* Earlier than this no offset makes it the day; then from span to span. */
    int64_t at_s = midnight_s - ZONE_OFFSET_MAX_S;
    for (;;) {
        const struct zone_span span = span_at(zone, at_s);
        if (midnight_s - span.offset_s > at_s)
            at_s = midnight_s - span.offset_s;
        if (at_s < span.end_s)
            return at_s * CLOCK_SECOND_US;
        at_s = span.end_s;
    }
}
