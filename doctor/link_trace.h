/* How far a connection came, and what was agreed, as the library logs it: the log is the one place where TLS
 * tells its details. */
#ifndef LINK_TRACE_H
#define LINK_TRACE_H

#include <stdbool.h>

typedef struct {
    char host[256], port[8];
    int addresses;                           /* of the name; 0: not resolved */
    char peer[64];                           /* that TCP reached; "" */
    char tls[16];                            /* version; "" */
    char cipher[64];                         /* suite */
    char alpn[64];                           /* protocol that the server chose */
    char server[96];                         /* from when until when its certificate is valid */
    char client[96];                         /* ours */
    long dns_ms, tcp_ms, tls_ms, connack_ms; /* since the attempt began; -1 */
} link_trace_t;

/* From now on. */
void link_trace_begin(void);

/* What has been seen. */
link_trace_t link_trace_get(void);

#endif
