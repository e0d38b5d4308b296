// Jira: issues, comments, transitions, and a search that knows `field = "value"` joined by AND.
#include <algorithm>

#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

struct Transition {
  const char* id;
  const char* name;
  const char* to;
};
constexpr Transition kTransitions[] = {
    {"11", "To Do", "To Do"}, {"21", "In Progress", "In Progress"}, {"31", "Done", "Done"}};
constexpr const char* kPriorities[] = {"Highest", "High", "Medium", "Low", "Lowest"};

HttpAnswer wrong(int status, std::vector<std::string> messages, Json errors = Json::object()) {
  return json_answer(status,
                     Json::object({{"errorMessages", Json::texts(messages)}, {"errors", std::move(errors)}}));
}

std::optional<HttpAnswer> refused(State& state, const Call& call) {
  if (!has_login(call.question)) return wrong(401, {"Client must be authenticated to access this resource."});
  if (const std::int64_t wait = over_rate(state, "jira", 60, 100); wait > 0)
    return throttled(wrong(429, {"Rate limit exceeded."}), wait);
  return std::nullopt;
}

// By key or id; null when there is none.
Json* find_issue(State& state, const std::string& wanted) {
  for (auto& [id, issue] : third_party(state).jira)
    if (id == wanted || equals_ignoring_case(issue["key"].text(), wanted)) return &issue;
  return nullptr;
}
HttpAnswer no_issue() {
  return wrong(404, {"Issue does not exist or you do not have permission to see it."});
}

Json wrong_fields(const Json& fields) {
  Json errors = Json::object();
  if (fields["summary"].text().empty()) errors.set("summary", "You must specify a summary of the issue.");
  if (fields["summary"].text().find('\n') != std::string_view::npos)
    errors.set("summary", "The summary is invalid because it contains newline characters.");
  if (!fields["project"]["key"].is_text() && !fields["project"]["id"].is_text())
    errors.set("project", "Specify a valid project ID or key");
  if (!fields["issuetype"]["name"].is_text() && !fields["issuetype"]["id"].is_text())
    errors.set("issuetype", "Specify an issue type");
  if (!fields["description"].is_null() && fields["description"]["type"].text() != "doc")
    errors.set("description", "Operation value must be an Atlassian Document");
  const Json& priority = fields["priority"]["name"];
  if (priority.is_text() && std::ranges::find(kPriorities, priority.text()) == std::end(kPriorities))
    errors.set("priority", "The priority selected is invalid.");
  for (const Json& label : fields["labels"].items())
    if (label.text().find(' ') != std::string_view::npos)
      errors.set("labels", "The label '" + std::string(label.text()) + "' contains spaces which is invalid.");
  return errors;
}

