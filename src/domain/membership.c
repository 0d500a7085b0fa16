#include "accord/membership.h"

#include "accord/money.h"

__extension__ typedef __int128 i128;

static enum accord_error check(const struct accord_membership *membership, int64_t *ret_days)
{
    int64_t days = 0;
    if (accord_sub(membership->to_day, membership->from_day, &days) != ACCORD_OK || days < 1 ||
        days > ACCORD_MEMBERSHIP_DAYS_MAX || membership->paid_minor < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (membership->cancelled &&
        (membership->refunded_minor < 0 || membership->refunded_minor > membership->paid_minor))
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (membership->cancelled && (unsigned)membership->on_cancel > ACCORD_OVER_ORIGINAL_TERM)
        return ACCORD_E_VALUE_UNKNOWN;
    *ret_days = days;
    return ACCORD_OK;
}

/* floor(amount · day / days) for 0 <= day <= days. */
static int64_t part(int64_t amount, int64_t day, int64_t days)
{
    return (int64_t)((i128)amount * day / days);
}

/* A day as a number of days of the term that lie before it. */
static int64_t days_before(const struct accord_membership *membership, int64_t day)
{
    if (day <= membership->from_day)
        return 0;
    return (day < membership->to_day ? day : membership->to_day) - membership->from_day;
}

/* The sum recognised on all days before `day`: 0 .. paid. */
static int64_t recognised_before(const struct accord_membership *membership, int64_t days,
                                 int64_t day)
{
    const int64_t before = days_before(membership, day);
    if (!membership->cancelled)
        return part(membership->paid_minor, before, days);

    const int64_t cancel_day = membership->cancel_day > membership->from_day
                                   ? membership->cancel_day
                                   : membership->from_day;
    if (day <= cancel_day)
        return part(membership->paid_minor, before, days);
    const int64_t used = days_before(membership, cancel_day);
    const int64_t kept = membership->paid_minor - membership->refunded_minor;
    const int64_t so_far = part(membership->paid_minor, used, days);
    if (membership->on_cancel == ACCORD_ON_CANCEL_DAY || used == days || kept < so_far)
        return kept;
    return so_far + part(kept - so_far, before - used, days - used);
}

enum accord_error accord_membership_recognised(const struct accord_membership *membership,
                                               int64_t first_day, int64_t end_day,
                                               int64_t *ret_minor)
{
    int64_t days = 0;
    const enum accord_error err = check(membership, &days);
    if (err != ACCORD_OK)
        return err;
    if (end_day < first_day)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    *ret_minor = recognised_before(membership, days, end_day) -
                 recognised_before(membership, days, first_day);
    return ACCORD_OK;
}
