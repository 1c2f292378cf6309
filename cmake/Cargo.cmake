# Runs cargo, and offers what it built as GeckoMqtt::gecko_mqtt and GeckoMqtt::gecko_mqtt_static.

find_program(GECKO_MQTT_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin" DOC "Rust's cargo" NO_CMAKE_FIND_ROOT_PATH)
if(NOT GECKO_MQTT_CARGO)
    message(FATAL_ERROR "cargo is not there: install Rust 1.85 or newer (https://rustup.rs, or the package cargo of Debian 13)")
endif()
if(CMAKE_CROSSCOMPILING AND NOT GECKO_MQTT_CARGO_TARGET)
    message(FATAL_ERROR "Cross-compiling needs GECKO_MQTT_CARGO_TARGET, such as -DGECKO_MQTT_CARGO_TARGET=aarch64-unknown-linux-gnu")
endif()

set(cargo_arguments --manifest-path "${PROJECT_SOURCE_DIR}/Cargo.toml" --target-dir "${GECKO_MQTT_CARGO_TARGET_DIR}")
# For musl Rust would link libc itself statically, which a shared library cannot.
list(APPEND cargo_arguments --config "target.'cfg(target_env = \"musl\")'.rustflags = ['-Ctarget-feature=-crt-static']")
set(cargo_output "${GECKO_MQTT_CARGO_TARGET_DIR}")
set(cargo_environment "")
if(GECKO_MQTT_CARGO_TARGET)
    list(APPEND cargo_arguments --target "${GECKO_MQTT_CARGO_TARGET}")
    string(APPEND cargo_output "/${GECKO_MQTT_CARGO_TARGET}")
    # CMake's compiler also links for cargo. A compiler that is told its target or its sysroot by a switch cannot: there
    # cargo's own settings decide.
    if(CMAKE_CROSSCOMPILING AND NOT CMAKE_C_COMPILER_TARGET AND NOT GECKO_MQTT_CARGO_IS_SET_UP)
        string(REPLACE "-" "_" triple "${GECKO_MQTT_CARGO_TARGET}")
        string(TOUPPER "${triple}" upper_triple)
        set(cargo_environment "CC_${triple}=${CMAKE_C_COMPILER}" "AR_${triple}=${CMAKE_AR}"
            "CARGO_TARGET_${upper_triple}_LINKER=${CMAKE_C_COMPILER}")
    endif()
endif()
set(cargo_profile "$<IF:$<CONFIG:Debug>,debug,release>")

# Programs find the library by its SONAME, so it stands here under all its names.
set(stage "${PROJECT_BINARY_DIR}/stage/$<CONFIG>")
set(stage_links "")
foreach(name IN ITEMS "${GECKO_MQTT_SONAME}" "${GECKO_MQTT_LINK_NAME}")
    if(NOT name STREQUAL GECKO_MQTT_SHARED_FILE)
        list(APPEND stage_links COMMAND "${CMAKE_COMMAND}" -E create_symlink "${GECKO_MQTT_SHARED_FILE}" "${stage}/${name}")
    endif()
endforeach()

# What is shipped is built without the Rust library beside it: with that, cargo leaves the optimisation across crates out.
set(cargo_debug "build;--package;gecko-mqtt;--lib")
set(cargo_release "rustc;--package;gecko-mqtt;--lib;--release;--crate-type;cdylib$<COMMA>staticlib")

# Always runs: cargo knows best what is out of date.
add_custom_target(gecko_mqtt_cargo ALL
    COMMAND "${CMAKE_COMMAND}" -E env ${cargo_environment}
        "${GECKO_MQTT_CARGO}" "$<IF:$<CONFIG:Debug>,${cargo_debug},${cargo_release}>" ${cargo_arguments}
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${stage}"
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different
        "${cargo_output}/${cargo_profile}/${GECKO_MQTT_CARGO_SHARED}" "${stage}/${GECKO_MQTT_SHARED_FILE}"
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different
        "${cargo_output}/${cargo_profile}/${GECKO_MQTT_STATIC_FILE}" "${stage}/${GECKO_MQTT_STATIC_FILE}"
    ${stage_links}
    # Where cargo looks for its settings, such as those of vendored crates.
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    BYPRODUCTS "${stage}/${GECKO_MQTT_SHARED_FILE}" "${stage}/${GECKO_MQTT_STATIC_FILE}"
    COMMENT "Building gecko_mqtt with cargo"
    COMMAND_EXPAND_LISTS USES_TERMINAL VERBATIM)

add_library(GeckoMqtt::gecko_mqtt SHARED IMPORTED GLOBAL)
add_library(GeckoMqtt::gecko_mqtt_static STATIC IMPORTED GLOBAL)
set(configurations ${CMAKE_CONFIGURATION_TYPES})
if(NOT configurations)
    set(configurations "${CMAKE_BUILD_TYPE}")
endif()
foreach(configuration IN LISTS configurations)
    string(TOUPPER "_${configuration}" suffix)
    set_property(TARGET GeckoMqtt::gecko_mqtt GeckoMqtt::gecko_mqtt_static
        APPEND PROPERTY IMPORTED_CONFIGURATIONS "${configuration}")
    set_target_properties(GeckoMqtt::gecko_mqtt PROPERTIES
        "IMPORTED_LOCATION${suffix}" "${PROJECT_BINARY_DIR}/stage/${configuration}/${GECKO_MQTT_SHARED_FILE}"
        "IMPORTED_SONAME${suffix}" "${GECKO_MQTT_IMPORTED_SONAME}")
    set_target_properties(GeckoMqtt::gecko_mqtt_static PROPERTIES
        "IMPORTED_LOCATION${suffix}" "${PROJECT_BINARY_DIR}/stage/${configuration}/${GECKO_MQTT_STATIC_FILE}")
endforeach()
# A project that includes this one may have no build type at all.
if(NOT configurations)
    set_target_properties(GeckoMqtt::gecko_mqtt PROPERTIES
        IMPORTED_LOCATION "${PROJECT_BINARY_DIR}/stage/${GECKO_MQTT_SHARED_FILE}" IMPORTED_SONAME "${GECKO_MQTT_IMPORTED_SONAME}")
    set_target_properties(GeckoMqtt::gecko_mqtt_static PROPERTIES
        IMPORTED_LOCATION "${PROJECT_BINARY_DIR}/stage/${GECKO_MQTT_STATIC_FILE}")
endif()
foreach(library IN ITEMS GeckoMqtt::gecko_mqtt GeckoMqtt::gecko_mqtt_static)
    set_property(TARGET "${library}" PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include")
    add_dependencies("${library}" gecko_mqtt_cargo)
endforeach()
set_property(TARGET GeckoMqtt::gecko_mqtt_static PROPERTY INTERFACE_LINK_LIBRARIES "${GECKO_MQTT_NATIVE_LIBRARIES}")
