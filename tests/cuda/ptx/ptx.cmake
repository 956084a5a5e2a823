# The kernels as nvcc compiles them, on a machine that executes PTX. Only FID's products differ by architecture: of them
# there is the code for Turing, too.
add_library(iqa_ptx_90 OBJECT)
target_link_libraries(iqa_ptx_90 PRIVATE iqa_cuda_kernels)
add_library(iqa_ptx_75 OBJECT ${PROJECT_SOURCE_DIR}/cuda/features/moments.cu)
foreach(architecture 90 75)
  target_link_libraries(iqa_ptx_${architecture} PRIVATE iqa_arithmetic)
  target_include_directories(iqa_ptx_${architecture} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src
    ${PROJECT_SOURCE_DIR}/include)
  iqa_configure_cuda(iqa_ptx_${architecture})
  set_target_properties(iqa_ptx_${architecture} PROPERTIES
    CUDA_PTX_COMPILATION ON CUDA_ARCHITECTURES ${architecture}-virtual)
endforeach()

# The machine is fast where the compiler may use all that this computer has.
add_library(iqa_ptx_machine OBJECT
  cuda/ptx/arithmetic.cpp
  cuda/ptx/conversions.cpp
  cuda/ptx/device.cpp
  cuda/ptx/kernels.cpp
  cuda/ptx/memory.cpp
  cuda/ptx/program.cpp
  cuda/ptx/runtime.cpp
  cuda/ptx/shared_memory.cpp
  cuda/ptx/source.cpp
  cuda/ptx/warp.cpp
  cuda/ptx/warp_operations.cpp
  ${PROJECT_SOURCE_DIR}/cuda/machine/runtime.cpp)
target_link_libraries(iqa_ptx_machine PRIVATE iqa_arithmetic iqa_warnings CUDA::toolkit OpenMP::OpenMP_CXX)
target_include_directories(iqa_ptx_machine PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(iqa_ptx_machine PRIVATE -O3 -march=native -fno-math-errno -fno-trapping-math)
set_property(SOURCE cuda/ptx/device.cpp APPEND PROPERTY COMPILE_DEFINITIONS
  "IQA_PTX_FILES=\"$<JOIN:$<TARGET_OBJECTS:iqa_ptx_90>,:>:$<TARGET_OBJECTS:iqa_ptx_75>\"")

function(iqa_add_on_ptx name)
  add_executable(${name} ${ARGN} cuda/places/gpu.cpp $<TARGET_OBJECTS:iqa_objects> $<TARGET_OBJECTS:iqa_cuda_host>
    $<TARGET_OBJECTS:iqa_ptx_machine> $<TARGET_OBJECTS:iqa_tests_on_cpu>)
  target_link_libraries(${name} PRIVATE iqa_arithmetic iqa_warnings CUDA::toolkit OpenMP::OpenMP_CXX Threads::Threads)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  add_dependencies(${name} iqa_ptx_90 iqa_ptx_75)
endfunction()

iqa_add_on_ptx(test_ptx_cases cuda/ptx/test_cases.cpp cuda/ptx/test_machine.cpp cuda/ptx/test_mutations.cpp
  $<TARGET_OBJECTS:iqa_cases> $<TARGET_OBJECTS:iqa_test_main>)
target_link_libraries(test_ptx_cases PRIVATE iqa_test_main)
foreach(part IN ITEMS machine mutations ssim psnr confusion parts fid tables network)
  add_test(NAME ptx_${part} COMMAND test_ptx_cases "[${part}]")
  set_tests_properties(ptx_${part} PROPERTIES TIMEOUT ${iqa_test_limit} LABELS ptx)
endforeach()

# Prints what kernels issue, for those who change them.
iqa_add_on_ptx(ptx_count cuda/ptx/count.cpp)

# Requests as a fuzzer makes them.
iqa_add_on_ptx(ptx_requests cuda/ptx/requests.cpp ${PROJECT_SOURCE_DIR}/fuzz/device.cpp)
add_test(NAME ptx_requests COMMAND ptx_requests)
set_tests_properties(ptx_requests PROPERTIES TIMEOUT ${iqa_test_limit} LABELS ptx)

# What they issue for a pixel is on record.
iqa_add_on_ptx(test_ptx_slots cuda/ptx/test_slots.cpp cuda/cases/cases.cpp $<TARGET_OBJECTS:iqa_test_main>)
target_link_libraries(test_ptx_slots PRIVATE iqa_test_main)
add_test(NAME ptx_slots COMMAND test_ptx_slots)
set_tests_properties(ptx_slots PROPERTIES TIMEOUT ${iqa_test_limit} LABELS ptx)
