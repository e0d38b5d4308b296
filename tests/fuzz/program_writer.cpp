#include "tests/fuzz/program_writer.hpp"

#include <array>
#include <string_view>

#include "base/error_type.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/verify_code.hpp"

namespace flow::fuzz {
namespace {

// What the registers of every routine hold, as letters: Int, String, Float, Bool, Severity (e), List<Int>
// (L), List<String> (S), List<Float> (D), Map<String, Int> (M), Map<Int, String> (N), Int? (o), String? (p),
// Node (R), Time (m), Duration (d), Html (h), Kql (k), List<Severity> (E), List<Map<String, Int>> (Z),
// Json? (j), Error (x). Those
// before the fifth are inputs and parameters; those from kWindow on are for loops and calls.
constexpr std::string_view kLetters = "????iiiitttffbbeeLLLSSDMMNNopRRmdhkEZjx";
constexpr unsigned kWindow = 40;
constexpr unsigned kRegisterCount = 48;

struct Types {
  TypeId by_text, by_number, maps, maybe_json, error;
};

// Which registers an instruction likes for a, b and c: a letter of kLetters, `.` for any.
struct Likes {
  Op op;
  std::string_view letters;
};
constexpr Likes kLikes[] = {
    {Op::LoadInt, "i"},
    {Op::LoadBool, "b"},
    {Op::Unwrap, "io"},
    {Op::JumpIf, "b"},
    {Op::JumpIfNot, "b"},
    {Op::JumpIfNull, "o"},
    {Op::JumpIfSet, "p"},
    {Op::JumpIfLess, "ii"},
    {Op::JumpIfLessEqual, "ii"},
    {Op::JumpIfEqual, "ii"},
    {Op::JumpIfNotEqual, "ii"},
    {Op::JumpIfLessImm, "i"},
    {Op::JumpIfNotLessImm, "i"},
    {Op::JumpIfEqualImm, "i"},
    {Op::JumpIfNotEqualImm, "i"},
    {Op::JumpIfEnum, "e"},
    {Op::JumpIfNotEnum, "e"},
    {Op::GetField, "iR"},
    {Op::NewRecord, "Ri"},
    {Op::NewList, "Li"},
    {Op::GetItem, "iLi"},
    {Op::ListLength, "iL"},
    {Op::Contains, "bLi"},
    {Op::Append, "Li"},
    {Op::JoinLists, "LLL"},
    {Op::Slice, "LLi"},
    {Op::Reverse, "LL"},
    {Op::SortBy, "LLL"},
    {Op::Distinct, "LL"},
    {Op::JoinTexts, "tSt"},
    {Op::Range, "Lii"},
    {Op::NewMap, "M"},
    {Op::GetKey, "oMt"},
    {Op::SetKey, "Mti"},
    {Op::HasKey, "bMt"},
    {Op::MapLength, "iM"},
    {Op::Keys, "SM"},
    {Op::Values, "LM"},
    {Op::Share, "M"},
    {Op::EqualBool, "bbb"},
    {Op::EqualInt, "bii"},
    {Op::EqualFloat, "bff"},
    {Op::EqualText, "btt"},
    {Op::EqualEnum, "bee"},
    {Op::LessInt, "bii"},
    {Op::LessEqualInt, "bii"},
    {Op::LessFloat, "bff"},
    {Op::LessEqualFloat, "bff"},
    {Op::LessText, "btt"},
    {Op::LessEqualText, "btt"},
    {Op::LessEnum, "bee"},
    {Op::LessEqualEnum, "bee"},
    {Op::Not, "bb"},
    {Op::IsNull, "bp"},
    {Op::AddInt, "iii"},
    {Op::SubtractInt, "iii"},
    {Op::MultiplyInt, "iii"},
    {Op::DivideInt, "iii"},
    {Op::ModuloInt, "iii"},
    {Op::NegateInt, "ii"},
    {Op::AddIntImm, "ii"},
    {Op::MultiplyIntImm, "ii"},
    {Op::DivideIntImm, "ii"},
    {Op::ModuloIntImm, "ii"},
    {Op::AddSpan, "mmd"},
    {Op::SubtractSpan, "dmm"},
    {Op::MultiplySpan, "ddi"},
    {Op::DivideSpan, "ddi"},
    {Op::ModuloSpan, "ddd"},
    {Op::AddFloat, "fff"},
    {Op::SubtractFloat, "fff"},
    {Op::MultiplyFloat, "fff"},
    {Op::DivideFloat, "fff"},
    {Op::NegateFloat, "ff"},
    {Op::IntToFloat, "fi"},
    {Op::ToText, "t."},
    {Op::Concat, "tt"},
    {Op::EscapeHtml, "ht"},
    {Op::QuoteKql, "kt"},
    {Op::Native, "tt"},
    {Op::Log, "t"},
    {Op::Stop, "t"},
    {Op::Fail, "t"},
    {Op::Caught, "x"},
    {Op::Throw, "x"},
    {Op::JsonMember, "jj"},
    {Op::JsonItem, "jji"},
    {Op::JsonTo, "Lj"},
    {Op::ToJson, "jL"},
    {Op::CheckText, "et"},
};
// The same instructions at other types.
constexpr Likes kOtherLikes[] = {
    {Op::Append, "St"},     {Op::Append, "Df"},    {Op::Append, "Ee"},    {Op::Append, "ZM"},
    {Op::SortBy, "DDD"},    {Op::SortBy, "SSS"},   {Op::SortBy, "EEE"},   {Op::SortBy, "LLS"},
    {Op::Distinct, "DD"},   {Op::Distinct, "SS"},  {Op::Distinct, "EE"},  {Op::Reverse, "SS"},
    {Op::JoinLists, "SSS"}, {Op::SetKey, "Nit"},   {Op::GetKey, "pNi"},   {Op::Keys, "LN"},
    {Op::Values, "SN"},     {Op::GetItem, "tSi"},  {Op::GetItem, "MZi"},  {Op::NewMap, "N"},
    {Op::Slice, "SSi"},     {Op::Contains, "bSt"}, {Op::Contains, "bEe"}, {Op::QuoteKql, "kL"},
    {Op::Concat, "hh"},     {Op::Unwrap, "tp"},    {Op::NewList, "Ee"},   {Op::NewList, "St"},
    {Op::Move, "MM"},       {Op::Move, "oi"},      {Op::Move, "LL"},      {Op::Native, "it"},
    {Op::NewList, "ZM"},    {Op::HasKey, "bNi"},   {Op::Share, "N"},      {Op::Native, "bt"},
    {Op::JsonTo, "Rj"},     {Op::JsonTo, "Mj"},    {Op::ToJson, "jM"},    {Op::ToJson, "jR"},
    {Op::JsonItem, "jjt"},
};

std::string_view letters_for(Op op) {
  for (const Likes& row : kLikes)
    if (row.op == op) return row.letters;
  return {};
}

std::uint8_t random_register(char letter, Bytes& bytes) {
  const std::uint32_t chance = bytes.byte();
  if (letter == '.' || chance >= 230) return static_cast<std::uint8_t>(chance % kRegisterCount);
  std::array<std::uint8_t, 8> fitting{};
  std::size_t count = 0;
  for (std::size_t reg = 0; reg < kLetters.size(); ++reg)
    if (kLetters[reg] == letter) fitting[count++] = static_cast<std::uint8_t>(reg);
  return count == 0 ? std::uint8_t{4} : fitting[chance % count];
}
unsigned first_of(char letter) {
  return static_cast<unsigned>(kLetters.find(letter));
}

// The operations that show a value of a type, behind those of the test's world.
Types add_world(test::Assembler& a) {
  TypeTable& types = a.module.types;
  Types t{.by_text = types.map(kIntType),
          .by_number = types.map(kIntType, kStringType),
          .maps = 0,
          .maybe_json = types.optional(kJsonType),
          .error = add_error_type(types)};
  t.maps = types.list(t.by_text);
  for (const NativeInfo& native : all_natives()) {  // what they give
    const TypeId item = native.result.may_be_null ? types.optional(native.result.type) : native.result.type;
    if (native.result.is_list) types.list(item);
  }
  for (const TypeId type : {a.world.ints, a.world.strings, a.world.floats, a.world.severities,
                            a.world.maybe_node, t.by_text, t.by_number, t.maps, a.world.maybe_string,
                            a.world.maybe_int, a.world.maybe_machine, t.maybe_json, t.error}) {
    Operation show = a.module.operations[test::kListAlerts];
    show.name = "show" + std::to_string(type);
    show.parameters = {{.name = "filter", .type = type, .default_json = "null"}};
    show.result = kNothingType;
    a.flow().manifest.calls.push_back(
        {.operation = static_cast<std::uint32_t>(a.module.operations.size()), .at_most = kAnyNumber});
    a.module.operations.push_back(std::move(show));
  }
  return t;
}

class RoutineWriter {
 public:
  RoutineWriter(test::Assembler& a, const Types& types, const TypeFinder& finder, FunctionCode* function,
                Bytes& bytes)
      : a_(a), types_(types), finder_(finder), function_(function), bytes_(bytes) {
    routine().registers = kRegisterCount;
    fill_registers();
  }

