#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "base/zone_rule.h"

/* Expected values come from Python's zoneinfo, at the last second before each change of offset and
 * at the first one after it. */
static const struct {
    const char *zone;
    int64_t at_s;
    int32_t offset_s;
    int32_t day;
} offsets[] = {
    {"Asia/Shanghai", INT64_C(473385600), 28800, 5479},
    {"Asia/Shanghai", INT64_C(515527199), 28800, 5967},
    {"Asia/Shanghai", INT64_C(515527200), 32400, 5967},
    {"Asia/Shanghai", INT64_C(527014799), 32400, 6100},
    {"Asia/Shanghai", INT64_C(527014800), 28800, 6100},
    {"Asia/Shanghai", INT64_C(545162399), 28800, 6310},
    {"Asia/Shanghai", INT64_C(545162400), 32400, 6310},
    {"Asia/Shanghai", INT64_C(558464399), 32400, 6464},
    {"Asia/Shanghai", INT64_C(558464400), 28800, 6464},
    {"Asia/Shanghai", INT64_C(577216799), 28800, 6681},
    {"Asia/Shanghai", INT64_C(577216800), 32400, 6681},
    {"Asia/Shanghai", INT64_C(589913999), 32400, 6828},
    {"Asia/Shanghai", INT64_C(589914000), 28800, 6828},
    {"Asia/Shanghai", INT64_C(608666399), 28800, 7045},
    {"Asia/Shanghai", INT64_C(608666400), 32400, 7045},
    {"Asia/Shanghai", INT64_C(621968399), 32400, 7199},
    {"Asia/Shanghai", INT64_C(621968400), 28800, 7199},
    {"Asia/Shanghai", INT64_C(640115999), 28800, 7409},
    {"Asia/Shanghai", INT64_C(640116000), 32400, 7409},
    {"Asia/Shanghai", INT64_C(653417999), 32400, 7563},
    {"Asia/Shanghai", INT64_C(653418000), 28800, 7563},
    {"Asia/Shanghai", INT64_C(671565599), 28800, 7773},
    {"Asia/Shanghai", INT64_C(671565600), 32400, 7773},
    {"Asia/Shanghai", INT64_C(684867599), 32400, 7927},
    {"Asia/Shanghai", INT64_C(684867600), 28800, 7927},
    {"America/New_York", INT64_C(1672531200), -18000, 19357},
    {"America/New_York", INT64_C(1678604399), -18000, 19428},
    {"America/New_York", INT64_C(1678604400), -14400, 19428},
    {"America/New_York", INT64_C(1699163999), -14400, 19666},
    {"America/New_York", INT64_C(1699164000), -18000, 19666},
    {"America/New_York", INT64_C(1710053999), -18000, 19792},
    {"America/New_York", INT64_C(1710054000), -14400, 19792},
    {"America/New_York", INT64_C(1730613599), -14400, 20030},
    {"America/New_York", INT64_C(1730613600), -18000, 20030},
    {"Europe/London", INT64_C(-63158400), 0, -731},
    {"Europe/London", INT64_C(-59004001), 0, -683},
    {"Europe/London", INT64_C(-59004000), 3600, -683},
    {"Europe/London", INT64_C(57722399), 3600, 668},
    {"Europe/London", INT64_C(57722400), 0, 668},
    {"Europe/London", INT64_C(1704067200), 0, 19723},
    {"Europe/London", INT64_C(1711846799), 0, 19813},
    {"Europe/London", INT64_C(1711846800), 3600, 19813},
    {"Europe/London", INT64_C(1729990799), 3600, 20023},
    {"Europe/London", INT64_C(1729990800), 0, 20023},
    {"Australia/Lord_Howe", INT64_C(1704067200), 39600, 19723},
    {"Australia/Lord_Howe", INT64_C(1712415599), 39600, 19820},
    {"Australia/Lord_Howe", INT64_C(1712415600), 37800, 19820},
    {"Australia/Lord_Howe", INT64_C(1728142199), 37800, 20002},
    {"Australia/Lord_Howe", INT64_C(1728142200), 39600, 20002},
    {"Pacific/Apia", INT64_C(1293840000), -36000, 14974},
    {"Pacific/Apia", INT64_C(1301752799), -36000, 15066},
    {"Pacific/Apia", INT64_C(1301752800), -39600, 15066},
    {"Pacific/Apia", INT64_C(1316872799), -39600, 15241},
    {"Pacific/Apia", INT64_C(1316872800), -36000, 15241},
    {"Pacific/Apia", INT64_C(1325239199), -36000, 15337},
    {"Pacific/Apia", INT64_C(1325239200), 50400, 15339},
    {"America/Sao_Paulo", INT64_C(1483228800), -7200, 17166},
    {"America/Sao_Paulo", INT64_C(1487469599), -7200, 17215},
    {"America/Sao_Paulo", INT64_C(1487469600), -10800, 17215},
    {"America/Sao_Paulo", INT64_C(1508036399), -10800, 17453},
    {"America/Sao_Paulo", INT64_C(1508036400), -7200, 17454},
    {"America/Sao_Paulo", INT64_C(1518919199), -7200, 17579},
    {"America/Sao_Paulo", INT64_C(1518919200), -10800, 17579},
    {"America/Sao_Paulo", INT64_C(1541300399), -10800, 17838},
    {"America/Sao_Paulo", INT64_C(1541300400), -7200, 17839},
    {"Asia/Beirut", INT64_C(1640995200), 7200, 18993},
    {"Asia/Beirut", INT64_C(1648331999), 7200, 19077},
    {"Asia/Beirut", INT64_C(1648332000), 10800, 19078},
    {"Asia/Beirut", INT64_C(1667077199), 10800, 19294},
    {"Asia/Beirut", INT64_C(1667077200), 7200, 19294},
    {"Europe/Dublin", INT64_C(1672531200), 0, 19358},
    {"Europe/Dublin", INT64_C(1679792399), 0, 19442},
    {"Europe/Dublin", INT64_C(1679792400), 3600, 19442},
    {"Europe/Dublin", INT64_C(1698541199), 3600, 19659},
    {"Europe/Dublin", INT64_C(1698541200), 0, 19659},
    {"Asia/Kathmandu", INT64_C(473385600), 19800, 5479},
    {"Asia/Kathmandu", INT64_C(504901799), 19800, 5843},
    {"Asia/Kathmandu", INT64_C(504901800), 20700, 5844},
    {"America/St_Johns", INT64_C(1262304000), -12600, 14609},
    {"America/St_Johns", INT64_C(1268537459), -12600, 14682},
    {"America/St_Johns", INT64_C(1268537460), -9000, 14682},
    {"America/St_Johns", INT64_C(1289097059), -9000, 14920},
    {"America/St_Johns", INT64_C(1289097060), -12600, 14919},
    {"Asia/Tehran", INT64_C(1609459200), 12600, 18628},
    {"Asia/Tehran", INT64_C(1616358599), 12600, 18707},
    {"Asia/Tehran", INT64_C(1616358600), 16200, 18708},
    {"Asia/Tehran", INT64_C(1632252599), 16200, 18891},
    {"Asia/Tehran", INT64_C(1632252600), 12600, 18891},
    {"Asia/Tehran", INT64_C(1647894599), 12600, 19072},
    {"Asia/Tehran", INT64_C(1647894600), 16200, 19073},
    {"Asia/Tehran", INT64_C(1663788599), 16200, 19256},
    {"Asia/Tehran", INT64_C(1663788600), 12600, 19256},
    {"Africa/Monrovia", INT64_C(31536000), -2670, 364},
    {"Africa/Monrovia", INT64_C(63593069), -2670, 735},
    {"Africa/Monrovia", INT64_C(63593070), 0, 736},
};

