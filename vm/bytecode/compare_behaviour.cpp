#include "vm/bytecode/compare_behaviour.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "vm/bytecode/known_values.hpp"

namespace flow {
namespace {

using Texts = std::multiset<std::string>;

Texts without(const Texts& from, const Texts& what) {
  Texts out;
  std::ranges::set_difference(from, what, std::inserter(out, out.end()));
  return out;
}

std::string shown_filter(const std::string& filter) {
  return filter.empty() ? std::string("everything") : filter;
}

// The tests of an OData filter that all must hold.
Texts tests_of(std::string_view filter) {
  Texts tests;
  if (filter.empty()) return tests;
  if (filter.find(" or ") != std::string_view::npos) return {std::string(filter)};
  constexpr std::string_view kAnd = " and ";
  for (std::size_t end; (end = filter.find(kAnd)) != std::string_view::npos;
       filter.remove_prefix(end + kAnd.size()))
    tests.emplace(filter.substr(0, end));
  tests.emplace(filter);
  return tests;
}

std::string shown(const std::set<std::string>& values) {
  std::string out;
  for (const std::string& value : values) {
    const std::string text =
        KnownValues::is_shown(value) ? printable(beginning_of(value, 80)) : "what is computed";
    if (out.find(text) != std::string::npos) continue;
    out += (out.empty() ? "" : " or ") + text;
  }
  return out;
}

std::string shown_lease(std::int64_t lease_us) {
  return lease_us == 0 ? std::string("for good") : "for " + format_duration_us(lease_us);
}

bool is_word_in(std::string_view word, std::string_view text) {
  const auto is_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_of_name(text[at - 1])) && (end == text.size() || !is_of_name(text[end]))) return true;
  }
  return false;
}

class BehaviourComparison {
 public:
  BehaviourComparison(const FlowSummary& before, const FlowSummary& after, std::vector<Change>& out)
      : before_(before), after_(after), out_(out) {}

  void run() {
    start();
    arguments();
    leases();
    settings();
  }

 private:
  void add(Danger danger, std::string what, std::string text) {
    out_.push_back({danger, after_.name, std::move(what), std::move(text)});
  }

  void start() {
    if (before_.poll_filter != after_.poll_filter) {
      const bool is_narrower = without(tests_of(before_.poll_filter), tests_of(after_.poll_filter)).empty();
      add(is_narrower ? Danger::None : Danger::Medium, "filter",
          fmt::format("asks for {}, before for {}", shown_filter(after_.poll_filter),
                      shown_filter(before_.poll_filter)));
      if (!is_narrower) return;
    }
    conditions(before_.poll_filter != after_.poll_filter);
  }

  // `is_told`: that less is asked for.
  void conditions(bool is_told) {
    const Behaviour &old_one = before_.behaviour, &new_one = after_.behaviour;
    if (old_one.conditions == new_one.conditions && old_one.all_of == new_one.all_of) return;
    if (!old_one.all_of || !new_one.all_of)
      return add(Danger::Medium, "filter", "starts under other conditions");
    const Texts old_all(old_one.conditions.begin(), old_one.conditions.end());
    const Texts new_all(new_one.conditions.begin(), new_one.conditions.end());
    const bool has_fewer = !without(old_all, new_all).empty(), has_more = !without(new_all, old_all).empty();
    if (has_fewer)
      add(Danger::Medium, "filter",
          has_more ? "starts under other conditions" : "starts under fewer conditions");
    else if (has_more && !is_told)
      add(Danger::None, "filter", "starts under more conditions");
  }

  bool is_recipient(std::string_view operation, const std::string& parameter) const {
    const std::string_view name = operation.substr(operation.find('.') + 1);
    const auto is_it = [&](const RecipientSummary& each) {
      return each.operation == name && each.parameter == parameter;
    };
    return std::ranges::any_of(before_.recipients, is_it) || std::ranges::any_of(after_.recipients, is_it);
  }

  void arguments() {
    for (const auto& [operation, parameters] : after_.behaviour.arguments) {
      const auto old_one = before_.behaviour.arguments.find(operation);
      if (old_one == before_.behaviour.arguments.end()) continue;  // told: it may now be called
      for (const auto& [parameter, values] : parameters) {
        const auto old_values = old_one->second.find(parameter);
        if (old_values == old_one->second.end() || old_values->second == values ||
            is_recipient(operation, parameter))
          continue;
        const std::string now = shown(values), then = shown(old_values->second);
        add(Danger::Medium, "arguments",
            now == then ? fmt::format("computes {} of {} otherwise", parameter, operation)
                        : fmt::format("passes {} {}: {}, before {}", operation, parameter, now, then));
      }
    }
  }

  void leases() {
    for (const auto& [operation, leases] : after_.behaviour.leases) {
      const auto old_one = before_.behaviour.leases.find(operation);
      if (old_one == before_.behaviour.leases.end() || old_one->second == leases) continue;
      const std::int64_t now = longest(leases), then = longest(old_one->second);
      if (now == then) continue;  // some calls of several: told by the code
      add(now == 0 || (then != 0 && now > then) ? Danger::High : Danger::None, "leases",
          fmt::format("calls {} {}, before {}", operation, shown_lease(now), shown_lease(then)));
    }
  }

  static std::int64_t longest(const std::set<std::int64_t>& leases) {
    return leases.contains(0) ? 0 : *leases.rbegin();
  }

  void settings() {
    for (const auto& [name, text] : after_.behaviour.settings) {
      const std::string& setting = name;  // clang captures no names of parts
      const auto old_one = before_.behaviour.settings.find(name);
      if (old_one == before_.behaviour.settings.end()) {
        add(Danger::Medium, "settings", fmt::format("is set by {}: {}", name, printable(text)));
      } else if (old_one->second != text) {
        const bool tells = std::ranges::any_of(after_.recipients, [&](const RecipientSummary& each) {
          return std::ranges::any_of(each.computed,
                                     [&](const std::string& from) { return is_word_in(setting, from); });
        });
        add(tells ? Danger::High : Danger::Medium, "settings",
            fmt::format("is set by {}: {}, before {}", name, printable(text), printable(old_one->second)));
      }
    }
    for (const auto& [name, text] : before_.behaviour.settings)
      if (!after_.behaviour.settings.contains(name))
        add(Danger::None, "settings", fmt::format("is set by {} no more", name));
  }

  const FlowSummary& before_;
  const FlowSummary& after_;
  std::vector<Change>& out_;
};

}  // namespace

void compare_behaviour(const FlowSummary& before, const FlowSummary& after, std::vector<Change>& out) {
  BehaviourComparison(before, after, out).run();
}

}  // namespace flow
