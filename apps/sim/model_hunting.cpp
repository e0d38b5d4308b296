// Hunting queries by their three doors: the API of Defender for Endpoint and that of Defender XDR, which both
// end on 2027-02-01, and Graph.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/hunting.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kEndOfOldApis = 1'801'440'000;  // 2027-02-01
constexpr std::int64_t kDaysOfData = 30;
constexpr HuntingQuota kOldQuota{3'600, 600, 200};
constexpr HuntingQuota kGraphQuota{900, 600, 180};
constexpr std::size_t kMostRemembered = 1'000;

kql::TimeWindow last_month(const State& state) {
  const std::int64_t now = state.now_us() * 10;
  return {now - kDaysOfData * kql::kTicksADay, kql::kMostTicks};
}

// The body's `Query`; names count without regard to case.
struct Body {
  std::string query, timespan, problem;
};
Body read_hunting_body(const HttpQuestion& question) {
  const auto json = parse_json(question.body);
  if (!json || !json->is_object()) return {"", "", "The request body is no JSON object."};
  Body body;
  for (const Member& member : json->members()) {
    if (equals_ignoring_case(member.name, "Query")) body.query = member.value.text();
    if (equals_ignoring_case(member.name, "Timespan")) body.timespan = member.value.text();
  }
  if (body.query.empty()) body.problem = "The query is missing: the body wants a text 'Query'.";
  return body;
}

Json row_json(const kql::Answer& answer, const kql::Row& row, bool has_types) {
  Json::Object members;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const kql::Column& column = answer.columns[i];
    Json value = kql::to_json(row[i], column.type);
    if (has_types && !value.is_null() && column.type == kql::Type::DateTime)
      members.push_back({column.name + "@odata.type", "#DateTimeOffset"});
    if (has_types && !value.is_null() && column.type == kql::Type::Long)
      members.push_back({column.name + "@odata.type", "#Int64"});
    members.push_back({column.name, std::move(value)});
  }
  return Json::object_of(std::move(members));
}

Json schema_json(const kql::Answer& answer, const char* name, const char* type) {
  Json schema = Json::list();
  for (const kql::Column& column : answer.columns)
    schema.add(Json::object({{name, column.name}, {type, kql::wire_type_name(column.type)}}));
  return schema;
}

Json rows_json(const kql::Answer& answer, bool has_types) {
  Json::List rows;
  rows.reserve(answer.rows.size());
  for (const kql::RowPointer& row : answer.rows) rows.push_back(row_json(answer, *row, has_types));
  return rows;
}

HttpAnswer too_many(HttpAnswer answer, std::int64_t wait) {
  if (wait > 0) answer.headers.emplace_back("Retry-After", std::to_string(wait));
  return answer;
}

HttpAnswer old_api(State& state, const Call& call, bool is_xdr) {
  const Body body = read_hunting_body(call.question);
  if (!body.problem.empty()) return defender_error(state, 400, "BadRequest", body.problem);
  Hunting& own = hunting(state);
  const SomeTables devices(own.tables,
                           [](std::string_view name) { return HuntingTables::is_of_devices(name); });
  const kql::Tables& tables = is_xdr ? static_cast<const kql::Tables&>(own.tables) : devices;
  auto found = hunt(state, body.query, tables, last_month(state), kOldQuota);
  if (!found)
    return too_many(
        defender_error(state, found.error().status,
                       found.error().status == 429 ? "TooManyRequests" : "BadRequest", found.error().message),
        found.error().retry_after);
  // From its end on the old API has no data.
  if (state.now_us() / 1'000'000 >= kEndOfOldApis) found->answer.rows.clear();
  Json usage = Json::object({{"cpu", Json::object({{"total cpu", found->seconds}})}});
  Json stats = Json::object({{"ExecutionTime", found->seconds}, {"resource_usage", usage}});
  stats.set("dataset_statistics",
            Json(Json::List{Json::object({{"table_row_count", found->answer.rows.size()}})}));
  return json_answer(200, Json::object({{"Stats", stats},
                                        {"Schema", schema_json(found->answer, "Name", "Type")},
                                        {"Results", rows_json(found->answer, false)}}));
}

HttpAnswer run_mde(State& state, const Call& call) {
  return old_api(state, call, false);
}
HttpAnswer run_xdr(State& state, const Call& call) {
  return old_api(state, call, true);
}

// What the designer asks to know a query's columns.
HttpAnswer get_schema(State& state, const Call& call) {
  const Body body = read_hunting_body(call.question);
  if (!body.problem.empty()) return defender_error(state, 400, "BadRequest", body.problem);
  const auto found =
      hunt(state, body.query + "\n| take 0", hunting(state).tables, last_month(state), kOldQuota);
  if (!found) return defender_error(state, found.error().status, "BadRequest", found.error().message);
  Json properties = Json::object();
  for (const kql::Column& column : found->answer.columns)
    properties.set(column.name, Json::object({{"type", column.type == kql::Type::Bool      ? "boolean"
                                                       : kql::is_number(column.type)       ? "number"
                                                       : column.type == kql::Type::Dynamic ? "object"
                                                                                           : "string"}}));
  return json_answer(
      200, Json::object({{"type", "array"},
                         {"items", Json::object({{"type", "object"}, {"properties", properties}})}}));
}

