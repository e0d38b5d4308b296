// Flows that wait for people and for messages, for the real machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "live.hpp"
#include "parallel_module.hpp"

namespace flow::test {

inline constexpr std::int64_t kHourUs = 60 * kMinuteUs;

// Its mails go out by `mail.mail`, as those of compiled flows do.
inline void with_mail(Assembler& a) {
  a.module.operations[kSendMail].name = "mail";
}

inline std::uint32_t add_approve(Assembler& a) {
  return add_system(a, "approve",
                    {{.name = "by", .type = a.world.emails},
                     {.name = "subject", .type = kStringType},
                     {.name = "details", .type = kStringType}},
                    kBoolType);
}

// Asks ann and bob, into r[to]; `within_us` of 0 is for ever.
inline void emit_approve(Assembler& a, std::uint32_t approve, unsigned to, std::int64_t within_us,
                         const std::string& first = "ann@contoso.com") {
  a.load_text(20, first, kEmailType).load_text(21, "bob@contoso.com", kEmailType);
  a.emit(Op::NewList, 10, 20, 2, a.world.emails);
  a.load_text(11, "Isolate the server?").load_text(12, "It mines.");
  a.call(to, approve, 10);
  if (within_us > 0) a.flow().call_sites.back().options = CallOptions{.await_within_us = within_us};
}

// Asks whether to go on, says the answer, and isolates.
inline Module asking_flow(std::int64_t within_us, const std::string& first = "ann@contoso.com") {
  Assembler a;
  const auto approve = add_approve(a);
  with_mail(a);
  a.emit(Op::EnterBody);
  emit_approve(a, approve, 5, within_us, first);
  a.show(5).emit(Op::Unwrap, 6, kMachineId).load_text(7, "agreed").call(8, kIsolate, 6).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

// Says what it is sent as `callback`, twice.
inline Module receiving_flow(std::int64_t within_us) {
  Assembler a;
  const auto receive = add_system(a, "receive", {{.name = "name", .type = kStringType}}, kJsonType);
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).load_text(5, "callback");
  a.load_int(7, kMinuteUs, kDurationType).call(8, wait, 7);
  for (int i = 0; i < 2; ++i) {
    a.call(6, receive, 5);
    if (within_us > 0) a.flow().call_sites.back().options = CallOptions{.await_within_us = within_us};
    a.show(6);
  }
  a.emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

}  // namespace flow::test
