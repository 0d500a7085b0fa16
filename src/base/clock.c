#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

instant_us clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Howard Hinnant's civil calendar arithmetic: years begin in March, so that the leap day is last;
 * an era is 400 years. */
int32_t clock_days_from_civil(int year, unsigned month, unsigned day)
{
    const int y = month <= 2 ? year - 1 : year;
    const int era = (y >= 0 ? y : y - 399) / 400;
    const int year_of_era = y - era * 400;
    const int day_of_year = (153 * ((int)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int)day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void clock_civil_from_days(int32_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    const int z = days + 719468;
    const int era = (z >= 0 ? z : z - 146096) / 146097;
    const int day_of_era = z - era * 146097;
    const int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

/* Takes exactly `digits` decimal digits off the front. */
static bool take_number(struct slice *text, unsigned digits, int *ret)
{
    if (text->len < digits)
        return false;
    int value = 0;
    for (unsigned i = 0; i < digits; i++) {
        const char c = text->data[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    text->data += digits;
    text->len -= digits;
    *ret = value;
    return true;
}

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->len--;
    return true;
}

static unsigned days_in_month(int year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_fraction(struct slice *text, int *ret_us)
{
    int us = 0;
    int unit = 100000;
    if (!take_char(text, '.')) {
        *ret_us = 0;
        return true;
    }
    unsigned digits = 0;
    for (int digit; digits < 6 && take_number(text, 1, &digit); digits++, unit /= 10)
        us += digit * unit;
    *ret_us = us;
    return digits > 0;
}

static bool take_offset(struct slice *text, int *ret_minutes)
{
    if (take_char(text, 'Z') || take_char(text, 'z')) {
        *ret_minutes = 0;
        return true;
    }
    const bool west = take_char(text, '-');
    int hours;
    int minutes;
    if ((!west && !take_char(text, '+')) || !take_number(text, 2, &hours) ||
        !take_char(text, ':') || !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

enum accord_error clock_parse(struct slice text, instant_us *ret)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int us;
    int offset;
    if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day) ||
        (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) ||
        !take_number(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_number(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_number(&text, 2, &second) || !take_fraction(&text, &us) ||
        !take_offset(&text, &offset) || text.len != 0)
        return ACCORD_E_TIME_INVALID;
    if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 ||
        (unsigned)day > days_in_month(year, (unsigned)month) || hour > 23 || minute > 59 ||
        second > 59)
        return ACCORD_E_TIME_INVALID;
    const int64_t days = clock_days_from_civil(year, (unsigned)month, (unsigned)day);
    const int64_t seconds = days * 86400 + hour * 3600 + (minute - offset) * 60 + second;
    /* An offset can lead out of the years that their text may have. */
    if (seconds < 0 || seconds >= (int64_t)clock_days_from_civil(2200, 1, 1) * 86400)
        return ACCORD_E_TIME_INVALID;
    *ret = seconds * CLOCK_SECOND_US + us;
    return ACCORD_OK;
}

void clock_format(instant_us at, char text[CLOCK_TEXT_MAX])
{
    int64_t days = at / CLOCK_DAY_US;
    int64_t rest = at % CLOCK_DAY_US;
    if (rest < 0) {
        rest += CLOCK_DAY_US;
        days--;
    }
    int year;
    unsigned month;
    unsigned day;
    clock_civil_from_days((int32_t)days, &year, &month, &day);
    const int us = (int)(rest % CLOCK_SECOND_US);
    const int second = (int)(rest / CLOCK_SECOND_US);
    int len = snprintf(text, CLOCK_TEXT_MAX, "%04d-%02u-%02uT%02d:%02d:%02d", year, month, day,
                       second / 3600, second / 60 % 60, second % 60);
    if (us != 0)
        len += snprintf(text + len, (size_t)(CLOCK_TEXT_MAX - len), ".%06d", us);
    snprintf(text + len, (size_t)(CLOCK_TEXT_MAX - len), "Z");
}
