// The tables of hunting queries, filled from the tenant's devices and alerts: what an alert tells is in the
// tables of processes, files, connections and people too. The same devices and alerts give the same rows.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/json.hpp"
#include "apps/sim/kql/engine.hpp"
#include "base/result.hpp"

namespace flow::sim {

struct State;

class HuntingTables final : public kql::Tables {
 public:
  HuntingTables();

  // Adds what has come since: devices, alerts, and what lies now behind them.
  void refresh(State& state);
  // Rows from outside, an object each. All are added, or none and the Error names the column.
  Status add(std::string_view table, const Json& rows);
  // One row made here: a name that the table does not have is a mistake of ours, a value that does not fit is
  // null.
  void insert(std::string_view table, const Json& row);

  std::vector<std::string> names() const override;
  std::shared_ptr<const kql::Table> find(std::string_view name) const override;

  // Which tables the API of Defender for Endpoint knows, and which Log Analytics.
  static bool is_of_devices(std::string_view name);

 private:
  std::map<std::string, std::shared_ptr<kql::Table>, std::less<>> tables_;
  std::size_t machines_ = 0, alerts_ = 0;
  void tell_devices(const State& state);

  std::uint64_t inventory_of_ = ~std::uint64_t{0};  // State::machine_changes
  std::uint64_t devices_of_ = ~std::uint64_t{0};    // State::device_changes
  std::int64_t told_us_ = 0;                        // when DeviceInfo was told
  std::size_t told_ = 0;                            // its first rows; those from outside stand behind
  std::int64_t began_us_ = 0;
};

// A choice of the tables of another.
class SomeTables final : public kql::Tables {
 public:
  SomeTables(const HuntingTables& all, bool (*is_known)(std::string_view)) : all_(all), is_known_(is_known) {}
  std::vector<std::string> names() const override;
  std::shared_ptr<const kql::Table> find(std::string_view name) const override;

 private:
  const HuntingTables& all_;
  bool (*is_known_)(std::string_view);
};

}  // namespace flow::sim
