/**
 * Windows of an agreement: the sums of its rollups folded over all of its periods, and what that
 * comes to beside what was posted.
 */
#ifndef INGEST_WINDOWS_H
#define INGEST_WINDOWS_H

#include "ingest/periods.h"
#include "store/entries.h"
#include "store/windows.h"

/** The lines of windows of the periods up to `last`, in order of period, version and calculation.
 *  Each is the whole of what stands: booked is 0, number counts them from 0. */
struct window_lines {
    struct window_row *rows;
    size_t count;
};

/**
 * Folds an agreement's windows from its first period up to and including `last`, on what rollups
 * hold now. Nothing for an agreement without window terms.
 *
 * @return ACCORD_OK; ACCORD_E_OVERFLOW and other errors of accord_window_settle(); the engine's
 */
enum accord_error windows_settle(struct db *db, struct arena *arena,
                                 const struct agreement_periods *periods, int64_t last,
                                 struct window_lines *ret);

/** Of which part of the fold the steps are reported, and to whom. */
struct windows_steps {
    int64_t day;     /**< first of the period */
    int64_t version; /**< its number */
    accord_step_fn *step;
    void *context;
};
/** As windows_settle(), and reports how one version's part of one period came about. */
enum accord_error windows_explain(struct db *db, struct arena *arena,
                                  const struct agreement_periods *periods, int64_t last,
                                  const struct windows_steps *steps, struct window_lines *ret);

/** A version's part of a period. */
struct window_part {
    size_t version; /**< its index */
    int64_t first;  /**< day of the period */
    struct accord_window_period period;
    struct accord_window_sums sums;
    struct accord_window_sums booked; /**< of sums, what the period that is closed brought */
    struct accord_window_pool *pools; /**< those of sums */
    size_t pool_cap;
    bool has_sums;
    bool takes_part; /**< in the fold */
};

/** What windows are folded over: all parts, in order, and what was posted in earlier periods. */
struct window_sheet {
    struct window_part *parts;
    size_t count;
    struct window_row *posted;
    size_t posted_count;
};
/** The sheet of the periods up to `booked`. */
enum accord_error windows_sheet_read(struct db *db, struct arena *arena,
                                     const struct agreement_periods *periods, int64_t booked,
                                     struct window_sheet *ret);
/** A part by the period's first day and the number of the version, or NULL. */
struct window_part *windows_sheet_part(const struct window_sheet *sheet,
                                       const struct agreement_periods *periods, int64_t period,
                                       int64_t version);
/** Adds what the period brought, to sums that are without it. */
enum accord_error windows_part_add_booked(struct window_part *part);
/** Takes it away. */
enum accord_error windows_part_before(const struct window_part *part,
                                      struct accord_window_sums *ret);
/** The lines of windows of a sheet; no database. */
enum accord_error windows_fold(struct arena *arena, const struct agreement_periods *periods,
                               const struct window_sheet *sheet, struct window_lines *ret);
/** Those lines less what was posted, as rows of period `booked`; no database. */
enum accord_error windows_sheet_post(struct arena *arena, const struct agreement_periods *periods,
                                     const struct window_sheet *sheet, int64_t booked,
                                     struct window_lines *ret);

/** What is to be posted in period `booked`: the fold up to it less what was posted before; rows as
 *  they are to be stored. */
enum accord_error windows_to_post(struct db *db, struct arena *arena,
                                  const struct agreement_periods *periods, int64_t booked,
                                  struct window_lines *ret);

/** Has a version anything that is settled on sums: terms of windows, or shares of pools? */
bool windows_any(const struct accord_agreement_version *version);

/** Does a version count learners in a window? */
bool windows_count_learners(const struct accord_agreement_version *version);

struct agreement_book;
/** The changes that entries make to the distinct learners of months: of versions that count them,
 *  and sales that name one. In the arena, one an entry. */
enum accord_error windows_learners_of(struct db *db, struct arena *arena,
                                      const struct agreement_book *book,
                                      const struct entry_row *entries, size_t count,
                                      struct window_learner_row **ret, size_t *ret_count);

#endif
