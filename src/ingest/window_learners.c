/* Distinct learners: kept beside entries, for the versions whose windows count them. */
#include <string.h>

#include "ingest/book.h"
#include "ingest/windows.h"

bool windows_count_learners(const struct accord_agreement_version *version)
{
    for (uint32_t i = 0; i < version->term_count; i++) {
        const struct accord_term *term = &version->terms[i];
        if (term->metric == ACCORD_METRIC_LEARNERS &&
            (term->kind == ACCORD_TERM_TIERED || term->kind == ACCORD_TERM_CPA ||
             term->kind == ACCORD_TERM_GREATER_OF))
            return true;
    }
    return false;
}

static bool counts(const struct agreement_book *book, const struct entry_row *entry)
{
    if (*entry->agreement == '\0' || *entry->held != '\0' ||
        entry->numbers[ENTRY_LINES_QUALIFIED] == 0)
        return false;
    const struct agreement_version *version =
        agreement_book_find(book, entry->agreement, entry->version);
    return version != NULL && windows_count_learners(&version->terms);
}

enum accord_error windows_learners_of(struct db *db, struct arena *arena,
                                      const struct agreement_book *book,
                                      const struct entry_row *entries, size_t count,
                                      struct window_learner_row **ret, size_t *ret_count)
{
    size_t counted = 0;
    for (size_t i = 0; i < count; i++)
        counted += counts(book, &entries[i]);
    struct window_learner_row *rows = arena_array(arena, counted + 1, sizeof *rows);
    int64_t *seqs = arena_array(arena, counted + 1, sizeof *seqs);
    bool *known = arena_array(arena, counted + 1, sizeof *known);
    uint8_t(*learners)[LEARNER_BYTES] = arena_array(arena, counted + 1, sizeof *learners);
    if (rows == NULL || seqs == NULL || known == NULL || learners == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    for (size_t i = 0; n < counted && i < count; i++)
        if (counts(book, &entries[i]))
            seqs[n++] = entries[i].sale_seq;
    const enum accord_error error = store_sale_learners(db, seqs, counted, learners, known);
    if (error != ACCORD_OK)
        return error;
    size_t kept = 0;
    n = 0;
    for (size_t i = 0; n < counted && i < count; i++) {
        if (!counts(book, &entries[i]))
            continue;
        const size_t at = n++;
        if (!known[at])
            continue;
        rows[kept] = (struct window_learner_row){
            .agreement = entries[i].agreement,
            .day = period_of_day(false, entries[i].day),
            .version = entries[i].version,
            .line_count = entries[i].numbers[ENTRY_LINES_QUALIFIED],
        };
        memcpy(rows[kept++].learner, learners[at], LEARNER_BYTES);
    }
    *ret = rows;
    *ret_count = kept;
    return ACCORD_OK;
}
