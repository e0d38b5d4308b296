// Hunting queries from outside: read, planned and run over small tables, with limits that end each within
// milliseconds. What is found to be equal in two ways must be.
#include "apps/sim/kql/engine.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/unit/sim/kql_fixture.hpp"

namespace flow::fuzz {

std::vector<std::string> seeds() {
  return {
      "Numbers | where N > 3 and Name has 'six' | project Name, N | sort by N desc",
      "DeviceEvents | where Timestamp > ago(3h) | summarize count(), make_set(DeviceId) by bin(Timestamp, "
      "1h)",
      "let T = datatable(A: string, B: dynamic)['x', dynamic([1, {'b': 2}])]; T | mv-expand B to "
      "typeof(string)",
      "DeviceEvents | join kind=leftouter (DeviceInfo | project DeviceId, Name) on $left.DeviceId == "
      "$right.DeviceId",
      "union withsource=T Device*, (Numbers | take 2) | summarize arg_max(Timestamp, *) by T",
      "print a = extract(@'(\\d+)', 1, 'a12'), b = format_datetime(now(), 'yyyy-MM-dd'), c = 1.5h / 30m",
      "Numbers | extend X = case(N < 2, 'low', N between (2 .. 4), 'mid', 'high') | summarize percentile(N, "
      "95) by X",
      "let m = toscalar(Numbers | summarize max(N)); range X from 1 to m step 2 | where X in (Numbers | "
      "project N)",
      "print split(strcat('a', ',', 'b'), ',')[0], ipv4_is_in_range('10.0.0.1', '10.0.0.0/8'), "
      "parse_json('[1]')",
      "Numbers | top 3 by strlen(Name) asc nulls first | project-away E* | distinct *",
      "print bin(-7, 3), 9223372036854775807 * 2, datetime(9999-12-31) + 1000d, timespan(10675199.02:48:05)",
      "print ```a\nb```, h\"x\", @'c', dynamic({\"a\":[null,true]})[\"a\"] // the end",
  };
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace kql = flow::kql;
  const std::string query(reinterpret_cast<const char*>(data), size);
  const kql::Limits limits{.steps = 20'000, .bytes = 2u << 20, .result_rows = 500, .result_bytes = 1u << 20};
  const auto run = [&](const std::string& text) {
    return kql::run_query(text, kql::test::tables(), {}, kql::test::kNow, limits);
  };
  const auto answer = run(query);
  if (!answer) {
    FLOW_CHECK(!answer.error().message.empty(), "a refusal says why");
    return 0;
  }
  for (const kql::RowPointer& row : answer->rows)
    FLOW_CHECK(row->size() == answer->columns.size(), "a row has a value for each column");
  const auto again = run(query);
  FLOW_CHECK(again && again->rows.size() == answer->rows.size() && again->steps == answer->steps,
             "the same query gives the same answer");
  // `take 0` is how a query's columns are asked for.
  const auto none = run(query + "\n| take 0");
  if (!none || answer->is_cut) return 0;
  FLOW_CHECK(none->rows.empty() && none->columns.size() == answer->columns.size(),
             "take 0 keeps the columns");
  return 0;
}
