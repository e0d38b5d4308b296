// What is to happen in a world, drawn from its seed.
#include <fmt/format.h>

#include "simulated_world.hpp"

namespace flow::test {

void Simulation::draw_flows() {
  const auto& all = simulated_flows();
  for (const SimulatedFlow& flow : all)
    if (one_in(2)) flows_.push_back(&flow);
  if (flows_.empty()) flows_.push_back(&all.front());
  for (const SimulatedFlow* flow : flows_) versions_[flow->name] = 0;
  is_protected_ = one_in(3);
  if (is_protected_) runtime_options_.protections = simulated_protections();
}

void Simulation::draw_weather() {
  const auto level = [&](std::uint32_t most) {
    return one_in(2) ? 0 : static_cast<std::uint32_t>(most + any(most * 4));
  };
  const std::uint64_t spells = any(8);
  for (std::uint64_t i = 0; i < spells; ++i) {
    Weather weather;
    weather.throttled = level(8);
    weather.unavailable = level(8);
    weather.lying = level(12);
    weather.lost_request = level(12);
    weather.lost_answer = level(12);
    weather.broken = level(12);
    weather.silent = level(3);
    weather.garbled = level(40);
    weather.refused = level(60);
    weather.doubled = level(6);
    weather.slow = level(5);
    if (one_in(6)) weather.throttled = 1 + static_cast<std::uint32_t>(any(2));  // a storm
    if (one_in(6)) weather.unavailable = 1 + static_cast<std::uint32_t>(any(2));
    const std::int64_t from_us = kBegin + any_us(end_us_ - kBegin);
    at(from_us, [this, weather] { tenant_.set_weather(weather); });
    at(from_us + any_us(2 * kHour), [this] { tenant_.set_weather({}); });
  }
}

void Simulation::draw_disk() {
  const std::uint64_t spells = one_in(3) ? 0 : any(6);
  for (std::uint64_t i = 0; i < spells; ++i) {
    DiskFaults faults;
    const auto level = [&](std::uint32_t most) {
      return one_in(2) ? 0 : static_cast<std::uint32_t>(most + any(most * 8));
    };
    faults.write_error = level(60);
    faults.short_write = level(60);
    faults.sync_error = level(20);
    faults.read_error = level(300);
    const bool is_full = one_in(3);
    const std::int64_t more = any_us(60'000);
    const std::int64_t from_us = kBegin + any_us(end_us_ - kBegin);
    at(from_us, [this, faults, is_full, more] {
      DiskFaults now = faults;
      if (is_full) now.space_bytes = disk_.used_bytes() + more;
      say("the disk goes wrong{}", is_full ? ", and has little space" : "");
      disk_.set_faults(now);
    });
    at(from_us + any_us(30 * kMinute), [this] { disk_.set_faults({}); });
  }
}

void Simulation::draw_crashes() {
  const std::uint64_t count = any(40);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t changes = 1 + any(one_in(2) ? 12 : 200);
    const std::int64_t time_us = kBegin + any_us(end_us_ - kBegin);
    at(time_us, [this, changes] {
      if (runtime_) disk_.crash_in(changes);
    });
    // In a row: while what the one before left is taken up.
    if (one_in(3))
      for (std::uint64_t more = 1 + any(4); more > 0; --more)
        at(time_us + any_us(3 * kMinute), [this, changes] {
          if (runtime_) disk_.crash_in(1 + changes % 30);
        });
  }
  for (std::uint64_t i = any(4); i > 0; --i)
    at(kBegin + any_us(end_us_ - kBegin), [this] { end_gracefully(); });
}

// Half of the worlds have a clock that is right.
void Simulation::draw_clock() {
  const std::uint64_t kind = any(4);
  if (kind <= 1) return;
  for (std::uint64_t i = 1 + any(4); i > 0; --i) {
    const bool is_back = kind == 2 || one_in(2);
    const std::int64_t by_us = any_us(one_in(2) ? 10 * kSecond : 2 * kHour) * (is_back ? -1 : 1);
    expected_.is_clock_steady = false;
    if (!is_back) expected_.is_clock_never_ahead = false;
    at(kBegin + any_us(end_us_ - kBegin), [this, by_us] {
      ++counts_.clock_settings;
      clock_.ahead_us += by_us;
      say("the clock is set by {} s", by_us / kSecond);
    });
  }
}

void Simulation::draw_requests() {
  for (const SimulatedFlow* flow : flows_) {
    if (flow->start != SimulatedFlow::Start::Webhook && flow->start != SimulatedFlow::Start::Manual) continue;
    for (std::uint64_t i = any(12); i > 0; --i) {
      auto client = std::make_shared<Client>();
      client->flow = flow->name;
      client->key = fmt::format("{}-{}", flow->name, i);
      client->by =
          flow->start == SimulatedFlow::Start::Webhook ? StartRequest::By::Webhook : StartRequest::By::Manual;
      client->event = client->by == StartRequest::By::Manual ? fmt::format(R"({{"number":{}}})", i)
                                                             : R"({"payload":{"a":[1,2]},"headers":{}})";
      clients_.push_back(client);
      at(kBegin + any_us(end_us_ - kBegin), [this, client] { ask(client); });
      if (one_in(4)) at(kBegin + any_us(end_us_ - kBegin), [this, client] { ask(client); });  // asked twice
    }
  }
}

void Simulation::draw_script() {
  end_us_ = kBegin + kHour + any_us(11 * kHour);
  const std::int64_t length_us = end_us_ - kBegin;
  for (std::uint64_t i = 4 + any(60); i > 0; --i) {
    const std::int64_t time_us = kBegin + kMinute + any_us(length_us);
    for (std::uint64_t burst = one_in(8) ? 1 + any(12) : 1; burst > 0; --burst)
      at(time_us, [this] { add_alert(); });
  }
  for (std::uint64_t i = any(6); i > 0; --i)
    at(kBegin + kMinute + any_us(length_us), [this] { deploy_next(); });
  for (std::uint64_t i = any(30); i > 0; --i) at(kBegin + any_us(length_us), [this] { send_messages(); });
  draw_requests();
  draw_weather();
  draw_disk();
  draw_clock();
  draw_crashes();
  draw_reloads();
}

}  // namespace flow::test
