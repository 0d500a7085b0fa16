#include "window_fixture.h"
START_TEST(t)
{
}
END_TEST
static Suite *make_suite(void)
{
    Suite *s = suite_create("w");
    TCase *c = tcase_create("w");
    tcase_add_test(c, t);
    suite_add_tcase(s, c);
    return s;
}
UNIT_MAIN(make_suite)
