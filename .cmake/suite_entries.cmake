# Read by ctest at start-up, with `cmake`, `binary`, `label` and `prefix` set: see discover.cmake.

# A cache of kernels for one run: an entry of an earlier run could hide that code is no longer made.
get_filename_component(cache "${binary}" DIRECTORY)
set(cache "${cache}/kernel-cache")
file(REMOVE_RECURSE "${cache}")

set(suites "")
set(failure "")
if(EXISTS "${binary}")
  execute_process(COMMAND "${binary}" --gtest_list_tests
    OUTPUT_VARIABLE listing ERROR_VARIABLE errors RESULT_VARIABLE status TIMEOUT 120)
  if(NOT status EQUAL 0)
    set(failure "${binary} --gtest_list_tests ended with ${status}")
  endif()
  string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_/]+\\." lines "${listing}")
  foreach(line IN LISTS lines)
    string(STRIP "${line}" suite)
    # Prefix/Suite/0. (typed) and Prefix/Suite. (with values) are gathered under Prefix/Suite.
    string(REGEX REPLACE "(/[0-9]+)?\\.$" "" suite "${suite}")
    list(APPEND suites "${suite}")
  endforeach()
  list(REMOVE_DUPLICATES suites)
else()
  set(failure "${binary} was not built")
endif()

if(failure)
  add_test("${prefix}${label}.not_runnable" "${cmake}" -E cat "${failure}")
endif()

foreach(suite IN LISTS suites)
  set(name "${prefix}${suite}")
  set(labels "${label}")
  if(suite MATCHES "(^|/)Heavy")
    list(APPEND labels heavy)
  elseif(suite MATCHES "(^|/)Nightly")
    list(APPEND labels nightly)
  elseif(suite MATCHES "(^|/)Gpu")
    list(APPEND labels gpu)
  endif()
  add_test("${name}" "${binary}" "--gtest_filter=${suite}.*:${suite}/*" --gtest_brief=1)
  set_tests_properties("${name}" PROPERTIES
    LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "KILN_CACHE_DIR=${cache}")
endforeach()
