// A few small tables to hunt in, and queries told as short texts: rows by newlines, values by blanks.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "apps/sim/kql/engine.hpp"

namespace flow::kql::test {

inline constexpr std::int64_t kNow = 1'795'000'000'000'000;  // 2026-11-18T11:06:40Z

class FixedTables final : public Tables {
 public:
  FixedTables() {
    add("Numbers", {{"N", Type::Long}, {"Name", Type::Text}, {"Even", Type::Bool}}, [](Row& row, int i) {
      static const char* const kNames[] = {"zero", "one", "two", "three", "four", "five", "six", "seven"};
      row = {std::int64_t{i}, Value::text(kNames[i]), i % 2 == 0};
    });
    add("DeviceEvents", {{"Timestamp", Type::DateTime}, {"DeviceId", Type::Text}, {"Fields", Type::Dynamic}},
        [](Row& row, int i) {
          row = {DateTime{kNow * 10 - i * 3'600 * kTicksASecond},
                 Value::text("device-" + std::to_string(i % 3)),
                 Value::dynamic(*sim::parse_json(R"({"n":)" + std::to_string(i) + R"(,"list":["a","b"]})"))};
        });
    add("DeviceInfo", {{"DeviceId", Type::Text}, {"Name", Type::Text}}, [](Row& row, int i) {
      row = {Value::text("device-" + std::to_string(i)), Value::text("host-" + std::to_string(i % 4))};
    });
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, table] : tables_) names.push_back(name);
    return names;
  }
  std::shared_ptr<const Table> find(std::string_view name) const override {
    const auto found = tables_.find(name);
    return found != tables_.end() ? found->second : nullptr;
  }

 private:
  template <class Fill>
  void add(const std::string& name, std::vector<Column> columns, Fill fill) {
    auto table = std::make_shared<Table>();
    table->columns = std::move(columns);
    for (int i = 0; i < 8; ++i) {
      Row row;
      fill(row, i);
      table->rows.push_back(std::make_shared<const Row>(std::move(row)));
    }
    tables_[name] = std::move(table);
  }
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables_;
};

inline const FixedTables& tables() {
  static const FixedTables kTables;
  return kTables;
}

// The rows, or the refusal's message.
inline std::string told(const std::string& query, const Limits& limits = {}) {
  const auto answer = run_query(query, tables(), {}, kNow, limits);
  if (!answer) return answer.error().message;
  std::string text;
  for (const RowPointer& row : answer->rows) {
    if (!text.empty()) text += '\n';
    for (std::size_t i = 0; i < row->size(); ++i) text += (i == 0 ? "" : " ") + to_text((*row)[i]);
  }
  return text;
}

inline std::string columns(const std::string& query) {
  const auto answer = run_query(query, tables(), {}, kNow);
  if (!answer) return answer.error().message;
  std::string text;
  for (const Column& column : answer->columns)
    text += (text.empty() ? "" : " ") + column.name + ":" + std::string(type_name(column.type));
  return text;
}

// One expression's value.
inline std::string value(const std::string& expression) {
  return told("print " + expression);
}

}  // namespace flow::kql::test
