# What the scripts share. Sourced, never run: `set -euo pipefail` is in force and this file's folder is scripts/.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# One folder for cargo, whoever calls it.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR="$PWD/$CARGO_TARGET_DIR" ;; esac
# rustup's programs for shells that did not read its profile, and daemons such as mosquitto.
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin:/sbin"
cd "$root" || exit 1

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# as_root COMMAND...: only where that needs no password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    have apt-get && { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
}

# there NAME: a command, or with pkg: before it, a library that pkg-config knows, or a file with its whole path.
there() {
    case $1 in
        /*) [ -e "$1" ] ;;
        pkg:*) pkg-config --exists "${1#pkg:}" 2>/dev/null ;;
        *) have "$1" ;;
    esac
}

# need NAME=PACKAGE[,PACKAGE]...: installs the packages of what is missing, or says which they are and stops.
# Debian starts mosquitto's service when it is installed; nothing here minds, the tests take ports of their own.
need() {
    local pair packages missing=()
    for pair in "$@"; do
        if ! there "${pair%%=*}"; then
            IFS=, read -r -a packages <<<"${pair#*=}"
            missing+=("${packages[@]}")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    may_install || die "please install first: apt-get install ${missing[*]}"
    printf 'Installing: %s\n' "${missing[*]}"
    as_root apt-get update -q >/dev/null || printf 'apt-get update failed; trying with the lists that are there\n' >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" ||
        die "this failed, please see to it: apt-get install ${missing[*]}"
    for pair in "$@"; do
        there "${pair%%=*}" || die "${pair%%=*} is still missing after the installation of ${pair#*=}"
    done
}

# rust_version FILE: the rust-version that a Cargo.toml asks for.
rust_version() {
    sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$1"
}

# need_rust VERSION: cargo, and not older than that.
need_rust() {
    local how="install stable Rust: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    have cargo || die "cargo is not there; $how"
    local there
    there=$(rustc_version) || die "rustc does not run; $how"
    at_least "$1" "$there" || die "Rust $there is older than $1, which the simulator needs; rustup update stable, or $how"
}

# rustc_version [COMMAND...]: of the compiler that runs behind the command.
rustc_version() {
    local version
    version=$("$@" rustc --version) || return 1
    version=${version#rustc }
    printf '%s\n' "${version%%[ -]*}"
}

# at_least WANTED THERE: whether the second version is not older.
at_least() {
    [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# need_component NAME COMMAND...: a component of the toolchain, known by a command that runs.
need_component() {
    local name=$1
    shift
    if ! "$@" >/dev/null 2>&1; then
        have rustup || die "please install $name for this Rust"
        rustup component add "$name" || die "this failed, please see to it: rustup component add $name"
    fi
}

# skipped REASON: loud now, and again at the end of scripts/test.
skipped() {
    printf '\n!!! SKIPPED: %s\n\n' "$1"
    if [ -n "${GECKO_TEST_NOTES-}" ]; then
        printf '!!! SKIPPED: %s\n' "$1" >>"$GECKO_TEST_NOTES"
    fi
}

# with_simulator SIMULATOR COMMAND...: behind the command's arguments come the file with its broker URL, and that with its CA.
with_simulator() {
    local ready folder status=0 server_pid simulator=$1
    shift
    # It ends when its standard input does.
    coproc server { exec "$simulator" --stop-on-stdin-eof; }
    # shellcheck disable=SC2154 # bash sets it
    server_pid=$server_PID
    IFS= read -r -t 30 ready <&"${server[0]}" || die "the simulator did not become ready within 30 s"
    folder=${ready#* dir=}
    timeout 60 "$@" "$folder/broker-url.txt" "$folder/ca.pem" || status=$?
    kill "$server_pid"
    wait "$server_pid" 2>/dev/null || true
    [ "$status" -eq 0 ] || die "$* ended with status $status"
}

# make_tree FOLDER PACKAGES: Debian 13 with these, commas between them, in a folder of its own: complete, or not there.
make_tree() {
    if [ -e "$1/complete" ]; then return 0; fi
    [ "$(id -u)" -eq 0 ] || return 1
    (need debootstrap=debootstrap) || return 1
    printf 'Fetching Debian 13 with %s into %s ...\n' "$2" "$1"
    rm -rf "$1"
    mkdir -p "$1"
    if ! debootstrap --variant=minbase "--include=$2" trixie "$1" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$1.log" 2>&1; then
        tail -n 5 "$1.log" >&2
        return 1
    fi
    printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
    touch "$1/complete"
}

# The tree that packages are installed in and the library is compiled in, with all that both need.
debian13_tree=${GECKO_DEBIAN13_TREE:-$root/build/debian13/tree}
# shellcheck disable=SC2034 # for those that source this
debian13_packages=cargo,rustc,gcc,g++,libc6-dev,make,cmake,pkgconf,mosquitto,ca-certificates

# What else of this machine is seen in the trees, besides this repository and cargo's folder.
tree_folders=()

# in_tree FOLDER COMMAND...: as if the tree were this machine's. What is mounted for that is seen by no other process, and gone
# with this one.
in_tree() {
    local tree=$1 folders=("$root" "$CARGO_TARGET_DIR" "${tree_folders[@]}")
    shift
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --propagation private bash -euc '
        tree=$1 work=$2 count=$3
        shift 3
        mount -t proc proc "$tree/proc"
        mount --bind /dev "$tree/dev"
        for folder in "${@:1:count}"; do
            mkdir -p "$tree$folder"
            mount --bind "$folder" "$tree$folder"
        done
        exec chroot "$tree" /usr/bin/env -C "$work" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "${@:count+1}"' \
        _ "$tree" "$root" "${#folders[@]}" "${folders[@]}" "$@"
}
