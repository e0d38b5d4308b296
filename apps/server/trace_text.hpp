// Steps of a replayed run as text and as JSON, for `flow trace`.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/trace.hpp"

namespace flow {

// The text a module was compiled from, by statement.
class SourceText {
 public:
  SourceText() = default;  // of nothing known
  // `module` says where on a line the next statement begins.
  SourceText(const Module& module, std::string_view text);

  bool empty() const { return lines_.empty(); }
  // What stands there, up to the next statement or the end of the line. Empty when nothing does.
  std::string statement(std::uint32_t line, std::uint32_t column) const;

 private:
  std::vector<std::string> lines_;
  std::map<std::uint32_t, std::set<std::uint32_t>> columns_;  // where statements begin, by line
};

struct TraceLook {
  const SourceText& source;
  bool by_instruction = false;
};
// One or several lines with their ends. Empty for a step in which nothing happened: a statement that went on
// and changed nothing.
std::string trace_text(const TraceStep& step, const TraceLook& look);
// One line.
std::string trace_json(const TraceStep& step, const TraceLook& look);

}  // namespace flow
