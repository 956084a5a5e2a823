# Kernels are written once and compiled for each instruction set.
set(iqa_instruction_sets baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND iqa_instruction_sets avx2 avx512 avx512_vnni)
endif()
# Kernels are written for the vectoriser; no flag changes a result.
set(iqa_flags_baseline -O3 -fno-math-errno -fno-trapping-math)
set(iqa_flags_avx2 ${iqa_flags_baseline} -mavx2 -mfma)
set(iqa_flags_avx512 ${iqa_flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # its own intrinsics trip them (GCC bug 105593)
  list(APPEND iqa_flags_avx512 -Wno-maybe-uninitialized -Wno-uninitialized)
endif()
set(iqa_flags_avx512_vnni ${iqa_flags_avx512} -mavx512vnni)
set(iqa_flags_avx512_amx ${iqa_flags_avx512} -mamx-tile -mamx-int8)

# Compilers and assemblers before 2020 have no AMX.
if("avx512" IN_LIST iqa_instruction_sets)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS "-mamx-tile -mamx-int8")
  check_cxx_source_compiles([[int main() { __asm__ volatile("tdpbssd %tmm6, %tmm4, %tmm0"); }]] IQA_HAVE_AMX)
  unset(CMAKE_REQUIRED_FLAGS)
  if(IQA_HAVE_AMX)
    list(APPEND iqa_instruction_sets avx512_amx)
  endif()
endif()

# Adds a family's kernels to the library: of the calling folder the files with the names of instruction sets.
function(iqa_add_kernels)
  foreach(set IN LISTS iqa_instruction_sets)
    set(source ${CMAKE_CURRENT_SOURCE_DIR}/${set}.cpp)
    if(EXISTS ${source})
      target_sources(iqa_objects PRIVATE ${source})
      set_source_files_properties(${source} TARGET_DIRECTORY iqa_objects PROPERTIES
        COMPILE_OPTIONS "${iqa_flags_${set}}")
    endif()
  endforeach()
endfunction()
