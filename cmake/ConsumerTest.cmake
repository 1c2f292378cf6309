# The installed tree, moved elsewhere, serves a project that knows nothing of this one.
set(consumer_cxx "")
if(CMAKE_CXX_COMPILER)
    set(consumer_cxx "${CMAKE_CXX_COMPILER}")
endif()
set(doctor_files "")
if(GECKO_MQTT_BUILD_DOCTOR)
    set(doctor_files bin/gecko-mqtt-doctor "${CMAKE_INSTALL_MANDIR}/man1/gecko-mqtt-doctor.1")
endif()
add_test(NAME consumer COMMAND "${CMAKE_COMMAND}"
    "-DBUILD_DIR=${PROJECT_BINARY_DIR}"
    "-DCONFIG=$<CONFIG>"
    "-DGENERATOR=${CMAKE_GENERATOR}"
    "-DC_COMPILER=${CMAKE_C_COMPILER}"
    "-DCXX_COMPILER=${consumer_cxx}"
    "-DLIBDIR=${CMAKE_INSTALL_LIBDIR}"
    "-DVERSION=${PROJECT_VERSION}"
    "-DSHARED_FILE=${GECKO_MQTT_SHARED_FILE}"
    "-DSONAME=${GECKO_MQTT_SONAME}"
    "-DLINK_NAME=${GECKO_MQTT_LINK_NAME}"
    "-DDOCTOR_FILES=${doctor_files}"
    -P "${PROJECT_SOURCE_DIR}/tests/consumer/run.cmake")
# Installing writes the build folder's manifest, and building waits for cargo's lock.
set_tests_properties(consumer PROPERTIES TIMEOUT 600 RUN_SERIAL ON)
