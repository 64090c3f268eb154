#include "frontend/translate.h"

#include <new>
#include <stdexcept>

#include "frontend/complaint.h"
#include "frontend/host_memory.h"
#include "ir/error.h"
#include "ir/mutant.h"
#include "passes/hints.h"
#include "runtime/error.h"

namespace kiln::inline v0::frontend {

void translate(std::string_view function, Where where) {
  try {
    throw;
  } catch (const Error&) {
    throw;  // already ours
  } catch (const runtime::OutOfMemory& e) {
    raise_out_of_memory(function, e, where);
  } catch (const runtime::DeviceError& e) {
    if (mutant(ir::Mutant::lost_translation)) throw;
    Complaint(function, e.what(), where).advise(e.remedy).raise<DeviceError>();
  } catch (const runtime::IoError& e) {
    Complaint(function, e.what(), where)
        .advise("a folder that exists and can be written, on a disk with room")
        .raise<IoError>();
  } catch (const passes::HintError& e) {
    Complaint(function, e.what(), where)
        .advise("without must_fuse the value is stored between the kernels; explain shows its cost")
        .raise();
  } catch (const ir::InternalError& e) {
    Complaint(function, e.what(), where)
        .advise("report this: it is a bug of Kiln")
        .raise<InternalError>();
  } catch (const std::bad_alloc&) {
    Complaint(function, "out of host memory", where)
        .advise("smaller arrays, or let go of memory that the program itself holds")
        .raise<OutOfMemory>();
  } catch (const std::length_error&) {  // of a container
    Complaint(function, "out of host memory", where).advise("smaller arrays").raise<OutOfMemory>();
  }
}

}  // namespace kiln::inline v0::frontend
