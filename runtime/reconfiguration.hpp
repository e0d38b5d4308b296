// What of a running loop can be another from one turn to the next, and who wants it so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/protections.hpp"
#include "runtime/question_mail.hpp"

namespace flow {

// All of it is taken over, changed or not; the names are those of RuntimeOptions.
struct Reconfiguration {
  std::int64_t poll_interval_us = 0;
  std::int64_t look_back_us = 0;
  std::int64_t reuse_reads_us = 0;
  std::int64_t keep_us = 0;
  std::int64_t keep_audit_us = 0;
  AnswerLinks links;
  Protections protections;
  // Of what the loop does not own: called on its thread, once the change is durable and before the next call
  // goes out. Must be quick.
  std::function<void()> apply;
  // For the audit trail: names of what has changed, never values; who wants it, and from where.
  std::vector<std::string> keys;
  std::string by, via;
};

struct ReconfigureReply {
  enum class How : std::uint8_t { Done, Refused, Stopping };
  How how = How::Stopping;
  std::string problem;  // Refused: nothing was changed
};
// Called once, on the loop's thread or on the asker's. Must be quick and must not call back into the runtime.
using ReconfigureDone = std::function<void(ReconfigureReply)>;

}  // namespace flow
