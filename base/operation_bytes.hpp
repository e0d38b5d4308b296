// The layout, as bytes, of what a module and the library of declarations both hold: types, connectors,
// operations and triggers.
#pragma once

#include "base/bytes.hpp"
#include "base/fault.hpp"
#include "base/operation.hpp"
#include "base/type.hpp"

namespace flow {

template <>
inline constexpr Auth::Kind kLast<Auth::Kind> = Auth::Kind::Hmac;
template <>
inline constexpr Template::Kind kLast<Template::Kind> = Template::Kind::Join;
template <>
inline constexpr Effect kLast<Effect> = Effect::Notify;
template <>
inline constexpr FaultKind kLast<FaultKind> = kLastFault;
template <>
inline constexpr CrashRule::Kind kLast<CrashRule::Kind> = CrashRule::Kind::Ask;
template <>
inline constexpr Protocol kLast<Protocol> = Protocol::Egress;
template <>
inline constexpr Trigger::Kind kLast<Trigger::Kind> = Trigger::Kind::Digest;
template <>
inline constexpr Trigger::CatchUp kLast<Trigger::CatchUp> = Trigger::CatchUp::All;

template <>
inline constexpr BodyForm kLast<BodyForm> = BodyForm::Bytes;
template <>
inline constexpr Paging::Kind kLast<Paging::Kind> = Paging::Kind::Skip;

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
  if (io.is_since(6)) io(it.by);
}
FLOW_DESCRIBE(ErrorRule) {
  io(it.status, it.code, it.kind);
  if (io.is_since(6)) io(it.is_success);
}
FLOW_DESCRIBE(CrashRule) {
  io(it.kind, it.operation, it.arguments, it.field);
}
FLOW_DESCRIBE(Completion) {
  io(it.operation, it.arguments, it.field, it.final_values);
}
FLOW_DESCRIBE(Several) {
  io(it.operation, it.arguments, it.at_most, it.field);
}
FLOW_DESCRIBE(Paging) {
  io(it.kind, it.name, it.page_size, it.limit);
}
FLOW_DESCRIBE(FollowUp) {
  io(it.method, it.path, it.when);
}
FLOW_DESCRIBE(Upload) {
  io(it.list, it.content, it.from_bytes, it.path, it.body, it.discard);
}
FLOW_DESCRIBE(AllowRule) {
  io(it.parameter, it.one, it.many);
}
FLOW_DESCRIBE(Route) {
  io(it.name, it.connector, it.protocol, it.method, it.path, it.query, it.headers, it.body);
  if (io.is_since(6)) io(it.body_form, it.content_type, it.pages);
  io(it.permissions, it.quota, it.errors, it.crash);
  if (io.is_since(6)) io(it.is_mail, it.most_bytes, it.upload, it.then, it.allowed);
}
FLOW_DESCRIBE(Operation) {
  io(it.connector, it.name, it.effect, it.parameters, it.result, it.result_member);
  if (io.is_since(6)) io(it.result_members_else);
  io(it.routes, it.targets, it.inverse, it.completes, it.doc, it.source, it.retires, it.replacement);
  if (io.is_since(7)) io(it.several);
}
FLOW_DESCRIBE(Auth) {
  io(it.kind, it.scope, it.token, it.header, it.prefix, it.query);
}
// Until version 5 of modules a connector had the scope of a token of Entra, or nothing.
inline void read_scope(ByteWriter&, const Auth&) {}
inline void read_scope(ByteReader& in, Auth& auth) {
  in(auth.scope);
  auth.kind = auth.scope.empty() ? Auth::Kind::None : Auth::Kind::Entra;
}
FLOW_DESCRIBE(Connector) {
  io(it.name, it.base);
  if (io.is_since(6))
    io(it.auth);
  else
    read_scope(io, it.auth);
}
FLOW_DESCRIBE(Trigger::Binding) {
  io(it.name, it.wire, it.type, it.doc, it.has_default);
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
  io(it.name, it.wire, it.type, it.doc, it.default_json);
  if (io.is_since(6)) io(it.also);
}
FLOW_DESCRIBE(RecordType) {
  io(it.name, it.fields, it.doc);
}
FLOW_DESCRIBE(EnumType) {
  io(it.name, it.values, it.is_ordered, it.doc);
}

// A table's types but for those that every table has. What was written is read into a new table with the same
// ids.
void write_types(ByteWriter& out, const TypeTable& types);
void read_types(ByteReader& in, TypeTable& types);

}  // namespace flow
