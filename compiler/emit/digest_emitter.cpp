#include "compiler/emit/digest_emitter.hpp"

#include <algorithm>

#include "base/calendar.hpp"
#include "base/mail_digest.hpp"

namespace flow {
namespace {

// What was gathered must not be lost because a mail server is down for an hour: together some three hours.
constexpr std::uint32_t kRetries = 20;
constexpr std::int64_t kFirstPauseUs = 30 * kSecondUs;
constexpr std::int64_t kLongestPauseUs = 600 * kSecondUs;

}  // namespace

DigestEmitter::DigestEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body,
                             EmitOptions options)
    : RoutineEmitter(builder, tree, body, made_, options), body_of_digest_(body) {}

DigestEmitter::Register DigestEmitter::input(Trigger& trigger, const std::string& name, TypeId type) {
  const Register reg = code_.take();
  made_.inputs.push_back({.name = name, .type = type, .source = Input::Source::Binding, .wire = name});
  trigger.bindings.push_back({.name = name, .wire = name, .type = type, .doc = {}});
  code_.name(reg, name);
  return reg;
}

FlowCode DigestEmitter::run() {
  const std::uint32_t end = builder_.library().operation_names.at("flow.digestEnd");
  const std::uint32_t mail = builder_.library().operation_names.at("mail.mail");
  const Operation& operation = builder_.library().operations[mail];
  Trigger trigger{.kind = Trigger::Kind::Digest,
                  .name = std::string(kDigestTrigger),
                  .endpoint = std::string(kDigestOperation)};
  made_.doc = "Sends what `mail.digest` has gathered when its window is over.";
  const Register to = input(trigger, "to", builder_.module().types.list(kEmailType));
  const Register subject = input(trigger, "subject", kStringType);
  const Register until = input(trigger, "until", kTimeType);
  builder_.module().triggers.push_back(std::move(trigger));
  made_.trigger = static_cast<std::uint32_t>(builder_.module().triggers.size() - 1);
  code_.mark(body_of_digest_.node);
  code_.add(Op::EnterBody);
  const Register argument = code_.take(), gathered = code_.take();
  code_.add(Op::Move, argument, until);
  system_call(end, argument, gathered);
  const Register first = code_.take(operation.parameters.size());
  for (std::size_t i = 0; i < operation.parameters.size(); ++i) {
    const Parameter& parameter = operation.parameters[i];
    const auto target = static_cast<Register>(first + i);
    if (parameter.name == "to")
      code_.add(Op::Move, target, to);
    else if (parameter.name == "subject")
      code_.add(Op::Move, target, subject);
    else if (parameter.name == "body")
      code_.add(Op::Move, target, gathered);
    else
      default_argument(parameter, target);
  }
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back(
      {.operation = builder_.operation(mail),
       .first_argument = first,
       .is_fetch = false,
       .options = CallOptions{
           .retries = kRetries, .backoff_min_us = kFirstPauseUs, .backoff_max_us = kLongestPauseUs}});
  code_.add_imm(Op::Call, first, 0, 0, site);
  code_.add(Op::Finish);
  complete();
  const std::uint32_t line = tree_.line(body_of_digest_.node);
  made_.manifest.calls = {
      {.operation = builder_.operation(end), .at_most = 1, .is_fetch = false, .line = line},
      {.operation = builder_.operation(mail), .at_most = 1, .is_fetch = false, .line = line}};
  made_.manifest.recipients = {
      {.operation = builder_.operation(mail), .parameter = "to", .constants = {}, .computed = {"to"}}};
  return std::move(made_);
}

}  // namespace flow
