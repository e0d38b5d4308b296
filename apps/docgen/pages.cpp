#include "apps/docgen/pages.hpp"

#include <fmt/format.h>

#include "base/fault.hpp"
#include "grammar/words.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr const char* kHowToRefresh =
    "Made by `flow-docgen docs/generated`; a test compares. Do not edit: change the source named below.\n";

std::string_view operand_name(Operand operand) {
  switch (operand) {
    case Operand::None: return "";
    case Operand::Out: return "Out";
    case Operand::In: return "In";
    case Operand::Both: return "Both";
    case Operand::Field: return "Field";
    case Operand::Count: return "Count";
    case Operand::Short: return "Short";
    case Operand::Const: return "Const";
    case Operand::Site: return "Site";
    case Operand::Type: return "Type";
    case Operand::Function: return "Function";
    case Operand::Fun: return "Fun";
    case Operand::Number: return "Number";
    case Operand::Divisor: return "Divisor";
    case Operand::Jump: return "Jump";
  }
  return "";
}

std::string native_type_name(const NativeType& type) {
  std::string name =
      type.is_text_argument() ? "Text" : std::string(spelling(static_cast<TypeKind>(type.type)));
  if (type.may_be_null) name += '?';
  return type.is_list ? "List<" + name + ">" : name;
}

std::string bytecode_page() {
  std::string out = "# Bytecode\n\n";
  out += kHowToRefresh;
  out += "Sources: `vm/bytecode/opcodes.def`, `vm/bytecode/natives.def`.\n\n";
  out += fmt::format(
      "Module format {}, oldest read {}. An instruction has 64 bits: code, `a`, `b`, `c` of 8 bits each, and "
      "`imm`, a signed number of 32. `x` is register `b`, `y` is register `c`.\n\n",
      kFormatVersion, kOldestReadVersion);
  out +=
      "| Operand | Is |\n|---|---|\n"
      "| Out | a register that is written |\n"
      "| In | a register that is read |\n"
      "| Both | a register that is read, then written |\n"
      "| Field | an index into a record's fields |\n"
      "| Count | a small number |\n"
      "| Short | `b` and `c` together, a signed number |\n"
      "| Const | an index into the module's constants |\n"
      "| Site | an index into the routine's call sites |\n"
      "| Type | a type of the module |\n"
      "| Function | an index into the module's functions |\n"
      "| Fun | a row of the natives below |\n"
      "| Number | any number |\n"
      "| Divisor | any number but 0 and -1 |\n"
      "| Jump | an instruction to go to, as a distance from the next one |\n\n";
  out += "## Instructions\n\n| Code | Name | a | b | c | imm | Meaning |\n|---|---|---|---|---|---|---|\n";
  for (const OpInfo& op : all_ops())
    out += fmt::format("| {} | `{}` | {} | {} | {} | {} | {} |\n", static_cast<unsigned>(op.op), op.name,
                       operand_name(op.a), operand_name(op.b), operand_name(op.c), operand_name(op.imm),
                       cell(op.meaning));
  out +=
      "\n## Natives\n\nPure functions; the arguments stand in consecutive registers. Text stands for every "
      "type that is kept as text. Cost is the fuel for each 64 bytes of text.\n\n"
      "| Code | Signature | Cost | Meaning |\n|---|---|---|---|\n";
  for (const NativeInfo& native : all_natives()) {
    std::string arguments;
    for (std::size_t i = 0; i < native.argument_count; ++i)
      arguments += fmt::format("{}{}", i == 0 ? "" : ", ", native_type_name(native.arguments[i]));
    out += fmt::format("| {} | `{}({}) -> {}` | {} | {} |\n", static_cast<unsigned>(native.id), native.name,
                       arguments, native_type_name(native.result), native.cost, cell(native.meaning));
  }
  return out;
}

std::string errors_page() {
  std::string out = "# Errors of a step\n\n";
  out += kHowToRefresh;
  out +=
      "Source: `base/faults.def`.\n\n"
      "How a step of a run can go wrong. The name is in the run's history and in a connector's `error` "
      "clauses. *Tried again*:\n"
      "whether the runtime repeats the call by itself when it is a read, or when it certainly had no "
      "effect.\n\n"
      "| Error | Tried again | Means |\n|---|---|---|\n";
#define FLOW_FAULT(name, may_retry, meaning) \
  out += fmt::format("| `{}` | {} | {} |\n", #name, may_retry ? "yes" : "no", cell(meaning));
#include "base/faults.def"
#undef FLOW_FAULT
  return out;
}

std::string keywords_page() {
  std::string out = "# Reserved words\n\n";
  out += kHowToRefresh;
  out +=
      "Source: `grammar/keywords.def`.\n\n"
      "These cannot be names. After a dot and before a colon, where only a field, key or argument can stand, "
      "they can be used.\n"
      "Some are reserved for what this version does not compile yet: see [the language](../language.md).\n\n"
      "| Word | Meaning |\n|---|---|\n";
  for (const grammar::Keyword& keyword : grammar::kKeywords)
    out += fmt::format("| `{}` | {} |\n", keyword.word, cell(keyword.meaning));
  return out;
}

}  // namespace

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::vector<GeneratedPage> generated_pages(const Library& library) {
  return {{"bytecode.md", bytecode_page()},
          {"errors.md", errors_page()},
          {"functions.md", functions_page(library)},
          {"keywords.md", keywords_page()},
          {"log.md", log_page()},
          {"metrics.md", metrics_page()},
          {"operations.md", operations_page(library)},
          {"power-automate.md", power_automate_page(library)}};
}

}  // namespace flow
