// Damaged copies of valid inputs, for readers that must refuse what they cannot read. The same seed
// gives the same damage on every machine.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kiln_tests {

class Damage {
 public:
  explicit Damage(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}

  std::uint64_t below(std::uint64_t n) {  // SplitMix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return n == 0 ? 0 : (z ^ (z >> 31)) % n;
  }

  // One of the inputs after one to four damages; parts of the others may be spliced in.
  std::string of(std::span<const std::string> inputs) {
    std::string text = inputs[below(inputs.size())];
    for (std::uint64_t left = 1 + below(4); left > 0; --left) {
      damage(text, inputs[below(inputs.size())]);
    }
    return text;
  }

 private:
  void damage(std::string& text, const std::string& other) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = 1 + below(1 + below(24));
    switch (below(8)) {
      case 0:  // a bit
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << below(8));
        return;
      case 1:  // a byte
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        return;
      case 2:
        text.erase(at, length);
        return;
      case 3:
        text.resize(at);
        return;
      case 4:
        text.insert(at, std::string(text, at, length));
        return;
      case 5:
        text.insert(at, std::string(other, below(other.size() + 1), length));
        return;
      case 6:
        other_line(text, other);
        return;
      default:
        number(text);
    }
  }

  // A whole line of another input, or one twice, or one less.
  void other_line(std::string& text, const std::string& other) {
    const auto start_of_line = [this](const std::string& of) {
      const std::size_t found = of.rfind('\n', below(of.size() + 1));
      return found == std::string::npos ? 0 : found + 1;
    };
    const std::size_t from = start_of_line(other), to = start_of_line(text);
    if (below(3) == 0) text.erase(to, text.find('\n', to) - to);
    text.insert(to, other, from, other.find('\n', from) - from + 1);
  }

  // Another number where one stands.
  void number(std::string& text) {
    static constexpr std::string_view kNumbers[] = {"0",
                                                    "-1",
                                                    "1",
                                                    "2",
                                                    "7",
                                                    "255",
                                                    "256",
                                                    "65535",
                                                    "65536",
                                                    "4294967295",
                                                    "4294967296",
                                                    "-2147483648",
                                                    "9223372036854775807",
                                                    "-9223372036854775808",
                                                    "18446744073709551615",
                                                    "99999999999999999999999",
                                                    "1e30",
                                                    "0x",
                                                    "-"};
    constexpr std::string_view kDigits = "0123456789";
    std::size_t begin = text.find_first_of(kDigits, below(text.size() + 1));
    if (begin == std::string::npos) begin = text.find_first_of(kDigits);
    if (begin == std::string::npos) return;
    const std::size_t end = text.find_first_not_of(kDigits, begin);
    const std::size_t length = (end == std::string::npos ? text.size() : end) - begin;
    text.replace(begin, length, kNumbers[below(std::size(kNumbers))]);
  }

  std::uint64_t state_;
};

}  // namespace kiln_tests
