# kiln_folder(<name>): the OBJECT library kiln_<name> from all sources of the calling folder.
#
# Sources are globbed, so a new file needs no edit here. Files under <folder>/llvm/ are compiled
# only with KILN_LLVM=ON. A folder without sources is valid: an empty unit stands in.

file(WRITE "${PROJECT_BINARY_DIR}/generated/empty.cpp.in" "")
configure_file("${PROJECT_BINARY_DIR}/generated/empty.cpp.in"
  "${PROJECT_BINARY_DIR}/generated/empty.cpp" COPYONLY)
set(KILN_EMPTY_SOURCE "${PROJECT_BINARY_DIR}/generated/empty.cpp")

function(kiln_glob result folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  if(NOT KILN_LLVM)
    list(FILTER sources EXCLUDE REGEX "/llvm/[^/]*\\.cpp$")
  endif()
  set(${result} "${sources}" PARENT_SCOPE)
endfunction()

function(kiln_folder name)
  kiln_glob(sources "${CMAKE_CURRENT_SOURCE_DIR}")
  add_library(kiln_${name} OBJECT ${sources} "${KILN_EMPTY_SOURCE}")
  target_include_directories(kiln_${name} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>")
endfunction()

# kiln_use_llvm(<target>): LLVM's headers, and KILN_HAS_LLVM as 0 or 1 (tested with #if).
function(kiln_use_llvm target)
  if(KILN_LLVM)
    target_include_directories(${target} SYSTEM PRIVATE ${KILN_LLVM_INCLUDE})
    target_compile_definitions(${target} PRIVATE KILN_HAS_LLVM=1)
  else()
    target_compile_definitions(${target} PRIVATE KILN_HAS_LLVM=0)
  endif()
endfunction()
