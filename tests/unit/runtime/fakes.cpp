#include "fakes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

Operation operation(const std::string& connector, const std::string& name, Effect effect,
                    const Quota& quota) {
  Operation made;
  made.connector = connector;
  made.name = name;
  made.effect = effect;
  Route route;
  route.quota = quota;
  made.routes.push_back(route);
  return made;
}

std::shared_ptr<Module> make_module(const std::string& flow, const Quota& quota) {
  auto module = std::make_shared<Module>();
  module->source_name = flow + ".flow";
  module->connectors = {{.name = "defender"}, {.name = "mail"}};
  module->operations.push_back(operation("defender", "list_alerts", Effect::Read, quota));
  module->operations.push_back(operation("defender", "get_machine", Effect::Read, quota));
  module->operations.push_back(operation("defender", "isolate", Effect::Act, quota));
  module->operations.back().targets = "machine";
  module->operations.back().routes[0].permissions = {"Machine.Isolate"};
  module->operations.push_back(operation("mail", "send", Effect::Notify, {}));
  module->operations.back().routes[0].connector = 1;
  Trigger trigger;
  trigger.connector = "defender";
  trigger.name = "alert.new";
  trigger.operation = "list_alerts";
  trigger.cursor_field = "alertCreationTime";
  trigger.key_field = "id";
  trigger.page_size = 10;
  trigger.interval_us = 30 * kSecondUs;
  trigger.overlap_us = 5 * kMinuteUs;
  module->triggers.push_back(trigger);
  FlowCode code;
  code.name = flow;
  module->flows.push_back(code);
  return module;
}

std::string text_member(const std::string& json, const char* name) {
  const auto member = json_member(json, name);
  return member ? json_string(*member).value_or("") : "";
}

class ScriptMachine final : public RunMachine {
 public:
  ScriptMachine(std::string suffix, bool cleans_up) : suffix_(std::move(suffix)), cleans_up_(cleans_up) {}

  Step start(std::string_view event_json, std::string_view) override {
    const std::string event(event_json);
    const std::string severity = text_member(event, "severity");
    machine_ = text_member(event, "machineId");
    if (severity.empty()) return failed(FaultKind::InvalidEvent, "the event lacks `severity`");
    in_body_ = false;
    failure_.reset();
    position_ = 0;
    if (severity != "High") return Ended{Ended::How::Skipped, "", {}, 2};
    return Call{0, 1, true, fmt::format(R"({{"id":{}}})", json_quoted(machine_ + suffix_)), 3};
  }
  Step resume(const Outcome& outcome) override {
    if (failure_) return Ended{Ended::How::Failed, "", *failure_, 9};
    if (const auto* fault = std::get_if<Fault>(&outcome)) {
      if (!cleans_up_ || !in_body_) return Ended{Ended::How::Failed, "", *fault, 9};
      failure_ = *fault;
      return Call{static_cast<std::uint32_t>(position_), 3, false,
                  R"({"to":"lead@contoso.example"})",    8, true};
    }
    in_body_ = true;
    switch (++position_) {
      case 1: return LogLine{0, "isolating " + machine_, 4};
      case 2: return Call{1, 2, false, fmt::format(R"({{"machine":{}}})", json_quoted(machine_)), 5};
      case 3: return Call{2, 3, false, R"({"to":"soc@contoso.example"})", 6};
      default: return Ended{Ended::How::Finished, "", {}, 7};
    }
  }
  bool in_body() const override { return in_body_; }

 private:
  Step failed(FaultKind kind, const std::string& message) {
    Ended ended{Ended::How::Failed, "", {}, 1};
    ended.fault.kind = kind;
    ended.fault.message = message;
    return ended;
  }

  std::string suffix_;
  bool cleans_up_;
  std::optional<Fault> failure_;
  std::string machine_;
  int position_ = 0;
  bool in_body_ = false;
};

}  // namespace

std::shared_ptr<const Module> isolate_module(const std::string& flow, Quota quota) {
  return make_module(flow, quota);
}

Result<std::shared_ptr<const Module>> ScriptEngine::load(std::string_view bytes) {
  if (bytes.substr(0, 1) == "!") return error("the module is damaged");
  auto module = make_module(std::string(bytes), quota);
  module->flows[0].policies = policies;
  module->flows[0].manifest.poll_filter = filter;
  module->flows[0].manifest.poll_expand = expand;
  return std::shared_ptr<const Module>(std::move(module));
}

std::unique_ptr<RunMachine> ScriptEngine::machine(const Module&, std::uint32_t) {
  ++machines;
  return std::make_unique<ScriptMachine>(argument_suffix, cleans_up);
}

void FakeWorld::add_alert(const std::string& id, std::int64_t created_us, const std::string& severity,
                          const std::string& machine) {
  alerts_.push_back({id, created_us,
                     fmt::format(R"({{"id":{},"alertCreationTime":"{}","severity":"{}","machineId":{}}})",
                                 json_quoted(id), format_time_us(created_us), severity,
                                 json_quoted(machine.empty() ? "m-" + id : machine))});
}

std::string FakeWorld::page(const OperationCall& call) const {
  const std::string filter = text_member(call.arguments, "filter");
  const auto from =
      parse_time_us(filter.substr(filter.find(" ge ") + 4, filter.find('Z') - filter.find(" ge ") - 3));
  std::int64_t until = clock_.now + 1;
  if (const auto at = filter.find(" lt "); at != std::string::npos)
    until = *parse_time_us(filter.substr(at + 4, filter.find('Z', at) - at - 3));
  const auto top = static_cast<std::size_t>(*json_int(*json_member(call.arguments, "top")));
  auto skip = static_cast<std::size_t>(*json_int(*json_member(call.arguments, "skip")));
  std::string list;
  std::size_t rows = 0;
  for (const Alert& alert : alerts_) {
    if (alert.created_us < *from || alert.created_us >= until) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (rows++ == top) break;
    list += (list.empty() ? "" : ",") + alert.json;
  }
  return "[" + list + "]";
}

