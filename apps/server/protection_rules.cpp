#include "apps/server/protection_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "apps/library/standard_library.hpp"
#include "compiler/compile.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

struct Kind {
  const char* table;
  TypeId id_type;
  const char* id;         // as the rules know the target; empty: they do not
  const char* id_name;    // the type's name
  const char* entity;     // what is fetched of it; empty: nothing can be
  const char* type_name;  // of that
  const char* fetch;
};
constexpr Kind kKinds[] = {
    {"machine", kMachineIdType, "machineId", "MachineId", "machine", "Machine", "get_machine"},
    {"alert", kAlertIdType, "alertId", "AlertId", "alert", "Alert", "get_alert"},
    {"user", kUserIdType, "userId", "UserId", "", "", ""},
    {"value", kStringType, "value", "String", "", "", ""},
    {"act", kNullType, "", "", "", "", ""},
};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Whether the condition names it. Once too often costs a request, no more.
bool mentions(std::string_view condition, std::string_view word) {
  if (word.empty()) return false;
  for (std::size_t at = condition.find(word); at != std::string_view::npos;
       at = condition.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word(condition[at - 1]);
    if (begins && (end == condition.size() || !is_word(condition[end]))) return true;
  }
  return false;
}

// The rules as the text of flows, and where each condition stands in it.
struct Generated {
  std::string text;
  std::vector<std::uint32_t> begins;  // by rule
};

Generated generate(const std::vector<ProtectionText>& rules, std::vector<ProtectedKind>& kinds) {
  Generated made;
  made.begins.resize(rules.size());
  for (const Kind& kind : kKinds) {
    ProtectedKind protected_kind{
        .id_type = kind.id_type, .id = kind.id, .entity = {}, .fetch = {}, .rules = {}};
    const bool is_fetched = std::ranges::any_of(rules, [&](const ProtectionText& rule) {
      return rule.kind == kind.table && mentions(rule.condition, kind.entity);
    });
    std::string names = "operation: String, flowName: String, tenant: String";
    if (*kind.id != 0) names += fmt::format(", {}: {}", kind.id, kind.id_name);
    if (is_fetched) {
      protected_kind.entity = kind.entity;
      protected_kind.fetch = fmt::format("defender.{}", kind.fetch);
      names += fmt::format(", {}: {}", kind.entity, kind.type_name);
      made.text +=
          fmt::format("flow facts_of_{} on call (id: {}) do {{ let facts = {}(id)  log \"{{facts.id}}\" }}\n",
                      kind.entity, kind.id_name, kind.fetch);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].kind != kind.table) continue;
      protected_kind.rules.push_back({.name = fmt::format("{}.{}", kind.table, rules[i].name), .flow = 0});
      made.text += fmt::format("flow rule_{} on call ({}) protect (", i, names);
      made.begins[i] = static_cast<std::uint32_t>(made.text.size());
      made.text += rules[i].condition;
      // A line end behind it, in case it ends with a comment.
      made.text += "\n) do isolate(\"0000000000000000000000000000000000000000\")\n";
    }
    if (!protected_kind.rules.empty()) kinds.push_back(std::move(protected_kind));
  }
  return made;
}

// Where the condition itself stands in the file, when it stands there letter by letter.
Span written(const ProtectionText& rule, std::string_view file_text) {
  const std::string_view value = file_text.substr(rule.place.begin, rule.place.end - rule.place.begin);
  const std::size_t at = value.find(rule.condition);
  if (rule.condition.empty() || at == std::string_view::npos) return rule.place;
  const auto begin = static_cast<std::uint32_t>(rule.place.begin + at);
  return {begin, begin + static_cast<std::uint32_t>(rule.condition.size())};
}

// From the generated text to the file.
void tell(const Diagnostic& found, const std::vector<ProtectionText>& rules, const Generated& made,
          std::string_view file_text, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::uint32_t begin = made.begins[i];
    const auto end = begin + static_cast<std::uint32_t>(rules[i].condition.size());
    if (found.span.begin < begin || found.span.begin > end) continue;
    const Span place = written(rules[i], file_text);
    const bool is_verbatim = place.end - place.begin == rules[i].condition.size();
    const auto moved = [&](Span span) {
      if (!is_verbatim) return place;
      const auto at = [&](std::uint32_t offset) {
        return place.begin + std::clamp(offset, begin, end) - begin;
      };
      return Span{at(span.begin), at(span.end)};
    };
    Diagnostic& told = diagnostics.report(found.code, 0, moved(found.span), found.message);
    told.here = found.here;
    for (const std::string& note : found.notes) told.note(note);
    for (const FixIt& fix : found.fixes)
      if (is_verbatim && fix.span.begin >= begin && fix.span.end <= end)
        told.fix(moved(fix.span), fix.replacement, fix.message);
    return;
  }
  if (row(found.code).severity == Severity::Error)
    diagnostics.report(found.code, 0, rules.front().place, found.message);
}

// A rule looks at its target, and says that it refuses. What it asks for besides, but the time, nobody would
// answer.
Status check_calls(const Module& module, const std::vector<ProtectionText>& rules) {
  for (const FlowCode& flow : module.flows)
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (flow.name != fmt::format("rule_{}", i)) continue;
      for (const ManifestCall& call : flow.manifest.calls) {
        const std::string name = module.operations[call.operation].full_name();
        if (name == "flow.now" || name == "flow.refuse" || name == "defender.isolate") continue;
        return error(fmt::format(
            "`protect.{}.{}` calls `{}`; a protection looks at its target, and may ask for the time, no more",
            rules[i].kind, rules[i].name, name));
      }
    }
  return {};
}

}  // namespace

std::vector<std::string> protection_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.table);
  return names;
}

Result<Protections> compile_protections(const std::vector<ProtectionText>& rules, std::string_view file_text,
                                        Diagnostics& diagnostics) {
  Protections protections;
  if (rules.empty()) return protections;
  const Generated made = generate(rules, protections.kinds);
  Compilation compilation = compile({"protections.flow", made.text}, standard_library());
  for (const Diagnostic& found : compilation.diagnostics.all())
    tell(found, rules, made, file_text, diagnostics);
  if (!compilation.module) return protections;
  FLOW_TRY_STATUS(check_calls(*compilation.module, rules));
  for (std::size_t i = 0; i < rules.size(); ++i)
    for (ProtectedKind& kind : protections.kinds)
      for (ProtectionRule& rule : kind.rules) {
        if (rule.name != rules[i].kind + "." + rules[i].name) continue;
        const auto& flows = compilation.module->flows;
        const auto flow = std::ranges::find(flows, fmt::format("rule_{}", i), &FlowCode::name);
        rule.flow = static_cast<std::uint32_t>(flow - flows.begin());
      }
  protections.module = encode(*compilation.module);
  return protections;
}

}  // namespace flow
