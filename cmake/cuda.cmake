# The CUDA backend is optional: AUTO takes it where it can be built, ON insists, OFF leaves it out. This version has no
# CUDA kernels yet, so AUTO is OFF and ON is refused; cuda/unavailable.cpp answers for the backend.
set(IQA_CUDA AUTO CACHE STRING "CUDA backend: AUTO, ON or OFF")
set_property(CACHE IQA_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT IQA_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "IQA_CUDA is ${IQA_CUDA}; expected AUTO, ON or OFF")
endif()
if(IQA_CUDA STREQUAL "ON")
  message(FATAL_ERROR "IQA_CUDA=ON, but this version has no CUDA kernels; use AUTO or OFF")
endif()
set(IQA_HAVE_CUDA OFF)
message(STATUS "libiqa: CUDA backend: not built")
