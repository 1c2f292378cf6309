################################################################################
#
# gecko-mqtt
#
################################################################################

GECKO_MQTT_VERSION = v0.1.0
GECKO_MQTT_SITE = $(call qstrip,$(BR2_PACKAGE_GECKO_MQTT_SITE))
GECKO_MQTT_SITE_METHOD = git
GECKO_MQTT_LICENSE = Apache-2.0, MIT, ISC, BSD-3-Clause, Unicode-3.0 (crates: NOTICES.md)
GECKO_MQTT_LICENSE_FILES = LICENSE NOTICES.md
GECKO_MQTT_INSTALL_STAGING = YES

# As cargo-package does it: the crates are vendored with the download.
GECKO_MQTT_DEPENDENCIES = host-rustc
GECKO_MQTT_DOWNLOAD_DEPENDENCIES = host-rustc
GECKO_MQTT_DOWNLOAD_POST_PROCESS = cargo
GECKO_MQTT_DL_ENV = CARGO_HOME=$(BR_CARGO_HOME)
GECKO_MQTT_MAKE_ENV = $(PKG_CARGO_ENV)

GECKO_MQTT_CONF_OPTS = \
	-DGECKO_MQTT_CARGO=$(HOST_DIR)/bin/cargo \
	-DGECKO_MQTT_CARGO_TARGET=$(RUSTC_TARGET_NAME) \
	-DGECKO_MQTT_CARGO_TARGET_DIR=$(@D)/target \
	-DGECKO_MQTT_BUILD_EXAMPLES=OFF \
	-DBUILD_TESTING=OFF

ifeq ($(BR2_PACKAGE_GECKO_MQTT_DOCTOR),y)
GECKO_MQTT_CONF_OPTS += -DGECKO_MQTT_BUILD_DOCTOR=ON
else
GECKO_MQTT_CONF_OPTS += -DGECKO_MQTT_BUILD_DOCTOR=OFF
endif

$(eval $(cmake-package))
