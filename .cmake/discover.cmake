# kiln_discover(<target>): one ctest entry per suite of a GoogleTest binary, made when ctest starts.
#
# A suite named Heavy..., Nightly... or Gpu... carries the label heavy, nightly or gpu, which the
# ordinary run leaves out. A binary that was not built, or that cannot list its tests, becomes an
# entry that fails. Every entry also carries the label of its binary.

function(kiln_discover target)
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}_entries.cmake")
  file(GENERATE OUTPUT "${script}" CONTENT "
set(cmake \"${CMAKE_COMMAND}\")
set(binary \"$<TARGET_FILE:${target}>\")
set(label \"${target}\")
set(prefix \"\")
include(\"${PROJECT_SOURCE_DIR}/.cmake/suite_entries.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()

# kiln_discover_elsewhere(<binary> <label> <prefix>): the same for a binary of another build tree.
function(kiln_discover_elsewhere binary label prefix)
  string(MAKE_C_IDENTIFIER "${prefix}${label}" name)
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${name}_entries.cmake")
  file(WRITE "${script}" "
set(cmake \"${CMAKE_COMMAND}\")
set(binary \"${binary}\")
set(label \"${label}\")
set(prefix \"${prefix}\")
include(\"${PROJECT_SOURCE_DIR}/.cmake/suite_entries.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
