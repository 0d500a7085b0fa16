/* Which periods an agreement has behind its end. */
#include <string.h>

#include "ingest/close.h"
#include "store/booked.h"
#include "store/periods.h"
#include "store/statements.h"

/* Was anything adjusted or paid since the last close? */
static enum accord_error moved_since(struct db *db, struct arena *arena,
                                     const struct agreement_periods *periods, bool *ret)
{
    const struct accord_agreement_version *terms = &periods->versions[0].terms;
    struct statement_adjustment *adjustments;
    struct statement_payment *payments;
    struct period_row last;
    size_t count = 0;
    bool found = false;
    bool moved = false;
    enum accord_error error =
        store_period_find(db, arena, terms->agreement, periods->last_closed, &found, &last);
    const int64_t known = error == ACCORD_OK && found ? last.closed_seq : 0;
    if (error == ACCORD_OK)
        error = store_statement_adjustments(db, arena, terms->agreement, INT64_MAX, &adjustments,
                                            &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const bool stood = adjustments[i].seq <= known &&
                           (adjustments[i].superseded == 0 || adjustments[i].superseded > known);
        moved |= stood != (adjustments[i].superseded == 0) &&
                 strcmp(adjustments[i].currency, terms->currency.code) == 0;
    }
    if (error == ACCORD_OK)
        error = store_statement_payments(db, arena, terms->agreement, known, INT64_MAX, &payments,
                                         &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        moved |= strcmp(payments[i].currency, terms->currency.code) == 0;
    if (error == ACCORD_OK)
        *ret = moved;
    return error;
}

/* Do the last statements hold back what will be due: a reserve, or what was sold lately? */
static enum accord_error holds_back(struct db *db, struct arena *arena,
                                    const struct agreement_periods *periods, int64_t day, bool *ret)
{
    struct statement_row *rows;
    size_t count = 0;
    bool holds = false;
    const enum accord_error error =
        store_statements_last(db, arena, periods->versions[0].terms.agreement, day, &rows, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        holds |= rows[i].due != rows[i].closing;
    if (error == ACCORD_OK)
        *ret = holds;
    return error;
}

enum accord_error close_goes_on(struct db *db, struct arena *arena,
                                const struct agreement_periods *periods, int64_t day, bool *ret)
{
    bool goes_on = day <= periods->last;
    enum accord_error error = ACCORD_OK;
    if (!goes_on)
        error = store_booked_from(db, periods->versions[0].terms.agreement, day, &goes_on);
    /* What is no line comes into the next period, whichever that is. */
    if (error == ACCORD_OK && !goes_on && day == periods->open)
        error = moved_since(db, arena, periods, &goes_on);
    if (error == ACCORD_OK && !goes_on && day == periods->open)
        error = holds_back(db, arena, periods, day, &goes_on);
    if (error == ACCORD_OK)
        *ret = goes_on;
    return error;
}
