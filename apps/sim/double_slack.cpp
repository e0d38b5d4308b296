// Slack: chat.postMessage, which says `ok: false` with status 200, and incoming webhooks, which answer in
// words. A channel whose name begins with `no-` does not exist, one with `archived-` is archived.
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kLongestText = 40'000, kMostBlocks = 50;

HttpAnswer not_ok(const char* code) {
  return json_answer(200, Json::object({{"ok", false}, {"error", code}}));
}

const char* wrong_message(const Json& body) {
  if (body["text"].text().empty() && body["blocks"].items().empty()) return "no_text";
  if (body["text"].text().size() > kLongestText) return "msg_too_long";
  if (!body["blocks"].is_null() && (!body["blocks"].is_list() || body["blocks"].items().size() > kMostBlocks))
    return "invalid_blocks";
  for (const Json& block : body["blocks"].items())
    if (!block["type"].is_text()) return "invalid_blocks";
  return nullptr;
}

std::string stamp(const State& state, std::size_t number) {
  return std::to_string(state.now_us() / 1'000'000) + "." +
         std::to_string(1'000'000 + number % 1'000'000).substr(1);
}

HttpAnswer post_message(State& state, const Call& call) {
  const std::string_view header = call.question.header("Authorization");
  if (!header.starts_with("Bearer ")) return not_ok("not_authed");
  if (!header.substr(7).starts_with("xox")) return not_ok("invalid_auth");
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object()) return not_ok("invalid_json");
  const std::string channel((*body)["channel"].text());
  if (channel.empty() || channel.starts_with("no-")) return not_ok("channel_not_found");
  if (channel.starts_with("archived-")) return not_ok("is_archived");
  if (channel.starts_with("private-")) return not_ok("not_in_channel");
  if (const char* problem = wrong_message(*body)) return not_ok(problem);
  if (const std::int64_t wait = over_rate(state, "slack " + channel, 1, 1); wait > 0)
    return throttled(json_answer(429, Json::object({{"ok", false}, {"error", "ratelimited"}})), wait);
  std::deque<Json>& messages = third_party(state).slack;
  const std::string ts = stamp(state, messages.size());
  remember(messages, Json::object({{"via", "chat.postMessage"},
                                   {"time", format_ticks(state.now_us())},
                                   {"channel", channel},
                                   {"ts", ts},
                                   {"message", *body}}));
  const Json message = Json::object({{"type", "message"}, {"text", (*body)["text"]}, {"ts", ts}});
  return json_answer(200,
                     Json::object({{"ok", true}, {"channel", channel}, {"ts", ts}, {"message", message}}));
}

HttpAnswer post_webhook(State& state, const Call& call) {
  const std::string& secret = call.target.segments.back();
  if (secret.starts_with("no-")) return text_answer(404, "no_service");
  if (secret.starts_with("archived-")) return text_answer(410, "channel_is_archived");
  if (secret.starts_with("bad-")) return text_answer(403, "invalid_token");
  if (const std::int64_t wait = over_rate(state, "slack.webhook " + secret, 1, 1); wait > 0)
    return throttled(text_answer(429, "rate_limited"), wait);
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object()) return text_answer(400, "invalid_payload");
  if (const char* problem = wrong_message(*body)) return text_answer(400, problem);
  remember(third_party(state).slack, Json::object({{"via", "webhook"},
                                                   {"time", format_ticks(state.now_us())},
                                                   {"channel", secret},
                                                   {"message", *body}}));
  return text_answer(200, "ok");
}

constexpr SimOperation kSlackOperations[] = {
    {"slack.postMessage", "POST", "/api/chat.postMessage", Audience::None, "", 0, 0, post_message},
    {"slack.webhook", "POST", "/services/{team}/{app}/{secret}", Audience::None, "", 0, 0, post_webhook},
    {"slack.channelWebhook", "POST", "/slack/{id}", Audience::None, "", 0, 0, post_webhook},
};

}  // namespace

std::span<const SimOperation> slack_operations() {
  return kSlackOperations;
}

}  // namespace flow::sim
