#include "ingest/book.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/keymap.h"
#include "ingest/referral.h"

enum { BOOK_BYTES_MAX = 1 << 30, CHOICES_MAX = 100000 };

struct agreement_book {
    struct arena *arena;
    struct agreement_version *versions; /* by agreement, version */
    size_t count;
    struct keymap pairs; /* (provider, channel) -> index into lists */
    struct pair *lists;
    size_t list_count;
    size_t list_cap;
    int64_t window;      /* the longest of referral terms */
    struct keymap names; /* (agreement, version) -> index into versions */
    struct arena *cache; /* choices made so far, by channel and providers */
    struct keymap chosen;
    struct agreement_choice *choices;
    size_t choice_count;
    size_t choice_cap;
};

/* Indexes of the agreements' versions in which two partners are parties. */
struct pair {
    size_t *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_pair(struct agreement_book *book, const char *provider,
                                  const char *channel, size_t version)
{
    const struct key key = key_of(provider, channel, NULL);
    size_t *at;
    enum accord_error error = keymap_at(&book->pairs, &key, book->list_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == book->list_count) {
        book->lists = arena_room(book->arena, book->lists, book->list_count, &book->list_cap,
                                 sizeof *book->lists);
        if (book->lists == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        book->lists[book->list_count++] = (struct pair){.count = 0};
    }
    struct pair *pair = &book->lists[*at];
    pair->items =
        arena_room(book->arena, pair->items, pair->count, &pair->cap, sizeof *pair->items);
    if (pair->items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    pair->items[pair->count++] = version;
    return ACCORD_OK;
}

static enum accord_error index_versions(struct agreement_book *book)
{
    enum accord_error error = keymap_init(&book->pairs, book->arena, 2 * book->count);
    if (error == ACCORD_OK)
        error = keymap_init(&book->names, book->arena, book->count);
    for (size_t i = 0; error == ACCORD_OK && i < book->count; i++) {
        const struct accord_agreement_version *terms = &book->versions[i].terms;
        const int64_t window = referral_window(&terms, 1);
        book->window = window > book->window ? window : book->window;
        for (uint32_t p = 0; p < terms->party_count; p++)
            for (uint32_t c = 0; error == ACCORD_OK && c < terms->party_count; c++)
                error = add_pair(book, terms->parties[p], terms->parties[c], i);
        struct key name = key_of(terms->agreement, NULL);
        key_number(&name, terms->version);
        size_t *at;
        if (error == ACCORD_OK)
            error = keymap_at(&book->names, &name, i, &at);
    }
    return error;
}

enum accord_error agreement_book_load(struct db *db, struct agreement_book **ret)
{
    struct agreement_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    book->arena = arena_new(BOOK_BYTES_MAX);
    book->cache = arena_new(BOOK_BYTES_MAX);
    enum accord_error error =
        book->arena == NULL || book->cache == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    if (error == ACCORD_OK)
        error = agreement_load_settling(db, book->arena, NULL, &book->versions, &book->count);
    if (error == ACCORD_OK)
        error = index_versions(book);
    if (error == ACCORD_OK)
        error = keymap_init(&book->chosen, book->cache, 64);
    if (error != ACCORD_OK) {
        agreement_book_free(book);
        return error;
    }
    *ret = book;
    return ACCORD_OK;
}

void agreement_book_free(struct agreement_book *book)
{
    if (book == NULL)
        return;
    arena_free(book->arena);
    arena_free(book->cache);
    free(book);
}

/* A version ends where a later one of its agreement begins, also when that one has other parties:
 * so all versions of an agreement are chosen together. Versions of one agreement are neighbours. */
static void mark_agreement(const struct agreement_book *book, size_t version, bool *marks)
{
    const char *agreement = book->versions[version].terms.agreement;
    size_t from = version;
    while (from > 0 && strcmp(book->versions[from - 1].terms.agreement, agreement) == 0)
        from--;
    for (size_t i = from;
         i < book->count && strcmp(book->versions[i].terms.agreement, agreement) == 0; i++)
        marks[i] = true;
}

static enum accord_error choose(const struct agreement_book *book, struct arena *arena,
                                const char *channel, const char *const *providers, size_t count,
                                struct agreement_choice *ret)
{
    bool *marks = calloc(book->count + 1, sizeof *marks);
    if (marks == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct key key = key_of(providers[i], channel, NULL);
        const size_t *at = keymap_find(&book->pairs, &key);
        for (size_t j = 0; at != NULL && j < book->lists[*at].count; j++)
            mark_agreement(book, book->lists[*at].items[j], marks);
    }
    size_t chosen = 0;
    for (size_t i = 0; i < book->count; i++)
        chosen += marks[i];
    const struct accord_agreement_version **terms = arena_array(arena, chosen + 1, sizeof *terms);
    const struct agreement_version **versions = arena_array(arena, chosen + 1, sizeof *versions);
    if (terms != NULL && versions != NULL) {
        size_t n = 0;
        for (size_t i = 0; i < book->count; i++)
            if (marks[i]) {
                versions[n] = &book->versions[i];
                terms[n++] = &book->versions[i].terms;
            }
        *ret = (struct agreement_choice){terms, versions, chosen};
    }
    free(marks);
    return terms == NULL || versions == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error agreement_book_choose(struct agreement_book *book, struct arena *scratch,
                                        const char *channel, const char *const *providers,
                                        size_t count, struct agreement_choice *ret)
{
    /* An order of very many providers does not fit a key and is chosen for anew. */
    struct key key = key_of(channel, NULL);
    for (size_t i = 0; i < count && key.len <= KEY_BYTES_MAX; i++)
        key_text(&key, providers[i]);
    if (key.len > KEY_BYTES_MAX || book->choice_count >= CHOICES_MAX) {
        const size_t *known = keymap_find(&book->chosen, &key);
        if (known != NULL) {
            *ret = book->choices[*known];
            return ACCORD_OK;
        }
        return choose(book, scratch, channel, providers, count, ret);
    }
    size_t *at;
    enum accord_error error = keymap_at(&book->chosen, &key, book->choice_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == book->choice_count) {
        book->choices = arena_room(book->cache, book->choices, book->choice_count,
                                   &book->choice_cap, sizeof *book->choices);
        if (book->choices == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        error = choose(book, book->cache, channel, providers, count,
                       &book->choices[book->choice_count]);
        if (error != ACCORD_OK)
            return error;
        book->choice_count++;
    }
    *ret = book->choices[*at];
    return ACCORD_OK;
}

const struct agreement_version *agreement_book_find(const struct agreement_book *book,
                                                    const char *agreement, int64_t version)
{
    struct key key = key_of(agreement, NULL);
    key_number(&key, version);
    const size_t *at = keymap_find(&book->names, &key);
    return at == NULL ? NULL : &book->versions[*at];
}

int64_t agreement_book_window(const struct agreement_book *book)
{
    return book->window;
}

/* ---- comparing ---- */

/* The versions of one agreement in a book. */
struct group {
    const struct agreement_version *items;
    size_t count;
};

static struct group group_at(const struct agreement_book *book, size_t from)
{
    struct group group = {NULL, 0};
    if (book == NULL || from >= book->count)
        return group;
    group.items = &book->versions[from];
    while (from + group.count < book->count &&
           strcmp(group.items[group.count].terms.agreement, group.items->terms.agreement) == 0)
        group.count++;
    return group;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first instant at which the two may differ; INT64_MAX: never. */
static int64_t changed_from(struct group a, struct group b)
{
    int64_t from = INT64_MAX;
    size_t i = 0;
    size_t j = 0;
    while (i < a.count || j < b.count) {
        if (j == b.count || (i < a.count && a.items[i].terms.version < b.items[j].terms.version)) {
            from = smaller(from, a.items[i++].terms.effective_from_us);
        } else if (i == a.count || b.items[j].terms.version < a.items[i].terms.version) {
            from = smaller(from, b.items[j++].terms.effective_from_us);
        } else {
            const struct accord_agreement_version *x = &a.items[i++].terms;
            const struct accord_agreement_version *y = &b.items[j++].terms;
            if (x->effective_from_us != y->effective_from_us)
                from = smaller(from, smaller(x->effective_from_us, y->effective_from_us));
            if (x->effective_to_us != y->effective_to_us)
                from = smaller(from, smaller(x->effective_to_us, y->effective_to_us));
        }
    }
    return from;
}

static enum accord_error report(struct group group, int64_t from, agreement_changed_fn *each,
                                void *context)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < group.count; i++) {
        const struct accord_agreement_version *version = &group.items[i].terms;
        const int64_t start = version->effective_from_us > from ? version->effective_from_us : from;
        if (start < version->effective_to_us)
            error = each(context, version, start, version->effective_to_us);
    }
    return error;
}

enum accord_error agreement_book_compare(const struct agreement_book *before,
                                         const struct agreement_book *after,
                                         agreement_changed_fn *each, void *context)
{
    size_t i = 0;
    size_t j = 0;
    for (;;) {
        struct group a = group_at(before, i);
        struct group b = group_at(after, j);
        if (a.count == 0 && b.count == 0)
            return ACCORD_OK;
        if (a.count > 0 && b.count > 0) {
            const int order = strcmp(a.items->terms.agreement, b.items->terms.agreement);
            a.count = order <= 0 ? a.count : 0;
            b.count = order >= 0 ? b.count : 0;
        }
        const int64_t from = changed_from(a, b);
        enum accord_error error = ACCORD_OK;
        if (from < INT64_MAX)
            error = report(a, from, each, context);
        if (error == ACCORD_OK && from < INT64_MAX)
            error = report(b, from, each, context);
        if (error != ACCORD_OK)
            return error;
        i += a.count;
        j += b.count;
    }
}