  void write(int size) {
    size_left_ = size;
    while (size_left_ > 0 && !bytes_.is_empty()) write_something(0);
  }
  void show_all() {
    for (unsigned reg = 0; reg < kLetters.size(); ++reg) show(reg);
  }
  void end() { code().push_back(last()); }

 private:
  Routine& routine() { return function_ == nullptr ? static_cast<Routine&>(a_.flow()) : *function_; }
  std::vector<Instruction>& code() { return routine().code; }
  std::uint32_t here() { return static_cast<std::uint32_t>(code().size()); }
  Instruction last() {
    if (function_ == nullptr) return {Op::Finish};
    return {Op::Return, static_cast<std::uint8_t>(result_register())};
  }
  unsigned result_register() const {
    if (function_->result == kIntType) return first_of('i');
    return first_of(function_->result == kStringType ? 't' : function_->result == types_.by_text ? 'M' : 'L');
  }
  bool verifies() {
    code().push_back(last());
    const bool is_right = function_ == nullptr ? verify_flow(a_.module, finder_, a_.flow()).has_value()
                                               : verify_function(a_.module, finder_, *function_).has_value();
    code().pop_back();
    return is_right;
  }
  void take_back(std::uint32_t size) { code().resize(size); }

  void emit(Op op, unsigned a, unsigned b = 0, unsigned c = 0, std::int32_t imm = 0) {
    code().push_back(
        {op, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c), imm});
  }
  void load(unsigned reg, Constant constant) {
    emit(Op::LoadConst, reg, 0, 0, static_cast<std::int32_t>(a_.constant(std::move(constant))));
  }
  void fill_registers();
  void write_something(int depth);
  void write_block(int depth);
  void write_instruction();
  void write_loop(int depth);
  void write_branch(int depth);
  void write_guarded(int depth);
  void write_invoke();
  void write_native();
  void show(unsigned reg);
  std::int32_t random_imm(Operand kind);
  void set_jump(std::uint32_t jump, std::uint32_t target) {
    code()[jump].imm = static_cast<std::int32_t>(target) - static_cast<std::int32_t>(jump + 1);
  }

