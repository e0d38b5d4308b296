// A Module is what the compiler makes and the machine runs: every flow of one source file, with the
// operations it may call and the manifest that says so. It owns no source text and refers to nothing outside
// itself, so a stored run can go on for years without the compiler or today's connectors. Encoded it is a
// `.flowc` file (encode.hpp); before it may run it must pass the verifier (verify.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/operation.hpp"
#include "base/type.hpp"

namespace flow {

enum class Op : std::uint8_t {
#define FLOW_OP(code, name, a, b, c, imm, meaning) name = code,
#include "vm/bytecode/opcodes.def"
#undef FLOW_OP
};

enum class NativeId : std::uint8_t {
#define FLOW_NATIVE(code, name, result, arguments, cost, meaning) name = code,
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
};

// What each operand means stands in the row of its Op.
struct Instruction {
  Op op;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
  std::int32_t imm = 0;

  std::int16_t short_number() const { return static_cast<std::int16_t>(b | (c << 8)); }
  std::uint32_t index() const { return static_cast<std::uint32_t>(imm); }
  bool operator==(const Instruction&) const = default;
};
static_assert(sizeof(Instruction) == 8);

// The instruction a jump at `pc` goes to; may be outside the code in an unverified module.
inline std::int64_t jump_target(std::uint32_t pc, Instruction i) {
  return std::int64_t{pc} + 1 + i.imm;
}

// A constant of storage None, Bool, Int, Float, Text or Enum. For an enum `number` is the index of its value.
struct Constant {
  TypeId type = kNullType;
  std::int64_t number = 0;  // Bool, Int, Time, Duration, Enum
  double real = 0;          // Float
  std::string text;         // storage Text
};

// How a call is made, where its author says so. 0 is what the runtime does by itself.
struct CallOptions {
  std::optional<std::uint32_t> retries;  // attempts after the first
  std::int64_t backoff_min_us = 0;       // before the first of them; doubles with each
  std::int64_t backoff_max_us = 0;
  std::int64_t timeout_us = 0;       // of each attempt
  std::int64_t lease_us = 0;         // undone by the operation's inverse after so long
  bool is_awaited = false;           // the answer is that of the operation's completion
  std::int64_t await_within_us = 0;  // fault Timeout behind it

