SUMMARY = "Keeps a device connected to AWS IoT Core over MQTT 5"
DESCRIPTION = "A C library that keeps a device connected to AWS IoT Core or another MQTT 5 server, and a tool that tells why a device does not connect."
SECTION = "libs"
# The library is Apache-2.0; the others are those of the crates that NOTICES.md lists, of each the one that was chosen.
LICENSE = "Apache-2.0 & MIT & ISC & BSD-3-Clause & Unicode-3.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57 \
                    file://NOTICES.md;md5=3238bb66d56d005ee0966beb1b25c424 \
"

# Where your copy is, and the commit of its tag: say it here, or in local.conf with SRCREV:pn-gecko-mqtt.
GECKO_MQTT_GIT ?= "git://git.example.org/libgecko_mqtt.git;protocol=https;branch=main"
SRC_URI = "${GECKO_MQTT_GIT}"
SRCREV ?= "0000000000000000000000000000000000000000"

# The crates of Cargo.lock, written by: bitbake -c update_crates gecko-mqtt
include gecko-mqtt-crates.inc

inherit cmake cargo_common cargo-update-recipe-crates

EXTRA_OECMAKE = "\
    -DGECKO_MQTT_CARGO=cargo \
    -DGECKO_MQTT_CARGO_TARGET=${RUST_HOST_SYS} \
    -DGECKO_MQTT_CARGO_TARGET_DIR=${B}/target \
    -DGECKO_MQTT_CARGO_IS_SET_UP=ON \
    -DGECKO_MQTT_BUILD_EXAMPLES=OFF \
    -DBUILD_TESTING=OFF \
"

do_configure() {
    cargo_common_do_configure
    cmake_do_configure
}

PACKAGES =+ "${PN}-tools"
FILES:${PN}-tools = "${bindir}/gecko-mqtt-doctor ${mandir}/man1/gecko-mqtt-doctor.1"
RRECOMMENDS:${PN} = "ca-certificates"
# Cargo strips it.
INSANE_SKIP:${PN} = "already-stripped"
