// An NVRTC that refuses every program, with a word about its second line.
#include <cstddef>
#include <cstring>

namespace {
constexpr char kLog[] = "kernel.cu(2): error: the test wants no kernels";
constexpr int kCompilation = 6;
}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int nvrtcVersion(int* major, int* minor) {
  *major = 12, *minor = 0;
  return 0;
}
const char* nvrtcGetErrorString(int result) {
  return result == kCompilation ? "NVRTC_ERROR_COMPILATION" : "NVRTC_SUCCESS";
}
int nvrtcCreateProgram(void** program, const char*, const char*, int, const char* const*,
                       const char* const*) {
  *program = nullptr;
  return 0;
}
int nvrtcDestroyProgram(void**) { return 0; }
int nvrtcCompileProgram(void*, int, const char* const*) { return kCompilation; }
int nvrtcGetProgramLogSize(void*, std::size_t* size) {
  *size = sizeof kLog;
  return 0;
}
int nvrtcGetProgramLog(void*, char* log) {
  std::memcpy(log, kLog, sizeof kLog);
  return 0;
}
// Never reached: there is no program to ask about.
int nvrtcGetPTXSize(void*, std::size_t*) { return kCompilation; }
int nvrtcGetPTX(void*, char*) { return kCompilation; }
int nvrtcGetCUBINSize(void*, std::size_t*) { return kCompilation; }
int nvrtcGetCUBIN(void*, char*) { return kCompilation; }
int nvrtcGetNumSupportedArchs(int* count) {
  *count = 5;
  return 0;
}
int nvrtcGetSupportedArchs(int* all) {
  constexpr int kAll[] = {75, 80, 90, 100, 120};
  std::memcpy(all, kAll, sizeof kAll);
  return 0;
}
}
#pragma GCC visibility pop
