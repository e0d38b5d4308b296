// One `describe` per struct names its fields once; Writer and Reader walk the same list, so the two
// directions cannot drift apart. A Reader that has failed reads zeros and empty lists until the walk is over.
#include "vm/bytecode/encode.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <bit>
#include <cstring>
#include <type_traits>

namespace flow {
namespace {

constexpr std::string_view kMagic("FLOWC\r\n\x1a", 8);
constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kChecksummedFrom = 16;
constexpr std::size_t kMaxItems = 65'536;   // of any list
constexpr std::uint32_t kMaxTypes = 4'096;  // compound types; making them is quadratic
constexpr int kMaxTemplateDepth = 64;

enum class Section : std::uint8_t {
  Manifest = 1,
  Types,
  Constants,
  Connectors,
  Operations,
  Triggers,
  Settings,
  Functions,
  Flows
};

template <class E>
constexpr E kLast{};
template <>
constexpr Template::Kind kLast<Template::Kind> = Template::Kind::If;
template <>
constexpr Effect kLast<Effect> = Effect::Notify;
template <>
constexpr FaultKind kLast<FaultKind> = kLastFault;
template <>
constexpr CrashRule::Kind kLast<CrashRule::Kind> = CrashRule::Kind::Ask;
template <>
constexpr Protocol kLast<Protocol> = Protocol::Runtime;
template <>
constexpr Trigger::Kind kLast<Trigger::Kind> = Trigger::Kind::Stream;
template <>
constexpr Trigger::CatchUp kLast<Trigger::CatchUp> = Trigger::CatchUp::All;
template <>
constexpr Policies::Priority kLast<Policies::Priority> = Policies::Priority::High;
template <>
constexpr Policies::Limit::Otherwise kLast<Policies::Limit::Otherwise> = Policies::Limit::Otherwise::Ask;
template <>
constexpr Input::Source kLast<Input::Source> = Input::Source::Setting;
template <>
constexpr Op kLast<Op> = static_cast<Op>(0xff);  // verify() knows which codes stand for something

class Writer {
 public:
  template <class T>
  using Of = const T;

  std::string take() { return std::move(bytes_); }
  template <class... Fields>
  void operator()(const Fields&... fields) {
    (field(fields), ...);
  }
  void enter() {}
  void leave() {}

  template <class Number>
  void number(Number value) {
    const auto bits = static_cast<std::make_unsigned_t<Number>>(value);
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      bytes_ += static_cast<char>((std::uint64_t{bits} >> (8 * i)) & 0xff);
  }

