# Options of the build and the flags that every folder is compiled with.

option(KILN_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(KILN_EXAMPLES "Build the example programs" ${PROJECT_IS_TOP_LEVEL})
option(KILN_BENCH "Build the benchmarks (Google Benchmark)" OFF)
option(KILN_DOCS "Write the reference from the headers and install it with the guide" ${PROJECT_IS_TOP_LEVEL})
option(KILN_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(KILN_LLVM_STATIC "Link LLVM's static archives where they are installed" ON)
set(KILN_SANITIZE "" CACHE STRING "Value of -fsanitize= for the whole build, e.g. address,undefined")
option(KILN_BUNDLE "Programs that run anywhere: no path of this machine, libraries beside them (./dev gpu --bundle)" OFF)
set(KILN_BENCH_ARCH "native" CACHE STRING "Value of -march= for the loops that benchmarks compare with")
option(KILN_MUTANTS "Plant the faults of ir/mutants.def, one of which KILN_MUTANT chooses" OFF)
# KILN_LLVM is declared in dependencies.cmake: its default depends on whether LLVM is installed.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

# Bits are part of the contract: no target, test or example may contract a*b+c into an fma.
add_compile_options(-ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 sees overlapping copies in "literal" + std::string, where there are none (gcc bug 105651).
  # And it takes a vector's storage for something else (gcc bug 104475).
  add_compile_options(-Wno-restrict -Wno-free-nonheap-object)
endif()
if(KILN_WERROR)
  add_compile_options(-Werror)
endif()
if(KILN_MUTANTS)
  add_compile_definitions(KILN_MUTANTS)
endif()
if(KILN_BUNDLE)
  # Old tags: libraries beside the programs find each other by the program's path too.
  add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
  add_link_options(-Wl,--disable-new-dtags)
  set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
  set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
endif()
if(KILN_SANITIZE)
  add_compile_options(-fsanitize=${KILN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KILN_SANITIZE})
endif()
if(KILN_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The checks between two statements hide from gcc that the first one initialised a variable.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
if(KILN_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # std::atomic_thread_fence is not modelled by gcc's tsan; TBB's inline code uses it.
  add_compile_options(-Wno-tsan)
endif()

# Linking LLVM's archives with bfd takes several times as long as with gold or lld.
include(CheckLinkerFlag)
foreach(linker IN ITEMS lld gold)
  check_linker_flag(CXX "-fuse-ld=${linker}" KILN_LINKER_${linker})
  if(KILN_LINKER_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(KILN_CCACHE ccache)
  if(KILN_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${KILN_CCACHE}")
  endif()
endif()
