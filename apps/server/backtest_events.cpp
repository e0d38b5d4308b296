#include "apps/server/backtest_events.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/poller.hpp"

namespace flow {
namespace {

struct Element {
  std::size_t place = 0;  // for errors: in the list, or the line
  std::string json;
};

Result<std::vector<Element>> elements_of(const std::string& text) {
  std::vector<Element> elements;
  if (const auto list = json_elements(text)) {
    for (const std::string& json : *list) elements.push_back({elements.size() + 1, json});
    return elements;
  }
  if (json_members(text)) return std::vector<Element>{{1, text}};
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string json = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (json.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!json_members(json))
      return error(
          fmt::format("line {} is not one well-formed JSON object; events are a JSON array, or one "
                      "object a line",
                      line));
    elements.push_back({line, std::move(json)});
  }
  return elements;
}

std::optional<std::int64_t> time_of(const std::string& json, const std::string& field) {
  const auto member = json_member(json, field);
  const auto text = member ? json_string(*member) : std::nullopt;
  return text ? parse_time_us(*text) : std::nullopt;
}

void sort(std::vector<PastSource>& sources) {
  for (PastSource& source : sources) std::ranges::stable_sort(source.events, {}, &PastEvent::time_us);
}

}  // namespace

std::vector<PastSource> past_sources(const Module& module) {
  std::vector<PastSource> sources;
  for (const FlowCode& flow : module.flows) {
    const Trigger& trigger = module.triggers[flow.trigger];
    if (trigger.kind != Trigger::Kind::Poll) continue;
    PastSource source{.operation = trigger.connector + "." + trigger.operation,
                      .cursor_field = trigger.cursor_field,
                      .page_size = trigger.page_size,
                      .events = {}};
    const bool is_known = std::ranges::any_of(sources, [&](const PastSource& other) {
      return other.operation == source.operation && other.cursor_field == source.cursor_field;
    });
    if (!is_known) sources.push_back(std::move(source));
  }
  return sources;
}

Status add_events(const std::string& text, std::vector<PastSource>& sources) {
  FLOW_TRY(const std::vector<Element> elements, elements_of(text));
  std::string fields;
  for (const PastSource& source : sources)
    fields += fmt::format("{}`{}`", fields.empty() ? "" : " or ", source.cursor_field);
  for (const Element& element : elements) {
    bool is_taken = false;
    for (PastSource& source : sources)
      if (const auto time_us = time_of(element.json, source.cursor_field)) {
        source.events.push_back({*time_us, element.json});
        is_taken = true;
      }
    if (!is_taken)
      return error(
          fmt::format("event {} has no time that the flows' triggers go by: {}", element.place, fields));
  }
  sort(sources);
  return {};
}

Status fetch_events(const Module& module, std::int64_t since_us, std::int64_t now_us,
                    const std::function<Outcome(std::uint32_t operation, const std::string& arguments)>& ask,
                    std::vector<PastSource>& sources) {
  for (PastSource& source : sources) {
    const auto trigger = std::ranges::find_if(module.triggers, [&](const Trigger& each) {
      return each.connector + "." + each.operation == source.operation &&
             each.cursor_field == source.cursor_field;
    });
    if (trigger == module.triggers.end()) continue;
    const auto operation = module.operation(trigger->connector, trigger->operation);
    if (!operation) continue;
    PollShape shape;
    for (const FlowCode& flow : module.flows)
      for (const std::string& name : flow.manifest.poll_expand)
        if (std::ranges::find(shape.expand, name) == shape.expand.end()) shape.expand.push_back(name);
    Poller poller(CursorRow{"backtest", trigger->name, since_us, since_us}, PollSettings{});
    for (bool is_behind = true; is_behind;) {
      std::optional<std::string> arguments = poller.begin(*trigger, shape, now_us);
      while (arguments) {
        const Outcome outcome = ask(*operation, *arguments);
        if (const auto* fault = std::get_if<Fault>(&outcome))
          return error(fmt::format("{} failed: {}", source.operation, fault->message));
        FLOW_TRY(PolledPage page, poller.take_page(std::get<Returned>(outcome).json));
        for (PolledEvent& event : page.events)
          if (poller.is_first(event.key)) source.events.push_back({event.time_us, std::move(event.json)});
        arguments = poller.next_page();
      }
      const EventReader::Done done = poller.finish();
      if (!done.problem.empty()) return error(done.problem);
      is_behind = done.is_behind;
    }
  }
  sort(sources);
  return {};
}

}  // namespace flow