HttpAnswer run_graph(State& state, const Call& call) {
  const Body body = read_hunting_body(call.question);
  if (!body.problem.empty()) return graph_error(state, 400, "BadRequest", body.problem);
  kql::TimeWindow window = last_month(state);
  if (!body.timespan.empty()) {
    const auto asked = kql::parse_window(body.timespan, state.now_us());
    if (!asked) return graph_error(state, 400, "BadRequest", "Timespan: " + asked.error().message);
    window.from = std::max(window.from, asked->from);
    window.to = asked->to;
  }
  const auto found = hunt(state, body.query, hunting(state).tables, window, kGraphQuota);
  if (!found)
    return graph_error(state, found.error().status,
                       found.error().status == 429 ? "TooManyRequests" : "BadRequest", found.error().message);
  return json_answer(
      200, Json::object(
               {{"@odata.context",
                 "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"},
                {"schema", schema_json(found->answer, "name", "type")},
                {"results", rows_json(found->answer, true)}}));
}

HttpAnswer show_hunting(State& state, const Json&, const Target& target) {
  const Hunting& own = hunting(state);
  Json rows = Json::object();
  for (const std::string& name : own.tables.names()) rows.set(name, own.tables.find(name)->rows.size());
  Json shown = last_entries(target, own.last, [](const Json& query) { return query; });
  return json_answer(200, shown.set("queries", own.queries).set("refused", own.refused).set("tables", rows));
}

constexpr SimOperation kHuntingOperations[] = {
    {"hunting.run", "POST", "/api/advancedqueries/run", Audience::Defender, "AdvancedQuery.Read.All", 45,
     1'500, run_mde},
    {"hunting.schema", "POST", "/api/advancedqueries/schema", Audience::Defender, "AdvancedQuery.Read.All", 0,
     0, get_schema},
    {"xdr.hunting.run", "POST", "/api/advancedhunting/run", Audience::Xdr, "AdvancedHunting.Read.All", 45, 0,
     run_xdr},
    {"graph.hunting.run", "POST", "/v1.0/security/runHuntingQuery", Audience::Graph, "ThreatHunting.Read.All",
     45, 0, run_graph},
};

constexpr ControlPage kHuntingPages[] = {{"GET", "hunting", show_hunting}};

}  // namespace

Hunting& hunting(State& state) {
  if (state.hunting == nullptr) state.hunting = std::make_shared<Hunting>();
  state.hunting->tables.refresh(state);
  return *state.hunting;
}

tl::expected<HuntingAnswer, HuntingRefusal> hunt(State& state, const std::string& query,
                                                 const kql::Tables& tables, kql::TimeWindow window,
                                                 const HuntingQuota& quota) {
  Hunting& own = *state.hunting;
  const std::int64_t now = state.now_us() / 1'000'000;
  while (!own.spent.empty() && own.spent.front().first <= now - 3'600) own.spent.pop_front();
  double used = 0;
  for (const auto& [second, seconds] : own.spent)
    if (second > now - quota.window_seconds) used += seconds;
  ++own.queries;
  Json entry = Json::object({{"time", format_ticks(state.now_us())}, {"query", query}});
  const auto refuse_with = [&](HuntingRefusal refusal) {
    ++own.refused;
    own.last.push_back(entry.set("refused", refusal.message));
    if (own.last.size() > kMostRemembered) own.last.pop_front();
    return tl::unexpected(std::move(refusal));
  };
  if (state.quotas.is_on && used >= quota.most_seconds)
    return refuse_with(
        {429,
         fmt::format("You have exceeded the running time of {:.0f} seconds in {} minutes (CPU quota).",
                     quota.most_seconds, quota.window_seconds / 60),
         quota.window_seconds});
  kql::Limits limits;
  limits.steps = static_cast<std::uint64_t>(quota.longest_seconds * kStepsASecond);
  limits.bytes = 256u << 20;
  auto answer = kql::run_query(query, tables, window, state.now_us(), limits);
  const double seconds = static_cast<double>(answer ? answer->steps : answer.error().steps) / kStepsASecond;
  own.spent.emplace_back(now, seconds);
  if (!answer) return refuse_with({400, answer.error().message, 0});
  own.last.push_back(entry.set("rows", answer->rows.size()).set("seconds", seconds));
  if (own.last.size() > kMostRemembered) own.last.pop_front();
  return HuntingAnswer{std::move(*answer), seconds};
}

std::span<const SimOperation> hunting_operations() {
  return kHuntingOperations;
}
std::span<const ControlPage> hunting_pages() {
  return kHuntingPages;
}

HttpAnswer control_table(State& state, const HttpQuestion& question, const Target& target) {
  Hunting& own = hunting(state);
  const std::string& name = target.segments[2];
  if (question.method == "POST") {
    const auto body = parse_json(question.body);
    if (!body) return refuse(400, body.error().message);
    const Json& rows = (*body)["value"].is_list() ? (*body)["value"] : *body;
    if (const Status status = own.tables.add(name, rows); !status) return refuse(400, status.error().message);
  } else if (question.method != "GET") {
    return refuse(405, "/sim/tables/" + name + " does not take " + question.method + ", only GET, POST");
  }
  const auto table = own.tables.find(name);
  if (table == nullptr) return refuse(404, "there is no table " + name);
  const kql::Answer answer{table->columns, {}};
  return json_answer(200, last_entries(target, table->rows, [&](const kql::RowPointer& row) {
                       return row_json(answer, *row, false);
                     }));
}

}  // namespace flow::sim
