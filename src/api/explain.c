#include "api/explain.h"

#include <string.h>

bool explain_steps_add(struct arena *arena, struct explain_steps *steps,
                       const struct accord_step *step)
{
    struct accord_step *items =
        arena_room(arena, steps->items, steps->count, &steps->cap, sizeof *items);
    if (items == NULL)
        return false;
    steps->items = items;
    steps->items[steps->count++] = *step;
    return true;
}

void explain_write_rate(struct json_writer *w, const struct accord_rate_pin *rate)
{
    jw_key(w, "rate");
    jw_object(w);
    jw_key_str(w, "rate", rate->text);
    jw_key_day(w, "day", rate->day);
    jw_object_end(w);
}

void explain_write_version(struct json_writer *w, const struct accord_agreement_version *terms,
                           enum accord_rank rank)
{
    jw_object(w);
    jw_key_str(w, "agreement", terms->agreement);
    jw_key_int(w, "version", terms->version);
    jw_key_str(w, "rank", accord_rank_name(rank));
    jw_object_end(w);
}

void explain_write_step(struct json_writer *w, const struct accord_step *step)
{
    char exact[ACCORD_EXACT_TEXT];
    accord_step_exact_text(step, exact);
    jw_object(w);
    jw_key_str(w, "op", step->op);
    if (step->payee != NULL)
        jw_key_str(w, "payee", step->payee);
    if (step->event_id != NULL)
        jw_key_str(w, "event_id", step->event_id);
    jw_key_money(w, "amount", step->amount, step->currency);
    if (step->rate_ppm >= 0)
        jw_key_int(w, "rate_ppm", step->rate_ppm);
    if (step->rate != NULL)
        explain_write_rate(w, step->rate);
    if (exact[0] != '\0')
        jw_key_str(w, "exact", exact);
    if (step->rounding != NULL) {
        jw_key_str(w, "rounding", step->rounding);
        if (strcmp(step->rounding, "largest_remainder") == 0) {
            jw_key_int(w, "place", step->place);
            jw_key_int(w, "extra", step->extra);
        }
    }
    jw_object_end(w);
}

void explain_write_steps(struct json_writer *w, const char *name, const struct explain_steps *steps)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < steps->count; i++)
        explain_write_step(w, &steps->items[i]);
    jw_array_end(w);
}
