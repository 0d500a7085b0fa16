/* Fractions whose numerator does not fit 64 bits. */
#ifndef ACCORD_DOMAIN_FRACTION_H
#define ACCORD_DOMAIN_FRACTION_H

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

/** num / den rounded half to even, for 0 < den < 2^126. */
static inline wide fraction_round(wide num, wide den)
{
    wide quotient = num / den;
    wide rest = num % den;
    if (rest < 0) {
        rest += den;
        quotient -= 1;
    }
    /* 0 <= rest < den; the exact value is quotient + rest/den. */
    const wide twice = rest * 2;
    if (twice > den || (twice == den && (quotient & 1) != 0))
        quotient += 1;
    return quotient;
}

#endif
