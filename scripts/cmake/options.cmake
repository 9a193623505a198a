# One interface target carries warnings, hardening and sanitizers; every room links it privately.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0)
pkg_check_modules(LIBURING REQUIRED IMPORTED_TARGET liburing>=2.3)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(SNAPPY REQUIRED IMPORTED_TARGET snappy)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4.5)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
if(CM_TESTS)
  pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()

add_library(cm_options INTERFACE)
target_compile_definitions(cm_options INTERFACE _GNU_SOURCE CM_VERSION="${PROJECT_VERSION}")
target_compile_options(cm_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wcast-qual -Wvla -Wformat=2 -Wundef -Wimplicit-fallthrough
  -Wdouble-promotion -Wwrite-strings -Wpointer-arith
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CM_WERROR)
  target_compile_options(cm_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(cm_options INTERFACE -O1)
endif()
if(CM_SANITIZE)
  target_compile_options(cm_options INTERFACE -fsanitize=${CM_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(cm_options INTERFACE -fsanitize=${CM_SANITIZE})
endif()
# NDEBUG never: asserts stay in release.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
