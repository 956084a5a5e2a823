# SPDX-License-Identifier: MIT
# Tests of the frame rather than of numbers: the header, the ABI, installed packages, statuses, memory, manners in
# somebody else's process, state files. Small C programs that end with 0 when all holds.
enable_language(C)
find_package(Threads REQUIRED)

set(frame_source ${CMAKE_CURRENT_LIST_DIR})
set(frame_include ${PROJECT_SOURCE_DIR}/include)
set(patience 600) # in seconds, for what hangs: sanitizers and busy machines take long

# A program of one source file; more arguments are libraries.
function(iqa_frame_program name source)
  add_executable(${name} ${frame_source}/${source})
  target_include_directories(${name} PRIVATE ${frame_source}/c ${frame_include})
  target_link_libraries(${name} PRIVATE iqa_warnings ${ARGN} Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
  if(IQA_SANITIZE) # the runtime of clang's is that of C++, as the library's
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  endif()
endfunction()

# The same, linked to the library and run without arguments.
function(iqa_frame_test name source)
  iqa_frame_program(${name} ${source} iqa_c)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${patience})
endfunction()

add_test(NAME c_header_matrix COMMAND ${frame_source}/c/header_matrix.sh ${frame_include})
iqa_frame_test(c_layout c/layout.c)
iqa_frame_test(c_options c/options.c)
iqa_frame_test(c_lifecycle c/lifecycle.c)
iqa_frame_program(c_dlopen c/dlopen.c)
add_test(NAME c_dlopen COMMAND c_dlopen $<TARGET_FILE:iqa_c> ${frame_source}/abi/symbols.txt)
iqa_frame_test(c_statuses c/statuses.cpp)
iqa_frame_test(c_allocations c/allocations.c)
iqa_frame_program(option_reference docs/option_reference.c iqa_c)
target_link_libraries(option_reference PRIVATE m)
add_test(NAME c_option_reference COMMAND option_reference ${PROJECT_SOURCE_DIR}/docs/reference/options.md)

