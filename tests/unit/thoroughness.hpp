// How much tests try that go through many inputs alike: everything, but under a sanitizer, where each costs
// ten times as much, a part of it.
#pragma once

#include <chrono>
#include <cstddef>

namespace flow::test {

#ifdef FLOW_SANITIZED
inline constexpr std::size_t kEach = 8;  // every eighth
inline constexpr std::chrono::seconds kPatience(120);
#else
inline constexpr std::size_t kEach = 1;
inline constexpr std::chrono::seconds kPatience(20);  // for what takes minutes where it does not take moments
#endif

}  // namespace flow::test
