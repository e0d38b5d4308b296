#include "base/operation.hpp"

namespace flow {

std::string_view effect_name(Effect effect) {
  switch (effect) {
    case Effect::Read: return "read";
    case Effect::Act: return "act";
    case Effect::Notify: return "notify";
  }
  return "?";
}

std::string_view trigger_kind_name(Trigger::Kind kind) {
  switch (kind) {
    case Trigger::Kind::Poll: return "poll";
    case Trigger::Kind::Every: return "every";
    case Trigger::Kind::Cron: return "cron";
    case Trigger::Kind::Hunt: return "hunt";
    case Trigger::Kind::Webhook: return "webhook";
    case Trigger::Kind::Manual: return "manual";
    case Trigger::Kind::Call: return "call";
    case Trigger::Kind::RunFailed: return "run.failed";
    case Trigger::Kind::Stream: return "stream";
    case Trigger::Kind::Lease: return "lease";
    case Trigger::Kind::Digest: return "digest";
  }
  return "?";
}

}  // namespace flow
