/* Times and numbers that are taken come back from their own text. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {(const char *)data, size};
    instant_us at;
    if (clock_parse(text, &at) == ACCORD_OK) {
        char written[CLOCK_TEXT_MAX];
        instant_us again;
        clock_format(at, written);
        must(clock_parse(slice_of(written), &again) == ACCORD_OK && again == at);
    }
    int64_t whole;
    const enum accord_error error = number_parse_int(text, &whole);
    for (unsigned scale = 0; scale <= NUMBER_SCALE_MAX; scale++) {
        int64_t value;
        const enum accord_error scaled = number_parse_decimal(text, scale, &value);
        if (scaled == ACCORD_OK) {
            char written[NUMBER_TEXT_MAX];
            int64_t again;
            number_format_decimal(value, scale, written);
            must(number_parse_decimal(slice_of(written), scale, &again) == ACCORD_OK &&
                 again == value);
        }
        if (error == ACCORD_OK && scale == 0)
            must(scaled == ACCORD_OK && value == whole);
        if (error == ACCORD_E_VALUE_OUT_OF_RANGE)
            must(scaled == error);
    }
    return 0;
}
