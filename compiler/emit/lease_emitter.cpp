#include "compiler/emit/lease_emitter.hpp"

#include <algorithm>

#include "base/calendar.hpp"
#include "base/lease.hpp"

namespace flow {
namespace {

// What was cut off must not stay so because an API is down for a weekend: with the longest pause that is
// more than a week.
constexpr std::uint32_t kRetries = 200;
constexpr std::int64_t kFirstPauseUs = 10 * kSecondUs;
constexpr std::int64_t kLongestPauseUs = 3'600 * kSecondUs;

}  // namespace

LeaseEmitter::LeaseEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body,
                           std::uint32_t library_operation, EmitOptions options)
    : RoutineEmitter(builder, tree, body, made_, options),
      body_of_lease_(body),
      leased_(builder.library().operations[library_operation]),
      inverse_(*builder.library().operation(leased_.connector, leased_.inverse)) {}

LeaseEmitter::Register LeaseEmitter::input(const std::string& name, TypeId module_type) {
  const Register reg = code_.take();
  made_.inputs.push_back({.name = name, .type = module_type, .source = Input::Source::Binding, .wire = name});
  code_.name(reg, name);
  return reg;
}

FlowCode LeaseEmitter::run() {
  const std::uint32_t inverse = builder_.library().operation_names.at(inverse_.full_name());
  const std::uint32_t lease = builder_.library().operation_names.at("flow.leaseEnd");
  made_.trigger = builder_.lease_trigger(leased_, inverse_);
  made_.doc = "Undoes `" + leased_.full_name() + "` when its lease is over.";
  const Register length = input(std::string(kLeaseMember), kDurationType);
  std::vector<Register> given;
  const std::vector<std::size_t> kept = kept_parameters(leased_, inverse_);
  for (const std::size_t i : kept)
    given.push_back(input(inverse_.parameters[i].name, builder_.type(inverse_.parameters[i].type)));
  code_.mark(body_of_lease_.node);
  code_.add(Op::EnterBody);
  const Register argument = code_.take(), why_not = code_.take();
  code_.add(Op::Move, argument, length);
  builder_.module().types.optional(kStringType);
  system_call(lease, argument, why_not);
  Label is_over;
  code_.jump(Op::JumpIfNull, why_not, 0, is_over);
  const Register reason = code_.take();
  code_.add(Op::Unwrap, reason, why_not);
  code_.add(Op::Stop, reason);
  code_.place(is_over);
  const Register first = code_.take(std::max<std::size_t>(1, inverse_.parameters.size()));
  for (std::size_t i = 0; i < inverse_.parameters.size(); ++i) {
    const auto target = static_cast<Register>(first + i);
    const auto at = std::ranges::find(kept, i);
    if (at == kept.end())
      default_argument(inverse_.parameters[i], target);
    else
      code_.add(Op::Move, target, given[static_cast<std::size_t>(at - kept.begin())]);
  }
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back(
      {.operation = builder_.operation(inverse),
       .first_argument = first,
       .is_fetch = false,
       .options = CallOptions{
           .retries = kRetries, .backoff_min_us = kFirstPauseUs, .backoff_max_us = kLongestPauseUs}});
  code_.add_imm(Op::Call, first, 0, 0, site);
  code_.add(Op::Finish);
  complete();
  made_.policies.priority = Policies::Priority::High;
  const std::uint32_t line = tree_.line(body_of_lease_.node);
  made_.manifest.calls = {
      {.operation = builder_.operation(lease), .at_most = 1, .is_fetch = false, .line = line},
      {.operation = builder_.operation(inverse), .at_most = 1, .is_fetch = false, .line = line}};
  return std::move(made_);
}

}  // namespace flow
