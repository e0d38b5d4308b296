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

}  // namespace
}  // namespace flow::test
