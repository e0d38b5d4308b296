#include "tests/bench/comparison/flow_workload.hpp"

#include <ctime>
#include <fstream>
#include <sstream>
#include <vector>

#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/interp/machine.hpp"

namespace flow::bench {
namespace {

constexpr const char* kEvent =
    R"({"id":"da1","machineId":"m1","severity":"High","title":"Beacon","alertCreationTime":"2026-11-20T08:14:22Z"})";
// Far beyond what any workload needs: the limits are measured elsewhere.
constexpr Limits kLimits = {
    .fuel = std::uint64_t{1} << 60, .heap_bytes = std::size_t{4} << 30, .list_items = 100'000'000};

Result<std::string> read_source(const std::string& path, std::optional<std::int64_t> size) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return error("cannot read " + path);
  std::ostringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  if (!size) return text;
  static constexpr std::string_view kSize = "let size = ";
  const std::size_t at = text.find(kSize);
  if (at == std::string::npos) return error(path + " has no `let size = `");
  const std::size_t begin = at + kSize.size();
  return text.replace(begin, text.find('\n', begin) - begin, std::to_string(*size));
}

Result<Program> compile_workload(const std::string& path, std::optional<std::int64_t> size) {
  FLOW_TRY(std::string text, read_source(path, size));
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const Declarations library = load_declarations(texts);
  Compilation compilation = compile({path, std::move(text)}, library.library);
  if (!compilation.module) {
    for (const Diagnostic& diagnostic : compilation.diagnostics.all())
      if (row(diagnostic.code).severity == Severity::Error)
        return error("does not compile: " + std::string(row(diagnostic.code).id) + " " + diagnostic.message);
    return error("does not compile");
  }
  return Program::load(std::move(*compilation.module));
}

std::string describe(const Ended& ended) {
  switch (ended.how) {
    case Ended::How::Skipped: return "its condition did not hold";
    case Ended::How::Finished: return "it ended without `stop`";
    case Ended::How::Stopped: return "it stopped";
    case Ended::How::Failed: break;
  }
  return "it failed in line " + std::to_string(ended.line) + ": " + ended.fault.message;
}

}  // namespace

Result<Timed> run_flow_workload(const std::string& path, std::optional<std::int64_t> size) {
  FLOW_TRY(const Program program, compile_workload(path, size));
  const std::clock_t start = std::clock();
  Machine machine(program, 0, kLimits);
  const Step step = machine.start(kEvent);
  const std::clock_t end = std::clock();
  const auto* ended = std::get_if<Ended>(&step);
  if (!ended) return error("it calls out or logs, which a workload must not");
  if (ended->how != Ended::How::Stopped) return error(describe(*ended));
  return Timed{.milliseconds = static_cast<double>(end - start) * 1000 / CLOCKS_PER_SEC,
               .result = ended->reason};
}

}  // namespace flow::bench
