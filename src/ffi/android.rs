//! Android alone: the platform's verifier of certificates is written in Java, and reached through the JVM.
//!
//! Not in gecko_mqtt.h, which is the same everywhere: docs/android.md declares it.

use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use crate::{Error, ErrorKind, link};
use jni::objects::JObject;
use jni::{EnvUnowned, Outcome};
use std::ffi::c_void;

/// Shows the library the JVM and the application, so that Android verifies the certificates of servers. Once in a
/// process, before the first client is made; further calls change nothing. Without it the built-in roots of Amazon
/// are trusted, and nothing else.
///
/// `env` is the `JNIEnv *` of this thread, `context` a reference to an `android.content.Context`. Returns
/// `GECKO_MQTT_OK`, `GECKO_MQTT_ERR_NULL_ARGUMENT`, or `GECKO_MQTT_ERR_SYSTEM`: Java threw, which is cleared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_android_init(
    env: *mut c_void,
    context: *mut c_void,
) -> gecko_mqtt_status_t {
    boundary(|| {
        for (pointer, name) in [(env, "env"), (context, "context")] {
            if pointer.is_null() {
                return Err(Error::new(ErrorKind::NullArgument, format!("{name} is NULL")));
            }
        }
        // SAFETY: the caller's promise, and it is not NULL.
        let mut env = unsafe { EnvUnowned::from_raw(env.cast()) };
        let shown = env.with_env_no_catch(|env| {
            // SAFETY: a reference of this thread, by the caller's promise; the caller keeps it.
            let context = unsafe { JObject::from_raw(env, context.cast()) };
            let shown = rustls_platform_verifier::android::init_with_env(env, context);
            // What is thrown would be thrown again at whatever Java does next.
            shown.inspect_err(|_| env.exception_clear())
        });
        match shown.into_outcome() {
            Outcome::Ok(()) => {
                link::android_ready();
                Ok(())
            }
            Outcome::Err(reason) => {
                Err(Error::new(ErrorKind::System, format!("Android's verifier of certificates: {reason}")))
            }
            Outcome::Panic(_) => unreachable!("it is not caught here"),
        }
    })
}
