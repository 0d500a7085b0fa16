#include "domain/trace.h"

#include <string.h>

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void set_fraction(struct accord_step *step, uint64_t num, uint64_t den)
{
    const uint64_t divisor = greatest_common_divisor(num, den);
    step->exact_num = num / divisor;
    step->exact_den = den / divisor;
}

enum accord_error trace_scale(int64_t amount, int64_t num, int64_t den, int64_t *ret,
                              struct accord_step *ret_step)
{
    int64_t result = 0;
    const enum accord_error err = accord_mul_div(amount, num, den, &result);
    if (err != ACCORD_OK)
        return err;
    *ret = result;
    if (ret_step == NULL)
        return ACCORD_OK;
    trace_exact((wide)amount * num, (uint64_t)den, "half_even", ret_step);
    return ACCORD_OK;
}

void trace_exact(wide num, uint64_t den, const char *rounding, struct accord_step *ret_step)
{
    const uwide magnitude = num < 0 ? -(uwide)num : (uwide)num;
    ret_step->exact_negative = num < 0;
    ret_step->exact_floor = (uint64_t)(magnitude / den);
    set_fraction(ret_step, (uint64_t)(magnitude % den), den);
    ret_step->rounding = rounding;
}

void trace_share(const struct accord_share *share, int64_t whole, int64_t weight_sum,
                 struct accord_step *ret_step)
{
    ret_step->exact_negative = whole < 0;
    ret_step->exact_floor = (uint64_t)share->floor;
    set_fraction(ret_step, share->remainder, weight_sum > 0 ? (uint64_t)weight_sum : 1);
    ret_step->rounding = "largest_remainder";
    ret_step->place = share->place;
    ret_step->extra = share->extra;
}

/* Writes the decimal digits of a value and returns where they end. */
static char *put_number(char *at, uwide value)
{
    char digits[40];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

void accord_step_exact_text(const struct accord_step *step, char ret_text[ACCORD_EXACT_TEXT])
{
    static const uint64_t million = 1000000;
    char *at = ret_text;
    if (step->exact_den != 0) {
        if (step->exact_negative && (step->exact_floor != 0 || step->exact_num != 0))
            *at++ = '-';
        if (step->exact_num == 0) {
            at = put_number(at, step->exact_floor);
        } else if (million % step->exact_den == 0) {
            uint64_t rest = step->exact_num * (million / step->exact_den);
            at = put_number(at, step->exact_floor);
            *at++ = '.';
            for (uint64_t unit = million / 10; unit > 0 && rest > 0; unit /= 10) {
                /* cppcheck-suppress zerodivcond; the loop ends before unit is zero */
                *at++ = (char)('0' + (int)(rest / unit));
                rest %= unit;
            }
        } else {
            at = put_number(at, (uwide)step->exact_floor * step->exact_den + step->exact_num);
            *at++ = '/';
            at = put_number(at, step->exact_den);
        }
    }
    *at = '\0';
}
