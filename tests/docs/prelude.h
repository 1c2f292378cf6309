/* What the fragments of C in the documentation take for granted. */
#include <gecko_mqtt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* What docs/android.md takes from jni.h. */
typedef struct gecko_docs_jni JNIEnv;
typedef void *jobject;