 private:
  template <class T>
  requires std::is_integral_v<T>
  void field(T value) {
    if constexpr (std::is_same_v<T, bool>)
      number(static_cast<std::uint8_t>(value));
    else
      number(value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(E value) { number(static_cast<std::uint8_t>(value)); }
  void field(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void field(const std::string& text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void field(const std::vector<T>& list) {
    number(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) field(item);
  }
  template <class T>
  void field(const std::optional<T>& maybe) {
    field(maybe.has_value());
    if (maybe) field(*maybe);
  }
  template <class A, class B>
  void field(const std::pair<A, B>& both) {
    field(both.first);
    field(both.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void field(const T& fields) { describe(*this, fields); }

  std::string bytes_;
};

class Reader {
 public:
  template <class T>
  using Of = T;

  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (field(fields), ...);
  }
  void enter() {
    if (++depth_ > kMaxTemplateDepth) fail("templates are nested too deeply");
  }
  void leave() { --depth_; }

  bool failed() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }
  void fail(std::string problem) {
    if (!failed()) problem_ = std::move(problem);
    bytes_ = {};
  }
  std::size_t remaining() const { return bytes_.size(); }

  template <class Number>
  Number number() {
    std::make_unsigned_t<Number> bits = 0;
    const std::string_view raw = take(sizeof(Number));
    for (std::size_t i = 0; i < raw.size(); ++i)
      bits = static_cast<std::make_unsigned_t<Number>>(
          bits | (std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i)));
    return static_cast<Number>(bits);
  }
  // Each item takes at least one byte, so a count beyond what is left cannot be true.
  std::uint32_t count(std::size_t at_most = kMaxItems) {
    const auto items = number<std::uint32_t>();
    if (items <= at_most && items <= remaining()) return items;
    fail(fmt::format("a list of {} items does not fit", items));
    return 0;
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      fail("a section ends too early");
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <class T>
  requires std::is_integral_v<T>
  void field(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = number<std::uint8_t>();
      if (byte > 1) fail("a truth value is neither 0 nor 1");
      value = byte == 1;
    } else {
      value = number<T>();
    }
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(E& value) {
    const auto code = number<std::uint8_t>();
    if (code > static_cast<std::uint8_t>(kLast<E>)) return fail(fmt::format("unknown kind {}", code));
    value = static_cast<E>(code);
  }
  void field(double& value) { value = std::bit_cast<double>(number<std::uint64_t>()); }
  void field(std::string& text) { text = take(number<std::uint32_t>()); }
  template <class T>
  void field(std::vector<T>& list) {
    for (std::uint32_t left = count(); left > 0 && !failed(); --left) field(list.emplace_back());
  }
  template <class T>
  void field(std::optional<T>& maybe) {
    bool is_there = false;
    field(is_there);
    if (is_there) field(maybe.emplace());
  }
  template <class A, class B>
  void field(std::pair<A, B>& both) {
    field(both.first);
    field(both.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void field(T& fields) { describe(*this, fields); }

  std::string_view bytes_;
  std::string problem_;
  int depth_ = 0;
};

// The layout of each struct: its fields, in order.
#define FLOW_DESCRIBE(Type) \
  template <class Io>       \
  void describe(Io& io, typename Io::template Of<Type>& it)

FLOW_DESCRIBE(Template) {
  io.enter();
  io(it.kind, it.number, it.real, it.text, it.type, it.names, it.children);
  io.leave();
}
FLOW_DESCRIBE(Parameter) {
  io(it.name, it.type, it.default_json, it.doc);
}
FLOW_DESCRIBE(Quota) {
  io(it.group, it.per_minute, it.per_hour);
}
FLOW_DESCRIBE(ErrorRule) {
  io(it.status, it.code, it.kind);
}
FLOW_DESCRIBE(CrashRule) {
  io(it.kind, it.operation, it.arguments, it.field);
}
FLOW_DESCRIBE(Completion) {
  io(it.operation, it.arguments, it.field, it.final_values);
}
FLOW_DESCRIBE(Route) {
  io(it.name, it.connector, it.protocol, it.method, it.path, it.query, it.headers, it.body, it.permissions,
     it.quota, it.errors, it.crash);
}
FLOW_DESCRIBE(Operation) {
  io(it.connector, it.name, it.effect, it.parameters, it.result, it.result_member, it.routes, it.targets,
     it.inverse, it.completes, it.doc, it.source, it.retires, it.replacement);
}
FLOW_DESCRIBE(Connector) {
  io(it.name, it.base, it.scope);
}
FLOW_DESCRIBE(Trigger::Binding) {
  io(it.name, it.wire, it.type, it.doc);
}
FLOW_DESCRIBE(Trigger::Entity) {
  io(it.name, it.type, it.operation, it.argument, it.expand_only);
}
FLOW_DESCRIBE(Trigger) {
  io(it.kind, it.connector, it.name, it.operation, it.cursor_field, it.key_field, it.page_size,
     it.interval_us, it.overlap_us, it.bindings, it.entities, it.filterable, it.doc, it.cron, it.zone,
     it.catch_up, it.query, it.is_batch, it.endpoint, it.of_flow, it.result);
}
FLOW_DESCRIBE(RecordField) {
  io(it.name, it.wire, it.type, it.doc);
}
FLOW_DESCRIBE(RecordType) {
  io(it.name, it.fields, it.doc);
}
FLOW_DESCRIBE(EnumType) {
  io(it.name, it.values, it.is_ordered, it.doc);
}
FLOW_DESCRIBE(Constant) {
  io(it.type, it.number, it.real, it.text);
}
FLOW_DESCRIBE(Instruction) {
  io(it.op, it.a, it.b, it.c, it.imm);
}
FLOW_DESCRIBE(CallOptions) {
  io(it.retries, it.backoff_min_us, it.backoff_max_us, it.timeout_us, it.lease_us, it.is_awaited,
     it.await_within_us);
}
FLOW_DESCRIBE(CallSite) {
  io(it.operation, it.first_argument, it.is_fetch, it.options);
}
FLOW_DESCRIBE(LineEntry) {
  io(it.pc, it.line, it.column);
}
FLOW_DESCRIBE(Input) {
  io(it.name, it.type, it.source, it.wire);
}
FLOW_DESCRIBE(Setting) {
  io(it.name, it.type, it.default_json, it.is_secret, it.is_required, it.doc);
}
FLOW_DESCRIBE(Policies::Limit) {
  io(it.operation, it.count, it.window_us, it.otherwise, it.ask_to);
}
FLOW_DESCRIBE(Policies) {
  io(it.limits, it.within_us, it.at_most, it.priority, it.tenants, it.is_dry_run, it.has_once,
     it.has_protect);
}
FLOW_DESCRIBE(Handler) {
  io(it.begin, it.end, it.target, it.register_);
}
FLOW_DESCRIBE(CodeRange) {
  io(it.begin, it.end);
}
FLOW_DESCRIBE(RegisterName) {
  io(it.begin, it.end, it.register_, it.name);
}
FLOW_DESCRIBE(ManifestCall) {
  io(it.operation, it.at_most, it.is_fetch, it.line, it.loop_line);
}
FLOW_DESCRIBE(ManifestRead) {
  io(it.entity, it.fields);
}
FLOW_DESCRIBE(ManifestRecipients) {
  io(it.operation, it.parameter, it.constants, it.computed);
}
FLOW_DESCRIBE(ManifestFlow) {
  io(it.flow, it.is_started, it.line);
}
FLOW_DESCRIBE(Manifest) {
  io(it.calls, it.reads, it.recipients, it.flows, it.poll_filter, it.poll_expand);
}
FLOW_DESCRIBE(Routine) {
  io(it.name, it.line, it.registers, it.code, it.call_sites, it.handlers, it.lines, it.names, it.cleanups);
}
FLOW_DESCRIBE(FunctionCode) {
  typename Io::template Of<Routine>& routine = it;
  io(routine, it.parameters, it.result);
}
// Without its manifest, which has a section of its own at the front: it can be read without the rest.
FLOW_DESCRIBE(FlowCode) {
  typename Io::template Of<Routine>& routine = it;
  io(routine, it.doc, it.trigger, it.inputs, it.result, it.policies);
}
#undef FLOW_DESCRIBE

void write_types(Writer& out, const TypeTable& types) {
  const TypeId first = types.error() + 1;
  out.number(types.size() - first);
  for (TypeId id = first; id < types.size(); ++id) {
    out.number(static_cast<std::uint8_t>(types[id].kind));
    switch (types[id].kind) {
      case TypeKind::Record: out(types.record(id)); break;
      case TypeKind::Enum: out(types.enumeration(id)); break;
      case TypeKind::Union: out(types.members(id)); break;
      case TypeKind::Map: out(types[id].key, types[id].element); break;
      default: out.number(types[id].element);  // Optional, List
    }
  }
}

// Adds the next type. The table hands out ids in order, so the result differs from the next id when the same
// type stands there twice or is no type of its own, as T??.
TypeId read_type(Reader& in, TypeTable& types) {
  const auto known = [&](TypeId id) {
    if (!types.contains(id) || id == types.error())
      in.fail(fmt::format("type {} refers to type {}", types.size(), id));
    return in.failed() ? kNullType : id;
  };
  // A union within a union would have a name whose length doubles with each.
  const auto known_value = [&](TypeId id) {
    const TypeId type = known(id);
    if (types.is(types.without_null(type), TypeKind::Union)) in.fail("a union stands within another type");
    return type;
  };
  const auto kind = static_cast<TypeKind>(in.number<std::uint8_t>());
  switch (kind) {
    case TypeKind::Optional: return types.optional(known(in.number<TypeId>()));
    case TypeKind::List: return types.list(known_value(in.number<TypeId>()));
    case TypeKind::Map: {
      const TypeId key = known_value(in.number<TypeId>());
      return types.map(key, known_value(in.number<TypeId>()));
    }
    case TypeKind::Record: {
      RecordType record;
      in(record);
      return types.add_record(std::move(record));
    }
    case TypeKind::Enum: {
      EnumType type;
      in(type);
      return types.add_enum(std::move(type));
    }
    case TypeKind::Union: {
      std::vector<TypeId> members;
      in(members);
      for (TypeId& member : members) member = known_value(member);
      return types.union_of(std::move(members));
    }
    default: in.fail("unknown kind of type"); return kNullType;
  }
}

void read_types(Reader& in, TypeTable& types) {
  for (std::uint32_t left = in.count(kMaxTypes); left > 0 && !in.failed(); --left) {
    const TypeId expected = types.size();
    const TypeId made = read_type(in, types);
    if (made != expected && !in.failed()) in.fail(fmt::format("type {} repeats type {}", expected, made));
  }
  // Only fields of records may refer to types that come later.
  for (TypeId id = types.error() + 1; id < types.size() && !in.failed(); ++id) {
    if (!types.is(id, TypeKind::Record)) continue;
    for (const RecordField& field : types.record(id).fields)
      if (!types.contains(field.type)) in.fail(fmt::format("field `{}` has an unknown type", field.name));
  }
}

template <class Write>
void write_section(Writer& out, Section id, Write write) {
  Writer section;
  write(section);
  out(id, section.take());
}

template <class Read>
void read_section(Reader& in, Section id, Read read) {
  if (in.failed()) return;
  const auto found = in.number<std::uint8_t>();
  std::string bytes;
  in(bytes);
  if (!in.failed() && found != static_cast<std::uint8_t>(id))
    return in.fail(fmt::format("section {} stands where {} was expected", found, static_cast<unsigned>(id)));
  Reader section(bytes);
  read(section);
  if (!section.failed() && section.remaining() > 0) section.fail("bytes are left over");
  if (section.failed()) in.fail(fmt::format("section {}: {}", static_cast<unsigned>(id), section.problem()));
}

void write_manifest(Writer& out, const Module& module) {
  out(module.source_name);
  out.number(static_cast<std::uint32_t>(module.flows.size()));
  for (const FlowCode& flow : module.flows) out(flow.manifest);
}

Result<Module> read_payload(std::string_view payload) {
  Reader in(payload);
  Module module;
  std::vector<Manifest> manifests;
  read_section(in, Section::Manifest, [&](Reader& section) { section(module.source_name, manifests); });
  read_section(in, Section::Types, [&](Reader& section) { read_types(section, module.types); });
  read_section(in, Section::Constants, [&](Reader& section) { section(module.constants); });
  read_section(in, Section::Connectors, [&](Reader& section) { section(module.connectors); });
  read_section(in, Section::Operations, [&](Reader& section) { section(module.operations); });
  read_section(in, Section::Triggers, [&](Reader& section) { section(module.triggers); });
  read_section(in, Section::Settings, [&](Reader& section) { section(module.settings); });
  read_section(in, Section::Functions, [&](Reader& section) { section(module.functions); });
  read_section(in, Section::Flows, [&](Reader& section) { section(module.flows); });
  if (!in.failed() && in.remaining() > 0) in.fail("bytes follow the last section");
  if (!in.failed() && manifests.size() != module.flows.size()) in.fail("not every flow has a manifest");
  if (in.failed()) return error("damaged: " + in.problem());
  for (std::size_t i = 0; i < manifests.size(); ++i) module.flows[i].manifest = std::move(manifests[i]);
  return module;
}

std::uint32_t checksum(std::string_view bytes) {
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<std::uint32_t>(crc32_z(0, data, bytes.size()));
}

Status check_version(std::uint32_t version) {
  if (version > kFormatVersion)
    return error(fmt::format("made by a newer compiler (format version {}, this build reads {} to {})",
                             version, kOldestReadVersion, kFormatVersion));
  if (version < kOldestReadVersion)
    return error(fmt::format("format version {} is not read any more (this build reads {} to {})", version,
                             kOldestReadVersion, kFormatVersion));
  return {};
}

}  // namespace

std::string encode(const Module& module) {
  Writer payload;
  write_section(payload, Section::Manifest, [&](Writer& out) { write_manifest(out, module); });
  write_section(payload, Section::Types, [&](Writer& out) { write_types(out, module.types); });
  write_section(payload, Section::Constants, [&](Writer& out) { out(module.constants); });
  write_section(payload, Section::Connectors, [&](Writer& out) { out(module.connectors); });
  write_section(payload, Section::Operations, [&](Writer& out) { out(module.operations); });
  write_section(payload, Section::Triggers, [&](Writer& out) { out(module.triggers); });
  write_section(payload, Section::Settings, [&](Writer& out) { out(module.settings); });
  write_section(payload, Section::Functions, [&](Writer& out) { out(module.functions); });
  write_section(payload, Section::Flows, [&](Writer& out) { out(module.flows); });
  const std::string body = payload.take();

  Writer length;
  length.number(static_cast<std::uint64_t>(body.size()));
  const std::string checked = length.take() + body;
  Writer header;
  header.number(kFormatVersion);
  header.number(checksum(checked));
  return std::string(kMagic) + header.take() + checked;
}

Result<Module> decode(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size())) return error("not a Flow module");
  if (bytes.size() < kHeaderBytes) return error("truncated");
  Reader header(bytes.substr(kMagic.size(), kHeaderBytes - kMagic.size()));
  FLOW_TRY_STATUS(check_version(header.number<std::uint32_t>()));
  if (bytes.size() > kMaxModuleBytes) return error("larger than any module may be");
  const auto expected = header.number<std::uint32_t>();
  const auto length = header.number<std::uint64_t>();
  if (length > bytes.size() - kHeaderBytes) return error("truncated");
  if (length < bytes.size() - kHeaderBytes) return error("damaged: bytes follow its end");
  if (checksum(bytes.substr(kChecksummedFrom)) != expected) return error("damaged (checksum)");
  return read_payload(bytes.substr(kHeaderBytes));
}

}  // namespace flow
