// What of a running loop is changed by a new configuration. It is checked before anything of it is done, and
// done between two steps of a turn: what is asked for afterwards goes by the new one, also what waited in
// line for it, and what is out ends as it began.
#include <fmt/format.h>

#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestDetail = 400;  // of a row of the trail, which cuts longer ones

// Names of keys, several to a row, none of them cut.
std::vector<std::string> in_rows(const std::vector<std::string>& keys) {
  std::vector<std::string> rows(1);
  for (const std::string& key : keys) {
    if (!rows.back().empty() && rows.back().size() + key.size() > kLongestDetail) rows.emplace_back();
    rows.back() += (rows.back().empty() ? "" : ", ") + key;
  }
  return rows;
}

}  // namespace

void Runtime::Loop::reconfigure(Reconfiguration wanted, ReconfigureDone done) {
  inbox_->ask([this, wanted = std::move(wanted), done = std::move(done)](bool is_open) mutable -> Status {
    if (is_open) return take_configuration(std::move(wanted), done);
    done({});
    return {};
  });
}

Status Runtime::Loop::take_configuration(Reconfiguration wanted, const ReconfigureDone& done) {
  std::shared_ptr<const Module> rules;
  if (!wanted.protections.module.empty()) {
    auto loaded = engine_.load(wanted.protections.module);
    if (!loaded) {
      done({.how = ReconfigureReply::How::Refused, .problem = loaded.error().message});
      return {};
    }
    rules = std::move(*loaded);
  }
  if (wanted.protections != options_.protections) protect_by(std::move(wanted.protections), std::move(rules));
  options_.poll_interval_us = wanted.poll_interval_us;
  options_.look_back_us = wanted.look_back_us;
  options_.reuse_reads_us = wanted.reuse_reads_us;
  reads_.reuse_for(wanted.reuse_reads_us);
  options_.links = std::move(wanted.links);
  const bool is_kept_otherwise =
      wanted.keep_us != options_.keep_us || wanted.keep_audit_us != options_.keep_audit_us;
  options_.keep_us = wanted.keep_us;
  options_.keep_audit_us = wanted.keep_audit_us;
  if (is_kept_otherwise && !pruning_.is_under_way) begin_pruning();
  for (std::string& names : in_rows(wanted.keys))
    batch_.audit.push_back({.kind = AuditKind::Reloaded,
                            .time_us = clock_.now_us(),
                            .detail = std::move(names),
                            .by = wanted.by,
                            .via = wanted.via});
  when_durable([apply = std::move(wanted.apply), done] {
    if (apply) apply();
    done({.how = ReconfigureReply::How::Done, .problem = {}});
  });
  return {};
}

// Calls that were found unprotected by the rules of before and have not gone out are asked about anew
// (let_go()), and so are those that wait for what the rules wanted to know.
void Runtime::Loop::protect_by(Protections protections, std::shared_ptr<const Module> rules) {
  ++rules_;
  protecting_ = std::move(rules);
  options_.protections = std::move(protections);
  for (const auto& [key, facts] : std::exchange(facts_, {}))
    for (const auto& [id, number] : facts.waiting)
      at(clock_.now_us(), [this, id = id, number = number] { ask_again(id, number); });
}

void Runtime::Loop::ask_again(const std::string& id, std::uint32_t number) {
  Run* const held = waiting_run(id, number);
  if (held == nullptr) return;
  ask_for(*held, number);
  settle_run(*held);
}

}  // namespace flow
