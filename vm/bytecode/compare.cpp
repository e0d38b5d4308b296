#include "vm/bytecode/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/text.hpp"
#include "vm/bytecode/compare_behaviour.hpp"

namespace flow {
namespace {

std::string times(std::uint32_t at_most) {
  return at_most == kAnyNumber ? "any number of times" : fmt::format("at most {} per run", at_most);
}

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

using Set = std::set<std::string>;

Set set_of(const std::vector<std::string>& values) {
  return {values.begin(), values.end()};
}

std::vector<std::string> without(const Set& from, const Set& what) {
  std::vector<std::string> out;
  std::ranges::set_difference(from, what, std::back_inserter(out));
  return out;
}

// A flow that is not there can do nothing.
class Comparison {
 public:
  // `hosts` are those that some flow called before.
  Comparison(const FlowSummary& before, const FlowSummary& after, const std::vector<std::string>& hosts,
             std::vector<Change>& out)
      : before_(before), after_(after), hosts_(hosts), out_(out) {}

  void run() {
    calls();
    recipients();
    flows();
    guardrails();
    hosts();
    permissions();
    lists("reads", before_.reads, after_.reads, Danger::Medium, "reads one more field",
          "reads one field less", "more fields", "fewer fields");
    start();
    load();
    if (before_.trigger.empty() || after_.trigger.empty()) return;  // the flow is new, or gone
    compare_behaviour(before_, after_, out_);
    code();
  }

 private:
  void add(Danger danger, std::string what, std::string text) {
    out_.push_back({danger, after_.name, std::move(what), std::move(text)});
  }

  // The runtime's part of `once`, `protect` and `lease`.
  static bool is_of_a_guardrail(const CallSummary& call) {
    return call.operation == "flow.once" || call.operation == "flow.refuse" ||
           call.operation == "flow.leaseEnd";
  }

  static std::map<std::string, CallSummary> by_operation(const FlowSummary& flow) {
    std::map<std::string, CallSummary> out;
    for (const CallSummary& call : flow.calls) {
      if (is_of_a_guardrail(call)) continue;
      const auto [at, is_new] = out.emplace(call.operation, call);
      if (is_new) continue;
      const std::uint64_t sum = std::uint64_t{at->second.at_most} + call.at_most;
      at->second.at_most = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, kAnyNumber));
    }
    return out;
  }

  void calls() {
    const auto old_calls = by_operation(before_), new_calls = by_operation(after_);
    for (const auto& [name, call] : new_calls) {
      const Danger more = call.effect == Effect::Read ? Danger::Medium : Danger::High;
      const auto old = old_calls.find(name);
      if (old == old_calls.end())
        add(more, "calls",
            fmt::format("may now call {} ({}, {})", name, effect_name(call.effect), times(call.at_most)));
      else if (old->second.at_most != call.at_most)
        add(call.at_most > old->second.at_most ? more : Danger::None, "calls",
            fmt::format("may call {} {}, before {} ({})", name, times(call.at_most),
                        times(old->second.at_most), effect_name(call.effect)));
    }
    for (const auto& [name, call] : old_calls)
      if (!new_calls.contains(name))
        add(Danger::None, "calls", fmt::format("calls {} no more ({})", name, effect_name(call.effect)));
  }

  static std::map<std::string, Set> by_parameter(const FlowSummary& flow) {
    std::map<std::string, Set> out;
    for (const RecipientSummary& each : flow.recipients) {
      Set& all = out[each.operation + " " + each.parameter];
      for (const std::string& address : each.constants) all.insert(printable(address));
      for (const std::string& from : each.computed)
        all.insert(fmt::format("addresses computed from `{}`", from));
    }
    return out;
  }

  void recipients() {
    auto old_all = by_parameter(before_), new_all = by_parameter(after_);
    for (const auto& [parameter, addresses] : new_all)
      if (const auto more = without(addresses, old_all[parameter]); !more.empty())
        add(Danger::High, "recipients",
            fmt::format("{} now {}{}", parameter, old_all[parameter].empty() ? "" : "also ", join(more)));
    for (const auto& [parameter, addresses] : old_all)
      if (const auto fewer = without(addresses, new_all[parameter]); !fewer.empty())
        add(Danger::None, "recipients", fmt::format("{} {} no more", parameter, join(fewer)));
  }

