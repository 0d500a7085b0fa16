/**
 * Ratings of a course: the plain mean, and the mean shrunk towards a prior, in thousandths.
 *
 * Both are one exact fraction rounded once, half to even. A course with few ratings stays near the
 * prior, so that one enthusiast does not outrank a thousand readers. Pure; any thread.
 */
#ifndef ACCORD_RATING_H
#define ACCORD_RATING_H

#include <stdint.h>

#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Ratings are whole numbers from 1 to this. */
#define ACCORD_RATING_BEST 5

/** What is assumed of a course nobody has rated: `weight` ratings of `mean_milli` / 1000. */
struct accord_rating_prior {
    int64_t mean_milli; /**< 1000 .. 5000 */
    int64_t weight;     /**< 0 .. 10^9; 0: no prior, the shrunk rating is the mean */
};

struct accord_rating {
    int64_t count;
    int64_t mean_milli;     /**< 0 when there are no ratings */
    int64_t bayesian_milli; /**< (sum of ratings + weight · prior) / (count + weight); 0 when both
                                 count and weight are 0 */
};

/**
 * @param histogram  number of ratings of 1, 2, 3, 4 and 5, each >= 0
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for a negative number or a prior beyond its range;
 *         ACCORD_E_OVERFLOW. *ret is unwritten on failure
 */
enum accord_error accord_rating_of(const int64_t histogram[ACCORD_RATING_BEST],
                                   struct accord_rating_prior prior, struct accord_rating *ret);

#ifdef __cplusplus
}
#endif

#endif
