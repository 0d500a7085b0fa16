/* Multi-touch reports: a sale spread over all touches that count. */
#include <stdlib.h>

#include "accord/attribution.h"
#include "domain/fraction.h"
#include "domain/touches.h"

const char *accord_credit_model_name(enum accord_credit_model model)
{
    switch (model) {
    case ACCORD_CREDIT_LINEAR:
        return "linear";
    case ACCORD_CREDIT_POSITION:
        return "position";
    case ACCORD_CREDIT_DECAY:
        return "time_decay";
    case ACCORD_CREDIT_SHAPLEY:
        return "shapley";
    case ACCORD_CREDIT_LAST:
        return "last";
    case ACCORD_CREDIT_FIRST:
        return "first";
    }
    return "";
}

/* The floor of the square root; of a value below 2^127. */
static uint64_t square_root(uwide value)
{
    uwide root = 0;
    for (uwide bit = (uwide)1 << 126; bit != 0; bit >>= 2) {
        if (value >= root + bit) {
            value -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint64_t)root;
}

enum accord_error accord_decay_weight(int64_t age_us, int64_t half_life_us, int64_t *ret)
{
    if (age_us < 0 || half_life_us <= 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    const int64_t halvings = age_us / half_life_us;
    const uint64_t rest = (uint64_t)(age_us % half_life_us);
    uint64_t bits = (uint64_t)(((uwide)rest << 64) / (uint64_t)half_life_us);
    uint64_t y = UINT64_C(1) << 63;
    if (halvings > 33) {
        *ret = 0; /* below one half */
        return ACCORD_OK;
    }
    for (int i = 0; i < 64; i++, bits >>= 1)
        y = square_root((uwide)y << (63 - (bits & 1)));
    *ret = (int64_t)fraction_round(y, (wide)1 << (31 + halvings));
    return ACCORD_OK;
}

/* The touches that count, in their order, and their weights, which become their parts. */
struct credit {
    const struct accord_touch **touches;
    int64_t *numbers;
    size_t count;
};

static int by_touch_order(const void *a, const void *b)
{
    const struct accord_touch *const *x = a;
    const struct accord_touch *const *y = b;
    return touch_order(*x, *y);
}

static bool has_credit(enum accord_touch_outcome outcome)
{
    switch (outcome) {
    case ACCORD_TOUCH_WON:
    case ACCORD_TOUCH_BEATEN:
    case ACCORD_TOUCH_BEATEN_BY_COUPON:
        return true;
    case ACCORD_TOUCH_AFTER_SALE:
    case ACCORD_TOUCH_OUTSIDE_WINDOW:
    case ACCORD_TOUCH_SELF_REFERRAL:
    case ACCORD_TOUCH_PROMOTER_SUSPENDED:
        break;
    }
    return false;
}

/* Ages count from an instant: the sale, or the youngest touch. */
static enum accord_error weigh_ages(struct credit *credit, int64_t from_us, int64_t half_life_us,
                                    int64_t *ret_sum)
{
    int64_t sum = 0;
    for (size_t i = 0; i < credit->count; i++) {
        const uint64_t age = touch_age(credit->touches[i], from_us);
        /* An age beyond int64 is as good as the longest one there is. */
        const enum accord_error err = accord_decay_weight(
            age > INT64_MAX ? INT64_MAX : (int64_t)age, half_life_us, &credit->numbers[i]);
        if (err != ACCORD_OK)
            return err;
        if (__builtin_add_overflow(sum, credit->numbers[i], &sum))
            return ACCORD_E_OVERFLOW;
    }
    *ret_sum = sum;
    return ACCORD_OK;
}

static enum accord_error weigh(struct credit *credit, enum accord_credit_model model,
                               int64_t sale_at_us, int64_t half_life_us)
{
    const size_t count = credit->count;
    int64_t sum = 0;
    enum accord_error err = ACCORD_OK;
    switch (model) {
    case ACCORD_CREDIT_LINEAR:
        for (size_t i = 0; i < count; i++)
            credit->numbers[i] = 1;
        return ACCORD_OK;
    case ACCORD_CREDIT_POSITION:
        /* 40 : 20 / (count − 2) : 40, in whole numbers. */
        for (size_t i = 0; i < count; i++)
            credit->numbers[i] =
                count > 2 && (i == 0 || i == count - 1) ? 2 * (int64_t)(count - 2) : 1;
        return ACCORD_OK;
    case ACCORD_CREDIT_DECAY:
        err = weigh_ages(credit, sale_at_us, half_life_us, &sum);
        if (err == ACCORD_OK && sum == 0)
            err =
                weigh_ages(credit, credit->touches[count - 1]->occurred_at_us, half_life_us, &sum);
        return err;
    case ACCORD_CREDIT_LAST:
    case ACCORD_CREDIT_FIRST:
        for (size_t i = 0; i < count; i++)
            credit->numbers[i] = i == (model == ACCORD_CREDIT_FIRST ? 0 : count - 1);
        return ACCORD_OK;
    case ACCORD_CREDIT_SHAPLEY:
        break;
    }
    return ACCORD_E_VALUE_UNKNOWN;
}

/* ---- by promoter ---- */

/* The touches of one promoter, as they stand side by side. */
struct group {
    const struct accord_touch *first;
    size_t from;
    size_t count;
    int64_t part;
};

static int by_promoter(const void *a, const void *b)
{
    const struct accord_touch *const *x = a;
    const struct accord_touch *const *y = b;
    if ((*x)->promoter != (*y)->promoter)
        return (*x)->promoter < (*y)->promoter ? -1 : 1;
    return touch_order(*x, *y);
}

static int by_first_touch(const void *a, const void *b)
{
    const struct group *x = a;
    const struct group *y = b;
    return touch_order(x->first, y->first);
}

static enum accord_error equal_parts(int64_t total, size_t count, int64_t *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = 1;
    return accord_apportion(total, ret, count, ret, NULL);
}

static enum accord_error share_by_promoter(struct credit *credit, int64_t total)
{
    struct group *groups = calloc(credit->count, sizeof *groups);
    size_t count = 0;
    if (groups == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    qsort(credit->touches, credit->count, sizeof *credit->touches, by_promoter);
    for (size_t i = 0; i < credit->count; i++) {
        if (i == 0 || credit->touches[i]->promoter != credit->touches[i - 1]->promoter)
            groups[count++] = (struct group){.first = credit->touches[i], .from = i};
        groups[count - 1].count++;
    }
    qsort(groups, count, sizeof *groups, by_first_touch);
    enum accord_error err = equal_parts(total, count, credit->numbers);
    for (size_t i = 0; err == ACCORD_OK && i < count; i++)
        groups[i].part = credit->numbers[i];
    for (size_t i = 0; err == ACCORD_OK && i < count; i++)
        err = equal_parts(groups[i].part, groups[i].count, &credit->numbers[groups[i].from]);
    free(groups);
    return err;
}

static enum accord_error share(struct credit *credit, enum accord_credit_model model, int64_t total,
                               int64_t sale_at_us, int64_t half_life_us)
{
    if (model == ACCORD_CREDIT_SHAPLEY)
        return share_by_promoter(credit, total);
    const enum accord_error err = weigh(credit, model, sale_at_us, half_life_us);
    return err != ACCORD_OK
               ? err
               : accord_apportion(total, credit->numbers, credit->count, credit->numbers, NULL);
}

/* Hands the parts back to where the touches stood: each was given once, so its address finds it. */
static void hand_back(const struct credit *credit, const struct accord_touch *touches, size_t count,
                      int64_t *ret_parts)
{
    for (size_t i = 0; i < count; i++)
        ret_parts[i] = 0;
    for (size_t i = 0; i < credit->count; i++)
        ret_parts[credit->touches[i] - touches] = credit->numbers[i];
}

enum accord_error accord_credit_touches(enum accord_credit_model model, int64_t total,
                                        const struct accord_touch *touches,
                                        const enum accord_touch_outcome *outcomes, size_t count,
                                        int64_t sale_at_us, int64_t half_life_us,
                                        int64_t *ret_parts)
{
    const struct accord_touch *inline_touches[ACCORD_APPORTION_INLINE];
    int64_t inline_numbers[ACCORD_APPORTION_INLINE] = {0};
    const struct accord_touch **order = inline_touches;
    int64_t *numbers = inline_numbers;
    enum accord_error err = ACCORD_OK;

    for (size_t i = 0; i < count; i++)
        if (has_credit(outcomes[i]) && touches[i].occurred_at_us > sale_at_us)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
    if (count > ACCORD_APPORTION_INLINE) {
        order = calloc(count, sizeof *order);
        numbers = calloc(count, sizeof *numbers);
    }
    if (order == NULL || numbers == NULL) {
        err = ACCORD_E_OUT_OF_MEMORY;
    } else {
        struct credit credit = {.touches = order, .numbers = numbers};
        for (size_t i = 0; i < count; i++)
            if (has_credit(outcomes[i]))
                order[credit.count++] = &touches[i];
        if (credit.count > 0) {
            qsort(order, credit.count, sizeof *order, by_touch_order);
            err = share(&credit, model, total, sale_at_us, half_life_us);
        }
        if (err == ACCORD_OK)
            hand_back(&credit, touches, count, ret_parts);
    }
    if (order != inline_touches)
        free(order);
    if (numbers != inline_numbers)
        free(numbers);
    return err;
}
