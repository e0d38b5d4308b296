// The manifest as text and as JSON.
#include <fmt/format.h>

#include <iterator>

#include "base/text.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {
namespace {

std::vector<std::string> texts_of(const std::vector<Guardrail>& guardrails) {
  std::vector<std::string> texts;
  for (const Guardrail& guardrail : guardrails) texts.push_back(guardrail.text);
  return texts;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? std::string() : std::string(separator)) + part;
  return text;
}

std::string bound(const CallSummary& call) {
  if (call.at_most != kAnyNumber) return fmt::format("at most {}", call.at_most);
  if (call.loop_line == 0) return "any number of times";
  return fmt::format("any number of times by the loop in line {}", call.loop_line);
}

std::string call_text(const CallSummary& call) {
  std::string text = fmt::format("{} ({}, {}", call.operation, effect_name(call.effect), bound(call));
  if (call.requests > 1) text += fmt::format(" of up to {} requests", call.requests);
  if (call.line != 0) text += fmt::format(", line {}", call.line);
  if (!call.retires.empty()) text += fmt::format(", retired on {}", call.retires);
  return text + ")";
}

std::string recipients_text(const RecipientSummary& recipients) {
  std::vector<std::string> all;
  for (const std::string& address : recipients.constants) all.push_back(printable(address));
  for (const std::string& from : recipients.computed) all.push_back(fmt::format("computed from `{}`", from));
  return fmt::format("{} {} {}", recipients.operation, recipients.parameter, joined(all));
}

std::string sustained_text(const FlowSummary& flow) {
  const QuotaSummary* const quota = flow.scarcest();
  if (quota == nullptr) return "any number: no call counts against a quota";
  const auto runs = quota->runs_per_hour();
  if (!runs) return fmt::format("no number: a run may call any number of times (quota {})", quota->group);
  return fmt::format("{} {} an hour (quota {}, {} call{} each)", *runs, flow.subject, quota->group,
                     quota->calls, quota->calls == 1 ? "" : "s");
}

void print_row(std::string& out, std::string_view title, const std::vector<std::string>& values,
               std::string_view otherwise = "nothing") {
  fmt::format_to(std::back_inserter(out), "  {:<12} {}\n", title,
                 values.empty() ? std::string(otherwise) : joined(values));
}

void print_flow(std::string& out, const FlowSummary& flow) {
  std::vector<std::string> calls, fetches, recipients, permissions;
  for (const CallSummary& call : flow.calls) (call.is_fetch ? fetches : calls).push_back(call_text(call));
  for (const RecipientSummary& each : flow.recipients) recipients.push_back(recipients_text(each));
  for (const auto& [connector, names] : flow.permissions)
    permissions.push_back(fmt::format("{} of {}", joined(names), connector));
  fmt::format_to(std::back_inserter(out), "flow {}\n", flow.name);
  print_row(out, "starts on", {flow.trigger}, "nothing known");
  if (!flow.guardrails.empty()) print_row(out, "holds to", texts_of(flow.guardrails));
  if (!flow.settings.empty()) print_row(out, "set by", flow.settings);
  if (!flow.poll_filter.empty()) print_row(out, "polls only", {flow.poll_filter});
  if (!flow.poll_expand.empty()) print_row(out, "expands", flow.poll_expand);
  print_row(out, "reads", flow.reads);
  print_row(out, "fetches", fetches);
  print_row(out, "calls", calls);
  if (!flow.flows.empty()) print_row(out, "runs", flow.flows);
  fmt::format_to(std::back_inserter(out), "  {:<12} {}\n", "tells",
                 recipients.empty() ? std::string("nobody") : joined(recipients, "; "));
  print_row(out, "hosts", flow.shown_hosts());
  fmt::format_to(std::back_inserter(out), "  {:<12} {}\n", "needs",
                 permissions.empty() ? std::string("nothing") : joined(permissions, "; "));
  if (flow.acts() && !flow.is_guarded) print_row(out, "guardrails", {}, "none");
  print_row(out, "sustains", {sustained_text(flow)});
}