  bool operator==(const CallOptions&) const = default;
};

// One place in the code that calls an operation. Argument i stands in register first_argument + i, in the
// order of the operation's parameters; all parameters have one (the compiler fills in defaults).
struct CallSite {
  std::uint32_t operation = 0;  // index into Module::operations
  std::uint8_t first_argument = 0;
  bool is_fetch = false;  // planned by the compiler, not written by the author
  std::optional<CallOptions> options;
};

struct LineEntry {  // the instructions from `pc` on come from this place
  std::uint32_t pc = 0;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in code points
};

// A register that is filled when the run begins. Its type never changes: every write must be accepted by it.
struct Input {
  enum class Source : std::uint8_t {
    Binding,  // member `wire` of the event; a missing or null member faults when the type is not optional
    Entity,  // the event as a record of the fields read; null when it lacks a required one (type is optional)
    Fetched,  // starts as null; the code fetches it (type is optional)
    Setting,  // the setting `name` of the module
  };
  std::string name;
  TypeId type = 0;
  Source source = Source::Binding;
  std::string wire;
};

// A value that is given when the module is deployed. Its value in JSON is a member of the settings a run
// starts with; where that is missing, `default_json` is it.
struct Setting {
  std::string name;
  TypeId type = 0;
  std::string default_json;  // JSON text; empty when there is none
  bool is_secret = false;    // of type Secret: its value is the name of a secret, by default its own name
  bool is_required = false;  // has no default, and is neither a secret nor optional
  std::string doc;
};

// A fault raised in [begin, end) continues at `target`, its message in the String register `register_`. What
// is known there is what is known at every instruction of [begin, end). The first handler that covers the
// instruction is taken; where none does, the caller's are asked.
struct Handler {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t target = 0;
  std::uint8_t register_ = 0;
};

struct CodeRange {  // the instructions in [begin, end)
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct RegisterName {  // for traces: `register_` holds `name` in [begin, end)
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint8_t register_ = 0;
  std::string name;
};

inline constexpr std::uint32_t kAnyNumber = 0xffffffff;

// What a flow may ever do, for people and for checks before deployment. Made by the compiler's plan.
struct ManifestCall {
  std::uint32_t operation = 0;
  std::uint32_t at_most = 0;  // calls per run; kAnyNumber in a loop whose length nothing says
  bool is_fetch = false;
  std::uint32_t line = 0;       // of the first place
  std::uint32_t loop_line = 0;  // of any number: the loop that makes it so; 0 where none is known
};
struct ManifestRead {
  std::string entity;               // `alert`
  std::vector<std::string> fields;  // as flows write them, sorted
};
struct ManifestRecipients {  // who is told something; of a request to any address, where it goes
  std::uint32_t operation = 0;
  std::string parameter;               // `to`
  std::vector<std::string> constants;  // addresses that stand in the text
  std::vector<std::string> computed;   // the expressions that give others, as written
};
struct ManifestFlow {       // another flow of the module that it runs; what that calls is among the calls
  std::uint32_t flow = 0;   // index into Module::flows, of one that is called
  bool is_started = false;  // and not waited for
  std::uint32_t line = 0;   // of the first place
};
struct Manifest {
  std::vector<ManifestCall> calls;
  std::vector<ManifestRead> reads;
  std::vector<ManifestRecipients> recipients;
  std::vector<ManifestFlow> flows;
  std::string
      poll_filter;  // OData, what the trigger may ask the API to leave out: `severity eq 'High'`; or empty
  std::vector<std::string> poll_expand;  // wire names the poll must expand
};

// What a flow asks of whoever runs it. Only `once` and `protect` are in its code.
struct Policies {
  struct Limit {
    enum class Otherwise : std::uint8_t { Fail, Skip, Ask };
    std::uint32_t operation = 0;
    std::uint32_t count = 0;
    std::int64_t window_us = 0;
    Otherwise otherwise = Otherwise::Fail;
    std::string ask_to;  // of Ask
  };
  enum class Priority : std::uint8_t { Low, Normal, High };
  std::vector<Limit> limits;   // calls by all runs of the flow in one tenant
  std::int64_t within_us = 0;  // the deadline of a run; 0: none
  std::uint32_t at_most = 0;   // runs at once; 0: any number
  Priority priority = Priority::Normal;
  std::vector<std::string> tenants;  // none: all
  bool is_dry_run = false;           // acts are recorded, not performed
  bool has_once = false;
  bool has_protect = false;
};

// Instructions, and what belongs to them.
struct Routine {
  std::string name;
  std::uint32_t line = 1;      // where it is declared
  std::uint8_t registers = 0;  // number used; inputs or parameters are the first ones
  std::vector<Instruction> code;
  std::vector<CallSite> call_sites;
  std::vector<Handler> handlers;
  std::vector<LineEntry> lines;  // pc rises
  std::vector<RegisterName> names;
  // What ends things that were begun: `on error`, `on undo`, `finally`. Calls that are made here, or in what
  // is invoked here, may still be made when the deadline of the run has passed. By `begin`, or within others.
  std::vector<CodeRange> cleanups;
};

struct FunctionCode : Routine {
  std::vector<TypeId> parameters;
  TypeId result = kNullType;
};

struct FlowCode : Routine {
  std::string doc;
  std::uint32_t trigger = 0;  // index into Module::triggers
  std::vector<Input> inputs;
  TypeId result = kNullType;  // of what FinishWith gives
  Policies policies;
  Manifest manifest;
};

struct Module {
  std::string source_name;  // `isolate-high.flow`
  TypeTable types;
  std::vector<Constant> constants;
  std::vector<Connector> connectors;
  std::vector<Operation> operations;  // used by flows, plus what their triggers, lookups and polling need
  std::vector<Trigger> triggers;
  std::vector<Setting> settings;
  std::vector<FunctionCode> functions;  // what the flows invoke
  std::vector<FlowCode> flows;

  const Setting* setting(std::string_view name) const;  // nullptr when it has none of that name
  // Index of `connector.name`, if the module carries it.
  std::optional<std::uint32_t> operation(std::string_view connector, std::string_view name) const;
};

}  // namespace flow
