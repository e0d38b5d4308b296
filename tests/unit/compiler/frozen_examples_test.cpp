// The examples, compiled and run twice: once as they are, once frozen and restored wherever they wait. Both
// must do the same; and what a waiting run takes is bounded here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/text.hpp"
#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/interp/machine.hpp"

namespace flow {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Some value of the type, of the length that such values usually have; of an enum the value of that number
// from the end. Recursive types end in null.
std::string json_of(const TypeTable& types, TypeId declared, std::size_t choice, int depth = 0) {
  if (depth > 3 && types.is_optional(declared)) return "null";
  const TypeId type = types.without_null(declared);
  switch (types.storage(type)) {
    case Storage::None: return "null";
    case Storage::Bool: return "true";
    case Storage::Int:
      return type == kTimeType ? R"("2026-11-20T08:14:22.104Z")" : type == kDurationType ? R"("1h30m")" : "7";
    case Storage::Float: return "0.5";
    case Storage::Text: return json_quoted("some text of a usual length, as titles have");
    case Storage::Json: return R"({"a":[1,2]})";
    case Storage::Enum: {
      const auto& values = types.enumeration(type).values;
      return json_quoted(values[values.size() - 1 - choice % values.size()]);
    }
    case Storage::List: return "[" + json_of(types, types[type].element, choice, depth + 1) + "]";
    case Storage::Map: return R"({"key":)" + json_of(types, types[type].element, choice, depth + 1) + "}";
    case Storage::Record: {
      std::string json = "{";
      for (const RecordField& field : types.record(type).fields)
        json += (json.size() > 1 ? "," : "") + json_quoted(field.wire) + ":" +
                json_of(types, field.type, choice, depth + 1);
      return json + "}";
    }
  }
  return "null";
}

std::string event_for(const Module& module, const FlowCode& flow, std::size_t choice) {
  std::map<std::string, std::string> members;
  for (const Input& input : flow.inputs) {
    if (input.source == Input::Source::Binding)
      members[input.wire] = json_of(module.types, input.type, choice);
    if (input.source != Input::Source::Entity) continue;
    for (const RecordField& field : module.types.record(module.types.without_null(input.type)).fields)
      members[field.wire] = json_of(module.types, field.type, choice);
  }
  std::string json = "{";
  for (const auto& [name, value] : members)
    json += (json.size() > 1 ? "," : "") + json_quoted(name) + ":" + value;
  return json + "}";
}

// Each step as text, and the snapshot where the run waits.
std::vector<std::string> run(const Program& program, std::uint32_t flow, std::size_t choice, bool is_frozen,
                             std::size_t& largest) {
  const Module& module = program.module();
  std::vector<std::string> story;
  Machine machine(program, flow);
  Step step = machine.start(event_for(module, module.flows[flow], choice));
  while (!std::holds_alternative<Ended>(step)) {
    std::string answer = "null";
    if (const auto* call = std::get_if<Call>(&step)) {
      story.push_back(module.operations[call->operation].full_name() + call->arguments);
      answer = json_of(module.types, module.operations[call->operation].result, choice);
    } else {
      story.push_back(std::get<LogLine>(step).text);
    }
    story.push_back(machine.snapshot());
    largest = std::max(largest, story.back().size());
    if (is_frozen) {
      auto restored = Machine::restore(program, flow, {}, story.back());
      EXPECT_TRUE(restored) << restored.error().message;
      if (!restored) return story;
      machine = std::move(*restored);
    }
    step = machine.resume(Returned{answer});
  }
  story.push_back(std::get<Ended>(step).reason + std::get<Ended>(step).fault.message);
  story.push_back(std::to_string(machine.fuel_used()));
  return story;
}

TEST(FrozenExamples, GoOnAsIfNeverFrozen) {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const Declarations library = load_declarations(texts);
  std::size_t waited = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FLOW_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".flow") continue;
    SCOPED_TRACE(entry.path().string());
    Compilation compiled = compile({entry.path().filename(), read_file(entry.path())}, library.library);
    ASSERT_TRUE(compiled.module);
    const auto program = Program::load(std::move(*compiled.module));
    ASSERT_TRUE(program) << program.error().message;
    for (std::uint32_t flow = 0; flow < program->module().flows.size(); ++flow) {
      std::size_t largest = 0;
      for (std::size_t choice = 0; choice < 6; ++choice) {
        const auto story = run(*program, flow, choice, false, largest);
        EXPECT_TRUE(run(*program, flow, choice, true, largest) == story);
      }
      EXPECT_LT(largest, entry.path().stem() == "isolate-high" ? 512u : 2048u);
      waited += largest > 0;
    }
  }
  EXPECT_GT(waited, 1u);
}

}  // namespace
}  // namespace flow