static const struct zone *find(const char *name)
{
    const struct zone *zone = NULL;
    ck_assert_msg(zone_find(slice_of(name), &zone) == ACCORD_OK,
                  "no zone %s: is the package tzdata installed?", name);
    return zone;
}

START_TEST(offsets_and_days)
{
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        const struct zone *zone = find(offsets[i].zone);
        const instant_us at = offsets[i].at_s * CLOCK_SECOND_US;
        ck_assert_msg(zone_offset_s(zone, at) == offsets[i].offset_s &&
                          zone_offset_s(zone, at + 999999) == offsets[i].offset_s &&
                          zone_day(zone, at) == offsets[i].day,
                      "%s at %lld: offset %d, day %d", offsets[i].zone, (long long)offsets[i].at_s,
                      zone_offset_s(zone, at), zone_day(zone, at));
    }
}
END_TEST

/* The first second whose local date is the day or a later one, found by trying them all. */
static const struct {
    const char *zone;
    int32_t day;
    int64_t start_s;
} starts[] = {
    {"Asia/Shanghai", 20454, INT64_C(1767196800)},       /* 2026-01-01 */
    {"Asia/Shanghai", 5967, INT64_C(515520000)},         /* 1986-05-04 */
    {"Asia/Shanghai", 7927, INT64_C(684860400)},         /* 1991-09-15 */
    {"America/New_York", 19792, INT64_C(1710046800)},    /* 2024-03-10 */
    {"America/New_York", 19793, INT64_C(1710129600)},    /* 2024-03-11 */
    {"America/New_York", 20030, INT64_C(1730606400)},    /* 2024-11-03 */
    {"America/New_York", 20031, INT64_C(1730696400)},    /* 2024-11-04 */
    {"Europe/London", 19813, INT64_C(1711843200)},       /* 2024-03-31 */
    {"Europe/London", -365, INT64_C(-31539600)},         /* 1969-01-01 */
    {"Australia/Lord_Howe", 19820, INT64_C(1712408400)}, /* 2024-04-07 */
    {"Australia/Lord_Howe", 20003, INT64_C(1728219600)}, /* 2024-10-07 */
    {"Pacific/Apia", 15337, INT64_C(1325152800)},        /* 2011-12-29 */
    {"Pacific/Apia", 15338, INT64_C(1325239200)},        /* 2011-12-30 */
    {"Pacific/Apia", 15339, INT64_C(1325239200)},        /* 2011-12-31 */
    {"Pacific/Apia", 15340, INT64_C(1325325600)},        /* 2012-01-01 */
    {"America/Sao_Paulo", 17454, INT64_C(1508036400)},   /* 2017-10-15 */
    {"America/Sao_Paulo", 17580, INT64_C(1518922800)},   /* 2018-02-18 */
    {"America/Sao_Paulo", 17579, INT64_C(1518832800)},   /* 2018-02-17 */
    {"Asia/Beirut", 19078, INT64_C(1648332000)},         /* 2022-03-27 */
    {"Asia/Beirut", 19295, INT64_C(1667080800)},         /* 2022-10-30 */
    {"America/St_Johns", 14682, INT64_C(1268537400)},    /* 2010-03-14 */
    {"America/St_Johns", 14920, INT64_C(1289097000)},    /* 2010-11-07 */
    {"Asia/Tehran", 18708, INT64_C(1616358600)},         /* 2021-03-22 */
    {"UTC", 11016, INT64_C(951782400)},                  /* 2000-02-29 */
    {"Asia/Kathmandu", 5844, INT64_C(504901800)},        /* 1986-01-01 */
    {"America/Havana", 20030, INT64_C(1730606400)},      /* 2024-11-03 */
    {"America/Havana", 19792, INT64_C(1710046800)},      /* 2024-03-10 */
    {"Pacific/Kiritimati", 9130, INT64_C(788868000)},    /* 1994-12-31 */
    {"Asia/Manila", -45656, INT64_C(-3944621032)},       /* 1844-12-31 */
    {"America/Juneau", -37330, INT64_C(-3225366139)},    /* 1867-10-18 */
};

