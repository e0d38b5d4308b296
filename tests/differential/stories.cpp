// Everything that runs do, byte for byte, so that builds can be held to each other: each flow of examples/
// and of the golden cases that are emitted, and random programs, run with made-up events and answers. A story
// is every step with its arguments, the snapshot at each suspension (which has the fuel and heap used, and
// the values) and the end. `stories FILE` compares the digests with those of FILE, or writes them there when
// FLOW_UPDATE is set; `stories` prints them all, a line for each program.
#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/fuzz/program_writer.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/maps.hpp"

namespace flow {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRandomPrograms = 2000;
constexpr std::uint64_t kProgramsPerLine = 100;  // of the file; a digest of their digests

class Chance {  // splitmix64
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

// Drawn one after the other: compilers differ in the order of arguments.
std::string made_up_float(Chance& chance) {
  const bool is_negative = chance.below(2) == 0;
  const std::uint64_t whole = chance.below(1000), rest = chance.below(1'000'000);
  const int exponent = static_cast<int>(chance.below(60)) - 30;
  return fmt::format("{}{}.{}e{}", is_negative ? "-" : "", whole, rest, exponent);
}

// JSON that a value of `type` could be read from; now and then one that it cannot.
std::string made_up(const TypeTable& types, TypeId declared, Chance& chance, int depth = 0) {
  if (chance.below(100) == 0) return "\"what?\"";
  if (types.is_optional(declared) && (depth > 6 || chance.below(4) == 0)) return "null";
  const TypeId type = types.without_null(declared);
  switch (types.storage(type)) {
    case Storage::None: return "null";
    case Storage::Bool: return chance.below(2) == 0 ? "true" : "false";
    case Storage::Int:
      if (type == kTimeType) return fmt::format("\"2026-11-20T08:{:02}:22.5Z\"", chance.below(60));
      if (type == kDurationType) return fmt::format("\"{}m\"", chance.below(1000));
      {
        const std::uint64_t number = chance.next();
        return std::to_string(static_cast<std::int64_t>(number >> chance.below(64)));
      }
    case Storage::Float: return made_up_float(chance);
    case Storage::Text: return fmt::format("\"t\\u00e9xt {}\"", chance.below(20));
    case Storage::Json: return R"({"a":[1,2.5,"x"]})";
    case Storage::Enum: {
      const auto& values = types.enumeration(type).values;
      const std::uint64_t value = chance.below(values.size() + 1);
      return value == values.size() ? "\"Unheard\"" : fmt::format("\"{}\"", values[value]);
    }
    case Storage::List:
    case Storage::Map: {
      const bool is_list = types.is(type, TypeKind::List);
      std::string json;
      for (std::uint64_t left = depth > 6 ? 0 : chance.below(5); left > 0; --left) {
        if (!json.empty()) json += ',';
        if (!is_list) json += fmt::format("\"k{}\":", chance.below(8));
        json += made_up(types, types[type].element, chance, depth + 1);
      }
      return is_list ? '[' + json + ']' : '{' + json + '}';
    }
    case Storage::Record: {
      std::string json;
      for (const RecordField& field : types.record(type).fields) {
        if (types.is_optional(field.type) && chance.below(4) == 0) continue;
        if (!json.empty()) json += ',';
        json += fmt::format("\"{}\":{}", field.wire, made_up(types, field.type, chance, depth + 1));
      }
      return '{' + json + '}';
    }
  }
  return "null";
}

// The members that the flow's inputs read, of which an entity's are those of the event itself.
std::string made_up_event(const Module& module, const FlowCode& flow, Chance& chance) {
  std::string json;
  const auto add = [&](std::string_view wire, TypeId type) {
    json += fmt::format("{}\"{}\":{}", json.empty() ? "" : ",", wire, made_up(module.types, type, chance));
  };
  for (const Input& input : flow.inputs) {
    if (input.source == Input::Source::Binding) add(input.wire, input.type);
    if (input.source != Input::Source::Entity) continue;
    for (const RecordField& field : module.types.record(module.types.without_null(input.type)).fields)
      add(field.wire, field.type);
  }
  return '{' + json + '}';
}

// What a run did so far: as a digest, and the figures people look at.
class Story {
 public:
  Story() { XXH3_64bits_reset(&state_); }
  void add(std::string_view text) {
    const std::uint64_t size = text.size();
    XXH3_64bits_update(&state_, &size, sizeof size);
    XXH3_64bits_update(&state_, text.data(), text.size());
  }
  void add(const Step& step) {
    ++steps_;
    if (const auto* call = std::get_if<Call>(&step)) {
      add(fmt::format("call {} {} {} {} {}", call->number, call->operation, call->is_fetch, call->line,
                      call->arguments));
    } else if (const auto* log = std::get_if<LogLine>(&step)) {
      add(fmt::format("log {} {} {}", log->number, log->line, log->text));
    } else {
      const Ended& ended = std::get<Ended>(step);
      add(fmt::format("end {} {} {} {} {}", static_cast<int>(ended.how), ended.reason, ended.line,
                      fault_name(ended.fault.kind), ended.fault.message));
      for (const Place& place : ended.trace) add(fmt::format("at {} {}", place.routine, place.line));
    }
  }
  std::uint64_t digest() const { return XXH3_64bits_digest(&state_); }
  std::string line(std::uint64_t fuel) const {
    return fmt::format("{} steps, fuel {}, {:016x}", steps_, fuel, digest());
  }

