# How this project's own C programs are compiled: strictly, as C11 and, where there is a compiler, as C++17.
# Cross-compiling, the one that CMake would find by itself may be the build machine's: there it has to be named.
include(CheckLanguage)
if(NOT CMAKE_CROSSCOMPILING)
    check_language(CXX)
endif()
if(CMAKE_CXX_COMPILER)
    enable_language(CXX)
else()
    message(STATUS "There is no C++ compiler: programs are compiled as C only")
endif()
find_package(Threads REQUIRED)

add_library(gecko_mqtt_program INTERFACE)
target_compile_options(gecko_mqtt_program INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
target_compile_features(gecko_mqtt_program INTERFACE c_std_11)
if(CMAKE_CXX_COMPILER)
    target_compile_features(gecko_mqtt_program INTERFACE cxx_std_17)
endif()
if(NOT APPLE)
    # Plain C11 hides what POSIX adds.
    target_compile_definitions(gecko_mqtt_program INTERFACE _POSIX_C_SOURCE=200809L)
endif()
if(GECKO_MQTT_SANITIZE)
    set(sanitize "-fsanitize=${GECKO_MQTT_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(gecko_mqtt_program INTERFACE ${sanitize})
    target_link_options(gecko_mqtt_program INTERFACE ${sanitize})
endif()
target_link_libraries(gecko_mqtt_program INTERFACE Threads::Threads)

# gecko_mqtt_as_cxx(variable source...): sources that are these, read as C++.
function(gecko_mqtt_as_cxx variable)
    set(wrappers "")
    foreach(source IN LISTS ARGN)
        get_filename_component(path "${source}" ABSOLUTE)
        get_filename_component(name "${source}" NAME_WE)
        set(wrapper "${CMAKE_CURRENT_BINARY_DIR}/as_cxx/${name}.cpp")
        file(CONFIGURE OUTPUT "${wrapper}" CONTENT "#include \"@path@\"\n" @ONLY)
        list(APPEND wrappers "${wrapper}")
    endforeach()
    set("${variable}" "${wrappers}" PARENT_SCOPE)
endfunction()

# gecko_mqtt_strict(target): the standards without extensions, and no warning, the library's header included.
function(gecko_mqtt_strict target)
    gecko_mqtt_strict_alone("${target}")
    target_link_libraries("${target}" PRIVATE GeckoMqtt::gecko_mqtt)
endfunction()

# gecko_mqtt_strict_alone(target): without the library.
function(gecko_mqtt_strict_alone target)
    set_target_properties("${target}" PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
        NO_SYSTEM_FROM_IMPORTED ON)
    target_link_libraries("${target}" PRIVATE gecko_mqtt_program)
endfunction()

# Measures beside other clients (benches/run, which builds it against an installed library); here it must only compile.
if(BUILD_TESTING AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    file(GLOB bench_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/benches/*.c" "${PROJECT_SOURCE_DIR}/benches/gecko_bench/*.c")
    add_executable(gecko_bench ${bench_sources})
    gecko_mqtt_strict(gecko_bench)
endif()
