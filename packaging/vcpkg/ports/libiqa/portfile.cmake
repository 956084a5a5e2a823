# vcpkg install libiqa --overlay-ports=packaging/vcpkg/ports    The sources are those that the port lies in; a port in a
# registry has vcpkg_from_... with the archive and its checksum in their place.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES cuda IQA_CUDA tools IQA_BUILD_TOOLS)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  set(shared OFF)
else()
  set(shared ON)
endif()
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS ${features} -DIQA_BUILD_TESTS=OFF -DBUILD_SHARED_LIBS=${shared})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME iqa_c CONFIG_PATH lib/cmake/iqa_c)
vcpkg_fixup_pkgconfig()
if("tools" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES iqa AUTO_CLEAN)
endif()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
