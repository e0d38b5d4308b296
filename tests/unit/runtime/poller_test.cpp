// What a poll takes for one event: a new thing by its ID, a changed one by its ID and the time of the change.
#include "runtime/poller.hpp"

#include <gtest/gtest.h>

namespace flow::test {
namespace {

std::vector<std::string> keys(bool tells_of_changes) {
  Trigger trigger{.connector = "defender",
                  .name = "alert",
                  .operation = "list_alerts",
                  .cursor_field = "time",
                  .key_field = "id"};
  if (tells_of_changes)
    trigger.bindings.push_back({.name = "previous", .wire = "previous", .type = kJsonType});
  Poller poller(CursorRow{"tenant", "defender.alert", 0, 0}, {});
  poller.begin(trigger, {}, 1'800'000'000'000'000);
  const auto page = poller.take_page(R"([{"id":"a","time":"2026-11-20T08:00:00Z"},
    {"id":"a","time":"2026-11-20T09:00:00Z"},{"id":"b","time":"2026-11-20T09:00:00Z"}])");
  EXPECT_TRUE(page.has_value());
  std::vector<std::string> fresh;
  for (const PolledEvent& event : page->events)
    if (poller.is_first(event.key)) fresh.push_back(event.key);
  return fresh;
}

TEST(Poller, NewThingsGoByTheirId) {
  EXPECT_EQ(keys(false), (std::vector<std::string>{"a", "b"}));
}

TEST(Poller, ChangesGoByTheirIdAndTime) {
  EXPECT_EQ(keys(true), (std::vector<std::string>{"a\n2026-11-20T08:00:00Z", "a\n2026-11-20T09:00:00Z",
                                                  "b\n2026-11-20T09:00:00Z"}));
}

TEST(Poller, TheTimeOfAnEventCanStandWithin) {
  Trigger trigger{.connector = "sentinel",
                  .name = "sentinel_incident.new",
                  .operation = "some_incidents",
                  .cursor_field = "properties/createdTimeUtc",
                  .key_field = "name"};
  constexpr std::int64_t kNow = 1'800'000'000'000'000;
  Poller poller(CursorRow{"tenant", "sentinel", 0, 0}, {});
  EXPECT_NE(poller.begin(trigger, {}, kNow).find("properties/createdTimeUtc ge 1970-01-01"),
            std::string::npos);
  const auto page = poller.take_page(R"([{"name":"a","properties":{"createdTimeUtc":"2026-11-20T08:00:00Z"}},
    {"name":"b","properties":{}},{"name":"c"}])");
  ASSERT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->events[0].time_us, 1'795'161'600'000'000);
  EXPECT_EQ(page->events[1].time_us, kNow);
  EXPECT_EQ(page->events[2].time_us, kNow);
}

TEST(Poller, AnApiThatLeavesNothingOutIsAskedForLessAtOnce) {
  Trigger trigger{.connector = "a",
                  .name = "b",
                  .operation = "list",
                  .cursor_field = "time",
                  .key_field = "id",
                  .page_size = 2};
  Poller poller(CursorRow{"tenant", "a.b", 0, 0}, {});
  poller.begin(trigger, {}, 1'800'000'000'000'000);
  const char* const same =
      R"([{"id":"a","time":"2026-11-20T08:00:00Z"},{"id":"b","time":"2026-11-20T08:00:00Z"}])";
  ASSERT_TRUE(poller.take_page(same));
  const auto second = poller.next_page();
  ASSERT_TRUE(second);
  EXPECT_NE(second->find(R"("skip":2)"), std::string::npos);
  EXPECT_EQ(second->find(" lt "), std::string::npos);
  ASSERT_TRUE(poller.take_page(same));
  const auto third = poller.next_page();
  ASSERT_TRUE(third);
  EXPECT_NE(third->find(" lt "), std::string::npos) << *third;
  EXPECT_NE(third->find(R"("skip":0)"), std::string::npos);
}

}  // namespace
}  // namespace flow::test
