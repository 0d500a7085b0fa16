/* Published files of exchange rates, and rates: what is read stands as it was written. */
#include <stdlib.h>
#include <string.h>

#include "ingest/rates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rate(const char *text)
{
    static const struct accord_currency usd = {"USD"};
    static const struct accord_currency jpy = {"JPY"};
    struct accord_rate rate;
    struct accord_rate_pin there;
    struct accord_rate_pin back;
    char again[ACCORD_RATE_TEXT];
    if (accord_rate_parse(text, strlen(text), &rate) != ACCORD_OK)
        abort();
    accord_rate_text(&rate, again);
    if (strcmp(text, again) != 0)
        abort();
    /* The one way is the inverse of the other. */
    if (accord_rate_cross(NULL, usd, &rate, jpy, 0, &there) == ACCORD_OK &&
        (accord_rate_cross(&rate, jpy, NULL, usd, 0, &back) != ACCORD_OK || there.num != back.den ||
         there.den != back.num))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct rates_given *days = NULL;
    size_t count = 0;
    uint64_t line = 0;
    if (arena != NULL && rates_read_csv(arena, (struct slice){(const char *)data, size}, &days,
                                        &count, &line) == ACCORD_OK)
        for (size_t i = 0; i < count; i++) {
            if (days[i].count == 0 || (i > 0 && days[i].day <= days[i - 1].day))
                abort();
            for (size_t j = 0; j < days[i].count; j++)
                check_rate(days[i].rates[j].rate);
        }
    arena_free(arena);
    return 0;
}
