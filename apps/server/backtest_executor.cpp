#include "apps/server/backtest_executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "vm/bytecode/stand_in.hpp"

namespace flow {
namespace {

constexpr std::size_t kPagesOfPoll = 8;  // fewer than a poll takes before it narrows its span
constexpr int kTries = 5;
constexpr std::int64_t kRestUs = 2'000'000, kLongestRestUs = 120'000'000;

bool fits(const GivenAnswer& given, const JsonMembers& arguments) {
  return std::ranges::all_of(given.arguments, [&](const auto& wanted) {
    const auto found = arguments.find(wanted.first);
    return found != arguments.end() && found->second == wanted.second;
  });
}

}  // namespace

Result<GivenAnswers> read_answers(const std::string& text) {
  const auto operations = json_members(text);
  if (!operations) return error("the answers are no JSON object, by operation");
  GivenAnswers answers;
  for (const auto& [operation, json] : *operations) {
    std::vector<GivenAnswer>& of_operation = answers[operation];
    const auto list = json_elements(json);
    const bool has_cases =
        list && !list->empty() && std::ranges::all_of(*list, [](const std::string& element) {
          return json_member(element, "answer").has_value();
        });
    if (!has_cases) {
      of_operation.push_back({.arguments = {}, .answer = json});
      continue;
    }
    for (const std::string& element : *list) {
      GivenAnswer given{.arguments = {}, .answer = *json_member(element, "answer")};
      if (const auto wanted = json_member(element, "arguments")) {
        const auto members = json_members(*wanted);
        if (!members) return error(fmt::format("`{}`: `arguments` is no object", operation));
        given.arguments.insert(members->begin(), members->end());
      }
      of_operation.push_back(std::move(given));
    }
  }
  return answers;
}

BacktestExecutor::BacktestExecutor(Executor* world, const PastClock& clock, std::vector<PastSource> sources,
                                   GivenAnswers answers)
    : world_(world), clock_(clock), answers_(std::move(answers)) {
  add(std::move(sources));
}

void BacktestExecutor::add(std::vector<PastSource> sources) {
  sources_.clear();
  for (PastSource& source : sources) sources_.push_back({.past = std::move(source)});
}

void BacktestExecutor::perform(OperationCall call, std::function<void(Outcome)> done) {
  const Operation& operation = call.module->operations[call.operation];
  if (operation.effect == Effect::Read) return done(read(call));
  const JsonMembers members = json_members(call.arguments).value_or(JsonMembers());
  done(Returned{
      stand_in_result(call.module->types, operation, NamedJson(members.begin(), members.end()), clock_.now)});
}

// What was not begun has ended.
void BacktestExecutor::progress(OperationCall, std::string result, std::function<void(Outcome)> done) {
  done(Returned{std::move(result)});
}

void BacktestExecutor::settle(OperationCall, std::function<void(Settlement)> done) {
  done(DidNotHappen{});
}

Outcome BacktestExecutor::read(const OperationCall& call) {
  const Operation& operation = call.module->operations[call.operation];
  const std::string name = operation.full_name();
  const std::string filter = json_string(json_member(call.arguments, "filter").value_or("")).value_or("");
  if (call.key.empty())  // a poll
    for (Source& source : sources_)
      if (source.past.operation == name && filter.starts_with(source.past.cursor_field + " ge "))
        return Returned{page(source, call.arguments)};
  const JsonMembers members = json_members(call.arguments).value_or(JsonMembers());
  if (const auto given = answers_.find(name); given != answers_.end())
    for (const GivenAnswer& each : given->second)
      if (fits(each, members)) return Returned{each.answer};
  if (world_ == nullptr)
    return Returned{stand_in_result(call.module->types, operation, NamedJson(members.begin(), members.end()),
                                    clock_.now)};
  const std::string key = name + "\n" + call.arguments;
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  return known_.emplace(key, ask(call)).first->second;
}

Outcome BacktestExecutor::ask(OperationCall call) {
  std::int64_t rest_us = kRestUs;
  for (int tries = 1;; ++tries) {
    std::promise<Outcome> answered;
    auto answer = answered.get_future();
    world_->perform(call, [&](Outcome outcome) { answered.set_value(std::move(outcome)); });
    Outcome outcome = answer.get();
    const auto* const fault = std::get_if<Fault>(&outcome);
    if (fault == nullptr || !may_retry(fault->kind) || tries == kTries) return outcome;
    const std::int64_t wish_us = std::min(std::max(fault->retry_after_us, rest_us), kLongestRestUs);
    std::this_thread::sleep_for(std::chrono::microseconds(wish_us));
    rest_us *= 2;
  }
}

// Those whose time has come, each once. A poll is ended before it narrows its span, which would ask for the
// same events once more; what is left comes with the next.
std::string BacktestExecutor::page(Source& source, const std::string& arguments) {
  if (json_member(arguments, "skip").value_or("0") == "0") source.of_this_poll = 0;
  const std::size_t most = source.past.page_size * kPagesOfPoll - 1;
  std::string list;
  std::size_t rows = 0;
  for (; source.served < source.past.events.size() && rows < source.past.page_size; ++source.served, ++rows) {
    const PastEvent& event = source.past.events[source.served];
    if (event.time_us > clock_.now || source.of_this_poll == most) break;
    ++source.of_this_poll;
    list += (list.empty() ? "" : ",") + event.json;
  }
  return "[" + list + "]";
}

std::int64_t BacktestExecutor::next_event_us(std::int64_t now_us) const {
  std::int64_t next_us = kNever;
  for (const Source& source : sources_)
    if (source.served < source.past.events.size())
      next_us = std::min(next_us, std::max(now_us, source.past.events[source.served].time_us));
  return next_us;
}

std::int64_t BacktestExecutor::first_us() const {
  std::int64_t first_us = kNever;
  for (const Source& source : sources_)
    if (!source.past.events.empty()) first_us = std::min(first_us, source.past.events.front().time_us);
  return first_us;
}

std::int64_t BacktestExecutor::last_us() const {
  std::int64_t last_us = 0;
  for (const Source& source : sources_)
    if (!source.past.events.empty()) last_us = std::max(last_us, source.past.events.back().time_us);
  return last_us;
}

std::size_t BacktestExecutor::events() const {
  std::size_t count = 0;
  for (const Source& source : sources_) count += source.past.events.size();
  return count;
}

}  // namespace flow
