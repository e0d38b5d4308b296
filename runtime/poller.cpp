#include "runtime/poller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {

bool tells_of_changes(const Trigger& trigger) {
  return std::ranges::find(trigger.bindings, "previous", &Trigger::Binding::wire) != trigger.bindings.end();
}

namespace {

// The text at a path through members, as `properties/changed`; nothing when there is none.
std::optional<std::string> text_at(const JsonMembers& members, std::string_view path) {
  std::size_t slash = path.find('/');
  const auto first = members.find(path.substr(0, slash));
  if (first == members.end()) return std::nullopt;
  std::string within = first->second;
  while (slash != std::string_view::npos) {
    path.remove_prefix(slash + 1);
    slash = path.find('/');
    auto member = json_member(within, path.substr(0, slash));
    if (!member) return std::nullopt;
    within = std::move(*member);
  }
  return json_string(within);
}

}  // namespace

Poller::Poller(CursorRow cursor, PollSettings settings) : cursor_(std::move(cursor)), settings_(settings) {}

std::string Poller::begin(const Trigger& trigger, const PollShape& shape, std::int64_t now_us) {
  trigger_ = trigger;
  shape_ = shape;
  now_us_ = now_us;
  from_us_ = resume_us_.value_or(std::max(cursor_.watermark_us - trigger_.overlap_us, cursor_.floor_us));
  until_us_.reset();
  skip_ = 0;
  pages_ = 0;
  is_cut_off_ = false;
  highest_us_ = cursor_.watermark_us;
  keys_.clear();
  return arguments();
}

std::string Poller::arguments() const {
  std::string filter = trigger_.cursor_field + " ge " + format_time_us(from_us_);
  if (until_us_) filter += " and " + trigger_.cursor_field + " lt " + format_time_us(*until_us_);
  if (!shape_.filter.empty()) filter += " and " + shape_.filter;
  std::string json =
      fmt::format(R"({{"filter":{},"top":{},"skip":{})", json_quoted(filter), trigger_.page_size, skip_);
  if (!shape_.expand.empty()) {
    std::string names;
    for (const std::string& name : shape_.expand) names += (names.empty() ? "" : ",") + name;
    json += R"(,"expand":)" + json_quoted(names);
  }
  return json + "}";
}

PolledEvent Poller::read_event(std::string element, std::string& problem) const {
  PolledEvent event;
  const auto members = json_members(element);
  if (!members) {
    problem = "it is not a well-formed JSON object";
    return event;
  }
  const auto key = members->find(trigger_.key_field);
  if (key != members->end() && key->second != "null") {
    event.key = json_string(key->second).value_or(key->second);  // a number is its own spelling
  }
  if (event.key.empty()) problem = fmt::format("it has no `{}`", trigger_.key_field);
  if (event.key.size() > settings_.longest_key)
    problem = fmt::format("its `{}` is too long", trigger_.key_field);
  const auto text = text_at(*members, trigger_.cursor_field);
  event.time_us = (text ? parse_time_us(*text) : std::nullopt).value_or(now_us_);
  // What tells of changes comes again with each: its ID alone does not tell events apart.
  if (tells_of_changes(trigger_) && problem.empty()) {
    event.id = event.key;
    if (text) event.key += "\n" + *text;
  }
  event.json = std::move(element);
  return event;
}

Result<PolledPage> Poller::take_page(std::string_view json) {
  auto elements = json_elements(json);
  if (!elements)
    return error(fmt::format("the answer of {}.{} is no JSON list", trigger_.connector, trigger_.operation));
  PolledPage page;
  // An API that leaves nothing out gives the same page again: a shorter span is all that helps.
  const bool is_again = skip_ > 0 && !elements->empty() && elements->front() == first_element_;
  first_element_ = elements->empty() ? std::string() : elements->front();
  is_last_full_ = elements->size() >= trigger_.page_size;
  skip_ += elements->size();
  pages_ = is_again ? settings_.pages_per_poll : pages_ + 1;
  for (std::string& element : *elements) {
    std::string problem;
    PolledEvent event = read_event(std::move(element), problem);
    if (!problem.empty()) {
      page.unusable.push_back(
          fmt::format("an event of {}.{} was left out: {}", trigger_.connector, trigger_.name, problem));
    } else if (event.time_us < from_us_) {
      ++page.too_old;  // its key may be forgotten already: taking it could run it twice
    } else {
      // A time in the future, of a clock that goes wrong, must not make us skip what comes until then.
      highest_us_ = std::max(highest_us_, std::min(event.time_us, now_us_));
      page.events.push_back(std::move(event));
    }
  }
  return page;
}

std::optional<std::string> Poller::next_page() {
  if (!is_last_full_) return std::nullopt;
  if (pages_ < settings_.pages_per_poll) return arguments();
  if (narrow()) return arguments();
  is_cut_off_ = true;
  return std::nullopt;
}

bool Poller::narrow() {
  const std::int64_t until = until_us_.value_or(std::max(now_us_, from_us_));
  if (until - from_us_ < 2 * settings_.narrowest_us) return false;
  until_us_ = from_us_ + (until - from_us_) / 2;
  skip_ = 0;
  pages_ = 0;
  return true;
}

Poller::Done Poller::finish() {
  Done done;
  if (is_cut_off_) {
    done.problem = fmt::format("{}.{} brings more than {} events in a second; those beyond were not read",
                               trigger_.connector, trigger_.name, skip_);
  }
  // Below `until` everything was read, so nothing above it may count as read.
  const std::int64_t reached = until_us_ ? std::min(*until_us_, now_us_) : highest_us_;
  cursor_.watermark_us = std::max(cursor_.watermark_us, reached);
  resume_us_ = until_us_;
  done.is_behind = until_us_.has_value();
  done.cursor = cursor_;
  const std::int64_t kept_us = std::max<std::int64_t>(4 * trigger_.overlap_us, 3'600'000'000);
  done.forget =
      ForgetRow{cursor_.tenant, cursor_.trigger, cursor_.watermark_us - kept_us, settings_.keep_seen};
  keys_.clear();
  return done;
}

}  // namespace flow
