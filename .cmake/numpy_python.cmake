# KILN_NUMPY_PYTHON: the first Python here that has NumPy, else the one that was found; tests that compare with
# NumPy report themselves as skipped then.

find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
set(KILN_NUMPY_PYTHON "${Python3_EXECUTABLE}")
foreach(python IN ITEMS "${Python3_EXECUTABLE}" /usr/bin/python3)
  execute_process(COMMAND "${python}" -c "import numpy"
    RESULT_VARIABLE missing OUTPUT_QUIET ERROR_QUIET)
  if(NOT missing)
    set(KILN_NUMPY_PYTHON "${python}")
    break()
  endif()
endforeach()
