#include "apps/server/deployments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "apps/server/query.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

using Change = DeployRequest::What;
using How = DeployReply::How;

std::string_view verb(Change what) {
  switch (what) {
    case Change::Back: return "back";
    case Change::Withdraw: return "withdraw";
    case Change::EndShadow: return "end-shadow";
    case Change::Live:
    case Change::Shadow: break;  // have a module, and no verb
  }
  return "";
}

// Of what stands behind api::kDeployments: "" for a module, `/FLOW/VERB`.
std::optional<DeployRequest> request_for(std::string_view rest) {
  DeployRequest request;
  if (rest.empty()) return request;
  const std::size_t slash = rest.rfind('/');
  if (slash == 0 || rest[0] != '/') return std::nullopt;
  request.flow = rest.substr(1, slash - 1);
  for (const Change what : {Change::Back, Change::Withdraw, Change::EndShadow})
    if (rest.substr(slash + 1) == verb(what)) {
      request.what = what;
      return request;
    }
  return std::nullopt;
}

std::string json_changes(const std::vector<DeploymentRow>& rows) {
  std::string list;
  for (const DeploymentRow& row : rows) list += (list.empty() ? "" : ",") + json_deployment(row);
  return list;
}

HttpAnswer answer_for(const DeployReply& told) {
  switch (told.how) {
    case How::Stopping: return api::stopping();
    case How::Refused: return api::refusal(409, "Refused", told.problem);
    case How::Done: break;
  }
  return api::answer(200, fmt::format(R"({{"changes":[{}]}})", json_changes(told.changes)));
}

}  // namespace

std::string json_deployment(const DeploymentRow& row) {
  return fmt::format(R"({{"tenant":{},"flow":{},"kind":{},"module":{},"file":{},"time":{},"by":{}}})",
                     json_quoted(row.tenant), json_quoted(row.flow),
                     json_quoted(deployment_kind_name(row.kind)), json_quoted(row.module),
                     json_quoted(row.file), json_quoted(format_time_us(row.time_us)), json_quoted(row.by));
}

std::string deployment_path(const DeployRequest& request) {
  std::string path(api::kDeployments);
  if (!request.flow.empty()) path += fmt::format("/{}/{}", percent_encoded(request.flow), verb(request.what));
  path += "?by=" + percent_encoded(request.by);
  if (!request.tenant.empty()) path += "&tenant=" + percent_encoded(request.tenant);
  if (!request.file.empty()) path += "&file=" + percent_encoded(request.file);
  if (request.what == Change::Shadow) path += "&shadow=true";
  if (!request.conditions.empty()) path += fmt::format("&moduleBytes={}", request.module.size());
  return path;
}

std::string deployment_body(const DeployRequest& request) {
  return request.module + request.conditions;
}

bool Deployments::handle(const HttpQuestion& question, const api::Reply& reply) const {
  const std::string_view whole = question.target;
  const auto path = percent_decoded(whole.substr(0, whole.find('?')));
  if (!options_.api_token || !path || !path->starts_with(api::kDeployments)) return false;
  auto request = request_for(std::string_view(*path).substr(api::kDeployments.size()));
  if (!request) return false;
  if (api::reads(question) && request->flow.empty()) {
    if (api::is_allowed(options_.api_token, question, reply)) list(question, reply);
    return true;
  }
  if (question.method != "POST") return reply(api::only(request->flow.empty() ? "GET, POST" : "POST")), true;
  if (api::is_allowed(options_.api_token, question, reply)) change(question, std::move(*request), reply);
  return true;
}

void Deployments::list(const HttpQuestion& question, const api::Reply& reply) const {
  if (!api::is_known(question, {"tenant", "flow"}, reply)) return;
  const auto rows =
      store_.deployments(parameter(question.target, "tenant"), parameter(question.target, "flow"));
  if (!rows) return reply(api::store_failed());
  reply(api::answer(200, fmt::format(R"({{"deployments":[{}]}})", json_changes(*rows))));
}

void Deployments::change(const HttpQuestion& question, DeployRequest request, const api::Reply& reply) const {
  const bool is_module = request.flow.empty();
  if (!(is_module ? api::is_known(question, {"by", "tenant", "file", "shadow", "moduleBytes"}, reply)
                  : api::is_known(question, {"by", "tenant"}, reply)))
    return;
  request.by = parameter(question.target, "by");
  if (is_module) {
    request.file = parameter(question.target, "file");
    if (request.file.empty())
      return reply(api::refusal(400, "BadRequest", "say from which `file` the module was made"));
    const std::string shadow = parameter(question.target, "shadow");
    if (!shadow.empty() && shadow != "true" && shadow != "false")
      return reply(api::refusal(400, "BadRequest", "`shadow` is true or false"));
    if (shadow == "true") request.what = Change::Shadow;
    const std::string length = parameter(question.target, "moduleBytes");
    std::size_t bytes = question.body.size();
    const auto [end, problem] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    const bool is_read = length.empty() || (problem == std::errc() && end == length.data() + length.size());
    if (!is_read || bytes > question.body.size())
      return reply(api::refusal(400, "BadRequest", "`moduleBytes` is how much of the body is the module"));
    request.module = question.body.substr(0, bytes);
    request.conditions = question.body.substr(bytes);
    auto settings = options_.settings_for(request.file, request.module);
    if (!settings) return reply(api::refusal(409, "Refused", settings.error().message));
    request.settings = std::move(*settings);
  }
  const std::string tenant = parameter(question.target, "tenant");
  std::vector<std::string> tenants = options_.tenants;
  if (!tenant.empty()) {
    if (std::ranges::find(tenants, tenant) == tenants.end()) {
      const auto near = nearest_name(tenant, tenants);
      return reply(api::refusal(404, "NotFound",
                                fmt::format("the service has no tenant `{}`{}", tenant,
                                            near ? fmt::format("; did you mean `{}`?", *near) : "")));
    }
    tenants = {tenant};
  }
  std::vector<DeployRequest> requests;
  for (const std::string& each : tenants) {
    requests.push_back(request);
    requests.back().tenant = each;
  }
  options_.change(std::move(requests), [reply](const DeployReply& told) { reply(answer_for(told)); });
}

}  // namespace flow
