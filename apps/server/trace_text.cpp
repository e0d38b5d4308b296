#include "apps/server/trace_text.hpp"

#include <fmt/format.h>

#include "apps/server/narrator.hpp"
#include "apps/server/run_json.hpp"
#include "base/text.hpp"
#include "vm/interp/place_text.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestStatement = 100;
constexpr std::size_t kLongestEntry = 240;  // `flow runs show` has all of it

// Where the code point `column`, from 1, begins.
std::size_t offset_of(std::string_view line, std::uint32_t column) {
  std::size_t at = 0;
  for (std::uint32_t seen = 1; at < line.size() && seen < column; ++seen) do
      ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80);
  return at;
}

std::string statement_of(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r;");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r;") - begin + 1));
}

std::string cut(std::string text, std::size_t longest) {
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string code_text(const TraceStep& step, const TraceLook& look) {
  if (step.is_continued && step.changes.empty()) return {};
  const std::string indent(2 * step.depth, ' ');
  const std::string statement = look.by_instruction ? "" : look.source.statement(step.line, step.column);
  const std::string where =
      step.column == 0 ? fmt::format("{}", step.line) : fmt::format("{}:{}", step.line, step.column);
  const std::string function = step.depth == 0 ? "" : fmt::format(" of {}()", step.places[0].routine);
  std::string out = fmt::format("{:>6}  {}line {}{}", step.number, indent, where, function);
  if (step.is_continued)
    out += "  goes on";
  else
    out += statement.empty() ? fmt::format("  @{} {}", step.pc, step.instruction)
                             : "  " + printable(cut(statement, kLongestStatement));
  out += '\n';
  for (const NamedValue& change : step.changes)
    out += fmt::format("        {}  {} = {}\n", indent, printable(change.name), printable(change.value));
  return out;
}

std::string journal_text(const TraceStep& step) {
  const RunStep& entry = *step.entry;
  std::string out = fmt::format("{:>6}  {}  {}", step.number, format_time_us(entry.time_us),
                                cut(step_text(entry), kLongestEntry));
  if (entry.kind == EntryKind::Answered) out += fmt::format(", after {}", format_duration_us(step.waited_us));
  if (entry.kind == EntryKind::Retry && entry.not_before_us > entry.time_us)
    out += fmt::format(", not before {}", format_time_us(entry.not_before_us));
  return out + "\n";
}

std::string json_values(const std::vector<NamedValue>& values) {
  std::string out;
  for (const NamedValue& value : values) {
    if (!out.empty()) out += ',';
    out += json_quoted(value.name) + ":" + json_quoted(value.value);
  }
  return "{" + out + "}";
}

}  // namespace

SourceText::SourceText(const Module& module, std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines_.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto add = [&](const Routine& routine) {
    for (const LineEntry& entry : routine.lines) columns_[entry.line].insert(entry.column);
  };
  for (const FunctionCode& function : module.functions) add(function);
  for (const FlowCode& flow : module.flows) add(flow);
}

std::string SourceText::statement(std::uint32_t line, std::uint32_t column) const {
  if (line == 0 || line > lines_.size()) return {};
  const std::string& text = lines_[line - 1];
  const std::size_t begin = offset_of(text, column);
  std::size_t end = text.size();
  if (const auto found = columns_.find(line); found != columns_.end())
    if (const auto next = found->second.upper_bound(column); next != found->second.end())
      end = offset_of(text, *next);
  return statement_of(std::string_view(text).substr(begin, end - begin));
}

std::string trace_text(const TraceStep& step, const TraceLook& look) {
  switch (step.kind) {
    case TraceStep::Kind::Code: return code_text(step, look);
    case TraceStep::Kind::Journal: return journal_text(step);
    case TraceStep::Kind::Waiting:
      return fmt::format("{:>6}  waits{}: {}\n", step.number,
                         step.places.empty() ? "" : " in " + place_text(step.places), printable(step.text));
  }
  return {};
}

std::string trace_json(const TraceStep& step, const TraceLook& look) {
  const std::string begin = fmt::format(R"({{"step":{},)", step.number);
  switch (step.kind) {
    case TraceStep::Kind::Journal:
      return fmt::format("{}\"kind\":\"journal\",\"waited_us\":{},\"entry\":{}}}\n", begin, step.waited_us,
                         json_step(*step.entry));
    case TraceStep::Kind::Waiting:
      return fmt::format("{}\"kind\":\"waiting\",\"text\":{},\"places\":{}}}\n", begin,
                         json_quoted(step.text), json_places(step.places));
    case TraceStep::Kind::Code: break;
  }
  return fmt::format(
      "{}\"kind\":\"code\",\"line\":{},\"column\":{},\"statement\":{},\"goes_on\":{},\"pc\":{},"
      "\"instruction\":{},\"places\":{},\"fuel_used\":{},\"heap_used\":{},\"values\":{},\"changes\":{}}}\n",
      begin, step.line, step.column, json_quoted(look.source.statement(step.line, step.column)),
      step.is_continued, step.pc, json_quoted(step.instruction), json_places(step.places), step.fuel_used,
      step.heap_used, json_values(step.values), json_values(step.changes));
}

}  // namespace flow
