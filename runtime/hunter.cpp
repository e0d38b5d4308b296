#include "runtime/hunter.hpp"

#include <fmt/format.h>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"
#include "runtime/schedule.hpp"

namespace flow {
namespace {

constexpr std::int64_t kRememberedUs = 31 * kDayUs;  // no query reaches farther back than 30 days
constexpr std::uint32_t kMostRemembered = 200'000;

// Of all columns, in the order of their names. Nothing when it is no row.
std::optional<std::string> key_of(const std::string& row) {
  const auto columns = json_members(row);
  if (!columns) return std::nullopt;
  std::string text;
  for (const auto& [name, value] : *columns) text += fmt::format("{}:{}\n", json_quoted(name), value);
  return sha256_hex(text);
}

}  // namespace

std::string Hunter::begin(const Trigger& trigger, const PollShape&, std::int64_t now_us) {
  trigger_ = trigger;
  now_us_ = now_us;
  const DueFirings due = due_firings(trigger, cursor_.watermark_us, now_us, 1);
  firing_us_ = due.times_us.empty() ? now_us : due.times_us.back();
  keys_.clear();
  return fmt::format(R"({{"query":{}}})", json_quoted(trigger.query));
}

Result<PolledPage> Hunter::take_page(std::string_view json) {
  const auto elements = json_elements(json);
  if (!elements)
    return error(fmt::format("the answer of {}.{} is no JSON list", trigger_.connector, trigger_.operation));
  PolledPage page;
  std::vector<std::string> rows, keys;
  for (const std::string& element : *elements) {
    auto key = key_of(element);
    if (!key) {
      page.unusable.emplace_back("a row was left out: it is not a well-formed JSON object");
    } else if (trigger_.is_batch) {
      rows.push_back(element);
      keys.push_back(std::move(*key));
    } else {
      page.events.push_back(PolledEvent{
          .json = fmt::format(R"({{"row":{},"scheduledAt":"{}"}})", element, format_time_us(firing_us_)),
          .key = std::move(*key),
          .time_us = now_us_,
          .with = {}});
    }
  }
  if (!trigger_.is_batch) return page;
  FLOW_TRY(PolledEvent all, batch(rows, keys));
  if (!all.with.empty()) page.events.push_back(std::move(all));
  return page;
}

// One event with the rows that are new; its key is that of them all.
Result<PolledEvent> Hunter::batch(const std::vector<std::string>& rows,
                                  const std::vector<std::string>& keys) {
  PolledEvent event;
  std::string list, names;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    FLOW_TRY(const bool is_seen, is_seen_(keys[i]));
    if (is_seen || !is_first(keys[i])) continue;
    list += (list.empty() ? "" : ",") + rows[i];
    names += keys[i];
    event.with.push_back(keys[i]);
  }
  event.json = fmt::format(R"({{"rows":[{}],"scheduledAt":"{}"}})", list, format_time_us(firing_us_));
  event.key = sha256_hex(names);
  event.time_us = now_us_;
  return event;
}

EventReader::Done Hunter::finish() {
  cursor_.watermark_us = firing_us_;
  return Done{.cursor = cursor_,
              .forget = ForgetRow{cursor_.tenant, cursor_.trigger, now_us_ - kRememberedUs, kMostRemembered},
              .is_behind = false,
              .problem = {}};
}

}  // namespace flow
