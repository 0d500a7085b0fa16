/* Which part of each line of an order has been refunded. */
#ifndef ACCORD_DOMAIN_REFUNDS_H
#define ACCORD_DOMAIN_REFUNDS_H

#include "domain/trace.h"

/** What the refunds that apply did to one line. */
struct line_refunds {
    int64_t refunded;     /**< 0 .. paid */
    int64_t pro_rata;     /**< the part of it whose tax follows pro rata */
    int64_t tax_returned; /**< stated by the other part; may exceed the tax */
    int64_t fee_returned; /**< may exceed the fees */
    int64_t full_at_us;   /**< when the last of what was paid was refunded, if it all was */
};

/**
 * Applies the refunds of an order as stated at struct accord_refund.
 *
 * @param states  order->line_count, zeroed; unspecified on failure
 * @param trace   gets a step "refund" for each line that a row reaches
 */
enum accord_error refunds_apply(const struct accord_order *order,
                                const struct accord_refund *refunds, size_t count,
                                const struct trace *trace, struct line_refunds *states,
                                struct accord_excess *ret_excess);

/** A row as it reached one line: of that line, no more than what was left. Lives during the call.
 */
typedef enum accord_error refund_part_fn(void *context, const struct accord_refund *part);

/** Calls back with what every row came to on every line that it reached, in the order in which they
 *  apply. Applied instead of the rows they leave each line as the rows do, without the others. */
enum accord_error refunds_spread(const struct accord_order *order,
                                 const struct accord_refund *refunds, size_t count,
                                 refund_part_fn *each, void *context);

#endif
