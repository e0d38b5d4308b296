#include "runtime/observer.hpp"

namespace flow {

std::string_view health_kind_name(HealthEvent::Kind kind) {
  switch (kind) {
    case HealthEvent::Kind::PollFailed: return "poll_failed";
    case HealthEvent::Kind::PollRecovered: return "poll_recovered";
    case HealthEvent::Kind::EventUnusable: return "event_unusable";
    case HealthEvent::Kind::Throttled: return "throttled";
    case HealthEvent::Kind::RunParked: return "run_parked";
    case HealthEvent::Kind::FrozenUnusable: return "frozen_unusable";
    case HealthEvent::Kind::StoreFailed: return "store_failed";
    case HealthEvent::Kind::PersonNotTold: return "person_not_told";
    case HealthEvent::Kind::FiringsMissed: return "firings_missed";
    case HealthEvent::Kind::NotForTenant: return "not_for_tenant";
    case HealthEvent::Kind::HostRests: return "host_rests";
    case HealthEvent::Kind::HostIsBack: return "host_is_back";
  }
  return {};
}

}  // namespace flow