// ---- JSON

std::string json_list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() == 1 ? "" : ",") + json_quoted(value);
  return out + "]";
}

// `null` stands for any number.
std::string json_count(std::uint32_t count) {
  return count == kAnyNumber ? "null" : std::to_string(count);
}

template <class T, class Show>
std::string json_objects(const std::vector<T>& values, Show show) {
  std::string out = "[";
  for (const T& value : values) out += (out.size() == 1 ? "" : ",") + show(value);
  return out + "]";
}

std::string json_call(const CallSummary& call) {
  std::string out = fmt::format(R"({{"operation":{},"effect":"{}","atMost":{},"fetch":{},"line":{})",
                                json_quoted(call.operation), effect_name(call.effect),
                                json_count(call.at_most), call.is_fetch, call.line);
  if (call.requests > 1) out += fmt::format(R"(,"requests":{})", call.requests);
  if (call.loop_line != 0) out += fmt::format(R"(,"loopLine":{})", call.loop_line);
  if (!call.inverse.empty()) out += fmt::format(R"(,"inverse":{})", json_quoted(call.inverse));
  if (!call.retires.empty()) out += fmt::format(R"(,"retires":{})", json_quoted(call.retires));
  if (!call.replacement.empty()) out += fmt::format(R"(,"replacement":{})", json_quoted(call.replacement));
  return out + "}";
}

std::string json_flow(const FlowSummary& flow) {
  std::string out =
      fmt::format(R"({{"name":{},"startsOn":{},"pollFilter":{},"pollExpand":{},"reads":{})",
                  json_quoted(flow.name), json_quoted(flow.trigger), json_quoted(flow.poll_filter),
                  json_list(flow.poll_expand), json_list(flow.reads));
  out += ",\"calls\":" + json_objects(flow.calls, json_call);
  out += ",\"recipients\":" + json_objects(flow.recipients, [](const RecipientSummary& each) {
           return fmt::format(R"({{"operation":{},"parameter":{},"constants":{},"computed":{}}})",
                              json_quoted(each.operation), json_quoted(each.parameter),
                              json_list(each.constants), json_list(each.computed));
         });
  if (!flow.flows.empty()) out += ",\"flows\":" + json_list(flow.flows);
  out += ",\"hosts\":" + json_list(flow.hosts);
  out += ",\"hostsIfConfigured\":" + json_list(flow.configured_hosts);
  out += ",\"permissions\":{";
  bool is_first = true;
  for (const auto& [connector, names] : flow.permissions) {
    out += (is_first ? "" : ",") + json_quoted(connector) + ":" + json_list(names);
    is_first = false;
  }
  out += "},\"guardrails\":" + json_list(texts_of(flow.guardrails)) +
         ",\"settings\":" + json_list(flow.settings);
  out +=
      ",\"quotas\":" + json_objects(flow.quotas, [](const QuotaSummary& quota) {
        const auto runs = quota.runs_per_hour();
        return fmt::format(R"({{"group":{},"callsPerRun":{},"perMinute":{},"perHour":{},"runsPerHour":{}}})",
                           json_quoted(quota.group), json_count(quota.calls), quota.per_minute,
                           quota.per_hour, runs ? std::to_string(*runs) : "null");
      });
  return out + "}";
}

}  // namespace

std::string print_manifest(const Module& module) {
  std::string out;
  for (const FlowSummary& flow : summarise(module)) {
    if (!out.empty()) out += '\n';
    print_flow(out, flow);
  }
  return out;
}

std::string manifest_json(const Module& module) {
  return fmt::format("{{\"source\":{},\"flows\":{}}}\n", json_quoted(module.source_name),
                     json_objects(summarise(module), json_flow));
}

}  // namespace flow
