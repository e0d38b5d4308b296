// Reads that runs share (shared_reads.hpp). Each run has entries of its own about its call, so a replay needs
// nothing of the others: who makes the call has an intent before it goes out, as always; who is served by it
// gets intent and answer in one commit, marked `shared`, when it is back.
//
// No run is worse off for it. Whoever stands in line keeps standing there, and the first whose turn it is
// makes the call. If that one is ended meanwhile, the others get the answer all the same. A fault that may
// pass is one for those who waited before the call went out, each of which goes on as its own policy says;
// who came later asks again.
#include <fmt/format.h>

#include "base/operation_bytes.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

// All of an operation and its route that decides what is asked and what the answer means, wherever the module
// has them. Types of parameters do not: the arguments are there as they are sent.
std::string fingerprint(const Module& module, const Operation& operation, std::size_t route_index) {
  Route route = operation.routes[route_index];
  const Connector& connector = module.connectors.at(std::exchange(route.connector, 0));
  ByteWriter out;
  out(operation.full_name(), operation.result == kNothingType, operation.result_member,
      operation.result_members_else, connector, route);
  return sha256_hex(out.take());
}

}  // namespace

const std::string& Runtime::Loop::fingerprint_of(const std::shared_ptr<const Module>& module,
                                                 std::uint32_t operation, std::size_t route) {
  std::string& known = fingerprints_[{module, operation, route}];
  if (known.empty()) known = fingerprint(*module, module->operations[operation], route);
  return known;
}

// Nothing for a call that is no read, or is awaited.
std::optional<SharedReads::Key> Runtime::Loop::shared_as(const Run& run, std::uint32_t number,
                                                         const Pending& pending) {
  const Operation& operation = run.operation(number);
  const std::optional<CallOptions>& said = run.waiting(number)->call.options;
  if (operation.effect != Effect::Read || operation.routes.empty() || (said && said->is_awaited))
    return std::nullopt;
  const std::size_t route = route_of(pending.call.tenant, operation);
  if (operation.routes[route].connector >= pending.module->connectors.size()) return std::nullopt;
  const std::string& known = fingerprint_of(pending.module, pending.call.operation, route);
  return SharedReads::Key{pending.call.tenant,
                          fmt::format("{}\n{}\n{}", known, pending.call.deadline_us, pending.call.arguments)};
}

// By what is known already, or will be when the call that is out comes back. Where it is answered here,
// settle_run() is to follow.
bool Runtime::Loop::is_served_by_another(Run& run, std::uint32_t number, const SharedReads::Key& key) {
  if (const auto known = reads_.answer(key, run.row().id, clock_.now_us())) {
    answer_shared(run, number, Returned{*known});
    return true;
  }
  const auto out = reads_.out(key);
  if (!out) return false;
  pending_.at(*out).sharers.push_back(
      {.run = run.row().id, .life = run.life(), .number = number, .came_later = true});
  return true;
}

void Runtime::Loop::take_along(std::uint64_t ticket, Pending& pending) {
  for (const std::uint64_t other : reads_.note_out(*pending.read, ticket)) {
    const auto found = pending_.find(other);
    if (found == pending_.end()) continue;
    const Pending& taken = found->second;
    pending.sharers.push_back({.run = taken.owner, .life = taken.life, .number = taken.number});
    pending_.erase(found);  // the limiter passes over its ticket
  }
}

Run* Runtime::Loop::owner_of(const Sharer& sharer) {
  Run* const owner = waiting_run(sharer.run, sharer.number);
  return owner != nullptr && owner->life() == sharer.life ? owner : nullptr;
}

void Runtime::Loop::answer_shared(Run& run, std::uint32_t number, const Outcome& outcome) {
  ++counters_.reads_shared;
  const std::int64_t now_us = clock_.now_us();
  run.note_attempt(number, now_us);
  run.answer(number, outcome, false, now_us, AnsweredBy::Shared);
}

// Before anybody is answered: they may ask at once for the next.
void Runtime::Loop::note_read_back(std::uint64_t ticket, const Pending& pending, const Outcome& outcome) {
  const auto* returned = std::get_if<Returned>(&outcome);
  std::set<std::string> runs{pending.owner};
  for (const Sharer& sharer : pending.sharers) runs.insert(sharer.run);
  reads_.note_back(*pending.read, ticket,
                   returned != nullptr && is_json(returned->json) ? &returned->json : nullptr,
                   std::move(runs), clock_.now_us());
}

void Runtime::Loop::answer_sharers(const Pending& pending, const Outcome& outcome) {
  for (const Sharer& sharer : pending.sharers) {
    Run* const found = owner_of(sharer);
    if (found == nullptr) continue;  // nobody wants it any more
    Run& run = *found;
    const auto* fault = std::get_if<Fault>(&outcome);
    if (fault == nullptr || !may_retry(fault->kind)) {
      answer_shared(run, sharer.number, outcome);
    } else if (sharer.came_later) {
      ask_now(run, sharer.number);
    } else {
      run.note_attempt(sharer.number, clock_.now_us());
      take_fault(run, sharer.number, *fault, 0);
      continue;
    }
    settle_run(run);
  }
}

}  // namespace flow
