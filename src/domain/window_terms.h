/* What a term that is settled per window comes to, as a function of what the window has come to. */
#ifndef ACCORD_DOMAIN_WINDOW_TERMS_H
#define ACCORD_DOMAIN_WINDOW_TERMS_H

#include "accord/window.h"
#include "domain/trace.h"

/** How far a window reached before and after a part of it. */
struct window_reach {
    int64_t before[ACCORD_METRICS];
    int64_t after[ACCORD_METRICS];
    bool ends; /**< what is promised for the window is due with the part */
};

/** True of a term whose amount is handed out of what the lines left open. */
bool window_term_is_cut_from_open(const struct accord_term *term);

/**
 * What such a term gives for a part of its window: f(after) - f(before), each rounded once.
 *
 * @param trace     gets the steps that lead to it
 * @param ret_step  gets the exact value of the difference and the rounding
 * @return ACCORD_OK or ACCORD_E_OVERFLOW
 */
enum accord_error window_term_amount(const struct accord_term *term,
                                     const struct window_reach *reach, const struct trace *trace,
                                     int64_t *ret, struct accord_step *ret_step);

#endif
