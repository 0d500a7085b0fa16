#include "accord/withholding.h"

#include <stdbool.h>
#include <stddef.h>

#include "domain/fraction.h"
#include "domain/trace.h"

static bool in_range(int64_t value, int64_t most)
{
    return value >= 0 && value <= most;
}

static bool step_ok(const struct accord_withholding_step *step)
{
    return in_range(step->over_minor, ACCORD_AMOUNT_MAX) &&
           in_range(step->deduct_minor, ACCORD_AMOUNT_MAX) &&
           in_range(step->deduct_ppm, ACCORD_PPM_WHOLE) &&
           in_range(step->rate_ppm, ACCORD_PPM_WHOLE) &&
           in_range(step->quick_deduction_minor, ACCORD_AMOUNT_MAX);
}

enum accord_error accord_withholding_check(const struct accord_withholding *table,
                                           uint32_t *ret_step)
{
    uint32_t at = UINT32_MAX;
    enum accord_error err = ACCORD_OK;
    if (table->step_count < 1 || table->step_count > ACCORD_WITHHOLDING_STEPS_MAX)
        err = ACCORD_E_COUNT_OUT_OF_RANGE;
    for (uint32_t i = 0; err == ACCORD_OK && i < table->step_count; i++) {
        const bool rises = i == 0 ? table->steps[0].over_minor == 0
                                  : table->steps[i].over_minor > table->steps[i - 1].over_minor;
        if (!rises || !step_ok(&table->steps[i])) {
            err = ACCORD_E_VALUE_OUT_OF_RANGE;
            at = i;
        }
    }
    if (err != ACCORD_OK && ret_step != NULL)
        *ret_step = at;
    return err;
}

enum accord_error accord_withholding_of(const struct accord_withholding *table, int64_t base,
                                        int64_t *ret_withheld, struct accord_step *ret_step)
{
    static const wide whole = ACCORD_PPM_WHOLE;
    const enum accord_error err = accord_withholding_check(table, NULL);
    const struct accord_withholding_step *step = &table->steps[0];
    wide exact = 0; /* of what is withheld, over whole · whole; below 2^104 */

    if (err != ACCORD_OK)
        return err;
    for (uint32_t i = 1; i < table->step_count && table->steps[i].over_minor < base; i++)
        step = &table->steps[i];
    if (base > 0) {
        const wide taxable = base * (whole - step->deduct_ppm) - step->deduct_minor * whole;
        exact = (taxable > 0 ? taxable * step->rate_ppm : 0) -
                step->quick_deduction_minor * whole * whole;
    }
    const wide rounded = fraction_round(exact, whole * whole);
    int64_t withheld = 0;
    if (rounded > 0)
        withheld = rounded < base ? (int64_t)rounded : base;
    *ret_withheld = withheld;
    if (ret_step != NULL) {
        *ret_step = (struct accord_step){
            .op = "withholding", .amount = -withheld, .rate_ppm = step->rate_ppm};
        trace_exact(exact, (uint64_t)(whole * whole), "half_even", ret_step);
    }
    return ACCORD_OK;
}
