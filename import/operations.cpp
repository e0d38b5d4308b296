#include "import/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "import/answer.hpp"
#include "import/prose.hpp"
#include "import/request.hpp"

namespace flow::importer {
namespace {

constexpr std::array<std::string_view, 9> kMethods = {"get",  "put",     "post",  "delete", "patch",
                                                      "head", "options", "trace", "query"};
constexpr std::array<std::string_view, 5> kOurs = {"get", "put", "post", "delete", "patch"};
constexpr std::size_t kMostOperations = 4000;

std::string upper_ascii(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// Its own, or made of its request: `get_issues_by_key`.
std::string name_of(const DocumentOperation& source) {
  if (const std::string own = snake_case(source.at["operationId"].scalar()); !own.empty()) return own;
  std::string words = source.method;
  for (std::size_t begin = 0; begin < source.path.size();) {
    const std::size_t end = std::min(source.path.find('/', begin), source.path.size());
    const std::string_view part = std::string_view(source.path).substr(begin, end - begin);
    if (part.starts_with('{')) words += " by";
    words += " " + std::string(part);
    begin = end + 1;
  }
  return snake_case(words);
}

bool has_notification_url(const Place& schema, References& references, int depth = 0) {
  const Place at = references.follow(schema);
  if (!at.is_object() || depth > 6) return false;
  if (at["x-ms-notification-url"].is_true() || schema["x-ms-notification-url"].is_true()) return true;
  const Place members = at["properties"];
  for (std::size_t i = 0; members.is_object() && i < members.size(); ++i)
    if (has_notification_url(members.item(i), references, depth + 1)) return true;
  return false;
}

// Power Platform's triggers: of what it polls by this operation, or registers a hook by.
void translate_trigger(const DocumentOperation& source, References& references, Types& types,
                       Findings& findings, DeclaredOperation& into) {
  bool is_hook = false;
  const Place parameters = source.at["parameters"];
  for (std::size_t i = 0; parameters.is_list() && i < parameters.size(); ++i) {
    const Place at = references.follow(parameters.item(i));
    is_hook =
        is_hook || at["x-ms-notification-url"].is_true() || has_notification_url(at["schema"], references);
  }
  const Place content = references.follow(source.item["x-ms-notification-content"]);
  const Place trigger = source.at["x-ms-trigger"];
  std::string payload;
  if (is_hook && content) payload = types.of(content["schema"], pascal_case(into.name) + "Notification").name;
  if (is_hook) {
    into.doc +=
        fmt::format("{}Give it the address of a hook that starts a flow: `on webhook \"{}\" (payload: {})`.",
                    into.doc.empty() ? "" : " ", into.name, payload.empty() ? "Json" : payload);
    findings.loss(
        trigger ? trigger : source.at,
        fmt::format(
            "no trigger is declared: a flow starts on a webhook whose address this operation is given{}",
            payload.empty() ? "" : ", with a payload of " + payload));
  } else if (trigger) {
    findings.loss(trigger,
                  "no trigger is declared: a flow can call this operation from time to time, by `on every`");
  }
}

}  // namespace

void Operations::translate(const std::map<std::string, std::string>& effects) {
  const Place paths = root_["paths"];
  for (std::size_t i = 0; paths.is_object() && i < paths.size(); ++i) {
    const std::string_view name = paths.name(i);
    if (name.starts_with("x-")) continue;
    const Place item = references_.follow(paths.item(i));
    if (!item.is_object()) {
      findings_.loss(paths.item(i), "this is no path");
      continue;
    }
    translate_path(item, std::string(name), effects);
  }
  for (const std::string_view name : {"webhooks", "x-ms-paths"}) {
    const Place others = root_[name];
    for (std::size_t i = 0; others.is_object() && i < others.size(); ++i) {
      if (name == "x-ms-paths")
        translate_path(references_.follow(others.item(i)), std::string(others.name(i)), effects);
      else
        findings_.loss(others.item(i), "no trigger is declared for this webhook: a flow starts `on webhook`");
    }
  }
}

void Operations::translate_path(const Place& item, const std::string& path,
                                const std::map<std::string, std::string>& effects) {
  for (std::size_t i = 0; item.is_object() && i < item.size(); ++i) {
    const std::string method = lower_ascii(item.name(i));
    if (std::ranges::find(kMethods, method) == kMethods.end()) continue;
    const Place at = item.item(i);
    TranslatedOperation story{
        .name = {}, .method = upper_ascii(method), .path = path, .pointer = at.pointer()};
    const auto refuse = [&](std::string why) {
      if (!why.empty()) findings_.loss(at, std::move(why));
      story.how = Translated::Not;
      told.push_back(std::move(story));
    };
    if (!at.is_object()) {
      refuse("this is no operation");
      continue;
    }
    if (std::ranges::find(kOurs, method) == kOurs.end()) {
      refuse(fmt::format("requests with the method {} cannot be declared", upper_ascii(method)));
      continue;
    }
    if (declared.size() >= kMostOperations) {
      refuse(fmt::format("a connector has at most {} operations here", kMostOperations));
      continue;
    }
    const std::size_t before = findings_.losses();
    const DocumentOperation source{.root = root_, .item = item, .at = at, .path = path, .method = method};
    DeclaredOperation made;
    made.name = names_.take(name_of(source), method + "_");
    made.method = upper_ascii(method);
    made.effect = method == "get" ? "read" : "act";
    if (const auto given = effects.find(made.name); given != effects.end()) made.effect = given->second;
    made.doc = joined_prose(at["summary"].text(), at["description"].text());
    if (made.doc.empty()) made.doc = joined_prose(item["summary"].text(), item["description"].text());
    if (at["deprecated"].is_true())
      made.doc += std::string(made.doc.empty() ? "" : " ") + "Its makers advise against using it.";
    if (at["servers"].size() > 0 || item["servers"].size() > 0)
      findings_.loss(at["servers"] ? at["servers"] : item["servers"],
                     "that this operation has an address of its own is left out");
    if (at["callbacks"].size() > 0)
      findings_.loss(at["callbacks"], "no trigger is declared: a flow starts `on webhook`");
    const std::string_view page = at["externalDocs"]["url"].text();
    if (page.starts_with("https://") && page.size() < 500 && invalid_utf8_at(page) == std::nullopt &&
        page.find_first_of(" \"\\{}\n\r\t") == std::string_view::npos)
      made.source = page;

    RequestTranslation request(source, auth_, references_, types_, findings_);
    if (!request.translate(made)) {
      refuse({});
      continue;
    }
    translate_answer(source, references_, types_, findings_, made);
    translate_trigger(source, references_, types_, findings_, made);
    story.name = made.name;
    story.how = findings_.losses() > before ? Translated::Partly : Translated::Fully;
    told.push_back(std::move(story));
    declared.push_back(std::move(made));
  }
}

}  // namespace flow::importer
