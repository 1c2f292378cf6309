/* What a user's first program needs: the header, a function, the library at run time. */
#include <gecko_mqtt.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    printf("gecko_mqtt %s\n", gecko_mqtt_version());
    return strcmp(gecko_mqtt_version(), GECKO_MQTT_VERSION) == 0 ? 0 : 1;
}
