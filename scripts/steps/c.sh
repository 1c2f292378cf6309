# The steps of the C library as CMake builds it: its tests, and what watches them. Sourced by scripts/test.
# shellcheck shell=bash

build="$root/build/test"
release_build="$root/build/release"
sanitize_build="$root/build/sanitize"

# The header is generated, and formatted by its generator.
c_sources() {
    find c-examples doctor include tests benches bindings -type f \( -name '*.[ch]' -o -name '*.[ch]pp' \) \
        ! -path include/gecko_mqtt.h ! -path '*/build/*' -print0 2>/dev/null || true
}

step_clang_format() {
    local version
    version=$(clang-format --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
    if [ "${version:-0}" -lt 14 ]; then
        skipped "clang-format ${version:-?} is older than 14"
        return 0
    fi
    c_sources | xargs -0 -r clang-format --dry-run -Werror
}

# configure FOLDER TYPE OPTION...
configure() {
    local folder=$1 type=$2
    shift 2
    # Tests use the simulator that cargo test has built.
    if [ ! -x "$simulator" ]; then
        cargo build --package gecko-iot-sim --bin gecko-iot-sim
    fi
    cmake -S "$root" -B "$folder" "-DCMAKE_BUILD_TYPE=$type" "-DGECKO_MQTT_CARGO_TARGET_DIR=$CARGO_TARGET_DIR" \
        "-DGECKO_MQTT_SIMULATOR=$simulator" -DBUILD_TESTING=ON -DGECKO_MQTT_BUILD_EXAMPLES=ON -DGECKO_MQTT_INSTALL=ON "$@"
    cmake --build "$folder"
}

run_ctest() {
    local folder=$1
    shift
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@"
}

step_ctest() {
    configure "$build" Debug -DGECKO_MQTT_VALGRIND=OFF
    traced ctest run_ctest "$build"
}

step_valgrind() {
    configure "$build" Debug -DGECKO_MQTT_VALGRIND=ON
    # What a second without an answer, or a server that is reset as fast as it can be, means is lost on one thread at a time;
    # these run with the sanitizers.
    run_ctest "$build" --label-regex '^c$' --exclude-regex '^test_(resets|slow_callback)$'
}

step_sanitize() {
    configure "$sanitize_build" Debug -DGECKO_MQTT_SANITIZE=address,undefined
    run_ctest "$sanitize_build" --label-regex '^c$'
}

# The C tests in which threads meet; not those that only start programs, or load the library.
thread_tests=(test_threads test_reentrant test_callbacks test_dispatch test_live test_log test_resets test_retain
    test_slow_callback test_thread_end test_time_outs)

# All Rust code is instrumented, the standard library too: without that its locks would not be known, and each of them
# would look like a race. So nothing needs to be suppressed.
step_tsan() {
    local toolchain host runtime library name program failed=
    local programs="$root/build/tsan"
    toolchain=$(nightly_toolchain)
    if [ -z "$toolchain" ] || ! std_sources "$toolchain"; then
        skipped "no nightly Rust with rust-src is there: nothing was run with ThreadSanitizer"
        return 0
    fi
    runtime=$(compgen -G "$(rustup run "$toolchain" rustc --print target-libdir)/librustc*rt.tsan.a" | head -n 1)
    if [ -z "$runtime" ]; then
        skipped "$toolchain has no ThreadSanitizer for this machine: nothing was run with it"
        return 0
    fi
    host=$(rustup run "$toolchain" rustc -vV | sed -n 's/^host: //p')
    [ -x "$simulator" ] || cargo build --package gecko-iot-sim --bin gecko-iot-sim
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/tsan" RUSTFLAGS=-Zsanitizer=thread rustup run "$toolchain" \
        cargo build --package gecko-mqtt --lib -Zbuild-std --target "$host"
    library="$CARGO_TARGET_DIR/tsan/$host/debug/libgecko_mqtt.a"
    mkdir -p "$programs"
    for name in "${thread_tests[@]}"; do
        program="$programs/$name"
        # The runtime is Rust's: that of the C compiler may be of another version.
        cc -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=thread -Iinclude -c "tests/c/$name.c" -o "$program.o"
        cc "$program.o" -o "$program" "$library" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive \
            -lpthread -ldl -lm -lrt -lgcc_s
        printf '%s: ' "$name"
        # Children of a fork go on using the library in some of them.
        if TSAN_OPTIONS="die_after_fork=0 ${TSAN_OPTIONS-}" GECKO_IOT_SIM="$simulator" GECKO_MQTT_SLOW=1 \
            GECKO_TEST_SECS="${TSAN_SECONDS:-30}" timeout "$((${TSAN_SECONDS:-30} + 300))" "$program" >"$program.log" 2>&1; then
            grep GECKO_TEST_SEED "$program.log" | tr '\n' ' ' || true
            printf 'no race\n'
        else
            printf 'FAILED, see %s.log\n' "$program"
            head -n 60 "$program.log"
            failed=1
        fi
    done
    [ -z "$failed" ]
}

step_helgrind() {
    configure "$build" Debug -DGECKO_MQTT_VALGRIND=OFF
    GECKO_IOT_SIM="$simulator" GECKO_MQTT_SLOW=1 GECKO_TEST_SECS="${HELGRIND_SECONDS:-20}" valgrind --tool=helgrind --quiet \
        --error-exitcode=99 --num-callers=30 "--suppressions=tests/c/helgrind.supp" \
        "$build/tests/c/gecko_mqtt_test_threads"
}

step_release() {
    configure "$release_build" Release
    run_ctest "$release_build" --tests-regex '^(consumer|smoke)'
    local file
    for file in libgecko_mqtt.so libgecko_mqtt.a; do
        printf '%s: %s bytes\n' "$file" "$(stat -c %s "$CARGO_TARGET_DIR/release/$file")"
    done
}