START_TEST(days_start)
{
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        const struct zone *zone = find(starts[i].zone);
        const instant_us start = zone_day_start(zone, starts[i].day);
        ck_assert_msg(start == starts[i].start_s * CLOCK_SECOND_US, "%s, day %d: %lld",
                      starts[i].zone, starts[i].day, (long long)start);
    }
}
END_TEST

/* Every day up to 2038, and one a week up to 2199, begins where its date begins. */
START_TEST(days_start_everywhere)
{
    static const char *const names[] = {
        "UTC",          "Asia/Shanghai", "America/New_York",  "Australia/Lord_Howe",
        "Pacific/Apia", "Europe/Dublin", "America/Sao_Paulo", "Pacific/Chatham"};
    const struct zone *zone = find(names[_i]);
    instant_us before = zone_day_start(zone, -36500);
    for (int32_t day = -36499; day < 84000; day += 1 + (day > 25000 ? 6 : 0)) {
        const instant_us start = zone_day_start(zone, day);
        if (start < before || zone_day(zone, start) < day || zone_day(zone, start - 1) >= day)
            ck_abort_msg("%s, day %d: %lld", names[_i], day, (long long)start);
        before = start;
    }
}
END_TEST

START_TEST(utc_needs_no_file)
{
    const struct zone *utc = find("UTC");
    ck_assert_int_eq(zone_offset_s(utc, INT64_MIN), 0);
    ck_assert_int_eq(zone_offset_s(utc, INT64_MAX), 0);
    ck_assert_int_eq(zone_day(utc, -1), -1);
    ck_assert_int_eq(zone_day(utc, 0), 0);
    ck_assert_int_eq(zone_day_start(utc, -1), -CLOCK_DAY_US);
    /* Days beyond what an instant holds do not overflow. */
    ck_assert_int_gt(zone_day_start(find("America/New_York"), INT32_MAX), 0);
    ck_assert_int_lt(zone_day_start(find("America/New_York"), INT32_MIN), 0);
    ck_assert_int_eq(zone_offset_s(find("Asia/Shanghai"), INT64_MAX), 28800);
}
END_TEST

