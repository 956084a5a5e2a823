# SPDX-License-Identifier: MIT
# Tests of the frame rather than of numbers: the header, the ABI, installed packages, statuses, memory, manners in
# somebody else's process, state files. Small C programs that end with 0 when all holds.
enable_language(C)
find_package(Threads REQUIRED)

set(frame_source ${CMAKE_CURRENT_LIST_DIR})
set(frame_include ${PROJECT_SOURCE_DIR}/include)

# A program of one source file; more arguments are libraries.
function(iqa_frame_program name source)
  add_executable(${name} ${frame_source}/${source})
  target_include_directories(${name} PRIVATE ${frame_source}/c ${frame_include})
  target_link_libraries(${name} PRIVATE iqa_warnings ${ARGN} Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
endfunction()

# The same, linked to the library and run without arguments.
function(iqa_frame_test name source)
  iqa_frame_program(${name} ${source} iqa_c)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()

add_test(NAME c_header_matrix COMMAND ${frame_source}/c/header_matrix.sh ${frame_include})
iqa_frame_test(c_layout c/layout.c)
iqa_frame_test(c_options c/options.c)
iqa_frame_test(c_lifecycle c/lifecycle.c)
iqa_frame_program(c_dlopen c/dlopen.c)
add_test(NAME c_dlopen COMMAND c_dlopen $<TARGET_FILE:iqa_c> ${frame_source}/abi/symbols.txt)
iqa_frame_test(c_statuses c/statuses.cpp)
iqa_frame_test(c_allocations c/allocations.c)

iqa_frame_test(manners_threads manners/threads.c)
set_target_properties(manners_threads PROPERTIES ENABLE_EXPORTS ON) # its pthread_create is the process's
iqa_frame_test(manners_fork manners/fork.c)
iqa_frame_test(manners_stacks manners/stacks.c)
iqa_frame_program(manners_unload manners/unload.c)
add_test(NAME manners_unload COMMAND manners_unload $<TARGET_FILE:iqa_c>)
iqa_frame_test(manners_runner manners/runner.c)
iqa_frame_test(manners_malloc manners/malloc.c)
set_target_properties(manners_malloc PROPERTIES ENABLE_EXPORTS ON)
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
