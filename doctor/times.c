#define _POSIX_C_SOURCE 200809L
#include "times.h"
#include <stdio.h>
#include <time.h>

time_text_t time_text(long long secs) {
    time_text_t out;
    time_t time = (time_t)secs;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL ||
        strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out.text, sizeof(out.text), "%lld", secs);
    return out;
}

bool time_read(const char *text, long long *secs) {
    int year, month, day, hour, minute, second;
    char zone;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c", &year, &month, &day, &hour, &minute, &second, &zone) != 7 ||
        zone != 'Z' || month < 1 || month > 12)
        return false;
    /* Howard Hinnant's days_from_civil: years begin in March, an era is 400 years. */
    long long y = year - (month <= 2), era = y / 400, of_era = y % 400;
    long long of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    long long days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    *secs = days * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

time_text_t time_span(long long secs) {
    static const struct {
        long long secs;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    time_text_t out;
    size_t unit = 0;
    while (unit < 3 && secs < units[unit].secs)
        unit++;
    long long count = secs / units[unit].secs;
    snprintf(out.text, sizeof(out.text), "%lld %s%s", count, units[unit].name, count == 1 ? "" : "s");
    return out;
}

long long time_now(void) { return (long long)time(NULL); }
