// What each thread has one of: workspaces, scopes.
#pragma once
#include <utility>

namespace kiln::ir {

// The thread's T, made when it is first asked for. Destructors of static arrays run after those of
// the main thread's variables: what they still ask for gets one that nothing destroys.
template <class T>
T& per_thread() {
  thread_local T* instance = nullptr;
  struct End {
    ~End() { delete std::exchange(instance, nullptr); }
  };
  if (instance == nullptr) {
    instance = new T;
    thread_local const End end;
  }
  return *instance;
}

}  // namespace kiln::ir