 private:
  XXH3_state_t state_;
  std::uint64_t steps_ = 0;
};

Outcome made_up_outcome(const Module& module, const Step& step, Chance& chance) {
  const auto* call = std::get_if<Call>(&step);
  if (call == nullptr) return Returned{"null"};
  if (chance.below(40) == 0)
    return Fault{.kind = static_cast<FaultKind>(chance.below(static_cast<std::uint64_t>(kLastFault) + 1)),
                 .message = "made up"};
  return Returned{made_up(module.types, module.operations[call->operation].result, chance)};
}

std::string story_of(const Program& program, std::uint32_t flow, const Limits& limits, Chance chance) {
  constexpr int kMostSteps = 200;
  const Module& module = program.module();
  Machine machine(program, flow, limits);
  Story story;
  Step step = machine.start(made_up_event(module, module.flows[flow], chance));
  story.add(step);
  for (int steps = 0; !std::holds_alternative<Ended>(step) && steps < kMostSteps; ++steps) {
    story.add(machine.snapshot());
    step = machine.resume(made_up_outcome(module, step, chance));
    story.add(step);
  }
  return story.line(machine.fuel_used());
}

// Limits that some runs meet, and heaps small enough to be collected.
Limits made_up_limits(Chance& chance) {
  return {.fuel = std::uint64_t{1000} << chance.below(8),
          .heap_bytes = std::size_t{2048} << chance.below(8),
          .stack_bytes = std::size_t{1024} << chance.below(6),
          .text_bytes = std::size_t{64} << chance.below(10),
          .list_items = std::size_t{8} << chance.below(10),
          .collect_from_bytes = std::size_t{512} << chance.below(8)};
}

std::vector<std::string> stories_of_files() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const Declarations standard = load_declarations(texts);
  std::vector<fs::path> files;
  for (const char* folder : {"examples", "tests/golden/emit"})
    for (const auto& entry : fs::directory_iterator(fs::path(FLOW_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".flow") files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> lines;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    const std::string name = file.filename();
    Compilation compilation = compile({name, text}, standard.library);
    if (!compilation.module) continue;
    const auto program = Program::load(std::move(*compilation.module));
    FLOW_CHECK(program, "what the compiler makes can be run");
    for (std::uint32_t flow = 0; flow < program->module().flows.size(); ++flow)
      for (std::uint64_t seed = 0; seed < 8; ++seed)
        lines.push_back(
            fmt::format("{} {} {}: {}", name, flow, seed, story_of(*program, flow, {}, Chance(seed))));
  }
  return lines;
}

std::string story_of_random_program(std::uint64_t seed) {
  Chance chance(seed);
  std::string bytes(300 + chance.below(1500), '\0');
  for (char& c : bytes) c = static_cast<char>(chance.next());
  fuzz::Bytes choices(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const auto program = Program::load(fuzz::random_program(choices).module);
  if (!program) return "refused: " + program.error().message;
  const Limits limits = made_up_limits(chance);
  return story_of(*program, 0, limits, chance);
}

// The lines of the file; with `prints_all` each program's is printed as well.
std::string digests(bool prints_all) {
  std::string text;
  Story all;
  for (const std::string& line : stories_of_files()) {
    text += line + '\n';
    all.add(line);
    if (prints_all) std::puts(line.c_str());
  }
  for (std::uint64_t first = 0; first < kRandomPrograms; first += kProgramsPerLine) {
    Story hundred;
    for (std::uint64_t seed = first; seed < first + kProgramsPerLine; ++seed) {
      const std::string line = fmt::format("program {}: {}", seed, story_of_random_program(seed));
      hundred.add(line);
      if (prints_all) std::puts(line.c_str());
    }
    const std::string line =
        fmt::format("programs {} to {}: {:016x}", first, first + kProgramsPerLine - 1, hundred.digest());
    text += line + '\n';
    all.add(line);
  }
  return text + fmt::format("all: {:016x}\n", all.digest());
}

int compare(const char* path) {
  const std::string found = digests(false);
  if (std::getenv("FLOW_UPDATE") != nullptr) std::ofstream(path, std::ios::binary) << found;
  std::ifstream in(path, std::ios::binary);
  const std::string expected(std::istreambuf_iterator<char>(in), {});
  std::printf("%s", found.substr(found.rfind("all:")).c_str());
  if (found == expected) return 0;
  std::printf("differs from %s:\n%s", path, found.c_str());
  return 1;
}

}  // namespace
}  // namespace flow

int main(int argc, char** argv) {
  // Nothing that a run does may depend on it, so each run of this draws another.
  if (const char* seed = std::getenv("FLOW_MAP_SEED"); seed != nullptr)
    flow::set_map_seed(std::strtoull(seed, nullptr, 10));
  if (argc == 2) return flow::compare(argv[1]);
  std::printf("%s", flow::digests(true).c_str());
}
