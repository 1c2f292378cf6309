# cpack: a .tar.gz that can be unpacked anywhere, or with -DGECKO_MQTT_DEBIAN=ON three Debian packages.
set(CPACK_PACKAGE_NAME gecko-mqtt)
set(CPACK_SYSTEM_NAME "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_PACKAGE_VENDOR "libgecko_mqtt")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGE_CONTACT "${GECKO_MQTT_PACKAGE_CONTACT}")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL runtime development tools)
if(NOT GECKO_MQTT_BUILD_DOCTOR)
    list(REMOVE_ITEM CPACK_COMPONENTS_ALL tools)
endif()
# Without that cpack would begin each package's description with the project's.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${CMAKE_PROJECT_NAME} built using CMake")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "keeps a device connected to AWS IoT Core over MQTT 5
A C library that keeps a device connected to AWS IoT Core or another MQTT 5
server, whatever happens to its token, its network or its server.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "keeps a device connected to AWS IoT Core - development files
Headers for C and C++, the static library, and the files for CMake and
pkg-config.")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "tells why a device does not connect to AWS IoT Core
gecko-mqtt-doctor tries settings, clock, credentials, DNS, TCP, TLS, the
server's certificate, and the rights to connect, subscribe and publish, and
says what is wrong and what to do about it.")

if(NOT GECKO_MQTT_DEBIAN)
    set(CPACK_GENERATOR TGZ)
    include(CPack)
    return()
endif()

# ---- Debian ----

if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    message(FATAL_ERROR "Debian packages install to /usr: add -DCMAKE_INSTALL_PREFIX=/usr")
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
# The name of the library's package is that of the SONAME (Debian policy 8.1).
set(runtime "libgecko-mqtt${GECKO_MQTT_ABI_VERSION}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME "${runtime}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/debian/shlibs" "${PROJECT_SOURCE_DIR}/packaging/debian/triggers")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libgecko-mqtt-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libc6-dev)
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS runtime)
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME gecko-mqtt-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
# Where dpkg-shlibdeps finds the library that the tools are linked to, which no installed package has.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}/stage/${CMAKE_BUILD_TYPE}")
set(CPACK_COMPONENT_TOOLS_DEPENDS runtime)
file(CONFIGURE OUTPUT debian/shlibs CONTENT "libgecko_mqtt @GECKO_MQTT_ABI_VERSION@ @runtime@ (>= @PROJECT_VERSION@)\n" @ONLY)

# What policy asks each package for.
find_program(GECKO_MQTT_GZIP gzip REQUIRED)
file(STRINGS "${PROJECT_SOURCE_DIR}/packaging/debian/changelog" changelog_head LIMIT_COUNT 1)
if(NOT changelog_head MATCHES "^gecko-mqtt \\(${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}\\) ")
    message(FATAL_ERROR "packaging/debian/changelog does not begin with ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}: ${changelog_head}")
endif()
# gecko_mqtt_gzip(from to): without the time, so that packages come out the same.
function(gecko_mqtt_gzip from to)
    execute_process(COMMAND "${GECKO_MQTT_GZIP}" -9nc "${from}" OUTPUT_FILE "${PROJECT_BINARY_DIR}/debian/${to}" COMMAND_ERROR_IS_FATAL ANY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${from}")
endfunction()
gecko_mqtt_gzip("${PROJECT_SOURCE_DIR}/packaging/debian/changelog" changelog.Debian.gz)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER "CPACK_DEBIAN_${component}_PACKAGE_NAME" name)
    set(documents "${CMAKE_INSTALL_DATADIR}/doc/${${name}}")
    install(FILES "${PROJECT_SOURCE_DIR}/packaging/debian/copyright" "${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz"
        DESTINATION "${documents}" COMPONENT "${component}")
    set(overrides "${PROJECT_SOURCE_DIR}/packaging/debian/${component}.lintian-overrides")
    if(EXISTS "${overrides}")
        install(FILES "${overrides}" DESTINATION "${CMAKE_INSTALL_DATADIR}/lintian/overrides" RENAME "${${name}}" COMPONENT "${component}")
    endif()
endforeach()
# As dh_strip does; the standard library comes with what debuggers need.
install(CODE "execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug --remove-section=.comment --enable-deterministic-archives
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/${GECKO_MQTT_STATIC_FILE}\" COMMAND_ERROR_IS_FATAL ANY)"
    COMPONENT development)
gecko_mqtt_gzip("${PROJECT_SOURCE_DIR}/NOTICES.md" NOTICES.md.gz)
install(FILES "${PROJECT_BINARY_DIR}/debian/NOTICES.md.gz" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${runtime}" COMPONENT runtime)
include(CPack)
