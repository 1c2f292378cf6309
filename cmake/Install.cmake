# Header, libraries, CMake package, pkg-config file and licence; everything finds its neighbours from its own place.
include(CMakePackageConfigHelpers)

file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/*.h" "${PROJECT_SOURCE_DIR}/include/*.hpp")
install(FILES ${headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
file(GLOB cpp_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/gecko_mqtt/*.hpp")
install(FILES ${cpp_headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gecko_mqtt" COMPONENT development)

set(stage "${PROJECT_BINARY_DIR}/stage/$<CONFIG>")
install(FILES "${stage}/${GECKO_MQTT_SHARED_FILE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime)
if(NOT GECKO_MQTT_SONAME STREQUAL GECKO_MQTT_SHARED_FILE)
    install(FILES "${stage}/${GECKO_MQTT_SONAME}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime)
endif()
if(NOT GECKO_MQTT_LINK_NAME STREQUAL GECKO_MQTT_SHARED_FILE)
    install(FILES "${stage}/${GECKO_MQTT_LINK_NAME}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
endif()
install(FILES "${stage}/${GECKO_MQTT_STATIC_FILE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
# The licence; what is linked into the library, and its licences. Debian has its own places for both.
if(NOT GECKO_MQTT_DEBIAN)
    install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/gecko_mqtt" COMPONENT runtime)
    install(FILES "${PROJECT_SOURCE_DIR}/NOTICES.md" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/gecko_mqtt" COMPONENT runtime)
endif()

# Before 1.0 a new minor version may change the interface.
set(compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(compatibility SameMinorVersion)
endif()
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/GeckoMqtt")
set(package_build_dir "${PROJECT_BINARY_DIR}/package")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/GeckoMqttConfig.cmake.in"
    "${package_build_dir}/GeckoMqttConfig.cmake"
    INSTALL_DESTINATION "${package_dir}"
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
    NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${package_build_dir}/GeckoMqttConfigVersion.cmake" COMPATIBILITY "${compatibility}")
install(FILES "${package_build_dir}/GeckoMqttConfig.cmake" "${package_build_dir}/GeckoMqttConfigVersion.cmake"
    DESTINATION "${package_dir}" COMPONENT development)

# An absolute folder stays as it is; others are found from where the file lies.
set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()
foreach(kind IN ITEMS INCLUDE LIB)
    string(TOLOWER "pc_${kind}dir" variable)
    set("${variable}" "${CMAKE_INSTALL_${kind}DIR}")
    if(NOT IS_ABSOLUTE "${${variable}}")
        set("${variable}" "\${prefix}/${${variable}}")
    endif()
endforeach()
configure_file("${PROJECT_SOURCE_DIR}/cmake/gecko_mqtt.pc.in" "${package_build_dir}/gecko_mqtt.pc" @ONLY)
install(FILES "${package_build_dir}/gecko_mqtt.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

if(gecko_mqtt_top_level)
    add_custom_target(uninstall
        COMMAND "${CMAKE_COMMAND}" "-DBUILD_DIR=${PROJECT_BINARY_DIR}" -P "${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake"
        VERBATIM)
endif()
