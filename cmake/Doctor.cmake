# gecko-mqtt-doctor, for technicians: a C program like those of c-examples, installed with its manual page.
set(doctor "${PROJECT_SOURCE_DIR}/doctor")
file(GLOB doctor_sources CONFIGURE_DEPENDS "${doctor}/*.c")
list(APPEND doctor_sources "${PROJECT_SOURCE_DIR}/c-examples/common.c")
# A clock before it is wrong; SOURCE_DATE_EPOCH sets it where builds are to be the same.
string(TIMESTAMP doctor_build_year "%Y" UTC)

# gecko_mqtt_doctor(target year)
function(gecko_mqtt_doctor target year)
    add_executable("${target}" ${doctor_sources})
    target_include_directories("${target}" PRIVATE "${PROJECT_SOURCE_DIR}/c-examples")
    target_compile_definitions("${target}" PRIVATE "DOCTOR_BUILD_YEAR=${year}")
    gecko_mqtt_strict("${target}")
    set_target_properties("${target}" PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/doctor")
endfunction()
gecko_mqtt_doctor(gecko-mqtt-doctor "${doctor_build_year}")

if(GECKO_MQTT_INSTALL)
    # It finds the library from its own place, wherever both were moved to.
    if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_BINDIR}" AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
        file(RELATIVE_PATH doctor_to_library "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
        set(doctor_origin "$<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>")
        set_property(TARGET gecko-mqtt-doctor PROPERTY INSTALL_RPATH "${doctor_origin}/${doctor_to_library}")
    endif()
    install(TARGETS gecko-mqtt-doctor RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tools)
    install(FILES "${doctor}/gecko-mqtt-doctor.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT tools)
endif()
