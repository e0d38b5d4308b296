#include "apps/sim/defender_handlers.hpp"

namespace flow::sim {
namespace {

constexpr std::string_view kHost = "https://api.security.microsoft.com";

}  // namespace

std::string defender_context(std::string_view set) {
  return std::string(kHost) + "/api/$metadata#" + std::string(set);
}

std::string own_url(const Call& call) {
  const std::string_view host = call.question.header("Host");
  return host.empty() ? std::string(kHost) : "http://" + std::string(host);
}

HttpAnswer entity_answer(int status, std::string_view set, const Json& entity) {
  Json::Object shown{{"@odata.context", defender_context(set) + "/$entity"}};
  shown.insert(shown.end(), entity.members().begin(), entity.members().end());
  return json_answer(status, Json::object_of(std::move(shown)));
}

HttpAnswer list_answer(State& state, const Call& call, const EntitySet& set,
                       const std::vector<const Json*>& entities) {
  auto body =
      query_entities(set, call.target.query, entities, [](const Json& entity, bool) { return entity; });
  if (!body) return defender_error(state, 400, "ODataError", body.error().message);
  const std::string_view next = (*body)["@odata.nextLink"].text();
  if (next.starts_with(kHost))
    body->set("@odata.nextLink", own_url(call) + std::string(next.substr(kHost.size())));
  return json_answer(200, *body);
}

HttpAnswer list_answer(State& state, const Call& call, const EntitySet& set,
                       const std::vector<Json>& entities) {
  std::vector<const Json*> pointers;
  pointers.reserve(entities.size());
  for (const Json& entity : entities) pointers.push_back(&entity);
  return list_answer(state, call, set, pointers);
}

HttpAnswer plain_list(State& state, const Call& call, std::string_view set,
                      const std::vector<Json>& entities) {
  const EntitySet plain{defender_context(set), {}, "", 10'000, std::string(kHost) + call.target.path};
  return list_answer(state, call, plain, entities);
}

HttpAnswer not_found(State& state, std::string_view kind, std::string_view id) {
  return defender_error(state, 404, "ResourceNotFound",
                        std::string(kind) + " " + std::string(id) + " was not found");
}

HttpAnswer no_content() {
  HttpAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  return answer;
}

Json with_context(std::string_view context, const Json& entity) {
  Json shown = Json::object({{"@odata.context", std::string(context) + "/$entity"}});
  for (const Member& member : entity.members()) shown.set(member.name, member.value);
  return shown;
}

HttpAnswer bad_request(State& state, std::string_view code, std::string_view message) {
  return defender_error(state, 400, code, message);
}

Json machine_reference(const Json& machine) {
  return Json::object({{"id", machine["id"]},
                       {"computerDnsName", machine["computerDnsName"]},
                       {"osPlatform", machine["osPlatform"]},
                       {"rbacGroupName", machine["rbacGroupName"]}});
}

}  // namespace flow::sim
