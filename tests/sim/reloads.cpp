// New configurations in mid-run: what is protected, how often is polled and for how long answers serve others
// changes between two turns, while calls wait in line, are held or are out.
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/leases.hpp"
#include "simulated_world.hpp"

namespace flow::test {

// From a generator of their own: the rest of a seed's world stays as it is without them.
void Simulation::draw_reloads() {
  std::mt19937_64 draws(options_.seed * 7 + 5);
  const auto length_us = static_cast<std::uint64_t>(end_us_ - kBegin);
  for (std::uint64_t i = draws() % 2 == 0 ? 0 : 1 + draws() % 8; i > 0; --i) {
    const auto time_us = kBegin + static_cast<std::int64_t>(draws() % length_us);
    const bool is_protected = draws() % 2 == 0;
    const auto poll_us = static_cast<std::int64_t>(20 + draws() % 200) * kSecond;
    const std::int64_t reuse_us = draws() % 3 == 0 ? 0 : 5 * kSecond;
    at(time_us, [this, is_protected, poll_us, reuse_us] { reload(is_protected, poll_us, reuse_us); });
  }
}

// The file is written first: a process that begins goes by it, whether the one before it came to that or not.
void Simulation::reload(bool is_protected, std::int64_t poll_us, std::int64_t reuse_us) {
  runtime_options_.protections = is_protected ? simulated_protections() : Protections();
  if (!is_protected) has_lifted_ = true;
  runtime_options_.reuse_reads_us = reuse_us;
  if (!runtime_) return;
  ++counts_.reloads;
  say("a configuration is read that {}", is_protected ? "protects some machines" : "protects nothing");
  Reconfiguration wanted;
  wanted.poll_interval_us = poll_us;
  wanted.reuse_reads_us = reuse_us;
  wanted.keep_us = runtime_options_.keep_us;
  wanted.protections = runtime_options_.protections;
  wanted.keys = {"protect.machine.spared", "poll.every", "limits.reuse_reads"};
  wanted.by = "sim";
  wanted.apply = [this, is_protected] { is_sparing_ = is_protected; };
  runtime_->reconfigure(std::move(wanted), [this](const ReconfigureReply& reply) {
    if (reply.how == ReconfigureReply::How::Refused)
      problems_.push_back("a configuration is refused: " + reply.problem);
  });
}

// Of each call that goes out: the rules of now hold for it, whenever its run began and however long it
// waited.
void Simulation::check_spared(const OperationCall& call) {
  if (!is_sparing_ || call.module->operations[call.operation].effect != Effect::Act) return;
  const std::string machine = json_string(json_member(call.arguments, "machine").value_or("")).value_or("");
  const std::string run = call.key.substr(0, call.key.find('/'));
  const auto flow = flows_of_.find(run);
  const bool is_of_lease = flow != flows_of_.end() && flow->second.starts_with("lease.");
  if (machine.ends_with(kProtectedEnding) && !is_of_lease)
    problems_.push_back(fmt::format("{} goes out, and acts on what is protected by now", call.key));
}

}  // namespace flow::test
