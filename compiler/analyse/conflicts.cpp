#include "compiler/analyse/conflicts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace flow {
namespace {

struct Place {
  const AnalysedFile* file;
  std::uint32_t flow;  // index into CheckedFile::flows
  const UndoableCall* call;
};

// By trigger (its connector and name), operation and target.
using Index = std::map<std::tuple<std::string, std::uint32_t, std::string>, std::vector<Place>>;

constexpr std::size_t kMostCompared = 100'000;  // pairs; more are not looked at
constexpr std::size_t kMostTold = 100;

std::uint32_t inverse_of(const Library& library, std::uint32_t index) {
  const Operation& operation = library.operations[index];
  const auto found = library.operation_names.find(operation.connector + "." + operation.inverse);
  return found == library.operation_names.end() ? index : found->second;
}

// What both need to be given, as the tag of add_tag and remove_tag, must be able to be the same.
bool may_mean_the_same(const Library& library, const UndoableCall& a, const UndoableCall& b) {
  const Operation &one = library.operations[a.operation], &other = library.operations[b.operation];
  for (std::size_t i = 0; i < one.parameters.size(); ++i) {
    if (!one.parameters[i].default_json.empty()) continue;
    const auto same = std::ranges::find(other.parameters, one.parameters[i].name, &Parameter::name);
    if (same == other.parameters.end()) continue;
    const std::string& x = a.arguments[i];
    const std::string& y = b.arguments[static_cast<std::size_t>(same - other.parameters.begin())];
    // Two different paths may have one value, two different constants may not; to be sure, only what is
    // written equally counts.
    if (x.empty() || x != y || x.find(kLocal) != std::string::npos) return false;
  }
  return true;
}

std::string trigger_of(const AnalysedFile& file, std::uint32_t flow) {
  const Trigger& trigger = file.checked->triggers[file.checked->flows[flow].trigger];
  return trigger.connector + "." + trigger.name;
}

std::string target_of(const Library& library, const UndoableCall& call) {
  const Operation& operation = library.operations[call.operation];
  const auto target = std::ranges::find(operation.parameters, operation.targets, &Parameter::name);
  if (target == operation.parameters.end()) return {};
  const std::string& key = call.arguments[static_cast<std::size_t>(target - operation.parameters.begin())];
  return key.find(kLocal) != std::string::npos ? std::string() : key;
}

}  // namespace

void report_conflicts(std::span<const AnalysedFile> files, Among among, const Library& library,
                      Diagnostics& diagnostics) {
  Index index;
  for (const AnalysedFile& file : files)
    for (std::uint32_t i = 0; i < file.flows->size(); ++i)
      for (const UndoableCall& call : (*file.flows)[i].undoable)
        // Operations that a file brings along are compared within the file only.
        if (std::string target =
                call.operation < library.operations.size() ? target_of(library, call) : std::string();
            !target.empty())
          index[{trigger_of(file, i), call.operation, std::move(target)}].push_back({&file, i, &call});
  std::size_t compared = 0, told = 0;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>> known;  // pairs of flows
  for (const auto& [key, places] : index) {
    const auto& [trigger, operation, target] = key;
    const std::uint32_t inverse = inverse_of(library, operation);
    if (inverse <= operation) continue;  // each pair once; what undoes itself is no conflict
    const auto others = index.find({trigger, inverse, target});
    if (others == index.end()) continue;
    for (const Place& a : places)
      for (const Place& b : others->second) {
        const bool is_one_file = a.file == b.file;
        if (is_one_file != (among == Among::OneFile) || (is_one_file && a.flow == b.flow)) continue;
        if (++compared > kMostCompared || told == kMostTold) return;
        if (!may_mean_the_same(library, *a.call, *b.call) || !Facts::overlap(a.call->facts, b.call->facts))
          continue;
        if (!known.insert({a.file->number, a.flow, b.file->number, b.flow}).second) continue;
        ++told;
        const CheckedFlow &one = a.file->checked->flows[a.flow], &other = b.file->checked->flows[b.flow];
        const std::string& first = library.operations[a.call->operation].name;
        const std::string& second = library.operations[b.call->operation].name;
        Diagnostic& d = diagnostics.report(
            Code::FlowsUndoEachOther, b.file->number, b.file->tree->span(b.call->node),
            fmt::format("flow `{}` calls `{}` where flow `{}` calls `{}`, for the same event", other.name,
                        second, one.name, first));
        d.label(a.file->tree->span(a.call->node), fmt::format("`{}` does the opposite here", one.name));
        d.labels.back().file = a.file->number;
        d.note("which of them comes last is not known; let their conditions exclude each other");
      }
  }
}

}  // namespace flow
