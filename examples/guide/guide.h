// What the chapters' programs are compiled with: the list of chapters, marks around what each block
// prints, and the comparable form of a phrase's value.
#pragma once
#include <kiln/kiln.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace guide {

struct Chapter {
  std::string name;
  void (*run)();
};
inline std::vector<Chapter>& chapters() {
  static std::vector<Chapter> list;
  return list;
}
inline bool add(const char* name, void (*run)()) {
  chapters().push_back({name, run});
  return true;
}

inline void begin(int number) { std::cout << '\x02' << number << '\n'; }
inline void end(int number) { std::cout << '\x03' << number << std::endl; }
inline void nothing_thrown() { throw std::runtime_error("this block should throw a kiln::Error"); }

// Writes the value of a phrase as "dtype; extents; values"; of a statement, that of x after it.
// What is no numbers is a question mark: it ran.
class Show {
 public:
  void write(const kiln::Array& value) {
    shown_ = true;
    std::cout << value.dtype() << ';';
    for (const std::int64_t extent : value.shape()) std::cout << ' ' << extent;
    std::cout << ';';
    char text[32];
    for (const double v : value.astype(kiln::float64).to_vector<double>()) {
      std::snprintf(text, sizeof text, " %.17g", v);
      std::cout << text;
    }
    std::cout << '\n';
  }
  void unless_shown(const kiln::Array& x) {
    if (!shown_) write(x);
  }
  template <class T>
  void operator,(const T& value) {
    if constexpr (std::same_as<T, kiln::Array>) {
      write(value);
    } else if constexpr (kiln::Element<T>) {
      write(kiln::Array(value));
    } else if constexpr (std::same_as<T, kiln::Shape>) {
      write(kiln::Array(std::vector<std::int64_t>(value.begin(), value.end())));
    } else {
      shown_ = true;
      std::cout << "?\n";
    }
  }

 private:
  bool shown_ = false;
};

}  // namespace guide
