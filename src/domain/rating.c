#include "accord/rating.h"

#include "accord/money.h"

static const int64_t milli = 1000;
static const int64_t weight_max = 1000000000;

enum accord_error accord_rating_of(const int64_t histogram[ACCORD_RATING_BEST],
                                   struct accord_rating_prior prior, struct accord_rating *ret)
{
    struct accord_rating rating = {0};
    int64_t sum_milli = 0;
    enum accord_error err = ACCORD_OK;

    if (prior.mean_milli < milli || prior.mean_milli > milli * ACCORD_RATING_BEST ||
        prior.weight < 0 || prior.weight > weight_max)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    for (int i = 0; i < ACCORD_RATING_BEST; i++) {
        int64_t product = 0;
        if (histogram[i] < 0)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        if (__builtin_mul_overflow(histogram[i], (i + 1) * milli, &product) ||
            accord_add(sum_milli, product, &sum_milli) != ACCORD_OK)
            return ACCORD_E_OVERFLOW;
        rating.count += histogram[i]; /* no more than sum_milli */
    }
    if (rating.count > 0)
        err = accord_mul_div(sum_milli, 1, rating.count, &rating.mean_milli);
    if (err == ACCORD_OK && rating.count + prior.weight > 0) {
        /* weight * mean fits: 10^9 * 5000 */
        err = accord_add(sum_milli, prior.weight * prior.mean_milli, &sum_milli);
        if (err == ACCORD_OK)
            err = accord_mul_div(sum_milli, 1, rating.count + prior.weight, &rating.bayesian_milli);
    }
    if (err == ACCORD_OK)
        *ret = rating;
    return err;
}
