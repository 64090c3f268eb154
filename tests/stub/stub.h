// Control of the recording driver. Its device memory is host memory and its work is done at once; a
// launch is recorded with its first parameters, each as 8 bytes.
#pragma once

namespace kiln::stub {

struct Control {
  void (*reset)();       // forgets log and failures; 1 device, sm_80
  const char* (*log)();  // one call a line, since reset
  // The call of that name after `skip` more of it gives `result` and does nothing, `times` times.
  void (*fail)(const char* name, int skip, int result, int times);
  void (*attribute)(int attribute, int value);
  void (*parameters)(int count);  // to record of each launch
  void (*devices)(int count);
  long (*allocated)();  // device blocks that were not freed
  void* (*current)();   // the current context
};

}  // namespace kiln::stub

// Exported by the library.
extern "C" const kiln::stub::Control* kiln_stub_control();
