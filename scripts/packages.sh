#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages that the project needs, and a way to install those that are missing. To be sourced:
#     . scripts/packages.sh
#     install_packages $iqa_packages_build

# The library and the command-line program.
# shellcheck disable=SC2034 # for the scripts that source this file
iqa_packages_build="cmake ninja-build g++ pkg-config libeigen3-dev libpng-dev libjpeg-dev libtiff-dev libzip-dev libcli11-dev
    nlohmann-json3-dev"

# What the tests need beyond that: peers in C, sanitizers, fuzzing, style.
# shellcheck disable=SC2034
iqa_packages_test="ccache catch2 libdlpack-dev clang clang-format clang-tidy libclang-rt-14-dev libomp-dev valgrind
    ffmpeg libopenmpi-dev openmpi-bin locales python3-venv"

# What scripts/aarch64.sh needs.
# shellcheck disable=SC2034
iqa_packages_aarch64="catch2 g++-aarch64-linux-gnu qemu-user-static"

# Installs those of its arguments that are missing; does nothing, and needs no rights, when none is.
install_packages() {
    missing=""
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "Installing:$missing"
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo > /dev/null || {
            echo "These packages are missing, and neither root nor sudo is at hand:$missing" >&2
            return 1
        }
        as_root=sudo
    fi
    $as_root apt-get update -q
    # shellcheck disable=SC2086 # names of packages hold no spaces
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}