void FakeWorld::perform(OperationCall call, std::function<void(Outcome)> done) {
  const std::string name = call.module->operations[call.operation].full_name();
  call_times.push_back(clock_.now);
  std::optional<Outcome> outcome = interfere ? interfere(name, call) : std::nullopt;
  if (!outcome) {
    Returned returned{kAnswer};
    if (name == "defender.list_alerts") {
      pages_asked.push_back(call.arguments);
      returned.json = page_override.empty() ? page(call) : page_override;
    } else {
      ++carried_out[name][call.key];
    }
    outcome = returned;
  }
  if (!is_holding) return done(*outcome);
  held_.push_back([done = std::move(done), outcome = *outcome] { done(outcome); });
}

void FakeWorld::progress(OperationCall call, std::string result, std::function<void(Outcome)> done) {
  ++progress_asked;
  const Outcome outcome = progress_of ? progress_of(call, result) : Returned{R"({"status":"Succeeded"})"};
  if (!is_holding) return done(outcome);
  held_.push_back([done = std::move(done), outcome] { done(outcome); });
}

void FakeWorld::progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) {
  lists_asked.push_back(calls.size());
  std::string rows;
  for (const BegunCall& each : calls) {
    const Outcome one =
        progress_of ? progress_of(each.call, each.result) : Returned{R"({"status":"Succeeded"})"};
    const auto* const told = std::get_if<Returned>(&one);
    rows += (rows.empty() ? "" : ",") + (told == nullptr ? std::string("null") : told->json);
  }
  const Outcome outcome = progress_of_all ? progress_of_all(calls) : Returned{"[" + rows + "]"};
  if (!is_holding) return done(outcome);
  held_.push_back([done = std::move(done), outcome] { done(outcome); });
}

void FakeWorld::settle(OperationCall call, std::function<void(Settlement)> done) {
  ++settles;
  if (interfere_settle)
    if (auto settlement = interfere_settle(call)) return done(*settlement);
  const std::string name = call.module->operations[call.operation].full_name();
  if (carried_out[name].count(call.key)) return done(Happened{kAnswer});
  done(DidNotHappen{});
}

void FakeWorld::release() {
  for (const auto& answer : std::exchange(held_, {})) answer();
}

std::uint64_t FakeWorld::count(const std::string& operation) const {
  std::uint64_t n = 0;
  if (const auto found = carried_out.find(operation); found != carried_out.end())
    for (const auto& [key, times] : found->second) n += times;
  return n;
}

std::uint64_t FakeWorld::most_per_key(const std::string& operation) const {
  std::uint64_t most = 0;
  if (const auto found = carried_out.find(operation); found != carried_out.end())
    for (const auto& [key, times] : found->second) most = std::max(most, times);
  return most;
}

Status FailingStore::commit(const Batch& batch) {
  ++commits;
  if (commits < fail_at_) return inner_.commit(batch);
  if (commits == fail_at_ && is_written_) FLOW_TRY_STATUS(inner_.commit(batch));
  return error("the store was told to fail");
}

Bench::Bench(std::uint64_t seed) : random(seed) {
  auto opened = SqliteStore::open(":memory:");
  FLOW_CHECK(opened.has_value(), "a store in memory opens");
  store = std::move(*opened);
}

bool Bench::boot(RuntimeOptions options, Store* other_store) {
  runtime.reset();
  options.settle_after_us = settle_after_us;
  runtime = std::make_unique<Runtime>(other_store ? *other_store : *store, clock, random, world, engine,
                                      options, &observer);
  for (const std::string& flow : flows)
    if (!runtime->deploy("contoso", flow)) return false;
  return runtime->recover().has_value();
}

void Bench::pass(std::int64_t duration_us) {
  const std::int64_t end = clock.now + duration_us;
  for (;;) {
    const Status status = runtime->run_until_idle();
    ASSERT_TRUE(status) << status.error().message;
    const std::int64_t next = runtime->next_wake_us();
    if (next > end) break;
    clock.now = std::max(clock.now, next);
  }
  clock.now = end;
}

std::vector<RunRow> Bench::runs() {
  RunFilter filter;
  filter.limit = kMaxListedRuns;
  const auto rows = store->list_runs(filter);
  EXPECT_TRUE(rows) << rows.error().message;
  return rows ? *rows : std::vector<RunRow>();
}

RunHistory Bench::history(const std::string& id) {
  const auto found = show_run(*store, id);
  EXPECT_TRUE(found && *found);
  return found && *found ? **found : RunHistory();
}

TemporaryFolder::TemporaryFolder() {
  static int number = 0;
  path_ = std::filesystem::temp_directory_path() / fmt::format("flow-runtime-{}-{}", getpid(), ++number);
  std::filesystem::create_directories(path_);
}

std::vector<std::uint64_t> released(Limiter& limiter, std::int64_t now_us, std::size_t room) {
  std::vector<std::uint64_t> tickets;
  limiter.release(now_us, room, [&](std::uint64_t ticket) {
    tickets.push_back(ticket);
    return true;
  });
  return tickets;
}

Fault fault_of(FaultKind kind, bool maybe_executed, std::int64_t retry_after_us) {
  Fault fault;
  fault.kind = kind;
  fault.message = "told to";
  fault.maybe_executed = maybe_executed;
  fault.retry_after_us = retry_after_us;
  return fault;
}

}  // namespace flow::test
