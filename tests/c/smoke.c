/* The library loads, and is of the version that its header and its package say. */
#include <gecko_mqtt.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    const char *library = gecko_mqtt_version();
    const char *header = GECKO_MQTT_VERSION;
    const char *package = EXPECTED_VERSION;
    printf("library %s, header %s, package %s\n", library, header, package);
    return strcmp(library, package) == 0 && strcmp(header, package) == 0 ? 0 : 1;
}