START_TEST(names_that_are_none)
{
    static const char *const names[] = {
        "",
        "/",
        "Asia",
        "Asia/",
        "/Asia/Shanghai",
        "Asia//Shanghai",
        "Asia/Shanghai/",
        "..",
        "../zoneinfo/UTC",
        "Asia/../Asia/Shanghai",
        "./UTC",
        "Asia/Atlantis",
        "asia/shanghai",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "right/Asia/Shanghai",
        "posix/Asia/Shanghai",
        "Asia/Shang\nhai",
        "Asia/\xff",
        "+08:00",
        "GMT+8 ",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    const struct zone *zone = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(zone_find(slice_of(names[i]), &zone) == ACCORD_E_TIME_ZONE_UNKNOWN, "%s",
                      names[i]);
    ck_assert_int_eq(zone_find((struct slice){"UTC\0", 4}, &zone), ACCORD_E_TIME_ZONE_UNKNOWN);
    ck_assert_ptr_null(zone);
    /* A name need not end where its memory does. */
    ck_assert_int_eq(zone_find((struct slice){"Asia/Shanghai!", 13}, &zone), ACCORD_OK);
    ck_assert_ptr_eq(zone, find("Asia/Shanghai"));
}
END_TEST

static const struct {
    const char *rule;
    int64_t at_s;
    int32_t offset_s;
} rules[] = {
    /* From Python's zoneinfo too, but for the days counted from 0 (glibc: Python is a day early).
     */
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(1735689600), -18000},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(1741503599), -18000},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(1741503600), -14400},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(1762063199), -14400},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(1762063200), -18000},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(3976214400), -18000},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(3982287599), -18000},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(3982287600), -14400},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(4002847199), -14400},
    {"EST5EDT,M3.2.0,M11.1.0", INT64_C(4002847200), -18000},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1735689600), 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1743296399), 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1743296400), 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1761440399), 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1761440400), 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(3976214400), 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(3983475599), 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(3983475600), 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(4002224399), 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(4002224400), 3600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(1735689600), 39600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(1743865199), 39600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(1743865200), 37800},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(1759591799), 37800},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(1759591800), 39600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(3976214400), 39600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(3984044399), 39600},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(3984044400), 37800},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(4000375799), 37800},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", INT64_C(4000375800), 39600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(1735689600), 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(1743296399), 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(1743296400), 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(1761440399), 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(1761440400), 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(3976214400), 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(3983475599), 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(3983475600), 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(4002224399), 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", INT64_C(4002224400), 0},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(1735689600), 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(1743206399), 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(1743206400), 10800},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(1761346799), 10800},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(1761346800), 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(3976214400), 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(3983385599), 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(3983385600), 10800},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(4002130799), 10800},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", INT64_C(4002130800), 7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(1735689600), -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(1743296399), -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(1743296400), -3600},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(1761440399), -3600},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(1761440400), -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(3976214400), -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(3983475599), -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(3983475600), -3600},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(4002224399), -3600},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", INT64_C(4002224400), -7200},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(1735689600), 49500},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(1743861599), 49500},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(1743861600), 45900},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(1758981599), 45900},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(1758981600), 49500},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(3976214400), 49500},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(3984040799), 49500},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(3984040800), 45900},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(3999765599), 45900},
    {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", INT64_C(3999765600), 49500},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(1735689600), 0},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(1743296399), 0},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(1743296400), 7200},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(1761440399), 7200},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(1761440400), 0},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(3976214400), 0},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(3983475599), 0},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(3983475600), 7200},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(4002224399), 7200},
    {"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", INT64_C(4002224400), 0},
    {"AAA-1BBB,J60,J300", INT64_C(1735689600), 3600},
    {"AAA-1BBB,J60,J300", INT64_C(1740790799), 3600},
    {"AAA-1BBB,J60,J300", INT64_C(1740790800), 7200},
    {"AAA-1BBB,J60,J300", INT64_C(1761523199), 7200},
    {"AAA-1BBB,J60,J300", INT64_C(1761523200), 3600},
    {"AAA-1BBB,J60,J300", INT64_C(3976214400), 3600},
    {"AAA-1BBB,J60,J300", INT64_C(3981401999), 3600},
    {"AAA-1BBB,J60,J300", INT64_C(3981402000), 7200},
    {"AAA-1BBB,J60,J300", INT64_C(4002134399), 7200},
    {"AAA-1BBB,J60,J300", INT64_C(4002134400), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(1735689600), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(1740783599), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(1740783600), 7200},
    {"AAA-1BBB,59/0,299/24", INT64_C(1761602399), 7200},
    {"AAA-1BBB,59/0,299/24", INT64_C(1761602400), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(3976214400), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(3981308399), 3600},
    {"AAA-1BBB,59/0,299/24", INT64_C(3981308400), 7200},
    {"AAA-1BBB,59/0,299/24", INT64_C(4002127199), 7200},
    {"AAA-1BBB,59/0,299/24", INT64_C(4002127200), 3600},
    {"CST-8", INT64_C(1735689600), 28800},
    {"CST-8", INT64_C(3976214400), 28800},
    {"<-1130>11:30:15", INT64_C(1735689600), -41415},
    {"<-1130>11:30:15", INT64_C(3976214400), -41415},
    /* Summer time all year, as RFC 8536 writes it. */
    {"XXX3EDT4,0/0,J365/23", INT64_C(1735700399), -14400},
    {"XXX3EDT4,0/0,J365/23", INT64_C(1735700400), -14400},
    {"XXX3EDT4,0/0,J365/23", INT64_C(1751328000), -14400},
};

