#include "apps/server/stored_conditions.hpp"

#include <algorithm>
#include <utility>

#include "apps/server/condition_source.hpp"
#include "base/bytes.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {

template <class Io>
void describe(Io& io, typename Io::template Of<ConditionPart::Subject>& it) {
  io(it.text, it.input, it.path);
}
template <class Io>
void describe(Io& io, typename Io::template Of<ConditionPart>& it) {
  io(it.begin, it.end, it.line, it.text, it.subjects);
}
template <class Io>
void describe(Io& io, typename Io::template Of<FlowCondition>& it) {
  io(it.flow, it.parts);
}

namespace {

constexpr std::uint32_t kVersion = 1;  // of these bytes

}  // namespace

std::string encode_conditions(const Module& module, const std::vector<FlowCondition>& flows) {
  ByteWriter out;
  out(kVersion, encode(module), flows);
  return out.take();
}

Result<std::unique_ptr<StoredConditions>> StoredConditions::decode(std::string_view bytes) {
  ByteReader in(bytes);
  std::uint32_t version = 0;
  std::string module;
  std::vector<FlowCondition> flows;
  in(version);
  if (version != kVersion) return error("the conditions were kept by another version of this program");
  in(module, flows);
  if (in.failed()) return error("the conditions that were kept are damaged: " + in.problem());
  FLOW_TRY(Module decoded, flow::decode(module));
  FLOW_TRY(Program program, Program::load(std::move(decoded)));
  return std::unique_ptr<StoredConditions>(new StoredConditions(std::move(program), std::move(flows)));
}

// Places that are not in the code are of nobody.
ConditionParts StoredConditions::condition(const std::string& name) const {
  const auto& codes = program_.module().flows;
  const auto code = std::ranges::find(codes, name, &FlowCode::name);
  ConditionParts made{
      .program = &program_, .flow = static_cast<std::uint32_t>(code - codes.begin()), .parts = {}};
  const auto kept = std::ranges::find(flows_, name, &FlowCondition::flow);
  if (code == codes.end() || kept == flows_.end()) return made;
  for (ConditionPart part : kept->parts) {
    if (part.begin > part.end || part.end > code->code.size()) continue;
    std::erase_if(part.subjects, [&](const auto& each) { return each.input >= code->inputs.size(); });
    made.parts.push_back(std::move(part));
  }
  return made;
}

std::string conditions_to_store(const std::string& module_bytes, const std::string& source) {
  const auto found = ConditionSource::find(module_bytes, source);
  return found == nullptr ? std::string() : found->stored();
}

}  // namespace flow
