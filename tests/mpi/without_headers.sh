#!/bin/sh
# SPDX-License-Identifier: MIT
# Configures where MPI's programs are installed without its headers: a wrapper that names a folder which is not there.
# Arguments: CMake, the directory of this file, an empty directory to work in.
set -eu
cmake=$1
source=$2
work=$3
rm -rf "$work"
mkdir -p "$work/bin"
printf '#!/bin/sh\ncase $1 in -show*) echo -I/nowhere/include ;; *) exec cc "$@" ;; esac\n' > "$work/bin/mpicc"
chmod +x "$work/bin/mpicc"
cat > "$work/CMakeLists.txt" << END
cmake_minimum_required(VERSION 3.25)
project(without_headers C)
include($source/find.cmake)
END
PATH=$work/bin:$PATH "$cmake" -S "$work" -B "$work/build" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
grep "No MPI tests: $work/bin/mpicc does not find mpi.h" "$work/log" || { cat "$work/log"; exit 1; }
