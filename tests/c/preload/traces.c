/* Preloaded into the example programs while traces are wanted: they log at TRACE, whatever they want
 * themselves. */
#define _GNU_SOURCE
#include "../traces.h"

#include <dlfcn.h>

/* The programs' own call. */
gecko_mqtt_status_t gecko_mqtt_log_init(const char *level, const char *file, bool console) {
    (void)level;
    (void)file;
    (void)console;
    return GECKO_MQTT_OK;
}

__attribute__((constructor)) static void begin(void) {
    gecko_mqtt_status_t (*log_init)(const char *, const char *, bool) = NULL;
    traces_path_t path = traces_path(NULL, "log");
    *(void **)&log_init = dlsym(RTLD_NEXT, "gecko_mqtt_log_init");
    if (path.text[0] != '\0' && (log_init == NULL || log_init("trace", path.text, false) != GECKO_MQTT_OK))
        abort();
}
