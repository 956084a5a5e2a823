# SPDX-License-Identifier: MIT
"""conan create packaging/conan --build=missing."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.gnu import PkgConfigDeps


class LibiqaConan(ConanFile):
    name = "libiqa"
    license = "MIT"
    author = "The libiqa authors"
    description = "Image-quality and segmentation metrics with the same bits everywhere"
    topics = ("image-quality", "ssim", "psnr", "fid", "segmentation")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "tools": [True, False], "cuda": [True, False]}
    default_options = {"shared": True, "tools": True, "cuda": False}
    sources = (
        "CMakeLists.txt", "LICENSE", "include/*", "src/*", "cuda/*", "cmake/*", "tools/*", "bindings/cpp/*",
    )

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "..", "..", "include", "iqa_c.h"))
        numbers = re.findall(r"#define IQA_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header)
        self.version = ".".join(numbers)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in self.sources:
            copy(self, pattern, root, self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        if self.options.tools:
            self.requires("libpng/[>=1.6 <2]")
            self.requires("libjpeg-turbo/[>=2.1 <4]")
            self.requires("libtiff/[>=4.3 <5]", options={"jpeg": "libjpeg-turbo"})
            self.requires("libzip/[>=1.7 <2]")

    def build_requirements(self):
        self.test_requires("eigen/[>=3.4 <4]")
        if self.options.tools:
            self.test_requires("cli11/[>=2.1 <3]")
            self.test_requires("nlohmann_json/[>=3.10 <4]")
            self.tool_requires("pkgconf/[>=2.0 <3]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["IQA_BUILD_TESTS"] = False
        toolchain.cache_variables["IQA_BUILD_TOOLS"] = "ON" if self.options.tools else "OFF"
        toolchain.cache_variables["IQA_CUDA"] = "ON" if self.options.cuda else "OFF"
        toolchain.generate()
        CMakeDeps(self).generate()
        PkgConfigDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["iqa_c"]
        self.cpp_info.set_property("cmake_file_name", "iqa_c")
        self.cpp_info.set_property("cmake_target_name", "iqa::iqa_c")
        self.cpp_info.set_property("pkg_config_name", "iqa_c")
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread", "m", "dl", "rt", "gomp"]