  test::Assembler& a_;
  const Types& types_;
  const TypeFinder& finder_;
  FunctionCode* const function_;
  Bytes& bytes_;
  int size_left_ = 0;
};

void RoutineWriter::fill_registers() {
  for (unsigned reg = 0; reg < kLetters.size(); ++reg) {
    switch (kLetters[reg]) {
      case 'i': emit(Op::LoadInt, reg, 0, 0, static_cast<std::int32_t>(reg) - 5); break;
      case 't': load(reg, {.type = kStringType, .text = reg % 2 == 0 ? "text <é>" : "e"}); break;
      case 'f': load(reg, {.type = kFloatType, .real = 0.5 - reg % 2}); break;
      case 'b': emit(Op::LoadBool, reg, reg % 2); break;
      case 'e': load(reg, {.type = a_.world.severity, .number = reg % 4}); break;
      case 'L':
        emit(Op::NewList, reg, first_of('i'), reg % 4, static_cast<std::int32_t>(a_.world.ints));
        break;
      case 'S':
        emit(Op::NewList, reg, first_of('t'), reg % 3, static_cast<std::int32_t>(a_.world.strings));
        break;
      case 'D': emit(Op::NewList, reg, first_of('f'), 2, static_cast<std::int32_t>(a_.world.floats)); break;
      case 'E':
        emit(Op::NewList, reg, first_of('e'), 2, static_cast<std::int32_t>(a_.world.severities));
        break;
      case 'M': emit(Op::NewMap, reg, 0, 0, static_cast<std::int32_t>(types_.by_text)); break;
      case 'N': emit(Op::NewMap, reg, 0, 0, static_cast<std::int32_t>(types_.by_number)); break;
      case 'Z': emit(Op::NewList, reg, 0, 0, static_cast<std::int32_t>(types_.maps)); break;
      case 'o':
        emit(Op::SetKey, first_of('M'), first_of('t'), first_of('i'));
        emit(Op::GetKey, reg, first_of('M'), first_of('t'));
        break;
      case 'p': emit(Op::GetKey, reg, first_of('N'), first_of('i')); break;
      case 'R':
        emit(Op::LoadInt, kWindow, 0, 0, 7);
        emit(Op::LoadNull, kWindow + 1);
        emit(Op::NewRecord, reg, kWindow, 0, static_cast<std::int32_t>(a_.world.node));
        break;
      case 'j':
        emit(Op::ToJson, reg, first_of('L'), 0, static_cast<std::int32_t>(a_.world.ints));
        emit(Op::JsonItem, reg, reg, first_of('i'));
        break;
      case 'x': emit(Op::Caught, reg, 0, 0, static_cast<std::int32_t>(types_.error)); break;
      case 'm': load(reg, {.type = kTimeType, .number = 1'000'000}); break;
      case 'd': load(reg, {.type = kDurationType, .number = 5'000'000}); break;
      case 'h': load(reg, {.type = kHtmlType, .text = "<p>"}); break;
      case 'k': load(reg, {.type = kKqlType, .text = "T"}); break;
      default: break;
    }
  }
}

std::int32_t RoutineWriter::random_imm(Operand kind) {
  const auto index = [&](std::size_t count) {
    return count == 0 ? 0 : static_cast<std::int32_t>(bytes_.below(static_cast<std::uint32_t>(count)));
  };
  switch (kind) {
    case Operand::Const: return index(a_.module.constants.size());
    case Operand::Site: return index(routine().call_sites.size());
    case Operand::Type: return index(a_.module.types.size());
    case Operand::Function: return index(a_.module.functions.size());
    case Operand::Fun: return index(all_natives().size());
    case Operand::Number:
    case Operand::Divisor: return static_cast<std::int32_t>(bytes_.below(100)) - 50;
    case Operand::Jump:
      return static_cast<std::int32_t>(bytes_.below(here() + 2)) - static_cast<std::int32_t>(here() + 1);
    default: return 0;
  }
}

void RoutineWriter::write_instruction() {
  const std::uint32_t choice = bytes_.byte();
  Instruction i{all_ops()[choice % all_ops().size()].op};
  std::string_view likes = letters_for(i.op);
  if (choice >= 194 || (ends_path(i.op) && bytes_.byte() % 8 != 0)) {
    const Likes& other = kOtherLikes[bytes_.byte() % std::size(kOtherLikes)];
    i.op = other.op;
    likes = other.letters;
  }
  const OpInfo& info = *op_info(i.op);
  const auto operand = [&](Operand kind, std::size_t position) -> std::uint8_t {
    switch (kind) {
      case Operand::Out:
      case Operand::In:
      case Operand::Both: return random_register(position < likes.size() ? likes[position] : '.', bytes_);
      case Operand::Field: return static_cast<std::uint8_t>(bytes_.below(3));
      case Operand::Count:
      case Operand::Short: return static_cast<std::uint8_t>(bytes_.below(5));
      default: return 0;
    }
  };
  i.a = operand(info.a, 0);
  i.b = operand(info.b, 1);
  i.c = operand(info.c, 2);
  if (i.op == Op::SortBy && bytes_.byte() % 4 != 0) i.c = i.b;
  if (i.op == Op::Call)
    routine().call_sites.push_back(
        {.operation = bytes_.byte() % static_cast<std::uint32_t>(a_.module.operations.size()),
         .first_argument = random_register('.', bytes_)});
  i.imm =
      i.op == Op::Call ? static_cast<std::int32_t>(routine().call_sites.size()) - 1 : random_imm(info.imm);
  if (!likes.empty() && info.imm == Operand::Type) {
    const char letter = i.op == Op::ToJson ? likes[1] : likes[0];
    const TypeId type = letter == 'L'   ? a_.world.ints
                        : letter == 'S' ? a_.world.strings
                        : letter == 'E' ? a_.world.severities
                        : letter == 'M' ? types_.by_text
                        : letter == 'N' ? types_.by_number
                        : letter == 'Z' ? types_.maps
                        : letter == 'x' ? types_.error
                        : letter == 'e' ? a_.world.severity
                                        : a_.world.node;
    i.imm = static_cast<std::int32_t>(type);
  }
  if (i.op == Op::Call) {
    const CallSite& site = routine().call_sites.back();
    if (site.first_argument + a_.module.operations[site.operation].parameters.size() > kRegisterCount) {
      routine().call_sites.pop_back();
      return;
    }
  }
  code().push_back(i);
  if (verifies()) return;
  take_back(here() - 1);
  if (i.op == Op::Call) routine().call_sites.pop_back();
}

void RoutineWriter::write_block(int depth) {
  for (std::uint32_t left = 1 + bytes_.byte() % 6; left > 0; --left) write_something(depth + 1);
}

// for i in a range, for item in a list, for key and value of a map
void RoutineWriter::write_loop(int depth) {
  const std::uint32_t begin = here();
  const unsigned window = kWindow + (depth % 2 == 0 ? 0 : 4);
  const std::uint32_t kind = bytes_.byte() % 4;
  Op next = Op::NextInRange;
  if (kind == 0) {
    emit(Op::LoadInt, window, 0, 0, -1);
    emit(Op::LoadInt, window + 1, 0, 0, static_cast<std::int32_t>(bytes_.byte() % 40));
  } else {
    next = kind == 3 ? Op::NextEntry : Op::NextItem;
    emit(Op::Move, window, random_register(kind == 1 ? 'L' : kind == 2 ? 'S' : 'M', bytes_));
    emit(Op::LoadInt, window + 1, 0, 0, 0);
  }
  // The item has its type before the loop, too, so that the body can be written and verified piece by piece.
  const char item = kind == 1 ? 'i' : 't';
  if (kind != 0) emit(Op::Move, window + 2, first_of(item));
  if (kind == 3) emit(Op::Move, window + 3, first_of('i'));
  const std::uint32_t jump = here();
  emit(Op::Jump, 0);
  const std::uint32_t body = here();
  emit(Op::Move, random_register(kind == 0 ? 'i' : item, bytes_), kind == 0 ? window : window + 2);
  if (kind == 3) emit(Op::Move, random_register('i', bytes_), window + 3);
  if (!verifies()) return take_back(begin);
  write_block(depth);
  const std::uint32_t end = here();
  emit(next, window);
  set_jump(end, body);
  set_jump(jump, end);
  if (verifies()) return;
  take_back(begin);
  std::erase_if(routine().handlers, [&](const Handler& handler) { return handler.target > begin; });
}

void RoutineWriter::write_branch(int depth) {
  constexpr std::uint32_t kFirst = static_cast<std::uint32_t>(Op::JumpIf);
  constexpr std::uint32_t kLast = static_cast<std::uint32_t>(Op::JumpIfNotEnum);
  const std::uint32_t jump = here();
  const Op op = static_cast<Op>(kFirst + bytes_.byte() % (kLast - kFirst + 1));
  const std::string_view likes = letters_for(op);
  // One after the other: compilers differ in the order of arguments.
  const unsigned x = random_register(likes[0], bytes_);
  const unsigned y = likes.size() > 1 ? random_register(likes[1], bytes_) : 0u;
  emit(op, x, op_info(op)->b == Operand::Short ? 2u : y);
  if (!verifies()) return take_back(jump);
  write_block(depth);
  set_jump(jump, here());
  if (!verifies()) set_jump(jump, jump + 1);
}

void RoutineWriter::write_guarded(int depth) {
  const std::uint32_t begin = here();
  write_block(depth);
  const std::uint32_t jump = here();
  if (jump == begin) return;
  emit(Op::Jump, 0);
  routine().handlers.push_back(
      {.begin = begin, .end = jump, .target = here(), .register_ = static_cast<std::uint8_t>(first_of('t'))});
  if (!verifies()) {
    routine().handlers.pop_back();
    return take_back(jump);
  }
  write_block(depth);
  const std::uint32_t ending = bytes_.byte() % 16;
  if (ending < 2) emit(ending == 0 ? Op::Raise : Op::Throw, ending == 0 ? 0u : first_of('x'));
  set_jump(jump, here());
  if (!verifies()) set_jump(jump, jump + 1);
}

void RoutineWriter::write_invoke() {
  if (a_.module.functions.empty()) return;
  const std::uint32_t begin = here();
  const std::uint32_t index = bytes_.byte() % static_cast<std::uint32_t>(a_.module.functions.size());
  const FunctionCode& callee = a_.module.functions[index];
  const unsigned window = kWindow + 4;
  for (unsigned k = 0; k < callee.parameters.size(); ++k) {
    const TypeId type = callee.parameters[k];
    emit(Op::Move, window + k,
         random_register(type == kIntType         ? 'i'
                         : type == kStringType    ? 't'
                         : type == types_.by_text ? 'M'
                         : type == a_.world.ints  ? 'L'
                                                  : 'o',
                         bytes_));
  }
  emit(Op::Invoke, window, 0, 0, static_cast<std::int32_t>(index));
  emit(Op::Move,
       random_register(callee.result == kIntType         ? 'i'
                       : callee.result == kStringType    ? 't'
                       : callee.result == types_.by_text ? 'M'
                                                         : 'L',
                       bytes_),
       window);
  if (!verifies()) take_back(begin);
}

// One of the machine's functions, with arguments of the types that it takes.
void RoutineWriter::write_native() {
  const std::uint32_t begin = here();
  const NativeInfo& native = all_natives()[bytes_.byte() % all_natives().size()];
  const auto letter = [](const NativeType& type) {
    if (type.is_text_argument()) return 't';
    switch (type.type) {
      case kIntType: return type.may_be_null ? 'o' : 'i';
      case kFloatType: return 'f';
      case kTimeType: return 'm';
      case kDurationType: return 'd';
      case kHtmlType: return 'h';
      case kBoolType: return 'b';
      default: return 'j';
    }
  };
  for (unsigned k = 0; k < native.argument_count; ++k) {
    const NativeType& type = native.arguments[k];
    if (type.role == NativeType::Role::Zone && bytes_.byte() % 4 != 0)
      load(kWindow + k, {.type = kStringType, .text = "Europe/Berlin"});
    else
      emit(Op::Move, kWindow + k, random_register(letter(type), bytes_));
  }
  const unsigned target = native.result.is_list || native.result.may_be_null
                              ? kWindow
                              : random_register(letter(native.result), bytes_);
  emit(Op::Native, target, kWindow, 0, static_cast<std::int32_t>(native.id));
  if (!verifies()) take_back(begin);
}

void RoutineWriter::write_something(int depth) {
  constexpr int kMaxDepth = 4;
  --size_left_;
  const std::uint32_t kind = size_left_ < 0 || depth >= kMaxDepth ? 15 : bytes_.byte() % 16;
  switch (kind) {
    case 0:
    case 1: return write_loop(depth);
    case 2: return write_branch(depth);
    case 3: return write_guarded(depth);
    case 4: return write_invoke();
    case 5: return write_native();
    default: return write_instruction();
  }
}

// Sends what the register holds to whichever operation takes it.
void RoutineWriter::show(unsigned reg) {
  for (auto operation = static_cast<std::uint32_t>(a_.module.operations.size()) - 1;
       operation > test::kSendMail; --operation) {
    routine().call_sites.push_back(
        {.operation = operation, .first_argument = static_cast<std::uint8_t>(reg)});
    emit(Op::Call, kWindow, 0, 0, static_cast<std::int32_t>(routine().call_sites.size()) - 1);
    if (verifies()) return;
    take_back(here() - 1);
    routine().call_sites.pop_back();
  }
  emit(Op::ToText, kWindow, reg);
  emit(Op::Log, kWindow);
  if (!verifies()) take_back(here() - 2);
}

}  // namespace

