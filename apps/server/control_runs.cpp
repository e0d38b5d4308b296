// flow runs resume, cancel and retry: what a person does to runs. The service that has their store open is
// asked for it; while none has, the store is changed here, and the next start takes up what goes on.
#include <fmt/format.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/run_control.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/service_client.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/store_place.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/rerun.hpp"

namespace flow {
namespace {

using Control = ControlRequest::What;

// The runs that are meant: the one named, or all that failed within a time, those that began first in front.
Attempt<std::vector<std::string>> wanted(const std::string& path, const ControlOptions& options,
                                         std::int64_t now_us) {
  if (!options.id.empty()) return std::vector<std::string>{options.id};
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(path));
  RunFilter filter{.tenant = options.tenant, .flow = options.flow, .state = RunState::Failed};
  filter.limit = kMaxListedRuns;
  filter.since_us = options.since_us > 0 ? now_us - options.since_us : 0;
  FLOW_TRY(const std::vector<RunRow> rows, store->list_runs(filter));
  std::vector<std::string> ids;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (options.what == Control::Retry) {  // what was repeated once has acted again already
      FLOW_TRY(const std::vector<std::string> repeats, reruns(*store, *row));
      if (!repeats.empty()) continue;
    }
    ids.push_back(row->id);
  }
  return ids;
}

Status check_usage(const ControlOptions& options) {
  if (options.id.empty() && !options.failed) return error("name a run, or say --failed");
  if (!options.happened.empty() && !is_json(options.happened))
    return error(fmt::format("--happened takes the call's result as JSON, not `{}`", options.happened));
  const bool is_choice = !options.flow.empty() || !options.tenant.empty() || options.since_us > 0;
  if (!options.failed && is_choice) return error("--flow, --tenant and --since go with --failed");
  return {};
}

ControlRequest request_for(const std::string& run, const ControlOptions& options) {
  using Fate = ResumeRequest::Fate;
  ControlRequest request{
      .what = options.what, .run = run, .resume = {.by = options.by}, .reason = options.reason};
  if (!options.happened.empty())
    request.resume.fate = Fate::Happened, request.resume.result = options.happened;
  if (options.did_not_happen) request.resume.fate = Fate::DidNotHappen;
  return request;
}

Attempt<ControlReply> ask(const Config& config, const ControlRequest& request) {
  FLOW_TRY(const HttpResponse response,
           ask_service(config, "POST", control_path(request), control_body(request)));
  using How = ControlReply::How;
  if (response.status == 200)
    return ControlReply{.how = How::Done,
                        .problem = {},
                        .run = json_string(json_member(response.body, "run").value_or("")).value_or("")};
  const Failure refusal = service_refusal(response);
  if (response.status == 404 && refusal.message.find(request.run) != std::string::npos)
    return ControlReply{.how = How::NotFound, .problem = refusal.message, .run = {}};
  if (response.status == 409) return ControlReply{.how = How::Refused, .problem = refusal.message, .run = {}};
  return tl::unexpected<Failure>(refusal);
}

std::string done_text(const std::string& run, const ControlReply& reply, Control what, bool is_at_service) {
  const char* const when = is_at_service ? "" : " when the service starts";
  switch (what) {
    case Control::Resume: return fmt::format("run {} goes on{}\n", run, when);
    case Control::Cancel: return fmt::format("run {} is cancelled\n", run);
    case Control::Retry: return fmt::format("run {} repeats run {}{}\n", reply.run, run, when);
  }
  return {};
}

Attempt<int> control(const ControlOptions& options) {
  if (const Status usage = check_usage(options); !usage) return failure(usage.error().message, kUsage);
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, open_to_change(place));
  const SystemClock clock;
  SystemRandom random;
  RunIds new_ids(clock, random);
  FLOW_TRY(const std::vector<std::string> ids, wanted(place.store, options, clock.now_us()));
  std::size_t done = 0;
  for (const std::string& id : ids) {
    const ControlRequest request = request_for(id, options);
    ControlReply reply;
    if (store) {
      FLOW_TRY(reply, control_in_store(*store, request, new_ids, clock.now_us()));
    } else {
      FLOW_TRY(reply, ask(*place.config, request));
    }
    if (reply.how != ControlReply::How::Done) {
      complain(reply.problem +
               (reply.how == ControlReply::How::NotFound ? "; `flow runs list` shows them" : ""));
      continue;
    }
    ++done;
    say(stdout, done_text(id, reply, options.what, store == nullptr));
  }
  if (ids.empty()) say(stdout, "no runs\n");
  return static_cast<int>(done == ids.size() ? kSuccess : kFlowWrong);
}

}  // namespace

int run_runs_control(const ControlOptions& options) {
  const Attempt<int> result = control(options);
  if (!result) complain(result.error().message);
  leave(result ? *result : result.error().code);
}

}  // namespace flow
