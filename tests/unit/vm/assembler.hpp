// Modules for tests, written instruction by instruction. An Assembler starts with a small world, the same for
// every test (types, operations, the trigger alert.new), and one flow whose inputs are r0 to r3; scratch
// registers begin at kFree.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow::test {

inline constexpr std::uint8_t kAlertId = 0, kMachineId = 1, kAlert = 2, kMachine = 3, kFree = 4;
inline constexpr std::uint8_t kRegisters = 40;

struct World {
  Module module;
  TypeId severity, status, alert, machine, action, node;
  TypeId maybe_string, maybe_machine_id, maybe_alert, maybe_machine, maybe_node, maybe_int;
  TypeId strings, ints, alerts, emails, severities, maybe_strings, floats;
};

inline Template text_template(std::string text) {
  return {.kind = Template::Kind::Text, .text = std::move(text)};
}
inline Template param_template(std::string name) {
  return {.kind = Template::Kind::Param, .text = std::move(name)};
}
inline Template path_template(std::vector<Template> parts) {
  return {.kind = Template::Kind::Concat, .children = std::move(parts)};
}
inline Template object_template(std::vector<std::string> names, std::vector<Template> children) {
  return {.kind = Template::Kind::Object, .names = std::move(names), .children = std::move(children)};
}

inline void add_types(World& w) {
  TypeTable& types = w.module.types;
  w.severity = types.add_enum(
      {.name = "Severity", .values = {"Informational", "Low", "Medium", "High"}, .is_ordered = true});
  w.status = types.add_enum({.name = "Status", .values = {"New", "Closed"}});
  w.maybe_string = types.optional(kStringType);
  w.maybe_int = types.optional(kIntType);
  w.maybe_machine_id = types.optional(kMachineIdType);
  w.strings = types.list(kStringType);
  w.maybe_strings = types.list(w.maybe_string);
  w.ints = types.list(kIntType);
  w.floats = types.list(kFloatType);
  w.emails = types.list(kEmailType);
  w.severities = types.list(w.severity);
  w.alert =
      types.add_record({.name = "Alert",
                        .fields = {{.name = "id", .wire = "id", .type = kAlertIdType},
                                   {.name = "severity", .wire = "severity", .type = w.severity},
                                   {.name = "title", .wire = "title", .type = w.maybe_string},
                                   {.name = "created", .wire = "alertCreationTime", .type = kTimeType}}});
  w.alerts = types.list(w.alert);
  w.machine = types.add_record(
      {.name = "Machine",
       .fields = {
           {.name = "id", .wire = "id", .type = kMachineIdType},
           {.name = "name", .wire = "computerDnsName", .type = w.maybe_string},
           {.name = "tags", .wire = "machineTags", .type = w.strings},
           {.name = "risk", .wire = "riskScore", .type = types.optional(w.severity)},
           {.name = "score", .wire = "score", .type = types.optional(kFloatType)},
           {.name = "extra", .wire = "extra", .type = types.optional(kJsonType)},
           {.name = "counts", .wire = "counts", .type = types.optional(types.map(kStringType, kIntType))},
           {.name = "age", .wire = "age", .type = types.optional(kDurationType)}}});
  w.action = types.add_record(
      {.name = "MachineAction", .fields = {{.name = "id", .wire = "id", .type = kActionIdType}}});
  w.maybe_alert = types.optional(w.alert);
  w.maybe_machine = types.optional(w.machine);
  w.node = types.add_record({.name = "Node"});
  w.maybe_node = types.optional(w.node);
  types.mutable_record(w.node).fields = {{.name = "value", .wire = "value", .type = kIntType},
                                         {.name = "next", .wire = "next", .type = w.maybe_node}};
}

inline Route http_route(std::uint32_t connector, std::string method, std::vector<Template> path) {
  return {.connector = connector,
          .method = std::move(method),
          .path = path_template(std::move(path)),
          .permissions = {"Machine.Read.All"},
          .quota = {.group = "default", .per_minute = 100, .per_hour = 1500}};
}

