// Chance from a seed (splitmix64), and the shapes that made-up data needs it in.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/clock.hpp"

namespace flow::sim {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

inline std::size_t below(Random& random, std::size_t bound) {
  return random.next() % bound;
}
inline bool chance(Random& random, int percent) {
  return below(random, 100) < static_cast<std::size_t>(percent);
}
template <class T, std::size_t N>
const T& pick(Random& random, const T (&choices)[N]) {
  return choices[below(random, N)];
}
inline std::string hex_digits(Random& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "0123456789abcdef"[below(random, 16)];
  return text;
}
inline std::string guid(Random& random) {
  const std::string d = hex_digits(random, 32);
  return d.substr(0, 8) + "-" + d.substr(8, 4) + "-4" + d.substr(13, 3) + "-a" + d.substr(17, 3) + "-" +
         d.substr(20);
}

}  // namespace flow::sim
