#include "vm/bytecode/encode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/summary.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

Module sample() {
  Assembler a;
  const auto fetch = a.jump(Op::JumpIfSet, kMachine);
  a.emit(Op::Unwrap, kFree, kMachineId).call(kMachine, kGetMachine, kFree, true);
  a.land(fetch)
      .load_text(kFree, "tagged é\n")
      .load_float(kFree + 1, 0.1)
      .load_int(kFree + 2, std::numeric_limits<std::int64_t>::min());
  a.load_severity(kFree + 3, 3).emit(Op::Log, kFree).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Stop, kFree);
  a.flow().handlers = {{.begin = 0, .end = handler, .target = handler, .register_ = kFree}};
  a.flow().lines = {{.pc = 0, .line = 4, .column = 2}, {.pc = 2, .line = 5, .column = 9}};
  a.flow().names = {{.begin = 1, .end = 3, .register_ = kFree, .name = "id"}};
  a.flow().call_sites.push_back(a.flow().call_sites[0]);
  a.flow().call_sites.push_back({.operation = kIsolate,
                                 .first_argument = kFree,
                                 .options = CallOptions{.retries = 3,
                                                        .backoff_min_us = 1'000'000,
                                                        .backoff_max_us = 60'000'000,
                                                        .timeout_us = 30'000'000,
                                                        .lease_us = 3'600'000'000,
                                                        .is_awaited = true,
                                                        .await_within_us = 600'000'000}});
  a.module.operations[kGetMachine].several =
      Several{.operation = "find_actions",
              .arguments = object_template({"machine"}, {param_template("machine")}),
              .at_most = 40,
              .field = "id"};
  a.flow().result = a.world.node;
  a.flow().policies = {.limits = {{.operation = kIsolate,
                                   .count = 10,
                                   .window_us = 3'600'000'000,
                                   .otherwise = Policies::Limit::Otherwise::Ask,
                                   .ask_to = "soc@contoso.com"}},
                       .within_us = 60'000'000,
                       .at_most = 4,
                       .priority = Policies::Priority::High,
                       .tenants = {"contoso"},
                       .is_dry_run = true,
                       .has_once = true,
                       .has_protect = true};
  a.module.settings = {{.name = "soc", .type = kEmailType, .is_required = true, .doc = "who is told"},
                       {.name = "key", .type = kSecretType, .is_secret = true}};
  Trigger& cron = a.module.triggers.emplace_back();
  cron.kind = Trigger::Kind::Cron;
  cron.name = "cron";
  cron.cron = "0 7 * * MON-FRI";
  cron.zone = "Europe/Berlin";
  cron.catch_up = Trigger::CatchUp::All;
  Trigger& hunt = a.module.triggers.emplace_back();
  hunt.kind = Trigger::Kind::Hunt;
  hunt.name = "hunt";
  hunt.interval_us = 3'600'000'000;
  hunt.query = "DeviceInfo";
  hunt.is_batch = true;
  Trigger& called = a.module.triggers.emplace_back();
  called.kind = Trigger::Kind::Call;
  called.name = "call";
  called.result = a.world.node;
  return std::move(a.module);
}

std::string refusal(std::string_view bytes) {
  const auto module = decode(bytes);
  return module ? "" : module.error().message;
}