HttpAnswer create(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const auto body = parse_json(call.question.body);
  if (!body) return wrong(400, {"There was an error parsing JSON. Check that your request body is valid."});
  const Json& given = (*body)["fields"];
  if (Json errors = wrong_fields(given); !errors.members().empty()) return wrong(400, {}, std::move(errors));
  ThirdParty& own = third_party(state);
  if (own.jira.size() >= kMostEntries) return wrong(400, {"There are too many issues."});
  const std::int64_t number = own.next_number++;
  const std::string id = std::to_string(number), now = format_ticks(state.now_us());
  const std::string key =
      std::string(given["project"]["key"].is_text() ? given["project"]["key"].text() : "SOC") + "-" +
      std::to_string(number - 10'000);
  Json fields = given;
  fields.set("status", Json::object({{"name", "To Do"}, {"id", "11"}}))
      .set("created", now)
      .set("updated", now);
  if (fields["priority"].is_null()) fields.set("priority", Json::object({{"name", "Medium"}}));
  if (fields["labels"].is_null()) fields.set("labels", Json::list());
  const std::string self = "https://site.atlassian.net/rest/api/3/issue/" + id;
  own.jira[id] = Json::object(
      {{"id", id}, {"key", key}, {"self", self}, {"fields", fields}, {"comments", Json::list()}});
  return json_answer(201, Json::object({{"id", id}, {"key", key}, {"self", self}}));
}

Json shown(const Json& issue) {
  return Json::object(
      {{"id", issue["id"]}, {"key", issue["key"]}, {"self", issue["self"]}, {"fields", issue["fields"]}});
}

HttpAnswer get(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const Json* issue = find_issue(state, call.id);
  return issue != nullptr ? json_answer(200, shown(*issue)) : no_issue();
}

HttpAnswer comment(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  Json* issue = find_issue(state, call.id);
  if (issue == nullptr) return no_issue();
  const auto body = parse_json(call.question.body);
  if (!body || (*body)["body"]["type"].text() != "doc")
    return wrong(400, {}, Json::object({{"comment", "Comment body is not valid!"}}));
  Json comments = (*issue)["comments"];
  Json added = Json::object({{"id", std::to_string(third_party(state).next_number++)},
                             {"body", (*body)["body"]},
                             {"created", format_ticks(state.now_us())}});
  comments.add(added);
  issue->set("comments", std::move(comments));
  return json_answer(201, added);
}

HttpAnswer list_transitions(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  if (find_issue(state, call.id) == nullptr) return no_issue();
  Json list = Json::list();
  for (const Transition& one : kTransitions)
    list.add(Json::object({{"id", one.id}, {"name", one.name}, {"to", Json::object({{"name", one.to}})}}));
  return json_answer(200, Json::object({{"expand", "transitions"}, {"transitions", list}}));
}

HttpAnswer transition(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  Json* issue = find_issue(state, call.id);
  if (issue == nullptr) return no_issue();
  const auto body = parse_json(call.question.body);
  const std::string id(body ? (*body)["transition"]["id"].text() : "");
  for (const Transition& one : kTransitions) {
    if (one.id != id) continue;
    Json fields = (*issue)["fields"];
    fields.set("status", Json::object({{"name", one.to}, {"id", one.id}}))
        .set("updated", format_ticks(state.now_us()));
    issue->set("fields", std::move(fields));
    HttpAnswer answer;
    answer.status = 204;
    answer.content_type.clear();
    return answer;
  }
  return wrong(400, {"Transition id '" + id + "' is not valid for this issue."});
}

// One `field = value` of a search; nothing when it is none that is known.
std::optional<bool> holds(const Json& issue, std::string_view term) {
  const std::size_t equals = term.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto trimmed = [](std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
  };
  const std::string field = lower_ascii(trimmed(term.substr(0, equals)));
  std::string value(trimmed(term.substr(equals + 1)));
  if (value.size() > 1 && (value[0] == '"' || value[0] == '\'')) value = value.substr(1, value.size() - 2);
  const Json& fields = issue["fields"];
  if (field == "labels")
    return std::ranges::any_of(fields["labels"].items(),
                               [&](const Json& label) { return label.text() == value; });
  if (field == "key") return equals_ignoring_case(issue["key"].text(), value);
  if (field == "project") return equals_ignoring_case(fields["project"]["key"].text(), value);
  if (field == "status" || field == "priority")
    return equals_ignoring_case(fields[field]["name"].text(), value);
  return std::nullopt;
}

HttpAnswer search(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const auto body = parse_json(call.question.body);
  if (!body || !(*body)["jql"].is_text()) return wrong(400, {"The JQL query is missing."});
  std::string jql((*body)["jql"].text());
  if (const std::size_t order = lower_ascii(jql).find(" order by "); order != std::string::npos)
    jql.resize(order);
  const std::size_t most = (*body)["maxResults"].is_int() && (*body)["maxResults"].integer() >= 0
                               ? static_cast<std::size_t>((*body)["maxResults"].integer())
                               : 50;
  Json issues = Json::list();
  for (const auto& [id, issue] : third_party(state).jira) {
    bool fits = true;
    for (std::string_view rest = jql; !rest.empty();) {
      const std::size_t next = lower_ascii(rest).find(" and ");
      const auto one = holds(issue, rest.substr(0, next));
      if (!one)
        return wrong(400, {"Error in the JQL Query: only `field = value` joined by AND is known here."});
      fits = fits && *one;
      rest = next == std::string_view::npos ? "" : rest.substr(next + 5);
    }
    if (fits && issues.items().size() < most) issues.add(shown(issue));
  }
  return json_answer(200, Json::object({{"issues", issues}, {"isLast", true}}));
}

constexpr SimOperation kJiraOperations[] = {
    {"jira.create", "POST", "/rest/api/3/issue", Audience::None, "", 0, 0, create},
    {"jira.get", "GET", "/rest/api/3/issue/{id}", Audience::None, "", 0, 0, get},
    {"jira.comment", "POST", "/rest/api/3/issue/{id}/comment", Audience::None, "", 0, 0, comment},
    {"jira.transitions", "GET", "/rest/api/3/issue/{id}/transitions", Audience::None, "", 0, 0,
     list_transitions},
    {"jira.transition", "POST", "/rest/api/3/issue/{id}/transitions", Audience::None, "", 0, 0, transition},
    {"jira.search", "POST", "/rest/api/3/search/jql", Audience::None, "", 0, 0, search},
};

}  // namespace

std::span<const SimOperation> jira_operations() {
  return kJiraOperations;
}

}  // namespace flow::sim
