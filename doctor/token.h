/* What a token says of its own time. It is read, not verified, and never shown. */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>

typedef struct {
    bool has_issue, has_expiry;
    long long issued, expires; /* Unix seconds */
} token_times_t;

/* Of a JWT (three parts) or of one base64url JSON object, as Gecko's cloud hands out. */
token_times_t token_times(const char *token);

/* The same of the one in a broker URL. */
token_times_t token_times_of_url(const char *url);

#endif
