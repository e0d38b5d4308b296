#include "vm/bytecode/encode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/disassemble.hpp"
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
  EXPECT_EQ(back->triggers[0].overlap_us, 300'000'000);
  EXPECT_EQ(back->triggers[0].entities[1].expand_only, std::vector<std::string>{"evidence"});
  EXPECT_EQ(back->flows[0].manifest.poll_filter, "severity eq 'High'");
  EXPECT_EQ(back->constants[2].number, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(back->constants[1].real, 0.1);
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
  future[8] = 7;
  EXPECT_EQ(refusal(future), "made by a newer compiler (format version 7, this build reads 2 to 2)");
  bytes[8] = 0;
  EXPECT_THAT(refusal(bytes), HasSubstr("format version 0 is not read any more"));
  bytes[8] = 2;
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
