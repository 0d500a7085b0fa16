#include "ingest/facts_typed.h"
#include "ingest/facts_writing.h"

static enum accord_error insert_subjects(struct writing *w)
{
    struct subject_name *names = arena_array(w->tx->arena, w->accepted, sizeof *names);
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        if (item->subject == SIZE_MAX || item->target != SIZE_MAX)
            continue; /* a correction keeps the id of what it corrects */
        names[count] = ((struct subject_slot *)facts_row_at(&w->subjects, item->subject))->name;
        names[count++].seq = item->fact->seq;
    }
    return store_subjects_insert(w->tx->db, names, count);
}

static enum accord_error insert_rows(struct writing *w, size_t at, size_t count)
{
    const struct fact_table *table = &fact_tables[at];
    char *rows = arena_array(w->tx->arena, count, table->row_size);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    char *next = rows;
    for (size_t i = 0; i < w->accepted; i++) {
        const struct item *item = w->kept[i];
        if (fact_table_of(item->fact) != at)
            continue;
        const struct fact_row row = facts_journal_row(item, item->fact->body);
        table->row_of(item->fact, &row, next);
        next += table->row_size;
    }
    return table->insert(w->tx->db, rows, count);
}

enum accord_error facts_insert_typed(struct writing *w)
{
    size_t counts[FACT_TABLES + 1] = {0};
    for (size_t i = 0; i < w->accepted; i++)
        counts[fact_table_of(w->kept[i]->fact)]++;
    enum accord_error error = insert_subjects(w);
    for (size_t at = 0; error == ACCORD_OK && at < FACT_TABLES; at++)
        if (counts[at] > 0)
            error = insert_rows(w, at, counts[at]);
    return error;
}
