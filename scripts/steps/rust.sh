# The steps that need Rust alone. Sourced by scripts/test.
# shellcheck shell=bash

step_fmt() {
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check
}

step_clippy() {
    cargo clippy --workspace --all-targets -- -D warnings
}

step_rustdoc() {
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items
}

step_cargo_test() {
    traced cargo_test cargo test --workspace
}

# The library alone: the simulator and the tests may need a newer Rust.
step_msrv() {
    local version toolchain=
    version=$(rust_version Cargo.toml)
    if have rustup; then
        toolchain=$(installed_toolchain "$version")
        if [ -z "$toolchain" ] && timeout 300 rustup toolchain install "$version" --profile minimal --no-self-update; then
            toolchain=$(installed_toolchain "$version")
        fi
    fi
    if [ -n "$toolchain" ]; then
        CARGO_TARGET_DIR="$CARGO_TARGET_DIR/msrv" RUSTFLAGS=-Dwarnings rustup run "$toolchain" cargo check --package gecko-mqtt --lib --locked
    elif [[ $(rustc --version) == "rustc $version."* ]]; then
        CARGO_TARGET_DIR="$CARGO_TARGET_DIR/msrv" RUSTFLAGS=-Dwarnings cargo check --package gecko-mqtt --lib --locked
    else
        skipped "Rust $version is not there and could not be installed: the library was NOT compiled with it"
    fi
}

# installed_toolchain VERSION: the name of one of that version, whatever its patch level.
installed_toolchain() {
    rustup toolchain list | sed -n "s/^\(${1//./\\.}\(\.[0-9]*\)\{0,1\}-[^ ]*\).*/\1/p" | head -n 1
}

# Needs no NDK: what C there is in the dependencies is not compiled, since nothing is linked.
step_android() {
    local target=aarch64-linux-android
    if ! compgen -G "$(rustc --print sysroot)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null &&
        ! { have rustup && timeout 300 rustup target add "$target"; }; then
        skipped "Rust's standard library for $target could not be had: the library was NOT compiled for Android"
        return 0
    fi
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/android" CC_aarch64_linux_android=true AR_aarch64_linux_android=true \
        cargo clippy --package gecko-mqtt --lib --locked --target "$target" -- -D warnings
}

# nightly_toolchain: the name of one that can compile this.
nightly_toolchain() {
    local oldest toolchain there libraries
    have rustup || return 0
    oldest=$(rust_version Cargo.toml)
    while read -r toolchain _; do
        there=$(rustc_version rustup run "$toolchain" 2>/dev/null) && at_least "$oldest" "$there" || continue
        libraries=$(rustup run "$toolchain" rustc --print target-libdir 2>/dev/null) || continue
        if compgen -G "$libraries/libstd-*.rlib" >/dev/null; then
            printf '%s\n' "$toolchain"
            return 0
        fi
    done < <(rustup toolchain list | grep '^nightly')
}

# Where there is none.
cargo_fuzz=0.13.2

# New inputs, findings and what the fuzzer says go to build/ and away: the repository stays as it is.
step_fuzz() {
    local seconds=${FUZZ_SECONDS:-20} tools="$CARGO_TARGET_DIR/tools" findings="$root/build/fuzz"
    local toolchain host target log input
    toolchain=$(nightly_toolchain)
    if [ -z "$toolchain" ]; then
        skipped "no nightly Rust is there: nothing was fuzzed (but cargo_test replays the corpus)"
        return 0
    fi
    PATH="$PATH:$tools/bin"
    if ! have cargo-fuzz && ! CARGO_TARGET_DIR="$tools" timeout 900 \
        cargo install cargo-fuzz --locked --version "$cargo_fuzz" --root "$tools"; then
        skipped "cargo-fuzz is not there and could not be installed: nothing was fuzzed"
        return 0
    fi
    # Without a sanitizer: the targets are safe Rust, which leaves it nothing to find, and run seven times as fast.
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz" rustup run "$toolchain" cargo fuzz build --sanitizer none
    host=$(rustup run "$toolchain" rustc -vV | sed -n 's/^host: //p')
    mkdir -p "$findings"
    for target in connection broker_url token; do
        log="$findings/$target.log"
        mkdir -p "$scratch/corpus/$target"
        if ! timeout --kill-after=10 "$((seconds + 120))" "$CARGO_TARGET_DIR/fuzz/$host/release/$target" \
            -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=1024 \
            -artifact_prefix="$findings/$target-" "$scratch/corpus/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" \
            >"$log" 2>&1; then
            tail -n 60 "$log" >&2
            input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
            printf '\nThe target %s did not survive this input; fuzz/README.md says what to do. Again:\n' "$target" >&2
            printf '    cargo +%s fuzz run --sanitizer none %s %s\n' "$toolchain" "$target" "${input:-INPUT}" >&2
            return 1
        fi
        printf '%s: %s\n' "$target" "$(tail -n 1 "$log")"
    done
}

# std_sources TOOLCHAIN: whether its standard library can be built, after an attempt to get its sources.
std_sources() {
    local sources
    sources="$(rustup run "$1" rustc --print sysroot)/lib/rustlib/src/rust/library"
    [ -d "$sources" ] || timeout 300 rustup component add rust-src --toolchain "$1" || true
    [ -d "$sources" ]
}
