# The CUDA backend is optional: AUTO takes it where a compiler is found, ON insists, OFF leaves it out. The answer is
# IQA_HAVE_CUDA. Without it cuda/unavailable.cpp stands in for the backend.
#
# CMAKE_CUDA_ARCHITECTURES, or CUDAARCHS in the environment, says for which GPUs. The default is machine code for every
# major architecture from 7.5 on, and PTX, from which drivers make that of later ones.
set(IQA_CUDA AUTO CACHE STRING "CUDA backend: AUTO, ON or OFF")
set_property(CACHE IQA_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT IQA_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "IQA_CUDA is ${IQA_CUDA}; expected AUTO, ON or OFF")
endif()
option(IQA_CUDA_RESOURCES "Print what registers and memory each kernel takes as it is compiled" OFF)
set(IQA_HAVE_CUDA OFF)

# Compilers are looked for in CUDACXX, on PATH and in /usr/local/cuda. The host compiler is the project's own.
macro(iqa_find_cuda)
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE) # an earlier search may have failed
    find_program(iqa_nvcc nvcc PATHS /usr/local/cuda/bin NO_CACHE)
    if(iqa_nvcc AND NOT DEFINED ENV{CUDACXX})
      set(ENV{CUDACXX} ${iqa_nvcc})
    endif()
    if(NOT DEFINED ENV{CUDAHOSTCXX} AND NOT DEFINED CMAKE_CUDA_HOST_COMPILER)
      set(ENV{CUDAHOSTCXX} ${CMAKE_CXX_COMPILER})
    endif()
    include(CheckLanguage)
    check_language(CUDA)
  endif()
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
      set(CMAKE_CUDA_ARCHITECTURES all-major)
    endif()
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake before 3.26 does not know that nvcc has it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    endif()
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
      set(iqa_cuda_problem "${CMAKE_CUDA_COMPILER} is of version ${CMAKE_CUDA_COMPILER_VERSION}, not 12.0 or newer")
    else()
      set(IQA_HAVE_CUDA ON)
      find_package(CUDAToolkit REQUIRED)
    endif()
    if(CMAKE_CUDA_ARCHITECTURES STREQUAL "all-major" AND CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13.0)
      set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90) # CUDA 12 has older ones too
    endif()
  else()
    set(iqa_cuda_problem "no CUDA compiler was found that works with ${CMAKE_CXX_COMPILER}")
  endif()
endmacro()

if(IQA_CUDA STREQUAL "OFF")
  set(iqa_cuda_problem "IQA_CUDA is OFF")
else()
  iqa_find_cuda()
endif()
if(IQA_HAVE_CUDA)
  list(JOIN CMAKE_CUDA_ARCHITECTURES ", " iqa_cuda_architectures)
  message(STATUS "libiqa: CUDA backend: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION}, "
    "architectures ${iqa_cuda_architectures}")
elseif(IQA_CUDA STREQUAL "ON")
  message(FATAL_ERROR "IQA_CUDA is ON, but ${iqa_cuda_problem}. Put nvcc on PATH, name it with -D "
    "CMAKE_CUDA_COMPILER=..., let scripts/cuda_toolkit.sh install one, or build with -D IQA_CUDA=OFF.")
else()
  message(STATUS "libiqa: CUDA backend: not built: ${iqa_cuda_problem}")
endif()

# What a target with CUDA sources is compiled with, beside what iqa_arithmetic says. C++ sources find CUDA's headers
# through CUDA::toolkit. The target that links the objects gets CUDA's runtime, as a static library.
function(iqa_configure_cuda target)
  # What nvcc makes of a file for the host compiler trips -Wpedantic, and has headers' functions as the file's own.
  set(host_warnings -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-unused-function)
  if(IQA_WERROR)
    set(werror -Werror=all-warnings)
  endif()
  if(IQA_CUDA_RESOURCES)
    set(resources "SHELL:-Xptxas -v")
  endif()
  list(JOIN host_warnings "," host_warnings)
  # Kernels may call constexpr functions of the host. Threads are for the architectures.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${host_warnings};--expt-relaxed-constexpr;--threads=2;${werror};${resources}>")
  set_target_properties(${target} PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
    CUDA_VISIBILITY_PRESET hidden CUDA_RUNTIME_LIBRARY Static)
endfunction()
