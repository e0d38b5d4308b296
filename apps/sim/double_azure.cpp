// Log Analytics, whose queries run over the hunting tables, and Key Vault.
#include <fmt/format.h>

#include "apps/sim/hunting.hpp"
#include "apps/sim/third_party.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr HuntingQuota kQuota{3'600, 3'600, 180};

HttpAnswer wrong(int status, const char* code, const std::string& message, const char* inner) {
  Json error = Json::object({{"code", code}, {"message", "The request had some invalid properties"}});
  error.set("innererror", Json::object({{"code", inner}, {"message", message}}));
  return json_answer(status, Json::object({{"error", error}}));
}

HttpAnswer query_logs(State& state, const Call& call) {
  const auto body = parse_json(call.question.body);
  const std::string query(body ? (*body)["query"].text() : "");
  if (query.empty()) return wrong(400, "BadArgumentError", "The query is missing.", "QueryValidationError");
  kql::TimeWindow window;
  std::string timespan((*body)["timespan"].text());
  if (timespan.empty()) timespan = call.target.parameter("timespan").value_or("");
  if (!timespan.empty()) {
    const auto asked = kql::parse_window(timespan, state.now_us());
    if (!asked) return wrong(400, "BadArgumentError", asked.error().message, "InvalidTimespan");
    window = *asked;
  }
  if (const std::int64_t wait = over_rate(state, "loganalytics.query", 30, 200); wait > 0)
    return throttled(wrong(429, "ThrottledError", "Too many queries.", "ThrottledError"), wait);
  const auto found = hunt(state, query, hunting(state).tables, window, kQuota);
  if (!found)
    return found.error().status == 429 ? wrong(429, "ThrottledError", found.error().message, "ThrottledError")
                                       : wrong(400, "BadArgumentError", found.error().message, "SyntaxError");
  Json columns = Json::list(), rows = Json::list();
  for (const kql::Column& column : found->answer.columns)
    columns.add(Json::object({{"name", column.name}, {"type", kql::type_name(column.type)}}));
  for (const kql::RowPointer& row : found->answer.rows) {
    Json values = Json::list();
    for (std::size_t i = 0; i < row->size(); ++i) {
      const Json value = kql::to_json((*row)[i], found->answer.columns[i].type);
      // Dynamic values are texts here.
      values.add(found->answer.columns[i].type == kql::Type::Dynamic && !value.is_null()
                     ? Json(value.to_text())
                     : value);
    }
    rows.add(std::move(values));
  }
  Json answer = Json::object(
      {{"tables",
        Json(Json::List{Json::object({{"name", "PrimaryResult"}, {"columns", columns}, {"rows", rows}})})}});
  if (found->answer.is_cut)
    answer.set("error", Json::object({{"code", "PartialError"},
                                      {"message", "There were some errors when processing your query."}}));
  return json_answer(200, answer);
}

constexpr const char* kVersion = "4387e9f3d6e14c459867679a90fd0f79";  // each secret has one

HttpAnswer forbidden(const char* message, const char* inner) {
  Json error = Json::object({{"code", "Forbidden"}, {"message", message}});
  error.set("innererror", Json::object({{"code", inner}}));
  return json_answer(403, Json::object({{"error", error}}));
}

HttpAnswer get_secret(State& state, const Call& call) {
  if (call.target.parameter("api-version").value_or("").empty())
    return json_answer(400,
                       Json::object({{"error", Json::object({{"code", "BadParameter"},
                                                             {"message", "The api-version is missing."}})}}));
  const auto& secrets = third_party(state).secrets;
  const std::string& name = call.id;
  const auto found = secrets.find(name);
  const bool is_other_version = call.captured.size() > 1 && call.captured[1] != kVersion;
  if (found == secrets.end() || is_other_version)
    return json_answer(
        404, Json::object({{"error", Json::object({{"code", "SecretNotFound"},
                                                   {"message", "A secret with (name/id) " + name +
                                                                   " was not found in this key vault."}})}}));
  const Json& secret = found->second;
  const auto is_off = [&](const char* member) {
    return secret[member].is_bool() && !secret[member].boolean();
  };
  if (is_off("allowed"))
    return forbidden("Caller is not authorized to perform action on resource.", "ForbiddenByRbac");
  if (is_off("enabled"))
    return forbidden("Operation get is not allowed on a disabled secret.", "SecretDisabled");
  const std::string id = fmt::format("https://vault.vault.azure.net/secrets/{}/{}", name, kVersion);
  const std::int64_t now = state.now_us() / 1'000'000;
  Json attributes = Json::object({{"enabled", true},
                                  {"created", now - 86'400},
                                  {"updated", now - 86'400},
                                  {"recoveryLevel", "Recoverable+Purgeable"}});
  if (secret["exp"].is_int()) attributes.set("exp", secret["exp"]);
  const Json& value = secret.is_text() ? secret : secret["value"];
  return json_answer(200, Json::object({{"value", value}, {"id", id}, {"attributes", attributes}}));
}

constexpr SimOperation kLogs[] = {
    {"loganalytics.query", "POST", "/v1/workspaces/{id}/query", Audience::LogAnalytics, "", 0, 0, query_logs},
};
constexpr SimOperation kVault[] = {
    {"keyvault.secret", "GET", "/secrets/{id}", Audience::Vault, "", 0, 0, get_secret},
    {"keyvault.secretVersion", "GET", "/secrets/{id}/{version}", Audience::Vault, "", 0, 0, get_secret},
};

}  // namespace

std::span<const SimOperation> log_analytics_operations() {
  return kLogs;
}
std::span<const SimOperation> key_vault_operations() {
  return kVault;
}

}  // namespace flow::sim
