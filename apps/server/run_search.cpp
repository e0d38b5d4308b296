#include "apps/server/run_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/server/moment.hpp"
#include "apps/server/query.hpp"
#include "apps/server/run_json.hpp"
#include "base/text.hpp"
#include "runtime/history.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kListedAtFirst = 100, kMostListed = 1'000;

Result<std::int64_t> moment(std::string_view name, const std::string& text, std::int64_t now_us) {
  if (text.empty()) return 0;
  if (const auto parsed = parse_moment(text, now_us)) return *parsed;
  return error(fmt::format("{}: `{}` is no moment, as 2h (so long ago), 2026-11-22 or 2026-11-22T06:00:00Z",
                           name, text));
}

}  // namespace

Result<RunFilter> read_search(const RunSearch& search, std::int64_t now_us) {
  RunFilter filter;
  filter.tenant = search.tenant;
  filter.flow = search.flow;
  filter.event = search.alert;
  filter.machine = search.machine;
  filter.before_id = search.before;
  FLOW_TRY(filter.since_us, moment("since", search.since, now_us));
  FLOW_TRY(filter.until_us, moment("until", search.until, now_us));
  if (search.state.empty()) return filter;
  filter.state = run_state_named(search.state);
  if (!filter.state)
    return error(
        fmt::format("there is no state `{}`; states are running, parked, skipped, finished, stopped, failed",
                    search.state));
  return filter;
}

bool RunPages::handle(const HttpQuestion& question, const api::Reply& reply) const {
  if (!api_token_) return false;
  const std::string_view target = question.target;
  const auto path = percent_decoded(target.substr(0, target.find('?')));
  if (!path || !path->starts_with(api::kRuns)) return false;
  const std::string_view rest = std::string_view(*path).substr(api::kRuns.size());
  const bool is_one = rest.size() > 1 && rest[0] == '/' && rest.find('/', 1) == std::string_view::npos;
  if (!rest.empty() && !is_one) return false;
  if (!api::reads(question)) {
    reply(api::only("GET"));
  } else if (api::is_allowed(api_token_, question, reply)) {
    reply(is_one ? show(rest.substr(1)) : list(question));
  }
  return true;
}

HttpAnswer RunPages::list(const HttpQuestion& question) const {
  const std::string_view target = question.target;
  const Status checked = check_parameters(
      target, {"tenant", "flow", "alert", "machine", "state", "since", "until", "before", "limit"});
  if (!checked) return api::refusal(400, "BadRequest", checked.error().message);
  RunSearch search{.tenant = parameter(target, "tenant"),
                   .flow = parameter(target, "flow"),
                   .alert = parameter(target, "alert"),
                   .machine = parameter(target, "machine"),
                   .state = parameter(target, "state"),
                   .since = parameter(target, "since"),
                   .until = parameter(target, "until"),
                   .before = parameter(target, "before")};
  auto filter = read_search(search, clock_.now_us());
  if (!filter) return api::refusal(400, "BadRequest", filter.error().message);
  const std::string limit = parameter(target, "limit");
  const auto wanted = limit.empty() ? std::optional<std::int64_t>(kListedAtFirst) : json_int(limit);
  if (!wanted || *wanted < 1 || *wanted > kMostListed)
    return api::refusal(400, "BadRequest",
                        fmt::format("`limit` is a whole number from 1 to {}", kMostListed));
  filter->limit = static_cast<std::uint32_t>(*wanted);
  const auto rows = store_.list_runs(*filter);
  if (!rows) return api::store_failed();
  std::string all;
  for (const RunRow& row : *rows) all += (all.empty() ? "" : ",") + json_run(row);
  // Where the next page begins, when there may be one.
  const std::string next = rows->size() == filter->limit ? json_quoted(rows->back().id) : "null";
  return api::answer(200, fmt::format(R"({{"runs":[{}],"next":{}}})", all, next));
}

HttpAnswer RunPages::show(std::string_view id) const {
  const auto history = show_run(store_, id);
  if (!history) return api::store_failed();
  if (!*history) return api::refusal(404, "NotFound", fmt::format("there is no run `{}`", id));
  std::string steps;
  for (const RunStep& step : (*history)->steps) steps += (steps.empty() ? "" : ",") + json_step(step);
  return api::answer(200, fmt::format(R"({{"run":{},"steps":[{}]}})", json_run((*history)->run), steps));
}

}  // namespace flow
