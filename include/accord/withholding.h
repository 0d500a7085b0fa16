/**
 * Withholding: the tax that whoever pays keeps back from what a payee has earned.
 *
 * A withholding is data: a table of steps, of which a flat rate is the shortest. Accord knows no
 * country's rule. It is computed once per statement, on what the statement earned, and is never
 * restated; the steps of a table are in the minor units of the statement's currency and meant for
 * one of its periods (a table that a law states per month is for statements of one month).
 *
 * Of a base B > 0 applies the last step whose `over_minor` lies below B:
 *
 *     taxable  = max(0, B · (1 − deduct_ppm / 10^6) − deduct_minor)
 *     withheld = taxable · rate_ppm / 10^6 − quick_deduction_minor
 *
 * rounded once, half to even, then bounded to 0 .. B. (The quick deduction is the constant that
 * lets one multiplication stand for a sum over brackets of taxable income, as tables of progressive
 * rates are usually printed.) Nothing is withheld of a base of zero or less.
 *
 * Pure; may be called from any thread; allocates nothing.
 */
#ifndef ACCORD_WITHHOLDING_H
#define ACCORD_WITHHOLDING_H

#include <stdint.h>

#include "accord/error.h"
#include "accord/money.h"
#include "accord/settle.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ACCORD_WITHHOLDING_STEPS_MAX = 16 };

/** One step of a table. */
struct accord_withholding_step {
    int64_t over_minor;            /**< applies to a base above this; 0 in the first, then rising */
    int64_t deduct_minor;          /**< allowance taken off the base, 0 .. ACCORD_AMOUNT_MAX */
    int64_t deduct_ppm;            /**< allowance as a part of the base, 0 .. 1 000 000 */
    int64_t rate_ppm;              /**< of what is left of the base, 0 .. 1 000 000 */
    int64_t quick_deduction_minor; /**< taken off the product, 0 .. ACCORD_AMOUNT_MAX */
};

/** A table. A flat rate is one step with nothing but `rate_ppm`. */
struct accord_withholding {
    struct accord_withholding_step steps[ACCORD_WITHHOLDING_STEPS_MAX];
    uint32_t step_count; /**< 1 .. ACCORD_WITHHOLDING_STEPS_MAX */
};

/**
 * Checks a table: the number of steps, every value within its range, the first step from zero, each
 * further one above the one before it.
 *
 * @param ret_step  NULL, or where the index of the offending step goes on failure: UINT32_MAX when
 *                  it is their number
 * @return ACCORD_OK; ACCORD_E_COUNT_OUT_OF_RANGE; ACCORD_E_VALUE_OUT_OF_RANGE
 */
enum accord_error accord_withholding_check(const struct accord_withholding *table,
                                           uint32_t *ret_step);

/**
 * What is withheld of a base.
 *
 * @param table         one that accord_withholding_check() accepts
 * @param base          what a statement earned, minor units; any int64
 * @param ret_withheld  0 .. base, and 0 when base is negative
 * @param ret_step      NULL, or a step of an explanation: op "withholding", the amount negative as
 *                      every deduction's, the exact value of what is withheld before it is rounded
 *                      and bounded, and the rate
 * @return ACCORD_OK, or what accord_withholding_check() says of the table. Outputs are unwritten on
 *         failure
 */
enum accord_error accord_withholding_of(const struct accord_withholding *table, int64_t base,
                                        int64_t *ret_withheld, struct accord_step *ret_step);

#ifdef __cplusplus
}
#endif

#endif
