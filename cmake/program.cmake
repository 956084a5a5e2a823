# What the program iqa is made of, beside the library: libpng, libjpeg-turbo and libtiff 4.3 read pictures, libzip reads
# .npz files. IQA_BUILD_TOOLS is ON (insists), OFF, or AUTO: where all of it is found. The answer is IQA_HAVE_PROGRAM, and
# IQA_PROGRAM_LACKS says what was not found.
if(NOT IQA_BUILD_TOOLS MATCHES "^(AUTO|ON|OFF|TRUE|FALSE|1|0)$")
  message(FATAL_ERROR "IQA_BUILD_TOOLS is ${IQA_BUILD_TOOLS}; expected AUTO, ON or OFF")
endif()
set(IQA_HAVE_PROGRAM OFF)
set(IQA_PROGRAM_LACKS "IQA_BUILD_TOOLS is OFF")
if(NOT IQA_BUILD_TOOLS)
  return()
endif()

find_package(PNG QUIET)
find_package(JPEG QUIET)
find_package(TIFF 4.3 QUIET)
find_package(CLI11 2.1 QUIET)
find_package(nlohmann_json 3.10 QUIET)
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND) # libzip's own CMake files ask for its tools, which Debian packages apart
  pkg_check_modules(LIBZIP QUIET IMPORTED_TARGET libzip>=1.7)
endif()
set(iqa_lacks)
foreach(needed IN ITEMS PNG_FOUND:libpng JPEG_FOUND:libjpeg "TIFF_FOUND:libtiff 4.3" "LIBZIP_FOUND:libzip 1.7 (by pkg-config)"
    "CLI11_FOUND:CLI11 2.1" "nlohmann_json_FOUND:nlohmann_json 3.10")
  string(REGEX MATCH "^([^:]*):(.*)$" _ "${needed}")
  set(found ${CMAKE_MATCH_1})
  if(NOT ${found})
    list(APPEND iqa_lacks "${CMAKE_MATCH_2}")
  endif()
endforeach()
list(JOIN iqa_lacks ", " IQA_PROGRAM_LACKS)
if(NOT iqa_lacks)
  set(IQA_HAVE_PROGRAM ON)
elseif(IQA_BUILD_TOOLS STREQUAL "AUTO")
  message(STATUS "libiqa: program iqa: not built; missing: ${IQA_PROGRAM_LACKS}")
else()
  message(FATAL_ERROR "The program iqa needs ${IQA_PROGRAM_LACKS}. On Debian: apt install pkg-config libpng-dev "
    "libjpeg-dev libtiff-dev libzip-dev libcli11-dev nlohmann-json3-dev. Or build without it: -D IQA_BUILD_TOOLS=OFF")
endif()