/* A TZif file of version 3 without transitions, but for its footer. */
static struct slice make_file(char *file, const char *footer)
{
    static const char head[44] = "TZif3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
    static const char block[10] = "\0\0\0\0\0\0UTC";
    size_t len = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(file + len, head, sizeof head);
        memcpy(file + len + sizeof head, block, sizeof block);
        len += sizeof head + sizeof block;
    }
    return (struct slice){file, len + (size_t)sprintf(file + len, "\n%s\n", footer)};
}

START_TEST(rules_hold_after_the_last_transition)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char file[300];
        struct zone *zone;
        ck_assert_int_eq(zone_parse(make_file(file, rules[i].rule), &zone), ACCORD_OK);
        const int32_t offset = zone_offset_s(zone, rules[i].at_s * CLOCK_SECOND_US);
        ck_assert_msg(offset == rules[i].offset_s, "%s at %lld: %d", rules[i].rule,
                      (long long)rules[i].at_s, offset);
        zone_free(zone);
    }
}
END_TEST

START_TEST(rules_that_are_none)
{
    static const char *const bad[] = {"E5",
                                      "EST",
                                      "EST+",
                                      "EST25",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M3.2.0,M11.1.0,",
                                      "EST5EDT,M0.2.0,M11.1.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.0.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J0,J365",
                                      "EST5EDT,J366,J1",
                                      "EST5EDT,366,1",
                                      "EST5EDT,M3.2.0/168,M11.1.0",
                                      "EST5EDT,M3.2.0/2:60,M11.1.0",
                                      "<EST5EDT,M3.2.0,M11.1.0",
                                      "<>5",
                                      "EST5 ",
                                      ":America/New_York",
                                      "EST99999999999999999"};
    char file[300];
    struct zone *zone = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct zone_rule rule;
        ck_assert_msg(!zone_rule_parse(slice_of(bad[i]), &rule), "%s", bad[i]);
        ck_assert_int_eq(zone_parse(make_file(file, bad[i]), &zone), ACCORD_E_TIME_ZONE_UNKNOWN);
    }
    ck_assert_ptr_null(zone);
}
END_TEST

