# Every library the project uses, found with find_package. Versions and the names of the packages
# that provide them stand in dependencies.txt at the root. All are private to the shared library.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(TBB REQUIRED)
find_package(xxHash QUIET)
if(NOT TARGET xxHash::xxhash)
  # Distributions ship xxHash without a CMake package.
  find_path(KILN_XXHASH_INCLUDE xxhash.h REQUIRED)
  find_library(KILN_XXHASH_LIBRARY xxhash REQUIRED)
  add_library(xxHash::xxhash UNKNOWN IMPORTED)
  set_target_properties(xxHash::xxhash PROPERTIES
    IMPORTED_LOCATION "${KILN_XXHASH_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${KILN_XXHASH_INCLUDE}")
endif()

set(BLA_VENDOR OpenBLAS)
find_package(BLAS REQUIRED)
find_path(KILN_CBLAS_INCLUDE cblas.h
  PATH_SUFFIXES openblas openblas-pthread openblas-openmp openblas-serial REQUIRED)

find_package(LLVM 19.1 CONFIG QUIET HINTS /usr/lib/llvm-19/cmake /usr/lib/llvm-19/lib/cmake/llvm)
option(KILN_LLVM "Compile CPU kernels with LLVM (OFF: the CPU device interprets)" ${LLVM_FOUND})
if(KILN_LLVM AND NOT LLVM_FOUND)
  message(FATAL_ERROR "KILN_LLVM=ON, but LLVM 19 was not found: install llvm-19-dev or set LLVM_DIR")
endif()

# Debian's folder of LLVM has headers of libc++abi too where those are installed, and they would hide the
# compiler's own; its `llvm` and `llvm-c` are links to where LLVM's alone lie.
set(KILN_LLVM_INCLUDE "")
if(KILN_LLVM)
  foreach(folder IN LISTS LLVM_INCLUDE_DIRS)
    foreach(name IN ITEMS llvm llvm-c)
      file(REAL_PATH "${folder}/${name}" headers)
      cmake_path(GET headers PARENT_PATH headers)
      list(APPEND KILN_LLVM_INCLUDE "${headers}")
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES KILN_LLVM_INCLUDE)
endif()

# KILN_LLVM_LIBRARIES: the static archives, or the one shared library where the archives, or what
# they link (zlib, zstd), are missing.
set(KILN_LLVM_LIBRARIES "")
if(KILN_LLVM)
  set(archives_complete ${KILN_LLVM_STATIC})
  if(NOT EXISTS "${LLVM_LIBRARY_DIR}/libLLVMCore.a"
     OR (LLVM_ENABLE_ZSTD AND NOT TARGET zstd::libzstd_shared AND NOT TARGET zstd::libzstd_static)
     OR (LLVM_ENABLE_ZLIB AND NOT TARGET ZLIB::ZLIB))
    set(archives_complete OFF)
  endif()
  if(archives_complete)
    llvm_map_components_to_libnames(KILN_LLVM_LIBRARIES
      analysis core instcombine jitlink mc native object orcjit passes scalaropts support target
      targetparser transformutils)
    message(STATUS "LLVM ${LLVM_PACKAGE_VERSION}: static archives")
  else()
    set(KILN_LLVM_LIBRARIES LLVM)
    message(STATUS "LLVM ${LLVM_PACKAGE_VERSION}: shared library")
  endif()
else()
  message(STATUS "LLVM: not used, the CPU device interprets")
endif()

# CUDA is never linked and never needed to build. Headers, where present, serve tests that compare
# our declarations of the driver interface with NVIDIA's.
find_path(KILN_CUDA_INCLUDE_DIR cuda.h
  HINTS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda /opt/cuda PATH_SUFFIXES include
  DOC "Folder of cuda.h; used by tests only")