inline void add_operations(World& w) {
  Module& m = w.module;
  TypeTable& types = m.types;
  m.connectors = {{.name = "defender",
                   .base = "https://api.example",
                   .auth = {.kind = Auth::Kind::Entra, .scope = "scope/.default"}},
                  {.name = "mail"}};
  const TypeId one_or_many = types.union_of({kEmailType, w.emails});
  const TypeId text_or_html = types.union_of({kStringType, kHtmlType, kKqlType});

  Operation list{.connector = "defender",
                 .name = "list_alerts",
                 .effect = Effect::Read,
                 .parameters = {{.name = "filter", .type = w.maybe_string, .default_json = "null"}},
                 .result = w.alerts,
                 .result_member = "value",
                 .routes = {http_route(0, "GET", {text_template("/api/alerts")})}};
  list.routes[0].query = {{"$filter", param_template("filter")}};
  Operation get{
      .connector = "defender",
      .name = "get_machine",
      .effect = Effect::Read,
      .parameters = {{.name = "machine", .type = kMachineIdType}},
      .result = w.machine,
      .routes = {http_route(0, "GET", {text_template("/api/machines/"), param_template("machine")})}};
  Operation find{.connector = "defender",
                 .name = "find_actions",
                 .effect = Effect::Read,
                 .parameters = {{.name = "machine", .type = kMachineIdType}},
                 .result = types.list(w.action),
                 .routes = {http_route(0, "GET", {text_template("/api/machineactions")})}};
  Operation isolate{
      .connector = "defender",
      .name = "isolate",
      .effect = Effect::Act,
      .parameters = {{.name = "machine", .type = kMachineIdType}, {.name = "comment", .type = kStringType}},
      .result = w.action,
      .routes = {http_route(
          0, "POST",
          {text_template("/api/machines/"), param_template("machine"), text_template("/isolate")})},
      .targets = "machine",
      .inverse = "unisolate",
      .completes = Completion{.operation = "find_actions",
                              .arguments = object_template({"machine"}, {param_template("result.id")}),
                              .field = "status",
                              .final_values = {"Succeeded", "Failed"}},
      .doc = "Cuts a device off",
      .source = "https://example/isolate",
      .retires = "2027-01-01"};
  Route& route = isolate.routes[0];
  route.body = object_template({"Comment", "List"},
                               {param_template("comment"),
                                {.kind = Template::Kind::ForEach,
                                 .children = {param_template("machine"), {.kind = Template::Kind::Item}}}});
  route.errors = {{.status = 400, .code = "ActiveRequestAlreadyExists", .kind = FaultKind::Conflict}};
  route.crash = CrashRule{.kind = CrashRule::Kind::Lookup,
                          .operation = "find_actions",
                          .arguments = object_template({"machine"}, {param_template("machine")}),
                          .field = "requestorComment"};
  Operation mail{.connector = "mail",
                 .name = "send",
                 .effect = Effect::Notify,
                 .parameters = {{.name = "to", .type = one_or_many},
                                {.name = "subject", .type = kStringType},
                                {.name = "body", .type = text_or_html},
                                {.name = "password", .type = types.optional(kSecretType)},
                                {.name = "node", .type = w.maybe_node},
                                {.name = "detail", .type = w.maybe_machine}},
                 .routes = {{.connector = 1,
                             .protocol = Protocol::Smtp,
                             .body = object_template({"to", "subject"},
                                                     {param_template("to"), param_template("subject")})}}};
  m.operations = {list, get, find, isolate, mail};
}

enum OperationIndex : std::uint32_t { kListAlerts, kGetMachine, kFindActions, kIsolate, kSendMail };

inline void add_trigger(World& w) {
  w.module.triggers = {{.connector = "defender",
                        .name = "alert.new",
                        .operation = "list_alerts",
                        .cursor_field = "alertCreationTime",
                        .key_field = "id",
                        .page_size = 100,
                        .interval_us = 60'000'000,
                        .overlap_us = 300'000'000,
                        .bindings = {{.name = "alertId", .wire = "id", .type = kAlertIdType},
                                     {.name = "machineId", .wire = "machineId", .type = w.maybe_machine_id}},
                        .entities = {{.name = "alert", .type = w.alert},
                                     {.name = "machine",
                                      .type = w.machine,
                                      .operation = "get_machine",
                                      .argument = "machineId",
                                      .expand_only = {"evidence"}}},
                        .filterable = {"severity"}}};
}