/* One transition at 1000 from +1 h to -1 h, version 1: 32-bit times and no footer. */
static const char version_1[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\4"
                                "\0\0\x03\xe8\1"
                                "\0\0\x0e\x10\0\0\xff\xff\xf1\xf0\0\0"
                                "UTC";

START_TEST(version_1_and_damage)
{
    struct zone *zone = NULL;
    ck_assert_int_eq(zone_parse((struct slice){version_1, sizeof version_1}, &zone), ACCORD_OK);
    ck_assert_int_eq(zone_offset_s(zone, 1000 * CLOCK_SECOND_US - 1), 3600);
    ck_assert_int_eq(zone_offset_s(zone, 1000 * CLOCK_SECOND_US), -3600);
    ck_assert_int_eq(zone_offset_s(zone, INT64_MAX), -3600);
    ck_assert_int_eq(zone_offset_s(zone, INT64_MIN), 3600);
    zone_free(zone);
    zone = NULL;
    /* Cut anywhere it is refused, and never read behind its end. */
    for (size_t len = 0; len < sizeof version_1; len++) {
        char *copy = malloc(len + (len == 0));
        memcpy(copy, version_1, len);
        ck_assert_int_eq(zone_parse((struct slice){copy, len}, &zone), ACCORD_E_TIME_ZONE_UNKNOWN);
        free(copy);
    }
    static const struct {
        size_t at;
        char byte;
    } damages[] = {{0, 't'},
                   {4, '0'},
                   {4, 'A'},
                   {31, 1},
                   {32, 0x7f},
                   {36, 0x7f},
                   {39, 0},
                   {40, (char)0xff},
                   {48, 2 /* no such type */},
                   {49, 0x7f /* an offset of years */}};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        char copy[sizeof version_1];
        memcpy(copy, version_1, sizeof copy);
        copy[damages[i].at] = damages[i].byte;
        ck_assert_msg(zone_parse((struct slice){copy, sizeof copy}, &zone) ==
                          ACCORD_E_TIME_ZONE_UNKNOWN,
                      "damage %zu", i);
    }
    ck_assert_ptr_null(zone);
    zone_free(NULL);
}
END_TEST

START_TEST(data_version)
{
    char text[ZONE_VERSION_MAX] = "unset";
    zone_data_version(text);
    /* "2025b"; empty where the data is installed without its source. */
    ck_assert(strlen(text) == 0 || (strlen(text) >= 5 && strncmp(text, "20", 2) == 0));
}
END_TEST

static void *find_many(void *result)
{
    static const char *const names[] = {"Asia/Tokyo", "Europe/Paris", "Africa/Lagos", "Asia/Seoul"};
    const struct zone **zones = result;
    for (size_t i = 0; i < 4; i++)
        if (zone_find(slice_of(names[i]), &zones[i]) != ACCORD_OK)
            zones[i] = NULL;
    return NULL;
}

START_TEST(threads_share_one_zone)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    const struct zone *zones[THREADS][4] = {{NULL}};
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, find_many, (void *)zones[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 0; j < 4; j++) {
            ck_assert_ptr_nonnull(zones[i][j]);
            ck_assert_ptr_eq(zones[i][j], zones[0][j]);
        }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("zone");
    TCase *tests = tcase_create("zone");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, offsets_and_days);
    tcase_add_test(tests, days_start);
    tcase_add_loop_test(tests, days_start_everywhere, 0, 8);
    tcase_add_test(tests, utc_needs_no_file);
    tcase_add_test(tests, names_that_are_none);
    tcase_add_test(tests, rules_hold_after_the_last_transition);
    tcase_add_test(tests, rules_that_are_none);
    tcase_add_test(tests, version_1_and_damage);
    tcase_add_test(tests, data_version);
    tcase_add_test(tests, threads_share_one_zone);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
