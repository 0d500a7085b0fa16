#include "ingest/statement_state.h"

#include <string.h>

#include "store/disputes.h"
#include "store/payment_covers.h"
#include "store/statement_states.h"
#include "store/statements.h"

static enum accord_error append(struct ingest_tx *tx, const struct statement_summary *statement,
                                const char *state, int64_t seq, const char *by)
{
    const struct statement_state_row row = {.statement = statement->id,
                                            .partner = statement->partner,
                                            .seq = seq,
                                            .state = state,
                                            .changed_at = tx->now,
                                            .changed_by = by};
    const enum accord_error error = store_statement_states_insert(tx->db, &row, 1);
    return error == ACCORD_OK ? ingest_touch(tx, statement->partner) : error;
}

enum accord_error statement_renew(struct ingest_tx *tx, const char *id, int64_t seq, const char *by)
{
    struct statement_summary statement;
    bool found;
    bool disputed = false;
    bool accepted = false;
    int64_t covered = 0;
    /* INT64_MIN: the row that stands, whatever the time. */
    enum accord_error error =
        store_statement_summary(tx->db, tx->arena, id, INT64_MIN, &found, &statement);
    if (error != ACCORD_OK || !found)
        return error;
    error = store_dispute_open(tx->db, id, NULL, &disputed);
    if (error == ACCORD_OK)
        error = store_statement_covered(tx->db, id, &covered);
    if (error == ACCORD_OK)
        error = store_statement_was_accepted(tx->db, id, &accepted);
    if (error != ACCORD_OK)
        return error;
    const int64_t to_pay = statement.payable < 0 ? -statement.payable : statement.payable;
    const char *state = disputed                          ? STATEMENT_DISPUTED
                        : to_pay > 0 && covered >= to_pay ? STATEMENT_PAID
                        : accepted                        ? STATEMENT_ACCEPTED
                                                          : STATEMENT_PUBLISHED;
    return strcmp(state, statement.state) == 0 ? ACCORD_OK : append(tx, &statement, state, seq, by);
}

enum accord_error statement_accept(struct ingest_tx *tx, const char *id, const char *by)
{
    struct statement_summary statement;
    bool found;
    int64_t seq = 0;
    enum accord_error error =
        store_statement_summary(tx->db, tx->arena, id, INT64_MIN, &found, &statement);
    if (error != ACCORD_OK || !found)
        return error;
    error = ingest_seq(tx, 2, &seq);
    if (error == ACCORD_OK)
        error = append(tx, &statement, STATEMENT_ACCEPTED, seq, by);
    /* What is paid already stays paid. */
    return error == ACCORD_OK ? statement_renew(tx, id, seq + 1, by) : error;
}
