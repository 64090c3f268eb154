# The guide as it stands in examples/guide, and the reference, written from the headers where there is
# Python: both go to share/doc/kiln.

if(NOT KILN_DOCS)
  return()
endif()
set(kiln_doc_dir "${CMAKE_INSTALL_DATADIR}/doc/kiln")
file(GLOB kiln_chapters CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/guide/*.md")
install(FILES ${kiln_chapters} DESTINATION "${kiln_doc_dir}")

find_package(Python3 3.9 COMPONENTS Interpreter)
if(NOT Python3_Interpreter_FOUND)
  message(STATUS "Python: not found, the reference is not written")
  return()
endif()
set(reference_dir "${PROJECT_BINARY_DIR}/reference")
set(reference_script "${PROJECT_SOURCE_DIR}/tests/tools/reference.py")
file(GLOB_RECURSE kiln_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/frontend/include/*.h")
add_custom_command(OUTPUT "${reference_dir}/index.html"
  COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 "${Python3_EXECUTABLE}" "${reference_script}"
    "${PROJECT_SOURCE_DIR}/frontend/include" "${reference_dir}" "${PROJECT_VERSION}"
  DEPENDS ${kiln_headers} "${reference_script}" "${PROJECT_SOURCE_DIR}/tests/tools/headers.py"
  COMMENT "Reference" VERBATIM)
add_custom_target(kiln_reference ALL DEPENDS "${reference_dir}/index.html")
install(DIRECTORY "${reference_dir}" DESTINATION "${kiln_doc_dir}" OPTIONAL)
