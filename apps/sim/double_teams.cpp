// The webhook of a Teams workflow: it takes a message with adaptive cards and answers 202 at once. The last
// part of the path is the secret; one that begins with `no-` is not known.
#include <array>

#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kLargestMessage = 28'000;

HttpAnswer refused(int status, const char* code, const std::string& message) {
  return json_answer(status, Json::object({{"error", Json::object({{"code", code}, {"message", message}})}}));
}

bool is_one_of(std::string_view text, std::span<const std::string_view> known) {
  for (const std::string_view name : known)
    if (text == name) return true;
  return false;
}

// Empty when the card is right.
std::string wrong_element(const Json& element, int depth) {
  static constexpr std::array<std::string_view, 12> kElements{
      "TextBlock", "Image",     "ImageSet",      "Container", "ColumnSet", "Column",
      "FactSet",   "ActionSet", "RichTextBlock", "Table",     "Media",     "TextRun"};
  const std::string_view type = element["type"].text();
  if (!is_one_of(type, kElements)) return "'" + std::string(type) + "' is no element of an adaptive card.";
  if (type == "TextBlock" && !element["text"].is_text()) return "A TextBlock needs 'text'.";
  if (type == "FactSet") {
    if (!element["facts"].is_list()) return "A FactSet needs 'facts'.";
    for (const Json& fact : element["facts"].items())
      if (!fact["title"].is_text() || !fact["value"].is_text()) return "A fact needs 'title' and 'value'.";
  }
  if (depth > 20) return "The card is too deep.";
  for (const char* inner : {"items", "columns"})
    for (const Json& item : element[inner].items())
      if (item["type"].is_text())
        if (std::string problem = wrong_element(item, depth + 1); !problem.empty()) return problem;
  return "";
}

std::string wrong_card(const Json& card) {
  static constexpr std::array<std::string_view, 3> kActions{"Action.OpenUrl", "Action.ShowCard",
                                                            "Action.ToggleVisibility"};
  if (card["type"].text() != "AdaptiveCard") return "The content's 'type' must be 'AdaptiveCard'.";
  if (!card["version"].is_text()) return "The card has no 'version'.";
  if (!card["body"].is_null() && !card["body"].is_list()) return "The card's 'body' must be a list.";
  for (const Json& element : card["body"].items())
    if (std::string problem = wrong_element(element, 0); !problem.empty()) return problem;
  for (const Json& action : card["actions"].items()) {
    if (!is_one_of(action["type"].text(), kActions))
      return "'" + std::string(action["type"].text()) + "' does not work in a card of a workflow.";
    if (action["type"].text() == "Action.OpenUrl" && !action["url"].is_text())
      return "Action.OpenUrl needs 'url'.";
  }
  return "";
}

HttpAnswer post_card(State& state, const Call& call) {
  if (call.target.segments.back().starts_with("no-"))
    return refused(404, "WorkflowNotFound", "The workflow could not be found.");
  if (const std::int64_t wait = over_rate(state, "teams.webhook", 1, 4); wait > 0)
    return throttled(refused(429, "WorkflowTriggerIsThrottled", "The rate limit is exceeded."), wait);
  if (call.question.body.size() > kLargestMessage)
    return refused(413, "RequestEntityTooLarge", "The message is larger than 28 kB.");
  const auto body = parse_json(call.question.body);
  if (!body) return refused(400, "InvalidRequestContent", body.error().message);
  if ((*body)["type"].text() != "message" || (*body)["attachments"].items().empty())
    return refused(400, "TriggerInputSchemaMismatch", "The body wants 'type' message and 'attachments'.");
  for (const Json& attachment : (*body)["attachments"].items()) {
    if (attachment["contentType"].text() != "application/vnd.microsoft.card.adaptive")
      return refused(400, "TriggerInputSchemaMismatch",
                     "'contentType' must be application/vnd.microsoft.card.adaptive.");
    if (const std::string problem = wrong_card(attachment["content"]); !problem.empty())
      return refused(400, "TriggerInputSchemaMismatch", problem);
  }
  remember(third_party(state).teams, Json::object({{"time", format_ticks(state.now_us())},
                                                   {"channel", call.target.segments.back()},
                                                   {"message", *body}}));
  HttpAnswer answer;
  answer.status = 202;
  answer.content_type.clear();
  return answer;
}

constexpr SimOperation kTeamsOperations[] = {
    {"teams.workflow", "POST", "/workflows/{id}/triggers/manual/paths/invoke", Audience::None, "", 0, 0,
     post_card},
    {"teams.webhook", "POST", "/teams/{id}", Audience::None, "", 0, 0, post_card},
};

}  // namespace

std::span<const SimOperation> teams_operations() {
  return kTeamsOperations;
}

}  // namespace flow::sim
