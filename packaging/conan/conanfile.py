"""conan create packaging/conan: the library of this checkout. cargo comes from the machine, crates from where cargo has them."""

import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class GeckoMqtt(ConanFile):
    name = "gecko-mqtt"
    description = "Keeps a device connected to AWS IoT Core over MQTT 5"
    license = "Apache-2.0"
    settings = "os", "arch", "compiler", "build_type"
    # Both libraries are in it; GeckoMqtt::gecko_mqtt_static is the other one.
    package_type = "shared-library"

    def set_version(self):
        cargo = load(self, os.path.join(self.recipe_folder, "..", "..", "Cargo.toml"))
        self.version = re.search(r'^version = "(.*)"$', cargo, re.MULTILINE).group(1)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("Cargo.*", "CMakeLists.txt", "LICENSE", "NOTICES.md", "build.rs", "src/*", "include/*", "sim/*",
                        "benches/*", "examples/*", "doctor/*", "c-examples/common.*", "cmake/*"):
            copy(self, pattern, root, self.export_sources_folder, excludes=("*/target/*",))

    def configure(self):
        # The boundary is C.
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["GECKO_MQTT_CARGO_TARGET_DIR"] = os.path.join(self.build_folder, "target")
        toolchain.cache_variables["CMAKE_INSTALL_LIBDIR"] = "lib"
        toolchain.cache_variables["GECKO_MQTT_BUILD_EXAMPLES"] = False
        toolchain.cache_variables["BUILD_TESTING"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # CMake finds the library's own package, with both of its targets.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "GeckoMqtt")]
        self.cpp_info.set_property("pkg_config_name", "gecko_mqtt")
        self.cpp_info.libs = ["gecko_mqtt"]
