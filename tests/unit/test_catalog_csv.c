#include "unit.h"
static Suite *make_suite(void){ Suite *s = suite_create("x"); return s; }
UNIT_MAIN(make_suite)
