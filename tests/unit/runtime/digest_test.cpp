// `mail.digest`: a storm becomes one mail, whatever happens between the first line and the mail.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/mail_digest.hpp"
#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kFlows = R"(
  flow noted on manual (what: String) do mail.digest("soc@contoso.com", "Storm", what, within: 15m)
  flow other on manual (what: String) do mail.digest(["SOC@contoso.com"], "Storm", what, within: 2h)
  flow keyed on manual (what: String) do mail.digest("soc@contoso.com", "About {what}", what, within: 15m, key: "k")
  flow elsewhere on manual (what: String) do mail.digest("ciso@contoso.com", "Storm", what, within: 15m, key: "k")
  flow recorded on manual (what: String) dry run do mail.digest("soc@contoso.com", "Storm", what, within: 15m)
  flow short_lived on manual (what: String) do mail.digest("soc@contoso.com", "Storm", what, within: 10ms)
)";

struct Scene {
  Live live;
  Module module = compiled(kFlows);
  std::vector<std::string> mails;  // their arguments
  int keys = 0;

  bool boot(Store* store = nullptr) {
    live.bench.world.interfere = [this](const std::string& name,
                                        const OperationCall& call) -> std::optional<Outcome> {
      if (name == "mail.mail") mails.push_back(call.arguments);
      return std::nullopt;
    };
    return live.boot(module, store);
  }
  bool say(const std::string& flow, const std::string& what) {
    live.runtime->start({.tenant = "contoso",
                         .name = flow,
                         .event = fmt::format(R"({{"what":"{}"}})", what),
                         .key = fmt::format("k{}", ++keys)},
                        [](const StartAnswer& answer) { EXPECT_EQ(answer.problem, ""); });
    return live.pass(kSecondUs);
  }
  std::vector<RunRow> digests() {
    std::vector<RunRow> rows = live.bench.runs();
    std::erase_if(rows, [](const RunRow& row) { return row.flow != kDigestFlow; });
    return rows;
  }
};
struct Digests : testing::Test, Scene {};

TEST_F(Digests, GatherTheLinesOfAWindowIntoOneMail) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("noted", "one") && say("noted", "two") && say("other", "three"));
  EXPECT_THAT(mails, SizeIs(0));
  EXPECT_THAT(digests(), SizeIs(1)) << "the first call opens the window, whatever the others would say";
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u) << "it sleeps meanwhile";
  ASSERT_TRUE(live.pass(15 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(1));
  for (const char* part :
       {"one\\n", "two\\n", "three\\n", R"("to":["soc@contoso.com"])", R"("subject":"Storm")"})
    EXPECT_THAT(mails[0], HasSubstr(part));
  EXPECT_EQ(digests().at(0).state, RunState::Finished);
  ASSERT_TRUE(say("noted", "four"));
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(2)) << "a new window";
  EXPECT_THAT(mails[1], Not(HasSubstr("one")));
}

TEST_F(Digests, AreToldApartByKeyAndByWhoIsTold) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("keyed", "a") && say("keyed", "b") && say("elsewhere", "c"));
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(2));
  std::ranges::sort(mails);
  EXPECT_THAT(mails[0] + mails[1], HasSubstr(R"("subject":"About a")"));
  const bool is_first = mails[0].find("ciso@") != std::string::npos;
  EXPECT_THAT(mails[is_first ? 1 : 0], Not(HasSubstr("  c\\n"))) << "nobody reads what was meant for others";
}

TEST_F(Digests, LoseNothingOverRestarts) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("noted", "before"));
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("noted", "after"));
  ASSERT_TRUE(live.pass(5 * kMinuteUs));
  ASSERT_TRUE(boot());
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  ASSERT_TRUE(boot());
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(mails[0], HasSubstr("before"));
  EXPECT_THAT(mails[0], HasSubstr("after"));
}

// Whichever commit it is that fails, the process ends there; the next one goes on from the store.
TEST(DigestDeaths, LeadToOneMail) {
  for (const bool is_written : {false, true}) {
    bool has_died = true;
    for (std::uint64_t at = 1; has_died && at < 60; ++at) {
      SCOPED_TRACE(fmt::format("commit {}, written: {}", at, is_written));
      Scene scene;
      ASSERT_TRUE(scene.boot());
      ASSERT_TRUE(scene.say("noted", "first"));
      FailingStore failing(*scene.live.bench.store, at, is_written);
      has_died = !scene.boot(&failing) || !scene.say("noted", "second") || !scene.live.pass(20 * kMinuteUs);
      ASSERT_TRUE(scene.boot());
      ASSERT_TRUE(scene.live.pass(60 * kMinuteUs));
      std::size_t first = 0, second = 0;
      for (const std::string& mail : scene.mails) {
        first += mail.find("first") != std::string::npos;
        second += mail.find("second") != std::string::npos;
      }
      EXPECT_EQ(first, 1u);
      EXPECT_LE(second, 1u);
      if (!has_died) {
        EXPECT_EQ(second, 1u);
      }
    }
    EXPECT_FALSE(has_died);
  }
}

TEST_F(Digests, TakeNoMoreThanAMailHolds) {
  ASSERT_TRUE(boot());
  for (int i = 0; i < 1003; ++i)
    live.runtime->start({.tenant = "contoso",
                         .name = "noted",
                         .event = fmt::format(R"({{"what":"line {}."}})", i),
                         .key = fmt::format("m{}", i)},
                        [](const StartAnswer&) {});
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(2));
  for (const int i : {0, 999, 1000, 1002})
    EXPECT_EQ((mails[0] + mails[1]).find(fmt::format("line {}.", i)) == std::string::npos, false) << i;
}

TEST_F(Digests, StandInAWindowAndInNoDryRun) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("recorded", "x"));
  EXPECT_THAT(digests(), SizeIs(0));
  ASSERT_TRUE(say("short_lived", "x"));
  EXPECT_THAT(digests(), SizeIs(0));
  const auto runs = live.bench.runs();
  EXPECT_TRUE(std::ranges::any_of(runs, [](const RunRow& row) { return row.state == RunState::Failed; }));
}

TEST_F(Digests, AClockThatIsSetBackLosesNoLine) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(say("noted", "early"));
  ASSERT_TRUE(live.pass(16 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(1));
  live.bench.clock.now -= 10 * kMinuteUs;
  ASSERT_TRUE(say("noted", "late"));
  ASSERT_TRUE(live.pass(40 * kMinuteUs));
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_THAT(mails[1], HasSubstr("late"));
}

}  // namespace
}  // namespace flow::test
