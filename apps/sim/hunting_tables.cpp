#include "apps/sim/hunting_tables.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/hunting_rows.hpp"
#include "apps/sim/state.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostRows = 200'000;  // of one table; more are refused
constexpr std::int64_t kReportEveryUs = 900'000'000;

constexpr struct {
  std::string_view name, columns;
} kSchemas[] = {
#define FLOW_SIM_TABLE(name, columns) {#name, columns},
#include "apps/sim/hunting_schema.def"
#undef FLOW_SIM_TABLE
};

kql::Type type_of(char letter) {
  switch (letter) {
    case 'l': return kql::Type::Long;
    case 'i': return kql::Type::Int;
    case 'r': return kql::Type::Real;
    case 'b': return kql::Type::Bool;
    case 'd': return kql::Type::DateTime;
    case 't': return kql::Type::TimeSpan;
    case 'j': return kql::Type::Dynamic;
    default: return kql::Type::Text;
  }
}

std::vector<kql::Column> read_columns(std::string_view text) {
  std::vector<kql::Column> columns;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(' '));
    columns.push_back({std::string(part.substr(0, part.size() - 2)), type_of(part.back())});
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return columns;
}

Result<kql::Row> read_row(const kql::Table& table, const Json& given) {
  if (!given.is_object()) return error(fmt::format("a row must be an object, not {}", given.kind()));
  kql::Row row(table.columns.size());
  for (const Member& member : given.members()) {
    const auto column = std::ranges::find(table.columns, member.name, &kql::Column::name);
    if (column == table.columns.end()) {
      std::vector<std::string> names;
      for (const kql::Column& known : table.columns) names.push_back(known.name);
      const auto near = nearest_name(member.name, names);
      return error(fmt::format("the table has no column `{}`{}", member.name,
                               near ? "; did you mean `" + *near + "`?" : ""));
    }
    kql::Value value = kql::from_json(member.value, column->type);
    if (value.is_null() && !member.value.is_null())
      return error(fmt::format("`{}` must be a {}", member.name, kql::type_name(column->type)));
    row[static_cast<std::size_t>(column - table.columns.begin())] = std::move(value);
  }
  return row;
}

}  // namespace

HuntingTables::HuntingTables() {
  for (const auto& schema : kSchemas) {
    auto table = std::make_shared<kql::Table>();
    table->columns = read_columns(schema.columns);
    tables_.emplace(std::string(schema.name), std::move(table));
  }
}

void HuntingTables::tell_devices(const State& state) {
  kql::Rows& rows = tables_["DeviceInfo"]->rows;
  const kql::Rows from_outside(rows.begin() + static_cast<std::ptrdiff_t>(told_), rows.end());
  rows.clear();
  for (const Json& machine : state.machines) insert("DeviceInfo", device_row(state, machine));
  told_ = rows.size();
  rows.insert(rows.end(), from_outside.begin(), from_outside.end());
  devices_of_ = state.device_changes;
  told_us_ = state.now_us();
}

void HuntingTables::refresh(State& state) {
  if (began_us_ == 0) began_us_ = state.now_us();
  // Devices report every now and then, and when something about one of them has changed.
  const bool are_reports_old = state.now_us() < told_us_ || state.now_us() - told_us_ >= kReportEveryUs ||
                               devices_of_ != state.device_changes;
  if (are_reports_old) tell_devices(state);
  if (inventory_of_ != state.machine_changes) {
    inventory_of_ = state.machine_changes;
    for (const char* name : {"DeviceTvmSoftwareInventory", "DeviceTvmSoftwareVulnerabilities"})
      tables_[name]->rows.clear();
    insert_inventory(*this, state);
  }
  for (; machines_ < state.machines.size(); ++machines_)
    insert_device_events(*this, state.machines[machines_], machines_, began_us_);
  for (; alerts_ < state.alerts.size(); ++alerts_) insert_alert(*this, state, state.alerts[alerts_]);
}

Status HuntingTables::add(std::string_view name, const Json& given) {
  const auto found = tables_.find(name);
  if (found == tables_.end()) {
    const auto near = nearest_name(name, names());
    return error(
        fmt::format("there is no table `{}`{}", name, near ? "; did you mean `" + *near + "`?" : ""));
  }
  kql::Rows added;
  for (const Json& item : given.is_list() ? given.items() : Json::List{given}) {
    FLOW_TRY(kql::Row row, read_row(*found->second, item));
    added.push_back(std::make_shared<const kql::Row>(std::move(row)));
  }
  if (found->second->rows.size() + added.size() > kMostRows)
    return error(fmt::format("the table is full ({} rows)", kMostRows));
  found->second->rows.insert(found->second->rows.end(), added.begin(), added.end());
  return {};
}

void HuntingTables::insert(std::string_view name, const Json& given) {
  const auto found = tables_.find(name);
  FLOW_CHECK(found != tables_.end(), "the table is in the list");
  kql::Table& table = *found->second;
  if (table.rows.size() >= kMostRows) return;
  kql::Row row(table.columns.size());
  for (const Member& member : given.members()) {
    const auto column = std::ranges::find(table.columns, member.name, &kql::Column::name);
    FLOW_CHECK(column != table.columns.end(), "the column is in the list");
    row[static_cast<std::size_t>(column - table.columns.begin())] =
        kql::from_json(member.value, column->type);
  }
  table.rows.push_back(std::make_shared<const kql::Row>(std::move(row)));
}

std::vector<std::string> HuntingTables::names() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  return names;
}

std::shared_ptr<const kql::Table> HuntingTables::find(std::string_view name) const {
  const auto found = tables_.find(name);
  return found != tables_.end() ? found->second : nullptr;
}

bool HuntingTables::is_of_devices(std::string_view name) {
  return name.starts_with("Device") || name.starts_with("Alert");
}

std::vector<std::string> SomeTables::names() const {
  std::vector<std::string> names;
  for (std::string& name : all_.names())
    if (is_known_(name)) names.push_back(std::move(name));
  return names;
}

std::shared_ptr<const kql::Table> SomeTables::find(std::string_view name) const {
  return is_known_(name) ? all_.find(name) : nullptr;
}

}  // namespace flow::sim