TEST(Encode, RoundTripsEverything) {
  const Module module = sample();
  ASSERT_TRUE(verify(module)) << verify(module).error().message;
  const std::string bytes = encode(module);
  const auto back = decode(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(verify(*back));
  EXPECT_EQ(encode(*back), bytes);
  EXPECT_EQ(disassemble(*back), disassemble(module));
  EXPECT_EQ(back->types.size(), module.types.size());
  for (TypeId id = 0; id < module.types.size(); ++id) EXPECT_EQ(back->types.name(id), module.types.name(id));
  const Route& route = back->operations[kIsolate].routes[0];
  EXPECT_EQ(route.body->children[1].children[1].kind, Template::Kind::Item);
  EXPECT_EQ(route.crash->field, "requestorComment");
  EXPECT_EQ(route.errors[0].kind, FaultKind::Conflict);
  EXPECT_EQ(back->operations[kIsolate].completes->final_values,
            (std::vector<std::string>{"Succeeded", "Failed"}));
  ASSERT_TRUE(back->operations[kGetMachine].several);
  EXPECT_EQ(back->operations[kGetMachine].several->arguments.names, std::vector<std::string>{"machine"});
  EXPECT_EQ(back->operations[kGetMachine].several->at_most, 40u);
  EXPECT_EQ(back->flows[0].call_sites[0].options, std::nullopt);
  EXPECT_EQ(back->flows[0].call_sites[2].options, module.flows[0].call_sites[2].options);
  EXPECT_EQ(back->flows[0].result, module.flows[0].result);
  EXPECT_EQ(back->flows[0].policies.limits[0].ask_to, "soc@contoso.com");
  EXPECT_EQ(back->flows[0].policies.tenants, std::vector<std::string>{"contoso"});
  EXPECT_EQ(back->settings[0].doc, "who is told");
  EXPECT_TRUE(back->settings[1].is_secret);
  EXPECT_EQ(back->triggers[1].cron, "0 7 * * MON-FRI");
  EXPECT_EQ(back->triggers[1].catch_up, Trigger::CatchUp::All);
  EXPECT_EQ(back->triggers[2].query, "DeviceInfo");
  EXPECT_EQ(back->triggers[3].result, module.triggers[3].result);
  EXPECT_EQ(back->triggers[0].overlap_us, 300'000'000);
  EXPECT_EQ(back->triggers[0].entities[1].expand_only, std::vector<std::string>{"evidence"});
  EXPECT_EQ(back->flows[0].manifest.poll_filter, "severity eq 'High'");
  EXPECT_EQ(back->constants[2].number, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(back->constants[1].real, 0.1);
}

TEST(Encode, ShowsPoliciesOptionsAndSettings) {
  const Module module = sample();
  const std::string manifest = print_manifest(module);
  EXPECT_THAT(manifest, HasSubstr("once, limit defender.isolate to 10 per 1h else ask \"soc@contoso.com\", "
                                  "protect, within 1m, at most 4 at once, priority high, in tenant contoso, "
                                  "dry run"));
  EXPECT_THAT(manifest, HasSubstr("soc: Email (required), key: Secret"));
  EXPECT_THAT(disassemble(module), HasSubstr("gives Node"));
  Assembler a;
  a.load_text(5, "m1", kMachineIdType).load_text(6, "why").call(7, kIsolate, 5).emit(Op::Finish);
  a.flow().call_sites[0].options = module.flows[0].call_sites[2].options;
  EXPECT_THAT(disassemble(a.module), HasSubstr("defender.isolate from r5, retry 3 backoff 1s..1m timeout 30s "
                                               "lease 1h awaited within 10m"));
}

TEST(Encode, RoundTripsAnEmptyModule) {
  const auto back = decode(encode(Module()));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->flows.empty());
}

TEST(Decode, RefusesEveryChangedByte) {
  const std::string bytes = encode(sample());
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      EXPECT_FALSE(decode(damaged)) << "byte " << at << " with " << change;
    }
}

TEST(Decode, RefusesEveryTruncationAndEveryTail) {
  const std::string bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(refusal(bytes.substr(0, size)), "truncated");
  EXPECT_EQ(refusal(bytes + "x"), "damaged: bytes follow its end");
}

TEST(Decode, SaysWhatIsWrong) {
  std::string bytes = encode(sample());
  EXPECT_EQ(refusal("#!/bin/sh"), "not a Flow module");
  std::string future = bytes;
  future[8] = 8;
  EXPECT_EQ(refusal(future), "made by a newer compiler (format version 8, this build reads 5 to 7)");
  bytes[8] = 0;
  EXPECT_THAT(refusal(bytes), HasSubstr("format version 0 is not read any more"));
  bytes[8] = 4;
  EXPECT_THAT(refusal(bytes), HasSubstr("format version 4 is not read any more"));
  bytes[8] = 5;
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(refusal(bytes), "damaged (checksum)");
}

TEST(Decode, LimitsTheNestingOfTemplates) {
  const auto nested = [](int depth) {
    Module module;
    Template node{.kind = Template::Kind::Null};
    for (int i = 1; i < depth; ++i) node = {.kind = Template::Kind::List, .children = {node}};
    module.operations.push_back({.connector = "c", .name = "o", .routes = {{.path = node}}});
    return encode(module);
  };
  EXPECT_EQ(refusal(nested(64)), "");
  EXPECT_THAT(refusal(nested(65)), HasSubstr("nested too deeply"));
}

TEST(Decode, LimitsTheNumberOfTypes) {
  const auto with_types = [](std::uint32_t count) {
    Module module;
    for (std::uint32_t i = 0; i < count; ++i) module.types.add_enum({.name = "E"});
    return encode(module);
  };
  EXPECT_EQ(refusal(with_types(4096)), "");
  EXPECT_THAT(refusal(with_types(4097)), HasSubstr("does not fit"));
}

}  // namespace
}  // namespace flow::test
