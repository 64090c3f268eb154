# The folders combined: the shared library `kiln` for users, the archive `kiln_internal` for tests.

set(kiln_folders ir passes codegen runtime frontend)
set(kiln_objects "")
foreach(folder IN LISTS kiln_folders)
  list(APPEND kiln_objects $<TARGET_OBJECTS:kiln_${folder}>)
endforeach()

# Private dependencies, once; every artefact that holds the objects links them.
set(KILN_PRIVATE_LIBRARIES
  fmt::fmt TBB::tbb xxHash::xxhash BLAS::BLAS ${KILN_LLVM_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS})

add_library(kiln SHARED ${kiln_objects})
add_library(kiln::kiln ALIAS kiln)
set_target_properties(kiln PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS "${PROJECT_SOURCE_DIR}/.cmake/kiln.map")
target_compile_features(kiln PUBLIC cxx_std_20)
target_include_directories(kiln PUBLIC
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/frontend/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
# Shared dependencies are linked by file: as targets, even private ones would be named in the exported
# package, and its consumers would have to find them.
foreach(library IN LISTS KILN_PRIVATE_LIBRARIES)
  set(type "")
  if(TARGET ${library})
    get_target_property(type ${library} TYPE)
  endif()
  if(type STREQUAL "SHARED_LIBRARY" OR type STREQUAL "UNKNOWN_LIBRARY")
    target_link_libraries(kiln PRIVATE $<TARGET_FILE:${library}>)
  else()
    target_link_libraries(kiln PRIVATE ${library})
  endif()
endforeach()
target_link_options(kiln PRIVATE
  "-Wl,--exclude-libs,ALL" "-Wl,--version-script=${PROJECT_SOURCE_DIR}/.cmake/kiln.map"
  "-Wl,--as-needed" "-Wl,--gc-sections")
if(NOT KILN_SANITIZE)
  target_link_options(kiln PRIVATE "-Wl,--no-undefined")
endif()

add_library(kiln_internal STATIC EXCLUDE_FROM_ALL ${kiln_objects})
target_compile_features(kiln_internal PUBLIC cxx_std_20)
target_include_directories(kiln_internal PUBLIC
  "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/frontend/include")
target_link_libraries(kiln_internal PUBLIC ${KILN_PRIVATE_LIBRARIES})

include(install)
