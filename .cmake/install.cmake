# cmake --install: headers, the library, and a package without dependencies.

include(CMakePackageConfigHelpers)

set(kiln_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/kiln")
install(TARGETS kiln EXPORT kilnTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/frontend/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/kiln")
include(documents)
install(EXPORT kilnTargets NAMESPACE kiln:: DESTINATION "${kiln_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/.cmake/kilnConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/generated/kilnConfig.cmake" INSTALL_DESTINATION "${kiln_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/generated/kilnConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/generated/kilnConfig.cmake"
  "${PROJECT_BINARY_DIR}/generated/kilnConfigVersion.cmake"
  DESTINATION "${kiln_package_dir}")
