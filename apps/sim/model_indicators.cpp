// Indicators: what Defender blocks, warns about or lets pass. One exists for each type and value.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/sightings.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostInCall = 500;

const EntitySet& indicator_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      defender_context("Indicators"),
      {{"application", Kind::Text},
       {"createdByDisplayName", Kind::Text},
       {"expirationTime", Kind::Time},
       {"generateAlert", Kind::Bool},
       {"title", Kind::Text},
       {"rbacGroupNames", Kind::Texts},
       {"rbacGroupIds", Kind::Texts},
       {"indicatorValue", Kind::Text},
       {"indicatorType",
        Kind::Enum,
        {"FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url"}},
       {"creationTimeDateTimeUtc", Kind::Time},
       {"createdBy", Kind::Text},
       {"action",
        Kind::Enum,
        {"Allowed", "Audit", "Block", "BlockAndRemediate", "Warn", "Alert", "AlertAndBlock"}},
       {"severity", Kind::Enum, {"Informational", "Low", "Medium", "High"}}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/indicators"};
  return kSet;
}

const std::vector<BodyField>& indicator_fields() {
  static const std::vector<BodyField> kFields{
      {"indicatorValue", true},
      {"indicatorType",
       true,
       {"FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url"}},
      {"action", true, {"Allowed", "Audit", "Block", "BlockAndRemediate", "Warn"}},
      {"title", true},
      {"description", true},
      {"application"},
      {"expirationTime"},
      {"severity", false, {"Informational", "Low", "Medium", "High"}},
      {"recommendedActions"},
      {"rbacGroupNames", false, {}, true},
      {"rbacGroupIds", false, {}, true},
      {"educateUrl"},
      {"externalId"},
      {"generateAlert", false, {}, false, BodyKind::Bool}};
  return kFields;
}

std::optional<BodyProblem> wrong_value(std::string_view type, const std::string& value) {
  const auto hash = [&](std::size_t digits) -> std::optional<BodyProblem> {
    if (is_hash(value, digits)) return std::nullopt;
    return BodyProblem{"InvalidHashValue", fmt::format("'{}' is no {}.", value, type)};
  };
  if (type == "FileSha1" || type == "CertificateThumbprint") return hash(40);
  if (type == "FileSha256") return hash(64);
  if (type == "FileMd5") return hash(32);
  if (type == "IpAddress" && !is_ip(value))
    return BodyProblem{"InvalidIpAddress", "'" + value + "' is no single IP address."};
  if (type == "DomainName" && !is_domain(value))
    return BodyProblem{"InvalidDomainName", "'" + value + "' is no domain name."};
  if (type == "Url" && value.find('.') == std::string::npos)
    return BodyProblem{"InvalidUrl", "'" + value + "' is no URL."};
  return std::nullopt;
}

bool accepts(std::string_view type, std::string_view action) {
  if (type == "CertificateThumbprint") return action == "Allowed" || action == "BlockAndRemediate";
  return action != "BlockAndRemediate" || type.starts_with("File");
}

std::optional<BodyProblem> indicator_problem(const State& state, const Json& given) {
  if (!given.is_object()) return BodyProblem{"InvalidRequestBody", "An indicator must be an object."};
  if (auto problem = body_problem(indicator_fields(), given)) return problem;
  const std::string_view type = given["indicatorType"].text(), action = given["action"].text();
  if (auto problem = wrong_value(type, std::string(given["indicatorValue"].text()))) return problem;
  if (!accepts(type, action))
    return BodyProblem{"InvalidInput",
                       fmt::format("The action '{}' is not possible for '{}'.", action, type)};
  if (action == "Audit" && !given["generateAlert"].boolean())
    return BodyProblem{"InvalidInput", "The action 'Audit' needs generateAlert to be true."};
  if (given["expirationTime"].is_null()) return std::nullopt;
  const auto expires = parse_ticks(given["expirationTime"].text());
  if (!expires || *expires / 10 <= state.now_us())
    return BodyProblem{"InvalidInput", "'expirationTime' must be a time to come."};
  return std::nullopt;
}

std::string key_of(const Json& given) {
  return lower_ascii(given["indicatorType"].text()) + " " + lower_ascii(given["indicatorValue"].text());
}

Json or_empty(const Json& value) {
  return value.is_list() ? value : Json::list();
}

void fill_indicator(State& state, Json& json, const Json& given, const std::string& author) {
  const std::string now = format_ticks(state.now_us());
  for (const char* name : {"action", "title", "description", "severity", "recommendedActions",
                           "expirationTime", "educateUrl", "externalId"})
    json.set(name, given[name]);
  json.set("generateAlert", given["generateAlert"].boolean());
  json.set("rbacGroupNames", or_empty(given["rbacGroupNames"]));
  json.set("rbacGroupIds", or_empty(given["rbacGroupIds"]));
  json.set("lastUpdateTime", now).set("lastUpdatedBy", author);
}