  void guardrails() {
    const auto old_all = by_subject(before_), new_all = by_subject(after_);
    const Danger weaker = after_.acts() ? Danger::High : Danger::None;
    for (const auto& [subject, gone] : old_all) {
      const auto now = new_all.find(subject);
      if (now == new_all.end())
        add(weaker, "guardrails", fmt::format("no guardrail `{}` any more", printable(gone->text)));
      else if (now->second->text != gone->text)
        add(now->second->strength > gone->strength ? Danger::None : weaker, "guardrails",
            fmt::format("has the guardrail `{}`, before `{}`", printable(now->second->text),
                        printable(gone->text)));
    }
    for (const auto& [subject, more] : new_all)
      if (!old_all.contains(subject))
        add(Danger::None, "guardrails", fmt::format("has the guardrail `{}`", printable(more->text)));
  }

  static std::map<std::string, const Guardrail*> by_subject(const FlowSummary& flow) {
    std::map<std::string, const Guardrail*> out;
    for (const Guardrail& guardrail : flow.guardrails) out.emplace(guardrail.subject, &guardrail);
    return out;
  }

  // What is not seen above may still be a change.
  void code() {
    const bool is_told = std::ranges::any_of(out_, [&](const Change& change) {
      return change.flow == after_.name && (change.danger == Danger::High || change.danger == Danger::Medium);
    });
    if (!is_told && before_.behaviour.code != after_.behaviour.code)
      add(Danger::Unknown, "code", "its code differs");
  }

  void lists(const std::string& what, const std::vector<std::string>& before,
             const std::vector<std::string>& after, Danger danger, std::string_view one_more,
             std::string_view one_less, std::string_view more, std::string_view fewer) {
    const std::string_view verb = one_more.substr(0, one_more.find(' '));
    const Set old_all = set_of(before), new_all = set_of(after);
    if (const auto gained = without(new_all, old_all); !gained.empty())
      add(danger, what,
          gained.size() == 1 ? fmt::format("{}: {}", one_more, gained[0])
                             : fmt::format("{} {} {}: {}", verb, gained.size(), more, join(gained)));
    if (const auto lost = without(old_all, new_all); !lost.empty())
      add(Danger::None, what,
          lost.size() == 1 ? fmt::format("{}: {}", one_less, lost[0])
                           : fmt::format("{} {} {}: {}", verb, lost.size(), fewer, join(lost)));
  }

  void flows() {
    for (const std::string& run : without(set_of(after_.flows), set_of(before_.flows)))
      add(Danger::Medium, "flows", fmt::format("now {}", run));
    for (const std::string& run : without(set_of(before_.flows), set_of(after_.flows)))
      add(Danger::None, "flows", fmt::format("{} no more", run));
  }

  void hosts() {
    for (const std::string& host : without(set_of(after_.shown_hosts()), set_of(hosts_)))
      add(Danger::High, "hosts", fmt::format("calls one more host: {}", host));
    for (const std::string& host : without(set_of(before_.shown_hosts()), set_of(after_.shown_hosts())))
      add(Danger::None, "hosts", fmt::format("calls one host less: {}", host));
  }

  static std::vector<std::string> flat(const FlowSummary& flow) {
    std::vector<std::string> out;
    for (const auto& [connector, names] : flow.permissions)
      for (const std::string& name : names) out.push_back(fmt::format("{} of {}", name, connector));
    return out;
  }

  void permissions() {
    lists("permissions", flat(before_), flat(after_), Danger::Medium, "needs one more permission",
          "needs one permission less", "more permissions", "fewer permissions");
  }

  void start() {
    if (before_.trigger.empty() || after_.trigger.empty()) return;  // the flow is new, or gone
    if (before_.trigger != after_.trigger)
      add(Danger::Medium, "trigger",
          fmt::format("starts on {}, before on {}", after_.trigger, before_.trigger));
  }

