/* The steps that need the network. */
#ifndef CHECKS_H
#define CHECKS_H

#include <gecko_mqtt.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *host;      /* for texts */
    const char *client_id; /* for texts */
    const char *topic;     /* to subscribe and publish to */
    bool without_tls;
    bool own_client_id;  /* not a device's */
    bool token_is_stale; /* as this device's clock has it */
    uint32_t timeout_ms; /* for each wait */
} plan_t;

/* Reports from STEP_DNS to STEP_RECEIVE, as far as they come. */
void check_server(gecko_mqtt_client_t *client, const plan_t *plan);

#endif