// Adds the indicator, or changes the one with its type and value; null when there is no room.
const Json* put_indicator(State& state, const Json& given, const std::string& author) {
  DefenderData& data = state.defender;
  const std::string key = key_of(given);
  const auto known = data.indicator_index.find(key);
  if (known == data.indicator_index.end() && data.indicators.size() >= kMostIndicators) return nullptr;
  const std::int64_t id = known != data.indicator_index.end() ? known->second : data.next_indicator++;
  Indicator& indicator = data.indicators[id];
  if (known == data.indicator_index.end()) {
    data.indicator_index[key] = id;
    indicator.created_by = author;
    indicator.json = Json::object({{"id", std::to_string(id)},
                                   {"indicatorValue", given["indicatorValue"]},
                                   {"indicatorType", given["indicatorType"]},
                                   {"action", nullptr},
                                   {"createdBy", author},
                                   {"createdBySource", "PublicApi"},
                                   {"createdByDisplayName", "Flow"},
                                   {"source", author},
                                   {"sourceType", "AadApp"},
                                   {"creationTimeDateTimeUtc", format_ticks(state.now_us())},
                                   {"application", given["application"]}});
  }
  fill_indicator(state, indicator.json, given, author);
  const auto expires = parse_ticks(given["expirationTime"].text());
  indicator.expires_us = expires ? *expires / 10 : 0;
  return &indicator.json;
}

void erase_indicator(State& state, std::int64_t id) {
  const auto found = state.defender.indicators.find(id);
  state.defender.indicator_index.erase(key_of(found->second.json));
  state.defender.indicators.erase(found);
}

// An app with Ti.ReadWrite sees what it made itself, one with Ti.ReadWrite.All everything.
bool is_visible(const State& state, const Call& call, const Indicator& indicator) {
  return std::ranges::find(call.token->roles, "Ti.ReadWrite.All") != call.token->roles.end() ||
         indicator.created_by == state.options.client_id;
}

std::optional<std::int64_t> id_of(std::string_view text) {
  std::int64_t id = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || id < 1) return std::nullopt;
  return id;
}

bool is_there(const State& state, const Call& call, std::int64_t id) {
  const auto found = state.defender.indicators.find(id);
  return found != state.defender.indicators.end() && is_visible(state, call, found->second);
}

constexpr std::string_view kNoRoom = "The limit of 15000 active indicators has been reached.";

}  // namespace

HttpAnswer list_indicators(State& state, const Call& call) {
  std::vector<const Json*> found;
  for (auto entry = state.defender.indicators.rbegin(); entry != state.defender.indicators.rend(); ++entry)
    if (is_visible(state, call, entry->second)) found.push_back(&entry->second.json);
  return list_answer(state, call, indicator_set(), found);
}

HttpAnswer submit_indicator(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, indicator_fields(), body)) return *refusal;
  if (const auto problem = indicator_problem(state, body))
    return bad_request(state, problem->code, problem->message);
  const Json* indicator = put_indicator(state, body, state.options.client_id);
  return indicator != nullptr ? entity_answer(200, "Indicators", *indicator)
                              : bad_request(state, "BadRequest", kNoRoom);
}

HttpAnswer import_indicators(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, {{"Indicators", true, {}, false, BodyKind::Objects}}, body))
    return *refusal;
  const Json::List& given = body["Indicators"].items();
  if (given.size() > kMostInCall)
    return bad_request(state, "MaximumBatchSizeExceeded",
                       "At most 500 indicators can be imported in one call.");
  Json::List results;
  for (const Json& one : given) {
    const auto problem = indicator_problem(state, one);
    const Json* made = problem ? nullptr : put_indicator(state, one, state.options.client_id);
    const std::string reason = problem ? problem->message : made == nullptr ? std::string(kNoRoom) : "";
    results.push_back(Json::object({{"id", made != nullptr ? (*made)["id"] : Json("0")},
                                    {"indicator", one["indicatorValue"].text()},
                                    {"isFailed", made == nullptr},
                                    {"failureReason", made == nullptr ? Json(reason) : Json()}}));
  }
  return json_answer(200,
                     Json::object({{"@odata.context", defender_context("Collection(ImportIndicatorResult)")},
                                   {"value", Json(std::move(results))}}));
}

HttpAnswer delete_indicator(State& state, const Call& call) {
  const auto id = id_of(call.id);
  if (!id || !is_there(state, call, *id)) return not_found(state, "Indicator", call.id);
  erase_indicator(state, *id);
  return no_content();
}

HttpAnswer delete_indicators(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, {{"IndicatorIds", true, {}, true}}, body)) return *refusal;
  const Json::List& given = body["IndicatorIds"].items();
  if (given.empty() || given.size() > kMostInCall)
    return bad_request(state, "BadRequest", "IndicatorIds must hold 1 to 500 ids.");
  std::set<std::int64_t> ids;
  for (const Json& text : given) {
    const auto id = id_of(text.text());
    if (!id)
      return bad_request(state, "BadRequest", fmt::format("'{}' is no id of an indicator.", text.text()));
    if (!is_there(state, call, *id)) return not_found(state, "Indicator", text.text());
    ids.insert(*id);
  }
  for (const std::int64_t id : ids) erase_indicator(state, id);
  return no_content();
}

Status add_indicator(State& state, const Json& given, const std::string& author) {
  if (const auto problem = indicator_problem(state, given)) return error(problem->message);
  if (put_indicator(state, given, author) == nullptr) return error(std::string(kNoRoom));
  return {};
}

void advance_indicators(State& state) {
  std::vector<std::int64_t> over;
  for (const auto& [id, indicator] : state.defender.indicators)
    if (indicator.expires_us != 0 && indicator.expires_us <= state.now_us()) over.push_back(id);
  for (const std::int64_t id : over) erase_indicator(state, id);
}

}  // namespace flow::sim
