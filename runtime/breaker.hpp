// Hosts that fail are left alone for a while. When so many calls of one tenant to one host in a row were not
// answered, or answered that it is unavailable, the host rests: what is to go there waits in its line. Then
// one call goes out, whichever is first in line; if it fails as well, the host rests twice as long, otherwise
// everything goes on.
//
// A host is what a connector reaches for a tenant. What a host says about a call (that it is wrong, not
// allowed, too many) is an answer: it is there. Kept in memory only: a new process tries.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace flow {

struct BreakerSettings {
  std::uint32_t failures = 5;                 // in a row, until the host rests; 0: it never does
  std::int64_t first_rest_us = 5'000'000;     // doubles with each call that is tried in vain …
  std::int64_t longest_rest_us = 60'000'000;  // … up to this
};

class Breaker {
 public:
  explicit Breaker(BreakerSettings settings = {}) : settings_(settings) {}

  // When a call may go to the host, 0 when at once; kNever while one is out to try.
  std::int64_t open_at(const std::string& host) const;
  void note_sent(const std::string& host, std::uint64_t ticket, std::int64_t now_us);
  // What a call that came back says of its host. Nothing: it may not have got there.
  enum class Sign : std::uint8_t { Answered, Failed, Nothing };
  // What changed by it: for how long the host rests from now on (once when it begins to, not with each try in
  // vain), or that it is there again.
  struct Change {
    std::optional<std::int64_t> rests_us;
    bool is_back = false;
  };
  Change note_back(const std::string& host, std::uint64_t ticket, Sign sign, std::int64_t now_us);
  // The clock was set back by so much: nothing rests longer for it.
  void set_back(std::int64_t by_us);

 private:
  struct Host {
    std::uint32_t failures = 0;  // in a row
    std::uint32_t rests = 0;     // in a row; 0: it does not rest
    std::int64_t until_us = 0;
    std::optional<std::uint64_t> probe;  // the call that is out to try
  };
  std::int64_t rest(Host& host, std::int64_t now_us) const;

  BreakerSettings settings_;
  std::map<std::string, Host> hosts_;  // that failed the last time
};

}  // namespace flow
