// `[protect]` of flow.toml: from the text to rules, and mistakes to where they stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "apps/server/config.hpp"
#include "base/source.hpp"

namespace flow {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kTenant =
    "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";

struct Made {
  Protections protections;
  std::string problems;  // as they are printed
  std::string error;
};

Made made(const std::string& rules) {
  const std::string text = rules + kTenant;
  const auto config = parse_config("flow.toml", text);
  if (!config) return {.protections = {}, .problems = {}, .error = config.error().message};
  Diagnostics diagnostics;
  auto protections = compile_protections(config->protection_texts, text, diagnostics);
  Made result;
  const Files files{std::make_shared<const SourceFile>("flow.toml", text)};
  for (const Diagnostic& each : diagnostics.all()) result.problems += render_text(each, files, false);
  if (protections)
    result.protections = std::move(*protections);
  else
    result.error = protections.error().message;
  return result;
}

TEST(ProtectionRules, OfEveryKindAreRules) {
  const Made all = made(R"(
[protect.machine]
domain-controllers = 'machine.name matches "^dc[0-9]" or "Tier0" in machine.tags'
ours = 'machineId == "1111111111111111111111111111111111111111" and operation != "defender.add_tag"'

[protect.user]
break-glass = 'userId in ["root@contoso.com"]'

[protect.alert]
closed = 'alert.status == Resolved'

[protect.value]
our-network = 'value startsWith "10."'

[protect.act]
freeze = 'now() > "2026-12-24" and tenant == "contoso" and flowName != "release"'
)");
  EXPECT_EQ(all.problems, "");
  EXPECT_EQ(all.error, "");
  ASSERT_THAT(all.protections.kinds, SizeIs(5));
  EXPECT_EQ(all.protections.kinds[0].fetch, "defender.get_machine");
  ASSERT_THAT(all.protections.kinds[0].rules, SizeIs(2));
  EXPECT_EQ(all.protections.kinds[0].rules[0].name, "machine.domain-controllers");
  EXPECT_EQ(all.protections.kinds[1].fetch, "defender.get_alert");
  EXPECT_EQ(all.protections.kinds[2].fetch, "") << "nothing of a user is looked up";
  const auto engine = vm_engine();
  EXPECT_TRUE(engine->load(all.protections.module));
}

TEST(ProtectionRules, ADeviceIsLookedUpOnlyWhenARuleSpeaksOfIt) {
  EXPECT_EQ(made("[protect.machine]\na = 'machineId == \"1111111111111111111111111111111111111111\"'\n")
                .protections.kinds.at(0)
                .fetch,
            "");
}

TEST(ProtectionRules, NoneAreNone) {
  EXPECT_EQ(made("").protections.module, "");
}

TEST(ProtectionRules, AMistakeIsToldWhereItStands) {
  const Made typo = made("[protect.machine]\ndcs = 'machine.nmae matches \"^dc\"'\n");
  EXPECT_THAT(typo.problems, HasSubstr("flow.toml:2:16"));
  EXPECT_THAT(typo.problems, HasSubstr("did you mean `name`?"));
  const Made other = made("[protect.user]\nx = 'machine.name == \"a\"'\n");
  EXPECT_THAT(other.problems, HasSubstr("flow.toml:2:6"));
  const Made no_bool = made("[protect.machine]\nx = 'machine.name'\n");
  EXPECT_THAT(no_bool.problems, HasSubstr("flow.toml:2:"));
  const Made open = made("[protect.machine]\nx = '(machine.name == \"a\"'\n");
  EXPECT_THAT(open.problems, HasSubstr("flow.toml:2:"));
  const Made empty = made("[protect.machine]\nx = ''\n");
  EXPECT_THAT(empty.problems, HasSubstr("flow.toml:2:"));
}

TEST(ProtectionRules, EscapesAndSeveralLinesAreNoProblem) {
  EXPECT_EQ(made("[protect.machine]\nx = \"machine.name == \\\"a\\\"\"\n").problems, "");
  const Made lines =
      made("[protect.machine]\nx = '''\nmachine.name == \"a\"\n or machine.nmae == \"b\"'''\n");
  EXPECT_THAT(lines.problems, HasSubstr("flow.toml:4:13"));
}

TEST(ProtectionRules, ATableThatIsNoneIsTold) {
  EXPECT_EQ(
      made("[protect.device]\nx = 'true'\n").error,
      "flow.toml: line 1: unknown key `device` in `protect`; known are machine, alert, user, value, act");
  EXPECT_EQ(made("[protect.machine]\nx = 7\n").error, "flow.toml: line 2: `x` must be a text in quotes");
}

TEST(ProtectionRules, ARuleAsksForNothingElse) {
  EXPECT_EQ(
      made("[protect.machine]\nx = 'list_machines(top: 1).length() > 0'\n").error,
      "`protect.machine.x` calls `defender.list_machines`; a protection looks at its target, and may ask "
      "for the time, no more");
}

}  // namespace
}  // namespace flow