  void load() {
    if (before_.trigger.empty() || after_.trigger.empty()) return;
    const auto rate = [](const FlowSummary& flow) -> std::uint64_t {
      const QuotaSummary* const quota = flow.scarcest();
      if (quota == nullptr) return UINT64_MAX;
      return quota->runs_per_hour().value_or(0);
    };
    const auto shown = [&](const FlowSummary& flow) {
      const std::uint64_t runs = rate(flow);
      return runs == UINT64_MAX ? std::string("any number of")
             : runs == 0        ? "no known number of"
                                : std::to_string(runs);
    };
    if (rate(before_) == rate(after_)) return;
    add(rate(after_) < rate(before_) ? Danger::Medium : Danger::None, "quota",
        fmt::format("sustains {} {} an hour, before {}", shown(after_), after_.subject, shown(before_)));
  }

  const FlowSummary& before_;
  const FlowSummary& after_;
  const std::vector<std::string>& hosts_;
  std::vector<Change>& out_;
};

}  // namespace

std::string_view danger_name(Danger danger) {
  switch (danger) {
    case Danger::High: return "high";
    case Danger::Medium: return "medium";
    case Danger::Unknown: return "unknown";
    case Danger::None: return "none";
  }
  return {};
}

std::vector<Change> compare(const std::vector<FlowSummary>& before, const std::vector<FlowSummary>& after) {
  std::map<std::string, const FlowSummary*> old_flows, new_flows;
  for (const FlowSummary& flow : before) old_flows.emplace(flow.name, &flow);
  for (const FlowSummary& flow : after) new_flows.emplace(flow.name, &flow);
  std::vector<Change> changes;
  std::vector<std::string> hosts;
  for (const FlowSummary& flow : before)
    for (std::string& host : flow.shown_hosts()) hosts.push_back(std::move(host));
  for (const auto& [name, flow] : new_flows) {
    const auto old = old_flows.find(name);
    FlowSummary nothing;
    nothing.name = name;
    if (old == old_flows.end())
      changes.push_back(
          {Danger::Medium, name, "flow", fmt::format("is new, and starts on {}", flow->trigger)});
    Comparison(old == old_flows.end() ? nothing : *old->second, *flow, hosts, changes).run();
  }
  for (const auto& [name, flow] : old_flows) {
    if (new_flows.contains(name)) continue;
    changes.push_back({Danger::None, name, "flow", "is gone"});
  }
  std::ranges::stable_sort(changes, {}, &Change::danger);
  return changes;
}

namespace {

std::string_view heading(Danger danger, bool is_only_unknown) {
  switch (danger) {
    case Danger::High: return "can do more:\n";
    case Danger::Medium: return "needs or takes more, or does it otherwise:\n";
    case Danger::Unknown:
      return is_only_unknown ? "both may do the same, but their code differs:\n"
                             : "may do the same, but the code differs:\n";
    case Danger::None: return "can do less:\n";
  }
  return {};
}

}  // namespace

std::string print_changes(const std::vector<Change>& changes) {
  if (changes.empty()) return "both may do the same\n";
  std::string out;
  const bool is_only_unknown =
      std::ranges::all_of(changes, [](const Change& change) { return change.danger == Danger::Unknown; });
  const Change* last = nullptr;
  for (const Change& change : changes) {
    if (last == nullptr || last->danger != change.danger) out += heading(change.danger, is_only_unknown);
    fmt::format_to(std::back_inserter(out), "  {}: {}\n", change.flow, change.text);
    last = &change;
  }
  return out;
}

std::string changes_json(const std::vector<Change>& changes) {
  std::string out = "{\"changes\":[";
  for (const Change& change : changes)
    out += fmt::format("{}{{\"danger\":\"{}\",\"flow\":{},\"what\":{},\"text\":{}}}",
                       &change == &changes[0] ? "" : ",", danger_name(change.danger),
                       json_quoted(change.flow), json_quoted(change.what), json_quoted(change.text));
  return out + "]}\n";
}

}  // namespace flow
