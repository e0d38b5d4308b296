#include "runtime/journal.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"
#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

std::vector<Entry> one_of_each() {
  Fault fault = fault_of(FaultKind::Throttled, true, 5);
  fault.message = "quotes \" and \n lines";
  fault.status = 429;
  fault.code = "TooManyRequests";
  Ended failed{Ended::How::Failed, "", fault, 12};
  Ended failed_within = failed;
  failed_within.trace = {{"score", 12}, {"isolate \"high\"", 30}};
  return {StartedEntry{.event = R"({"id":"a","n":1.50})"},
          IntentEntry{3, 2, "defender.isolate", R"({"a":[1, {"b":null}]})", 7, true},
          RetryEntry{3, fault, 99},
          RetryEntry{3, std::nullopt, 99},
          OutcomeEntry{3, Returned{"-1.250e3"}, true},
          OutcomeEntry{3, fault, false},
          BegunEntry{3, R"({"id":"x"})", 5, 1'800'000},
          OutcomeEntry{3, Returned{"null"}, false, AnsweredBy::DryRun},
          OutcomeEntry{3, Returned{"null"}, false, AnsweredBy::Skip},
          OutcomeEntry{3, fault, false, AnsweredBy::Deadline},
          ResumedEntry{4, 3, true, 7, "a@b.c"},
          ResumedEntry{.from = 4, .at_us = 7},
          CancelledEntry{"a@b.c", "no \"longer\""},
          LogEntry{1, "said \"so\"", 4},
          EnteredEntry{},
          RecoveredEntry{},
          ParkedEntry{"why"},
          EndedEntry{failed},
          EndedEntry{failed_within},
          EndedEntry{Ended{Ended::How::Stopped, "enough", {}, 3}},
          EndedEntry{Ended{Ended::How::Finished, "", {}, 3}}};
}

TEST(Journal, EveryEntryComesBackAsItWas) {
  std::set<EntryKind> kinds;
  for (const Entry& entry : one_of_each()) {
    kinds.insert(kind_of(entry));
    const std::string text = encode_entry(entry);
    ASSERT_TRUE(is_json(text)) << text;
    const auto back = decode_entry(kind_of(entry), text);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->index(), entry.index());
    EXPECT_EQ(encode_entry(*back), text);
  }
  std::size_t rows = 0;
#define FLOW_ENTRY(number, name, since, meaning) ++rows, static_cast<void>(kinds.count(EntryKind::name));
#include "runtime/entries.def"
#undef FLOW_ENTRY
  EXPECT_EQ(kinds.size(), rows) << "one_of_each() lacks a kind";
}

TEST(Journal, JsonInsideKeepsItsSpelling) {
  const auto back = decode_entry(EntryKind::Answered, R"({"call":0,"result":{"a" : 1.50, "b":[ ]}})");
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<Returned>(std::get<OutcomeEntry>(*back).outcome).json, R"({"a" : 1.50, "b":[ ]})");
}

TEST(Journal, UnknownMembersAreSkipped) {
  const auto back =
      decode_entry(EntryKind::Log, R"({"of_tomorrow":{"x":[1]},"log":1,"line":2,"text":"t","more":null})");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<LogEntry>(*back).text, "t");
}

TEST(Journal, DamageIsNamed) {
  for (const Entry& entry : one_of_each()) {
    const std::string text = encode_entry(entry);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      const auto back = decode_entry(kind_of(entry), std::string_view(text).substr(0, cut));
      ASSERT_FALSE(back);
      EXPECT_NE(back.error().message.find("damaged"), std::string::npos);
    }
  }
  EXPECT_NE(decode_entry(EntryKind::Intent, R"({"call":0,"attempt":1,"line":1,"arguments":{}})")
                .error()
                .message.find("`operation`"),
            std::string::npos);
  EXPECT_FALSE(decode_entry(EntryKind::Answered, R"({"call":-1,"result":1})"));
  EXPECT_FALSE(decode_entry(EntryKind::Answered, R"({"call":0,"fault":{"kind":"NoSuch"}})"));
  EXPECT_FALSE(decode_entry(EntryKind::Answered, R"({"call":0})"));
  EXPECT_FALSE(decode_entry(EntryKind::Ended, R"({"how":"vanished","line":1})"));
}

TEST(JsonText, ElementsAreFoundThoughOneIsBad) {
  EXPECT_EQ(json_elements("[]")->size(), 0u);
  EXPECT_EQ(json_elements(R"([1 , {"a":[2]} ,"x"])")->at(1), R"({"a":[2]})");
  EXPECT_EQ(json_elements("{}"), std::nullopt);
  EXPECT_EQ(json_elements(""), std::nullopt);
  EXPECT_EQ(json_members("[1]"), std::nullopt);
  EXPECT_EQ(json_member(R"({"a":1,"b":"x"})", "b"), "\"x\"");
  EXPECT_EQ(json_member(R"({"a":1})", "b"), std::nullopt);
}

}  // namespace
}  // namespace flow::test
