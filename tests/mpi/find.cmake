# SPDX-License-Identifier: MIT
# MPI_C_FOUND, and why not. FindMPI ends configuring where a wrapper names folders that are not there: MPI's programs are
# often installed without its headers. So the wrapper is asked first.
set(MPI_C_FOUND FALSE)
find_program(mpicc mpicc)
if(mpicc)
  execute_process(COMMAND ${mpicc} -fsyntax-only -include mpi.h -x c /dev/null OUTPUT_QUIET ERROR_QUIET
    RESULT_VARIABLE without_headers)
endif()
if(mpicc AND without_headers)
  message(STATUS "No MPI tests: ${mpicc} does not find mpi.h")
else()
  find_package(MPI COMPONENTS C)
  if(NOT MPI_C_FOUND)
    message(STATUS "No MPI tests: MPI was not found")
  endif()
endif()