iqa_frame_test(manners_fork manners/fork.c)
# In a child, what the parent's other threads held counts as lost; after dlclose() the search for what is lost fails.
if(IQA_SANITIZE)
  set_tests_properties(manners_fork c_dlopen PROPERTIES ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
endif()
# Sanitizers have larger frames, memory that grows and a malloc of their own, and clang's OpenMP runtime, with which they
# are built, ends processes for numbers of threads that are none, and keeps threads: those five are for plain builds.
if(NOT IQA_SANITIZE)
  iqa_frame_test(manners_threads manners/threads.c)
  set_target_properties(manners_threads PROPERTIES ENABLE_EXPORTS ON) # its pthread_create is the process's
  iqa_frame_test(manners_thread_limits manners/thread_limits.c)
  iqa_frame_test(manners_stacks manners/stacks.c)
  iqa_frame_program(manners_unload manners/unload.c)
  add_test(NAME manners_unload COMMAND manners_unload $<TARGET_FILE:iqa_c>)
  iqa_frame_test(manners_malloc manners/malloc.c)
  set_target_properties(manners_malloc PROPERTIES ENABLE_EXPORTS ON)
endif()
iqa_frame_test(manners_runner manners/runner.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  iqa_frame_test(manners_floating_point manners/floating_point.c)
  target_link_libraries(manners_floating_point PRIVATE m)
endif()

# A locale with a decimal comma, made here so that the machine needs none.
find_program(localedef localedef REQUIRED)
set(locale_directory ${CMAKE_CURRENT_BINARY_DIR}/locales)
add_custom_command(OUTPUT ${locale_directory}/de_DE.utf8/LC_NUMERIC
  COMMAND ${CMAKE_COMMAND} -E make_directory ${locale_directory}
  COMMAND ${localedef} -i de_DE -f UTF-8 ${locale_directory}/de_DE.utf8)
add_custom_target(decimal_comma ALL DEPENDS ${locale_directory}/de_DE.utf8/LC_NUMERIC)
iqa_frame_program(manners_environment manners/environment.c iqa_c)
add_test(NAME manners_environment COMMAND manners_environment de_DE.utf8)
set_tests_properties(manners_environment PROPERTIES ENVIRONMENT LOCPATH=${locale_directory})

iqa_frame_program(c_state c/state.c iqa_c)
target_link_libraries(c_state PRIVATE m)
add_test(NAME c_state COMMAND c_state ${frame_source}/golden)
iqa_frame_test(c_fingerprint c/fingerprint.c)
iqa_frame_test(c_extremes c/extremes.c)
iqa_frame_test(c_limits c/limits.c)
iqa_frame_test(manners_exit manners/exit.c)
iqa_frame_test(manners_storm manners/storm.c)

# A second copy, and a stranger with the same exports.
set(stranger_source ${CMAKE_CURRENT_BINARY_DIR}/stranger.c)
file(STRINGS abi/symbols.txt symbols)
set(stranger_text "")
foreach(symbol IN LISTS symbols)
  string(APPEND stranger_text "int ${symbol}(void) { return -77; }\n")
endforeach()
file(CONFIGURE OUTPUT ${stranger_source} CONTENT "${stranger_text}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS abi/symbols.txt)
add_library(stranger SHARED ${stranger_source})
set(copy_of_library ${CMAKE_CURRENT_BINARY_DIR}/copy/libiqa_c.so)
add_custom_command(OUTPUT ${copy_of_library} DEPENDS iqa_c
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:iqa_c> ${copy_of_library})
add_custom_target(copy_of_library ALL DEPENDS ${copy_of_library})
iqa_frame_program(manners_copies manners/copies.c)
add_test(NAME manners_copies COMMAND manners_copies $<TARGET_FILE:iqa_c> ${copy_of_library} $<TARGET_FILE:stranger>)

# The host's OpenMP: the same runtime as the library's, under every setting that changes how many threads there are.
find_package(OpenMP REQUIRED COMPONENTS C)
iqa_frame_test(manners_host_openmp manners/host_openmp.c)
target_link_libraries(manners_host_openmp PRIVATE OpenMP::OpenMP_C)
foreach(setting OMP_THREAD_LIMIT=1 OMP_THREAD_LIMIT=3 OMP_DYNAMIC=true OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
    OMP_MAX_ACTIVE_LEVELS=4)
  add_test(NAME manners_${setting} COMMAND manners_host_openmp)
  set_tests_properties(manners_${setting} PROPERTIES ENVIRONMENT ${setting})
endforeach()
# Another runtime than the library's, clang's, which is loaded before the library or after it.
find_program(clang clang)
find_library(libomp NAMES omp HINTS /usr/lib/llvm-14/lib)
if(clang AND libomp AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT IQA_SANITIZE)
  foreach(source host_openmp fork)
    foreach(order first last)
      set(name manners_libomp_${order}_${source})
      set(program ${CMAKE_CURRENT_BINARY_DIR}/libomp/${source}_${order})
      set(libraries ${libomp} $<TARGET_FILE:iqa_c>)
      if(order STREQUAL "last")
        list(REVERSE libraries)
      endif()
      add_custom_command(OUTPUT ${program} VERBATIM
        DEPENDS iqa_c manners/${source}.c c/scenario.h c/check.h
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/libomp
        COMMAND ${clang} -std=gnu11 -O1 -fopenmp=libomp -I ${frame_source}/c -I ${frame_include}
          ${frame_source}/manners/${source}.c -o ${program} -Wl,--no-as-needed ${libraries}
          -Wl,-rpath,$<TARGET_FILE_DIR:iqa_c> -pthread)
      add_custom_target(${name} ALL DEPENDS ${program})
      add_test(NAME ${name} COMMAND ${program})
      set_tests_properties(${name} PROPERTIES TIMEOUT ${patience})
    endforeach()
  endforeach()
  # It serves the library in either order. So it does where a program of gcc has it preloaded; and here each has its own.
  add_test(NAME manners_libomp_preloaded_fork COMMAND manners_fork)
  set_tests_properties(manners_libomp_preloaded_fork PROPERTIES TIMEOUT ${patience} ENVIRONMENT LD_PRELOAD=${libomp})
  add_test(NAME manners_libomp_beside_fork COMMAND ${CMAKE_CURRENT_BINARY_DIR}/libomp/fork_first)
  set_tests_properties(manners_libomp_beside_fork PROPERTIES TIMEOUT ${patience} ENVIRONMENT LD_PRELOAD=libgomp.so.1)
endif()

find_program(valgrind valgrind)
if(valgrind AND NOT IQA_SANITIZE)
  foreach(program c_layout c_statuses)
    add_test(NAME valgrind_${program} COMMAND ${valgrind} --quiet --error-exitcode=1 --leak-check=full
      --errors-for-leak-kinds=definite $<TARGET_FILE:${program}>)
    set_tests_properties(valgrind_${program} PROPERTIES ENVIRONMENT IQA_ISA=avx2 TIMEOUT ${patience})
  endforeach()
  # Instructions that paths of the library take, which neither the machine nor its load changes.
  find_package(Python3 COMPONENTS Interpreter)
  if(Python3_FOUND)
    iqa_frame_program(instructions_paths instructions/paths.c iqa_c)
    string(STRIP "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS}" build)
    set(count_instructions ${Python3_EXECUTABLE} ${frame_source}/instructions/check.py --valgrind ${valgrind}
      --program $<TARGET_FILE:instructions_paths> --build ${build})
    add_test(NAME instructions COMMAND ${count_instructions})
    set_tests_properties(instructions PROPERTIES LABELS instructions SKIP_RETURN_CODE 77 TIMEOUT ${patience})
    add_custom_target(instruction_counts COMMAND ${count_instructions} --write VERBATIM)
  endif()
endif()

if(NOT IQA_SANITIZE)
  include(mpi/find.cmake)
  if(MPI_C_FOUND)
    iqa_frame_program(mpi_lanes mpi/lanes.c iqa_c MPI::MPI_C)
    add_test(NAME mpi_lanes COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n 4
      $<TARGET_FILE:mpi_lanes>)
  endif()
  add_test(NAME mpi_without_headers COMMAND ${frame_source}/mpi/without_headers.sh ${CMAKE_COMMAND} ${frame_source}/mpi
    ${CMAKE_CURRENT_BINARY_DIR}/mpi_without_headers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    if(IQA_HAVE_CUDA)
      set(abi_runtime $<TARGET_FILE:CUDA::cudart_static> $<TARGET_OBJECTS:iqa_objects> $<TARGET_OBJECTS:iqa_device>
        $<TARGET_OBJECTS:iqa_cuda_host>)
    endif()
    add_test(NAME abi_library COMMAND ${frame_source}/abi/check_library.sh $<TARGET_FILE:iqa_c>
      $<TARGET_SONAME_FILE_NAME:iqa_c> ${abi_runtime} COMMAND_EXPAND_LISTS)
  endif()
  add_test(NAME consumer COMMAND ${frame_source}/consumer/consume.sh ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR}
    ${CMAKE_CURRENT_BINARY_DIR}/consumer)
  add_library(iqa_c_archive STATIC $<TARGET_OBJECTS:iqa_objects> ${iqa_device_objects})
  add_test(NAME consumer_static COMMAND ${frame_source}/consumer/static.sh ${CMAKE_COMMAND} ${PROJECT_SOURCE_DIR}
    $<TARGET_FILE:iqa_c_archive> ${IQA_HAVE_CUDA} ${CMAKE_CURRENT_BINARY_DIR}/consumer_static)
endif()
