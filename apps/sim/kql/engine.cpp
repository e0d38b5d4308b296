#include "apps/sim/kql/engine.hpp"

#include <fmt/format.h>

#include "apps/sim/kql/parser.hpp"
#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

// `P1DT2H30M`, `P7D`, `P2W`, `P1M`: months count as 30 days, years as 365.
std::optional<std::int64_t> parse_iso_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  bool is_time = false;
  std::int64_t total = 0;
  while (!text.empty()) {
    if (text.starts_with('T')) {
      is_time = true;
      text.remove_prefix(1);
    }
    std::int64_t count = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && digits < 7 && text[digits] >= '0' && text[digits] <= '9'; ++digits)
      count = count * 10 + (text[digits] - '0');
    if (digits == 0 || digits == text.size()) return std::nullopt;
    const char unit = text[digits];
    text.remove_prefix(digits + 1);
    std::int64_t days = 0, seconds = 0;
    switch (unit) {
      case 'Y': days = 365; break;
      case 'W': days = 7; break;
      case 'D': days = 1; break;
      case 'M': is_time ? seconds = 60 : days = 30; break;
      case 'H': seconds = 3600; break;
      case 'S': seconds = 1; break;
      default: return std::nullopt;
    }
    const bool needs_time = unit == 'H' || unit == 'S';
    if (needs_time != is_time && unit != 'M') return std::nullopt;
    const std::int64_t each = days * kTicksADay + seconds * kTicksASecond;
    if (__builtin_mul_overflow(count, each, &count) || __builtin_add_overflow(total, count, &total) ||
        total > 10'000 * kTicksADay)
      return std::nullopt;
  }
  return total;
}

std::size_t json_size(const Answer& answer) {
  std::size_t bytes = 0;
  for (const RowPointer& row : answer.rows)
    for (std::size_t i = 0; i < row->size(); ++i)
      bytes +=
          answer.columns[i].name.size() + 4 + to_json((*row)[i], answer.columns[i].type).to_text().size();
  return bytes;
}

Refusal exceeded(const Run& run) {
  if (run.is_out_of_memory())
    return {Refusal::Kind::Memory,
            "Query execution lacks memory resources to complete (80DA0007): Partial query failure: Low "
            "memory condition "
            "(E_LOW_MEMORY_CONDITION). Summarize or filter earlier in the query.",
            run.steps()};
  return {Refusal::Kind::Time,
          "Query exceeded the execution time limit. Narrow its time range or filter earlier.", run.steps()};
}

}  // namespace

std::optional<std::size_t> time_column(const std::vector<Column>& columns) {
  for (const std::string_view name : {"Timestamp", "TimeGenerated"})
    if (const auto found = find_column(columns, name); found && columns[*found].type == Type::DateTime)
      return found;
  return std::nullopt;
}

Result<TimeWindow> parse_window(std::string_view text, std::int64_t now_us) {
  const std::int64_t now = now_us * 10;
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const std::string_view second = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const auto moment = [](std::string_view part) {
    const auto parsed = parse_datetime(part);
    return parsed ? std::optional(parsed->ticks) : std::nullopt;
  };
  const auto from = moment(first), to = moment(second);
  const auto before = parse_iso_duration(first), after = parse_iso_duration(second);
  if (slash == std::string_view::npos && before) return TimeWindow{now - *before, kMostTicks};
  if (slash == std::string_view::npos && from) return TimeWindow{*from, kMostTicks};
  if (from && to) return TimeWindow{*from, *to};
  if (from && after) return TimeWindow{*from, *from + *after};
  if (before && to) return TimeWindow{*to - *before, *to};
  return error(fmt::format("'{}' is no time span; write P7D, or start/end", printable(text.substr(0, 80))));
}

tl::expected<Answer, Refusal> run_query(std::string_view query, const Tables& tables, TimeWindow window,
                                        std::int64_t now_us, const Limits& limits) {
  const auto parsed = parse_query(query);
  if (!parsed) return tl::unexpected(Refusal{Refusal::Kind::Query, parsed.error().message});
  Planner planner(query, tables, window);
  const auto plan = planner.plan(*parsed);
  if (!plan) return tl::unexpected(Refusal{Refusal::Kind::Query, plan.error().message});
  Run run(limits, now_us);
  Answer answer;
  answer.columns = plan->columns;
  answer.rows = plan->rows(run);
  if (run.is_over()) return tl::unexpected(exceeded(run));
  answer.is_cut = answer.rows.size() > limits.result_rows;
  if (answer.is_cut) answer.rows.resize(limits.result_rows);
  answer.steps = run.steps();
  if (json_size(answer) > limits.result_bytes)
    return tl::unexpected(Refusal{
        Refusal::Kind::Size,
        fmt::format(
            "Query result set has exceeded the internal data size limit {} (E_QUERY_RESULT_SET_TOO_LARGE).",
            limits.result_bytes),
        run.steps()});
  return answer;
}

}  // namespace flow::kql
