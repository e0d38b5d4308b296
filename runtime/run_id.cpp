#include "runtime/run_id.hpp"

#include <algorithm>

namespace flow {
namespace {

constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr int kLength = 26;

// 128 bits, five at a time from the right; the first digit holds the three that are left.
std::string spelled(std::uint64_t upper, std::uint64_t lower) {
  std::string text(kLength, '0');
  for (int i = kLength - 1; i >= 0; --i) {
    text[static_cast<std::size_t>(i)] = kDigits[lower & 31];
    lower = (lower >> 5) | (upper << 59);
    upper >>= 5;
  }
  return text;
}

}  // namespace

std::string RunIds::next() {
  const auto millis = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.now_us(), 0)) / 1000;
  if (millis > millis_) {
    millis_ = millis;
    high_ = random_.next() & 0x7fff;  // the top bit is left free for the carry below
    low_ = random_.next();
  } else {
    low_ += 1 + (random_.next() & 0xffffff);
    if (low_ < 0x1000000) ++high_;  // it went round: at most 2^24 was added
  }
  return spelled((millis_ << 16) | high_, low_);
}

std::string first_run_id(std::int64_t time_us) {
  return spelled(static_cast<std::uint64_t>(std::max<std::int64_t>(time_us, 0)) / 1000 << 16, 0);
}

}  // namespace flow
