#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# check_install.sh SOURCE BUILD CC: installs BUILD into a scratch folder, moves that folder, and builds and
# runs install_consumer.c with what pkg-config says there, then with CMake's find_package.
set -euo pipefail
source=$1 build=$2 cc=$3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
    printf 'check_install: %s\n' "$*" >&2
    exit 1
}

# An environment that points elsewhere is not this test's business.
unset CALLMILL_WINDOWS CALLMILL_PERIODS CALLMILL_ROSTER CALLMILL_CENTRE DESTDIR
cmake --install "$build" --prefix "$scratch/first" >"$scratch/install.log" 2>&1 || {
    cat "$scratch/install.log" >&2
    fail "cmake --install failed"
}
mv "$scratch/first" "$scratch/prefix"
prefix=$scratch/prefix

for file in bin/callmill include/callmill/callmill.h share/callmill/callmill.yaml \
    lib/systemd/system/callmill.service share/doc/callmill/settings.md share/doc/callmill/LICENSE; do
    [[ -s $prefix/$file ]] || fail "$file was not installed"
done
grep -q "^ExecStart=$scratch/first/bin/callmill run " "$prefix/lib/systemd/system/callmill.service" ||
    fail "callmill.service does not start the installed program"
"$prefix/bin/callmill" --version >/dev/null || fail "the installed program does not run"
"$prefix/bin/callmill" check -c "$prefix/share/callmill/callmill.yaml" >/dev/null ||
    fail "the installed example configuration has mistakes"

expect() {
    local rows
    rows=$("$1") || fail "$1 failed"
    grep -q '"kind":"seat","id":"s1","window":"5m","offered":1,"answered":1,' <<<"$rows" ||
        fail "$1 printed: $rows"
    [[ $(wc -l <<<"$rows") -eq 2 ]] || fail "$1 printed other rows than seat and centre: $rows"
}

pc=$(find "$prefix" -name callmill.pc)
export PKG_CONFIG_PATH=${pc%/*}
read -ra flags < <(pkg-config --cflags --libs callmill)
"$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/install_consumer.c" -o "$scratch/consumer" \
    "${flags[@]}"
expect "$scratch/consumer"

# The header is C++ as well, where there is a C++ compiler.
if command -v c++ >/dev/null; then
    printf '#include <callmill/callmill.h>\nint main() { return cm_engine_error() == nullptr; }\n' \
        >"$scratch/consumer.cpp"
    c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" "$scratch/consumer.cpp"
fi

mkdir "$scratch/project"
cat >"$scratch/project/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(callmill 0.1 REQUIRED)
add_executable(consumer $source/tests/install/install_consumer.c)
target_link_libraries(consumer PRIVATE callmill::callmill)
CMAKE
{
    cmake -S "$scratch/project" -B "$scratch/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$scratch/build"
} >"$scratch/cmake.log" 2>&1 || {
    cat "$scratch/cmake.log" >&2
    fail "find_package(callmill) failed"
}
expect "$scratch/build/consumer"
