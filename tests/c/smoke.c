/* The library loads, and is of the version that its header and its package say. */
#include <gecko_mqtt.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    const char *version = gecko_mqtt_version();
    printf("library %s, header %s, package %s\n", version, GECKO_MQTT_VERSION, EXPECTED_VERSION);
    return strcmp(version, EXPECTED_VERSION) == 0 && strcmp(GECKO_MQTT_VERSION, EXPECTED_VERSION) == 0 ? 0 : 1;
}
