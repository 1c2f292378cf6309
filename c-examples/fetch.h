/* Fetches a line of text from a file or, over plain HTTP, from a server. */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FETCH_ROOM 16384

/* Whether fetch_line() understands an http:// URL: http://HOST:PORT/PATH. */
bool is_fetch_url(const char *url);

/* The first line of a file, or of what a server answers to a GET; it lies somewhere in `text`, which has
 * room for FETCH_ROOM bytes. NULL: there is none, and `why` says why not. Takes some 10 s at the most, and
 * what the name service takes. */
const char *fetch_line(const char *source, char *text, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
