#define _POSIX_C_SOURCE 200809L
#include "fetch.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECS = 5 }; /* for each step */

typedef struct {
    char host[256], port[6];
    const char *path;
} http_url_t;

static bool split(const char *url, http_url_t *parts) {
    int length = 0;
    if (sscanf(url, "http://%255[^]:/?#[@ ]:%5[0-9]%n", parts->host, parts->port, &length) != 2)
        return false;
    parts->path = url + length;
    return *parts->path == '/' && strlen(parts->path) < 1024 && strpbrk(parts->path, " \r\n") == NULL;
}

bool is_fetch_url(const char *url) {
    http_url_t parts;
    return split(url, &parts);
}

/* A connection on which no single step waits for ever; -1 where there is none. */
static int connect_to(const http_url_t *url) {
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(url->host, url->port, &hints, &list) != 0) {
        errno = EHOSTUNREACH;
        return -1;
    }
    int fd = -1, why = 0;
    for (struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next) {
        struct timeval limit = {PATIENCE_SECS, 0};
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
            connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            why = errno == EINPROGRESS ? ETIMEDOUT : errno;
            if (fd >= 0)
                close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    errno = why;
    return fd;
}

/* Reads to the end, which has to come before the text is full and the time over. */
static bool read_all(int fd, char *text) {
    struct timespec start, now;
    size_t used = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        ssize_t count = read(fd, text + used, FETCH_ROOM - 1 - used);
        if (count == 0) {
            text[used] = '\0';
            return true;
        }
        if (count > 0)
            used += (size_t)count;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            return false;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (used < FETCH_ROOM - 1 && now.tv_sec - start.tv_sec < PATIENCE_SECS);
    errno = used == FETCH_ROOM - 1 ? EMSGSIZE : ETIMEDOUT;
    return false;
}

/* The body of an answer with status 200 that is all there. */
static const char *body_of(const char *answer) {
    const char *body = strstr(answer, "\r\n\r\n");
    if (strncmp(answer, "HTTP/1.", 7) != 0 || strncmp(answer + 8, " 200 ", 5) != 0 || body == NULL)
        return NULL;
    for (const char *field = strstr(answer, "\r\n"); field < body; field = strstr(field + 2, "\r\n"))
        if (strncasecmp(field + 2, "Content-Length:", 15) == 0 &&
            strtoul(field + 17, NULL, 10) != strlen(body + 4))
            return NULL;
    return body + 4;
}

const char *fetch_line(const char *source, char *text, char *why, size_t why_size) {
    http_url_t url;
    bool web = split(source, &url);
    int fd = web ? connect_to(&url) : open(source, O_RDONLY);
    bool whole = fd >= 0;
    if (whole && web) {
        int length = snprintf(text, FETCH_ROOM, "GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n", url.path, url.host,
                              url.port);
        whole = write(fd, text, (size_t)length) == length;
    }
    whole = whole && read_all(fd, text);
    const char *line = !whole ? NULL : web ? body_of(text) : text;
    if (line != NULL)
        text[(size_t)(line - text) + strcspn(line, "\r\n")] = '\0';
    else
        snprintf(why, why_size, "%s: %s", source, whole ? "not a good answer" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return line;
}
