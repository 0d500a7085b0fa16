/** Explanations of settled lines: their steps, kept as they are reported, and how they are written.
 */
#ifndef API_EXPLAIN_H
#define API_EXPLAIN_H

#include "accord/settle.h"
#include "api/reply.h"
#include "base/arena.h"

/** The steps of one line, in the order in which they were reported. */
struct explain_steps {
    struct accord_step *items;
    size_t count;
    size_t cap;
};
/** False: out of memory. */
bool explain_steps_add(struct arena *arena, struct explain_steps *steps,
                       const struct accord_step *step);
/** One step as an object. */
void explain_write_step(struct json_writer *w, const struct accord_step *step);
/** Writes them as the array `name`. */
void explain_write_steps(struct json_writer *w, const char *name,
                         const struct explain_steps *steps);
/** The member `rate`: what was converted with. */
void explain_write_rate(struct json_writer *w, const struct accord_rate_pin *rate);
/** A version that covers a line, and why it does. */
void explain_write_version(struct json_writer *w, const struct accord_agreement_version *terms,
                           enum accord_rank rank);

#endif
