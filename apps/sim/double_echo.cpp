// For requests to any address: an echo of what came, an answer with the status that the path names, and a
// small service that knows addresses by their reputation.
#include <algorithm>

#include "apps/sim/made_up.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

// Credentials are not shown again.
bool is_secret(std::string_view header) {
  return equals_ignoring_case(header, "Authorization") || equals_ignoring_case(header, "Cookie") ||
         lower_ascii(header).find("key") != std::string::npos ||
         lower_ascii(header).find("token") != std::string::npos;
}

Json seen(const State& state, const Call& call) {
  Json headers = Json::object(), query = Json::object();
  for (const auto& [name, value] : call.question.headers)
    headers.set(lower_ascii(name), is_secret(name) ? Json("(hidden)") : Json(value));
  for (const auto& [name, value] : call.target.query) query.set(name, value);
  Json entry = Json::object(
      {{"time", format_ticks(state.now_us())}, {"method", call.question.method}, {"path", call.target.path}});
  const auto body = parse_json(call.question.body);
  return entry.set("query", query)
      .set("headers", headers)
      .set("body", body ? *body : Json(call.question.body));
}

HttpAnswer echo(State& state, const Call& call) {
  Json entry = seen(state, call);
  remember(third_party(state).echoes, entry);
  return json_answer(200, entry);
}

HttpAnswer answer_status(State& state, const Call& call) {
  remember(third_party(state).echoes, seen(state, call));
  const bool is_status = call.id.size() == 3 &&
                         call.id.find_first_not_of("0123456789") == std::string::npos && call.id >= "200" &&
                         call.id < "600";
  const int status = is_status ? std::stoi(call.id) : 400;
  if (status == 204) {
    HttpAnswer answer;
    answer.status = status;
    answer.content_type.clear();
    return answer;
  }
  return json_answer(status, Json::object({{"status", status}}));
}

// The same for the same address; private ones and names of one's own are clean.
HttpAnswer reputation(State& state, const Call& call) {
  remember(third_party(state).echoes, seen(state, call));
  if (call.question.header("x-api-key").empty())
    return json_answer(401, Json::object({{"error", "the header x-api-key is missing"}}));
  SeededRandom random(stable_hash(call.id));
  const bool is_own =
      call.id.starts_with("10.") || call.id.starts_with("192.168.") || call.id.ends_with(kDomain);
  const std::int64_t score = is_own ? 0 : static_cast<std::int64_t>(below(random, 101));
  return json_answer(200, Json::object({{"indicator", call.id},
                                        {"score", score},
                                        {"verdict", score > 70   ? "malicious"
                                                    : score > 40 ? "suspicious"
                                                                 : "clean"},
                                        {"reports", score / 10}}));
}

constexpr SimOperation kEchoOperations[] = {
    {"echo.get", "GET", "/echo/{id}", Audience::None, "", 0, 0, echo},
    {"echo.post", "POST", "/echo/{id}", Audience::None, "", 0, 0, echo},
    {"echo.put", "PUT", "/echo/{id}", Audience::None, "", 0, 0, echo},
    {"echo.patch", "PATCH", "/echo/{id}", Audience::None, "", 0, 0, echo},
    {"echo.delete", "DELETE", "/echo/{id}", Audience::None, "", 0, 0, echo},
    {"echo.status", "GET", "/status/{id}", Audience::None, "", 0, 0, answer_status},
    {"echo.postStatus", "POST", "/status/{id}", Audience::None, "", 0, 0, answer_status},
    {"ti.reputation", "GET", "/reputation/{id}", Audience::None, "", 0, 0, reputation},
};

}  // namespace

std::span<const SimOperation> echo_operations() {
  return kEchoOperations;
}

}  // namespace flow::sim
