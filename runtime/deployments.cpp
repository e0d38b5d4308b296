#include "runtime/deployments.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr const char* kKey = "deployments";

std::optional<Deployment> read(const std::string& json) {
  const auto members = json_members(json);
  if (!members) return std::nullopt;
  Deployment one;
  const auto text = [&](const char* name, std::string& to) {
    const auto member = members->find(name);
    const auto value = member == members->end() ? std::nullopt : json_string(member->second);
    if (value) to = *value;
    return value.has_value();
  };
  const auto settings = members->find("settings"), since = members->find("since_us");
  const bool is_whole = text("tenant", one.tenant) && text("flow", one.flow) && text("module", one.module) &&
                        settings != members->end() && since != members->end();
  const auto since_us = is_whole ? json_int(since->second) : std::nullopt;
  if (!since_us) return std::nullopt;
  one.settings = settings->second;
  one.since_us = *since_us;
  return one;
}

}  // namespace

Result<std::vector<Deployment>> deployments(Store& store) {
  FLOW_TRY(const std::optional<std::string> row, store.meta(kKey));
  std::vector<Deployment> all;
  if (!row) return all;
  const auto elements = json_elements(*row);
  if (!elements) return error("the store's list of what is deployed is damaged");
  for (const std::string& element : *elements) {
    auto one = read(element);
    if (!one) return error("the store's list of what is deployed is damaged");
    all.push_back(std::move(*one));
  }
  return all;
}

MetaRow deployments_row(const std::vector<Deployment>& all) {
  std::string rows;
  for (const Deployment& one : all)
    rows += fmt::format(R"({}{{"tenant":{},"flow":{},"module":{},"settings":{},"since_us":{}}})",
                        rows.empty() ? "" : ",\n", json_quoted(one.tenant), json_quoted(one.flow),
                        json_quoted(one.module), one.settings, one.since_us);
  return {kKey, "[" + rows + "]"};
}

}  // namespace flow
