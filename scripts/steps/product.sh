# The steps of what is around the library: programs, bindings, documentation, packages, other systems. Sourced by scripts/test.
# shellcheck shell=bash

step_demo() {
    traced demo demo
}

demo() {
    scripts/demo 2>&1 | tee "$GECKO_TEST_TRACES/demo.texts"
}

# What Maven says when it cannot have what it needs.
out_of_reach='Could not transfer|Could not resolve|Could not find artifact|UnresolvableModelException|PluginResolutionException'

step_kotlin() {
    local log="$root/build/kotlin.log" untested='the Kotlin binding was NOT tested'
    if ! (need javac=default-jdk-headless mvn=maven); then
        skipped "javac or mvn is not there: $untested; apt-get install default-jdk-headless maven"
        return 0
    fi
    if ! at_least 17 "$(javac -version 2>&1 | sed 's/^javac //')"; then
        skipped "$(javac -version 2>&1) is older than 17: $untested"
        return 0
    fi
    mkdir -p "$root/build"
    # All but the tests themselves; with the name of one that is none, what runs tests is fetched too.
    if ! maven test -Dtest=NoTest -Dsurefire.failIfNoSpecifiedTests=false >"$log" 2>&1; then
        if grep -qE "$out_of_reach" "$log"; then
            skipped "Maven cannot reach its repository: $untested (build/kotlin.log)"
            return 0
        fi
        cat "$log" >&2
        return 1
    fi
    cargo build --package gecko-mqtt --package gecko-iot-sim
    traced kotlin kotlin_tests
}

# The compiler runs in Maven's own process: its daemon would be left behind.
maven() {
    mvn --batch-mode --no-transfer-progress -Dstyle.color=never -Dkotlin.compiler.daemon=false --file bindings/kotlin/pom.xml "$@"
}

kotlin_tests() {
    GECKO_MQTT_LIBRARY="$CARGO_TARGET_DIR/debug/libgecko_mqtt.so" GECKO_IOT_SIM="$simulator" maven test
}

step_secrets() {
    local step
    for step in cargo_test ctest demo; do
        [ -e "$traces/$step/complete" ] ||
            die "$step has not passed and left its traces: run scripts/test cargo_test ctest demo secrets"
    done
    GECKO_TEST_TRACES="$traces" cargo test --package gecko-mqtt --test secrets -- --ignored --nocapture
}

step_docs() {
    scripts/docs
}

# The packages stay in build/package-*/packages.
step_package() {
    local kind options
    need dpkg-buildflags=dpkg-dev dpkg-shlibdeps=dpkg-dev
    for kind in deb tgz; do
        options=(-DGECKO_MQTT_DEBIAN=OFF)
        if [ "$kind" = deb ]; then
            # Hardened as Debian's own.
            options=(-DGECKO_MQTT_DEBIAN=ON -DCMAKE_INSTALL_PREFIX=/usr
                "-DCMAKE_C_FLAGS=$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
                "-DCMAKE_EXE_LINKER_FLAGS=$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get LDFLAGS)")
        fi
        cmake -S "$root" -B "$root/build/package-$kind" -DCMAKE_BUILD_TYPE=Release \
            "-DGECKO_MQTT_CARGO_TARGET_DIR=$CARGO_TARGET_DIR" -DBUILD_TESTING=OFF -DGECKO_MQTT_BUILD_EXAMPLES=OFF "${options[@]}"
        cmake --build "$root/build/package-$kind"
        rm -rf "$root/build/package-$kind/packages"
        (cd "$root/build/package-$kind" && cpack -B packages)
    done
    tests/packages/run "$root/build/package-deb/packages" "$root/build/package-tgz/packages"
    tests/packages/recipes
}

step_extra() {
    local program
    for program in scripts/test.d/*; do
        if [ -f "$program" ] && [ -x "$program" ]; then
            printf -- '-- %s\n' "$program"
            "$program"
        fi
    done
}

# perhaps REASON COMMAND...: a command that ends with 77 where what it needs is not to be had.
perhaps() {
    local reason=$1 status=0
    shift
    "$@" || status=$?
    if [ "$status" -eq 77 ]; then
        skipped "$reason"
        return 0
    fi
    return "$status"
}

step_cross() {
    perhaps 'not every compiler could be had: the library was NOT tried on all of ARM and musl' scripts/cross
}

step_debian13() {
    perhaps "there is no Debian 13, and it could not be had: the library was NOT built with its Rust" scripts/debian13-test
}

# Where the tests that step secrets expects have run, it looks into what these left.
step_swift() {
    traced swift perhaps 'Swift 6 could not be had: the Swift binding was NOT tested' scripts/swift-test
    if [ -e "$traces/cargo_test/complete" ] && [ -e "$traces/ctest/complete" ] && [ -e "$traces/demo/complete" ]; then
        step_secrets
    fi
}
