#include "vm/bytecode/encode.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include "base/operation_bytes.hpp"

namespace flow {

template <>
constexpr Policies::Priority kLast<Policies::Priority> = Policies::Priority::High;
template <>
constexpr Policies::Limit::Otherwise kLast<Policies::Limit::Otherwise> = Policies::Limit::Otherwise::Ask;
template <>
constexpr Input::Source kLast<Input::Source> = Input::Source::Setting;
template <>
constexpr Op kLast<Op> = static_cast<Op>(0xff);  // verify() knows which codes stand for something

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

namespace {

constexpr std::string_view kMagic("FLOWC\r\n\x1a", 8);
constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kChecksummedFrom = 16;

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

template <class Write>
void write_section(ByteWriter& out, Section id, Write write) {
  ByteWriter section;
  write(section);
  out(id, section.take());
}

template <class Read>
void read_section(ByteReader& in, Section id, Read read) {
  if (in.failed()) return;
  const auto found = in.number<std::uint8_t>();
  std::string bytes;
  in(bytes);
  if (!in.failed() && found != static_cast<std::uint8_t>(id))
    return in.fail(fmt::format("section {} stands where {} was expected", found, static_cast<unsigned>(id)));
  ByteReader section(bytes, in.version());
  read(section);
  if (!section.failed() && section.remaining() > 0) section.fail("bytes are left over");
  if (section.failed()) in.fail(fmt::format("section {}: {}", static_cast<unsigned>(id), section.problem()));
}

void write_manifest(ByteWriter& out, const Module& module) {
  out(module.source_name);
  out.number(static_cast<std::uint32_t>(module.flows.size()));
  for (const FlowCode& flow : module.flows) out(flow.manifest);
}

Result<Module> read_payload(std::string_view payload, std::uint32_t version) {
  ByteReader in(payload, version);
  Module module;
  std::vector<Manifest> manifests;
  read_section(in, Section::Manifest, [&](ByteReader& section) { section(module.source_name, manifests); });
  read_section(in, Section::Types, [&](ByteReader& section) { read_types(section, module.types); });
  read_section(in, Section::Constants, [&](ByteReader& section) { section(module.constants); });
  read_section(in, Section::Connectors, [&](ByteReader& section) { section(module.connectors); });
  read_section(in, Section::Operations, [&](ByteReader& section) { section(module.operations); });
  read_section(in, Section::Triggers, [&](ByteReader& section) { section(module.triggers); });
  read_section(in, Section::Settings, [&](ByteReader& section) { section(module.settings); });
  read_section(in, Section::Functions, [&](ByteReader& section) { section(module.functions); });
  read_section(in, Section::Flows, [&](ByteReader& section) { section(module.flows); });
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
  ByteWriter payload;
  write_section(payload, Section::Manifest, [&](ByteWriter& out) { write_manifest(out, module); });
  write_section(payload, Section::Types, [&](ByteWriter& out) { write_types(out, module.types); });
  write_section(payload, Section::Constants, [&](ByteWriter& out) { out(module.constants); });
  write_section(payload, Section::Connectors, [&](ByteWriter& out) { out(module.connectors); });
  write_section(payload, Section::Operations, [&](ByteWriter& out) { out(module.operations); });
  write_section(payload, Section::Triggers, [&](ByteWriter& out) { out(module.triggers); });
  write_section(payload, Section::Settings, [&](ByteWriter& out) { out(module.settings); });
  write_section(payload, Section::Functions, [&](ByteWriter& out) { out(module.functions); });
  write_section(payload, Section::Flows, [&](ByteWriter& out) { out(module.flows); });
  const std::string body = payload.take();

  ByteWriter length;
  length.number(static_cast<std::uint64_t>(body.size()));
  const std::string checked = length.take() + body;
  ByteWriter header;
  header.number(kFormatVersion);
  header.number(checksum(checked));
  return std::string(kMagic) + header.take() + checked;
}

Result<Module> decode(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size())) return error("not a Flow module");
  if (bytes.size() < kHeaderBytes) return error("truncated");
  ByteReader header(bytes.substr(kMagic.size(), kHeaderBytes - kMagic.size()));
  const auto version = header.number<std::uint32_t>();
  FLOW_TRY_STATUS(check_version(version));
  if (bytes.size() > kMaxModuleBytes) return error("larger than any module may be");
  const auto expected = header.number<std::uint32_t>();
  const auto length = header.number<std::uint64_t>();
  if (length > bytes.size() - kHeaderBytes) return error("truncated");
  if (length < bytes.size() - kHeaderBytes) return error("damaged: bytes follow its end");
  if (checksum(bytes.substr(kChecksummedFrom)) != expected) return error("damaged (checksum)");
  return read_payload(bytes.substr(kHeaderBytes), version);
}

}  // namespace flow
