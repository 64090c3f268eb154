# kiln_discover(<target> [ON_DEVICES <path>...] [ON_GPU <path>...]): one ctest entry per suite of a GoogleTest binary,
# made when ctest starts.
#
# A suite named Heavy..., Nightly... or Gpu... carries the label heavy, nightly or gpu, which the
# ordinary run leaves out. A binary that was not built, or that cannot list its tests, becomes an
# entry that fails. Every entry also carries the label of its binary.
#
# Suites of files tests/<path>... run once more on each device, as <device>.<suite> with the label devices:
# cpu, interpreter, cuda (the simulated driver, capability 80), and nightly cuda75 ... cuda120. The
# device is the default of their operations, and each evaluation is compared with the interpreter,
# bit by bit (KILN_MODE=check). Of these, suites named Cuda... run on the simulated driver only. With
# the label gpu alone they, and those of ON_GPU, run as gpu.<suite> on the machine's own driver; those
# of ON_GPU, which go through the devices themselves, as cuda75.<suite> to cuda120.<suite> too.

function(kiln_discover target)
  cmake_parse_arguments(PARSE_ARGV 1 of "" "" "ON_DEVICES;ON_GPU")
  string(REPLACE ";" "|" on_devices "${of_ON_DEVICES}")
  string(REPLACE ";" "|" on_gpu "${of_ON_GPU}")
  set(simulator "")
  if(TARGET cudasim)
    set(simulator "$<TARGET_FILE:cudasim>")
  endif()
  set(timeout 600)
  if(KILN_SANITIZE)
    set(timeout 3000)
  endif()
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}_entries.cmake")
  file(GENERATE OUTPUT "${script}" CONTENT "
set(cmake \"${CMAKE_COMMAND}\")
set(binary \"$<TARGET_FILE:${target}>\")
set(label \"${target}\")
set(prefix \"\")
set(timeout ${timeout})
set(on_devices \"${on_devices}\")
set(on_gpu \"${on_gpu}\")
set(simulator \"${simulator}\")
include(\"${PROJECT_SOURCE_DIR}/.cmake/suite_entries.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()

# kiln_discover_elsewhere(<binary> <label> <prefix>): the same for a binary of another build tree,
# on its default device only.
function(kiln_discover_elsewhere binary label prefix)
  string(MAKE_C_IDENTIFIER "${prefix}${label}" name)
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${name}_entries.cmake")
  file(WRITE "${script}" "
set(cmake \"${CMAKE_COMMAND}\")
set(binary \"${binary}\")
set(label \"${label}\")
set(prefix \"${prefix}\")
set(timeout 600)
set(on_devices \"\")
set(on_gpu \"\")
include(\"${PROJECT_SOURCE_DIR}/.cmake/suite_entries.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
