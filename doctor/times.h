/* Times as certificates and tokens have them. */
#ifndef TIMES_H
#define TIMES_H

#include <stdbool.h>

/* Room for "2026-11-26T15:04:05Z". */
typedef struct {
    char text[32];
} time_text_t;

/* Unix seconds as text, in UTC. */
time_text_t time_text(long long secs);

/* Unix seconds of a text that begins so; false: it does not. */
bool time_read(const char *text, long long *secs);

/* "5 minutes", "3 hours", "12 days": for a person, rounded down. */
time_text_t time_span(long long secs);

/* What this device's clock says. */
long long time_now(void);

#endif
