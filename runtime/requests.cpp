// Runs that somebody asks for from outside: a person who starts a flow, a request that comes to a hook. They
// are told once the run is durable, or once it has responded.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/shadow.hpp"
#include "vm/interp/arguments.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestKey = 512;

bool may_respond(const Subscriber& subscriber) {
  return std::ranges::any_of(subscriber.code().manifest.calls, [&](const ManifestCall& call) {
    const Operation& operation = subscriber.module->operations[call.operation];
    return operation.connector == "flow" && operation.name == "respond";
  });
}

}  // namespace

Status Runtime::Loop::take_requests(bool& has_worked) {
  for (const InboxRequest& request : inbox_->take_requests(options_.requests_per_turn)) {
    has_worked = true;
    FLOW_TRY_STATUS(request(true));
  }
  return {};
}

// The flow that is meant; else the answer says why there is none.
Runtime::Loop::Deployed* Runtime::Loop::wanted(const StartRequest& request, StartAnswer& answer) {
  const bool is_hook = request.by == StartRequest::By::Webhook;
  const auto kind = is_hook ? Trigger::Kind::Webhook : Trigger::Kind::Manual;
  std::vector<std::string> known;
  for (auto& [key, deployed] : deployed_) {
    const Subscriber& subscriber = deployed.subscriber;
    const Trigger& trigger = subscriber.trigger();
    if (trigger.kind != kind || subscriber.tenant != request.tenant || is_shadow(subscriber.flow)) continue;
    const std::string& name = is_hook ? trigger.endpoint : subscriber.flow;
    if (name == request.name) return &deployed;
    known.push_back(name);
  }
  const auto near = nearest_name(request.name, known);
  answer.how = StartAnswer::How::NotFound;
  answer.problem =
      fmt::format("no flow {}`{}` for tenant `{}`{}", is_hook ? "waits at the hook " : "on manual is named ",
                  request.name, request.tenant, near ? fmt::format("; did you mean `{}`?", *near) : "");
  return nullptr;
}

// What was asked of a flow its shadow gets, too; who asked is told of the flow only.
Status Runtime::Loop::begin_shadow(const Subscriber& live, const Beginning& beginning) {
  const auto found = deployed_.find(source_key(live.tenant, shadow_of(live.flow)));
  if (found == deployed_.end() || found->second.subscriber.trigger().kind != live.trigger().kind) return {};
  Beginning own{.trigger = beginning.trigger, .key = beginning.key, .event = beginning.event};
  const auto begun = begin_run(found->second.subscriber, own);
  return begun ? Status() : Status(tl::unexpected(begun.error()));
}

Status Runtime::Loop::take_request(const StartRequest& request, const StartDone& done) {
  StartAnswer answer;
  Deployed* const deployed = wanted(request, answer);
  if (deployed == nullptr) return done(std::move(answer)), Status();
  const auto refuse = [&](StartAnswer::How how, std::string problem) {
    done({.how = how, .run = {}, .problem = std::move(problem), .body = {}});
    return Status();
  };
  if (!has_room()) return refuse(StartAnswer::How::Busy, "too many runs are under way; try again later");
  if (request.key.size() > kLongestKey)
    return refuse(StartAnswer::How::Refused, fmt::format("the key is longer than {} bytes", kLongestKey));
  Subscriber& subscriber = deployed->subscriber;
  const bool is_manual = request.by == StartRequest::By::Manual;
  std::string completed;
  if (is_manual)
    completed = with_written(*subscriber.module, subscriber.code(), request.event, request.written);
  const std::string& event = is_manual ? completed : request.event;
  if (is_manual)
    if (const Status fits = check_arguments(*subscriber.module, subscriber.code(), event); !fits)
      return refuse(StartAnswer::How::Refused, fits.error().message);
  Beginning beginning{.trigger = subscriber.trigger().name,
                      .key = request.key.empty() ? uuid() : request.key,
                      .event = event,
                      .may_be_refused = true};
  if (may_respond(subscriber))  // it may do so at once
    beginning.on_begun = [&](const std::string& run) {
      const std::int64_t until_us = clock_.now_us() + request.respond_within_us;
      responders_.emplace(run, Responder{done, until_us});
      responds_until_.emplace(until_us, run);
    };
  FLOW_TRY(const Begun begun, begin_run(subscriber, beginning));
  FLOW_TRY_STATUS(begin_shadow(subscriber, beginning));
  answer.run = begun.run;
  switch (begun.how) {
    case Begun::How::Refused: return refuse(StartAnswer::How::Refused, begun.problem);
    case Begun::How::Skipped: answer.how = StartAnswer::How::Skipped; break;
    case Begun::How::Known: answer.how = StartAnswer::How::Known; break;
    case Begun::How::Started:
      if (may_respond(subscriber)) return {};
      answer.how = StartAnswer::How::Started;
      break;
  }
  when_durable([done, answer] { done(answer); });
  return {};
}

// Only the first answer is one.
void Runtime::Loop::answer_request(const StartAnswer& answer) {
  const auto found = responders_.find(answer.run);
  if (found == responders_.end()) return;
  when_durable([done = std::move(found->second.done), answer] { done(answer); });
  responds_until_.erase({found->second.until_us, answer.run});
  responders_.erase(found);
}

bool Runtime::Loop::answer_late_requests(std::int64_t now_us) {
  bool has_answered = false;
  while (!responds_until_.empty() && responds_until_.begin()->first <= now_us) {
    const std::string run = responds_until_.begin()->second;
    answer_request({.how = StartAnswer::How::Started, .run = run, .problem = {}, .body = {}});
    has_answered = true;
  }
  return has_answered;
}

// Nobody may be waiting: the time was over, the process has ended meanwhile, the run was started by something
// else.
Outcome Runtime::Loop::respond(const Run& run, std::string_view arguments) {
  const auto status = json_int(json_member(arguments, "status").value_or(""));
  if (!status || *status < 200 || *status > 599)
    return Fault{.kind = FaultKind::BadRequest, .message = "a response's status is a number from 200 to 599"};
  const auto body = json_member(arguments, "body");
  StartAnswer answer{.how = StartAnswer::How::Responded,
                     .run = run.row().id,
                     .problem = {},
                     .status = static_cast<int>(*status),
                     .body = {}};
  if (body && *body != "null") answer.body = json_string(*body).value_or(*body);
  answer_request(answer);
  return Returned{"null"};
}

}  // namespace flow
