// Kiln: lazy arrays whose expressions become few, fused kernels.
//
//   kiln::Array a = {1.f, 2.f, 3.f};
//   std::cout << kiln::sqrt(a * a + 1) << '\n';   // planned, compiled and run here
//
// Nothing is computed until a value is asked for: eval, printing, item, to_vector, copy_to, host,
// operator bool, save. Names and semantics are those of the Python array API standard 2025.12, and
// NumPy's where the standard has no such function. Two differences to C++ itself: `/` is true
// division also for integers, and `%` has the sign of the divisor.
//
// What has a value is [[nodiscard]]: a call of sqrt(x) alone does nothing. `using namespace kiln`
// clashes with no name of C, POSIX or <cmath>.
//
// Safe from any thread: const use of one Array, and any use of different Arrays (copies of each
// other included), as with std::shared_ptr.
#pragma once
#include "kiln/array.h"
#include "kiln/creation.h"
#include "kiln/device.h"
#include "kiln/elementwise.h"
#include "kiln/error.h"
#include "kiln/evaluate.h"
#include "kiln/format.h"
#include "kiln/inspect.h"
#include "kiln/io.h"
#include "kiln/linalg.h"
#include "kiln/measure.h"
#include "kiln/process.h"
#include "kiln/reductions.h"
#include "kiln/rows.h"
#include "kiln/sorting.h"
#include "kiln/types.h"
#include "kiln/views.h"