inline World make_world() {
  World w;
  w.module.source_name = "isolate.flow";
  add_types(w);
  add_operations(w);
  add_trigger(w);
  FlowCode flow;
  flow.name = "isolate";
  flow.doc = "Isolates";
  flow.line = 3;
  flow.registers = kRegisters;
  flow.inputs = {{.name = "alertId", .type = kAlertIdType, .source = Input::Source::Binding, .wire = "id"},
                 {.name = "machineId",
                  .type = w.maybe_machine_id,
                  .source = Input::Source::Binding,
                  .wire = "machineId"},
                 {.name = "alert", .type = w.maybe_alert, .source = Input::Source::Entity},
                 {.name = "machine", .type = w.maybe_machine, .source = Input::Source::Fetched}};
  for (std::uint32_t operation = 0; operation < w.module.operations.size(); ++operation)
    flow.manifest.calls.push_back(
        {.operation = operation, .at_most = 1, .is_fetch = operation == kGetMachine, .line = 4});
  flow.manifest.reads = {{.entity = "alert", .fields = {"severity", "title"}}};
  flow.manifest.recipients = {
      {.operation = kIsolate, .parameter = "to", .constants = {"soc@contoso.com"}, .computed = {}}};
  flow.manifest.poll_filter = "severity eq 'High'";
  flow.manifest.poll_expand = {"evidence"};
  w.module.flows.push_back(std::move(flow));
  return w;
}

inline constexpr const char* kEvent =
    R"({"id":"da1","machineId":"m1","severity":"High","title":"Beacon","alertCreationTime":"2026-11-20T08:14:22Z"})";

class Assembler {
 public:
  World world = make_world();
  Module& module = world.module;
  FlowCode& flow() { return module.flows[0]; }

  Assembler& emit(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0, std::int64_t imm = 0) {
    code().push_back({op, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                      static_cast<std::uint8_t>(c), static_cast<std::int32_t>(imm)});
    return *this;
  }
  Assembler& imm(Op op, unsigned a, std::int64_t number) { return emit(op, a, 0, 0, number); }
  Assembler& native(unsigned target, unsigned first, NativeId id) {
    return emit(Op::Native, target, first, 0, static_cast<std::int64_t>(id));
  }
  std::vector<Instruction>& code() { return routine_ == nullptr ? flow().code : routine_->code; }
  std::uint32_t here() { return static_cast<std::uint32_t>(code().size()); }
  // A jump whose target land() fills in, or one back to `target`.
  std::uint32_t jump(Op op, unsigned a = 0, unsigned b = 0) {
    emit(op, a, b);
    return here() - 1;
  }
  Assembler& land(std::uint32_t jump_pc) { return aim(jump_pc, here()); }
  Assembler& aim(std::uint32_t jump_pc, std::uint32_t target) {
    code()[jump_pc].imm = static_cast<std::int32_t>(target) - static_cast<std::int32_t>(jump_pc + 1);
    return *this;
  }
  // What is emitted between begin_function() and end_function() belongs to a function; its index.
  std::uint32_t begin_function(std::string name, std::vector<TypeId> parameters, TypeId result) {
    FunctionCode& function = module.functions.emplace_back();
    function.name = std::move(name);
    function.line = 20;
    function.registers = kRegisters;
    function.parameters = std::move(parameters);
    function.result = result;
    routine_ = &function;
    return static_cast<std::uint32_t>(module.functions.size() - 1);
  }
  void end_function() { routine_ = nullptr; }

  unsigned constant(Constant constant) {
    module.constants.push_back(std::move(constant));
    return static_cast<unsigned>(module.constants.size() - 1);
  }
  Assembler& load(unsigned reg, Constant value) {
    return imm(Op::LoadConst, reg, constant(std::move(value)));
  }
  Assembler& load_int(unsigned reg, std::int64_t value, TypeId type = kIntType) {
    return load(reg, {.type = type, .number = value});
  }
  Assembler& load_float(unsigned reg, double value) { return load(reg, {.type = kFloatType, .real = value}); }
  Assembler& load_text(unsigned reg, std::string value, TypeId type = kStringType) {
    return load(reg, {.type = type, .text = std::move(value)});
  }
  Assembler& load_severity(unsigned reg, std::int64_t value) {
    return load(reg, {.type = world.severity, .number = value});
  }
  Assembler& call(unsigned reg, std::uint32_t operation, unsigned first_argument, bool is_fetch = false) {
    flow().call_sites.push_back({.operation = operation,
                                 .first_argument = static_cast<std::uint8_t>(first_argument),
                                 .is_fetch = is_fetch});
    return imm(Op::Call, reg, static_cast<std::int64_t>(flow().call_sites.size() - 1));
  }
  // Logs r[reg] for people; uses the last register.
  Assembler& show(unsigned reg) {
    return emit(Op::ToText, kRegisters - 1, reg).emit(Op::Log, kRegisters - 1);
  }

 private:
  FunctionCode* routine_ = nullptr;  // that is emitted to, when it is not the flow
};

}  // namespace flow::test
