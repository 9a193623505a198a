# What `cmake --install` lays down: the program, the library with its headers, pkg-config and CMake
# descriptions, configurations, a systemd unit, docs.
include(CMakePackageConfigHelpers)

# All rooms but the command line in one archive, for programs that embed the engine.
get_property(rooms GLOBAL PROPERTY CM_ROOMS)
list(REMOVE_ITEM rooms cli)
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:cm_\\1>" OUTPUT_VARIABLE room_objects)
add_library(callmill_library STATIC ${room_objects})
set_target_properties(callmill_library PROPERTIES OUTPUT_NAME callmill LINKER_LANGUAGE C)
install(TARGETS callmill_library ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/callmill DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# A static library's own needs: the same list for pkg-config and for CMake.
# Its paths hang on its own place, so an installation may be moved as a whole.
file(RELATIVE_PATH CM_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
set(CM_PC_REQUIRES "rdkafka liburing hiredis libxxhash yaml-0.1 zlib snappy liblz4 libzstd libcrypto libmicrohttpd")
configure_file(scripts/cmake/callmill.pc.in callmill.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/callmill.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(scripts/cmake/callmill-config.cmake.in callmill-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/callmill
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(callmill-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/callmill-config.cmake ${CMAKE_BINARY_DIR}/callmill-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/callmill)

# Filled in while installing: only then is the prefix certain.
install(CODE "
  set(CM_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(CM_DOCDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
  configure_file(\"${CMAKE_SOURCE_DIR}/configs/callmill.service\" \"${CMAKE_BINARY_DIR}/callmill.service\" @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/callmill.service DESTINATION lib/systemd/system)
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/callmill
  PATTERN "*.service" EXCLUDE)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