test::Assembler random_program(Bytes& bytes) {
  test::Assembler a;
  const Types types = add_world(a);
  const TypeFinder finder(a.module.types);
  a.module.functions.resize(bytes.byte() % 4);
  const std::vector<TypeId> kinds = {kIntType, kStringType, a.world.ints, types.by_text, a.world.maybe_int};
  for (std::size_t k = 0; k < a.module.functions.size(); ++k) {
    FunctionCode& function = a.module.functions[k];
    function.name = "f" + std::to_string(k);
    function.result = kinds[bytes.byte() % 4];
    for (std::uint32_t left = bytes.byte() % 4; left > 0; --left)
      function.parameters.push_back(kinds[bytes.byte() % kinds.size()]);
  }
  for (FunctionCode& function : a.module.functions) {
    RoutineWriter writer(a, types, finder, &function, bytes);
    writer.write(static_cast<int>(bytes.byte() % 24));
    writer.end();
  }
  RoutineWriter writer(a, types, finder, nullptr, bytes);
  writer.write(60);
  writer.show_all();
  writer.end();
  // Mostly refused, and what is not must do no harm either.
  if (bytes.byte() % 8 == 0) {
    const Instruction any{static_cast<Op>(bytes.byte()), bytes.byte(), bytes.byte(), bytes.byte(),
                          static_cast<std::int32_t>(bytes.below(64)) - 32};
    auto& code = a.flow().code;
    code[bytes.below(static_cast<std::uint32_t>(code.size()))] = any;
  }
  return a;
}

}  // namespace flow::fuzz
