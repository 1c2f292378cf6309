/* What to do about a failure. */
#ifndef REMEDIES_H
#define REMEDIES_H

#include <gecko_mqtt.h>

/* NULL: nothing is known that the library's own text does not say. */
const char *remedy_of(gecko_mqtt_status_t status);

#endif
