#include "runtime/journal.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

template <class... Fs>
struct Match : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Match(Fs...) -> Match<Fs...>;

constexpr std::array<std::string_view, 4> kHowNames = {"skipped", "finished", "stopped", "failed"};

constexpr std::array<std::string_view, 7> kAnsweredByNames = {"",       "dry run", "skip",      "limit",
                                                              "within", "shared",  "protection"};

// A name that a newer version wrote says less here, and changes nothing in how the run goes on.
AnsweredBy answered_by_named(std::string_view name) {
  for (std::size_t i = 0; i < kAnsweredByNames.size(); ++i)
    if (kAnsweredByNames[i] == name) return static_cast<AnsweredBy>(i);
  return AnsweredBy::World;
}

std::string fault_json(const Fault& fault) {
  std::string more;
  if (!fault.operation.empty()) more += R"(,"operation":)" + json_quoted(fault.operation);
  if (fault.line != 0) more += fmt::format(R"(,"line":{})", fault.line);
  return fmt::format(
      R"({{"kind":"{}","message":{},"status":{},"code":{},"retry_after_us":{},"maybe_executed":{}{}}})",
      fault_name(fault.kind), json_quoted(fault.message), fault.status, json_quoted(fault.code),
      fault.retry_after_us, fault.maybe_executed, more);
}

std::string outcome_json(const OutcomeEntry& entry) {
  std::string marks = entry.is_settled ? R"("settled":true,)" : "";
  if (entry.by != AnsweredBy::World)
    marks += fmt::format(R"("by":{},)", json_quoted(answered_by_name(entry.by)));
  if (const auto* fault = std::get_if<Fault>(&entry.outcome))
    return fmt::format(R"({{"call":{},{}"fault":{}}})", entry.call, marks, fault_json(*fault));
  return fmt::format(R"({{"call":{},{}"result":{}}})", entry.call, marks,
                     std::get<Returned>(entry.outcome).json);
}

std::string trace_json(const std::vector<Place>& trace) {
  std::string text;
  for (const Place& place : trace)
    text += fmt::format(R"({}{{"routine":{},"line":{}}})", text.empty() ? "" : ",",
                        json_quoted(place.routine), place.line);
  return R"(,"trace":[)" + text + "]";
}

std::string ended_json(const Ended& ended) {
  std::string text = fmt::format(R"({{"how":"{}","line":{})", how_name(ended.how), ended.line);
  if (ended.how == Ended::How::Stopped) text += R"(,"reason":)" + json_quoted(ended.reason);
  if (!ended.result.empty()) text += R"(,"result":)" + ended.result;
  if (ended.how == Ended::How::Failed) text += R"(,"fault":)" + fault_json(ended.fault);
  if (ended.trace.size() > 1) text += trace_json(ended.trace);  // otherwise the line says it
  return text + "}";
}

// Reads the members of one payload. The first that is missing or damaged is remembered; the rest are defaults
// then.
class Reader {
 public:
  Reader(EntryKind kind, std::string_view payload) : kind_(kind) {
    if (auto members = json_members(payload)) {
      members_ = std::move(*members);
    } else {
      problem_ = "it is no JSON object";
    }
  }

  bool has(std::string_view name) const { return members_.find(name) != members_.end(); }
  std::string raw(std::string_view name) {
    const auto found = members_.find(name);
    if (found == members_.end()) return missing(name), std::string("null");
    return found->second;
  }
  std::string text(std::string_view name) {
    auto value = json_string(raw(name));
    if (!value) missing(name);
    return value.value_or("");
  }
  std::int64_t number(std::string_view name) {
    const auto value = json_int(raw(name));
    if (!value) missing(name);
    return value.value_or(0);
  }
  std::uint32_t count(std::string_view name) {
    const std::int64_t value = number(name);
    if (value < 0 || value > 0xffffffff) missing(name);
    return static_cast<std::uint32_t>(value);
  }
  bool flag(std::string_view name) { return has(name) && json_bool(raw(name)).value_or(false); }
  Fault fault(std::string_view name);
  std::vector<Place> places(std::string_view name);

  void missing(std::string_view name) {
    if (problem_.empty()) problem_ = fmt::format("its member `{}` is missing or damaged", name);
  }
  Result<Entry> finish(Entry entry) const {
    if (problem_.empty()) return entry;
    return error(fmt::format("the journal entry `{}` is damaged: {}", entry_name(kind_), problem_));
  }

 private:
  EntryKind kind_;
  JsonMembers members_;
  std::string problem_;
};

Fault Reader::fault(std::string_view name) {
  Reader inner(kind_, raw(name));
  Fault fault;
  const auto kind = fault_named(inner.text("kind"));
  if (!kind) inner.missing("kind");
  fault.kind = kind.value_or(FaultKind::Failed);
  fault.message = inner.text("message");
  fault.status = static_cast<int>(inner.number("status"));
  fault.code = inner.text("code");
  fault.retry_after_us = inner.number("retry_after_us");
  fault.maybe_executed = inner.flag("maybe_executed");
  if (inner.has("operation")) fault.operation = inner.text("operation");
  if (inner.has("line")) fault.line = inner.count("line");
  if (!inner.problem_.empty()) missing(name);
  return fault;
}

std::vector<Place> Reader::places(std::string_view name) {
  std::vector<Place> places;
  const auto elements = json_elements(raw(name));
  if (!elements) missing(name);
  for (const std::string& element : elements.value_or(std::vector<std::string>())) {
    Reader inner(kind_, element);
    Place& place = places.emplace_back();
    place.routine = inner.text("routine");
    place.line = inner.count("line");
    if (!inner.problem_.empty()) missing(name);
  }
  return places;
}

IntentEntry read_intent(Reader& from) {
  IntentEntry entry;
  entry.call = from.count("call");
  entry.attempt = from.count("attempt");
  entry.operation = from.text("operation");
  entry.arguments = from.raw("arguments");
  entry.line = from.count("line");
  entry.is_fetch = from.flag("fetch");
  if (from.has("due_us")) entry.due_us = from.number("due_us");
  return entry;
}

RetryEntry read_retry(Reader& from) {
  RetryEntry entry;
  entry.call = from.count("call");
  entry.not_before_us = from.number("not_before_us");
  if (from.has("fault")) entry.fault = from.fault("fault");
  return entry;
}

OutcomeEntry read_outcome(Reader& from) {
  OutcomeEntry entry;
  entry.call = from.count("call");
  entry.is_settled = from.flag("settled");
  if (from.has("by")) entry.by = answered_by_named(from.text("by"));
  if (from.has("fault")) {
    entry.outcome = from.fault("fault");
  } else {
    entry.outcome = Returned{from.raw("result")};
  }
  return entry;
}

EndedEntry read_ended(Reader& from) {
  EndedEntry entry;
  const auto how = how_named(from.text("how"));
  if (!how) from.missing("how");
  entry.ended.how = how.value_or(Ended::How::Failed);
  entry.ended.line = from.count("line");
  if (from.has("reason")) entry.ended.reason = from.text("reason");
  if (from.has("fault")) entry.ended.fault = from.fault("fault");
  if (from.has("result")) entry.ended.result = from.raw("result");
  if (from.has("trace")) entry.ended.trace = from.places("trace");
  return entry;
}

ResumedEntry read_resumed(Reader& from) {
  ResumedEntry entry;
  entry.from = from.count("from");
  if (from.has("call")) entry.call = from.count("call");
  entry.in_doubt = from.flag("in_doubt");
  entry.at_us = from.number("at_us");
  entry.by = from.text("by");
  return entry;
}

Entry read_entry(EntryKind kind, Reader& from) {
  switch (kind) {
    case EntryKind::Started:
      return StartedEntry{.event = from.raw("event"),
                          .settings = from.has("settings") ? from.raw("settings") : "{}",
                          .by = from.has("by") ? from.text("by") : ""};
    case EntryKind::Intent: return read_intent(from);
    case EntryKind::Retry: return read_retry(from);
    case EntryKind::Answered: return read_outcome(from);
    case EntryKind::Log: return LogEntry{from.count("log"), from.text("text"), from.count("line")};
    case EntryKind::Entered: return EnteredEntry{};
    case EntryKind::Recovered: return RecoveredEntry{};
    case EntryKind::Parked: return ParkedEntry{from.text("reason")};
    case EntryKind::Ended: return read_ended(from);
    case EntryKind::Begun:
      return BegunEntry{from.count("call"), from.raw("result"), from.number("since_us"),
                        from.number("until_us")};
    case EntryKind::Resumed: return read_resumed(from);
    case EntryKind::Cancelled: return CancelledEntry{from.text("by"), from.text("reason")};
  }
  FLOW_CHECK(false, "entry_numbered() lets no other kind pass");
  return EnteredEntry{};
}

}  // namespace

std::string_view entry_name(EntryKind kind) {
  switch (kind) {
#define FLOW_ENTRY(number, name, since, meaning) \
  case EntryKind::name:                          \
    return #name;
#include "runtime/entries.def"
#undef FLOW_ENTRY
  }
  return "?";
}

std::optional<EntryKind> entry_numbered(std::int64_t number) {
  switch (number) {
#define FLOW_ENTRY(n, name, since, meaning) \
  case n:                                   \
    return EntryKind::name;
#include "runtime/entries.def"
#undef FLOW_ENTRY
    default: return std::nullopt;
  }
}

std::string_view answered_by_name(AnsweredBy by) {
  return kAnsweredByNames[static_cast<std::size_t>(by)];
}

std::string_view how_name(Ended::How how) {
  return kHowNames[static_cast<std::size_t>(how)];
}

std::optional<Ended::How> how_named(std::string_view name) {
  for (std::size_t i = 0; i < kHowNames.size(); ++i)
    if (kHowNames[i] == name) return static_cast<Ended::How>(i);
  return std::nullopt;
}

std::string cancel_reason(const std::string& by, const std::string& reason) {
  return fmt::format("cancelled{}{}", by.empty() ? "" : " by " + by, reason.empty() ? "" : ": " + reason);
}

EntryKind kind_of(const Entry& entry) {
  return std::visit(Match{
                        [](const StartedEntry&) { return EntryKind::Started; },
                        [](const IntentEntry&) { return EntryKind::Intent; },
                        [](const RetryEntry&) { return EntryKind::Retry; },
                        [](const OutcomeEntry&) { return EntryKind::Answered; },
                        [](const LogEntry&) { return EntryKind::Log; },
                        [](const EnteredEntry&) { return EntryKind::Entered; },
                        [](const RecoveredEntry&) { return EntryKind::Recovered; },
                        [](const ParkedEntry&) { return EntryKind::Parked; },
                        [](const EndedEntry&) { return EntryKind::Ended; },
                        [](const BegunEntry&) { return EntryKind::Begun; },
                        [](const ResumedEntry&) { return EntryKind::Resumed; },
                        [](const CancelledEntry&) { return EntryKind::Cancelled; },
                    },
                    entry);
}

// Events are by far the largest of what is written: this one is copied once.
std::string encode_started(std::string_view event, std::string_view settings, std::string_view by) {
  constexpr std::string_view kEvent = R"({"event":)", kSettings = R"(,"settings":)";
  const std::string more = by.empty() ? std::string() : R"(,"by":)" + json_quoted(by);
  std::string json;
  json.reserve(kEvent.size() + event.size() + kSettings.size() + settings.size() + more.size() + 1);
  json.append(kEvent).append(event);
  if (settings != "{}") json.append(kSettings).append(settings);
  return json.append(more) += '}';
}

std::string encode_entry(const Entry& entry) {
  return std::visit(
      Match{
          [](const StartedEntry& e) { return encode_started(e.event, e.settings, e.by); },
          [](const IntentEntry& e) {
            return fmt::format(R"({{"call":{},"attempt":{},"operation":{},"line":{},{}{}"arguments":{}}})",
                               e.call, e.attempt, json_quoted(e.operation), e.line,
                               e.is_fetch ? R"("fetch":true,)" : "",
                               e.due_us != 0 ? fmt::format(R"("due_us":{},)", e.due_us) : "", e.arguments);
          },
          [](const RetryEntry& e) {
            return fmt::format(R"({{"call":{},"not_before_us":{}{}}})", e.call, e.not_before_us,
                               e.fault ? R"(,"fault":)" + fault_json(*e.fault) : std::string());
          },
          [](const OutcomeEntry& e) { return outcome_json(e); },
          [](const LogEntry& e) {
            return fmt::format(R"({{"log":{},"line":{},"text":{}}})", e.number, e.line, json_quoted(e.text));
          },
          [](const EnteredEntry&) { return std::string("{}"); },
          [](const RecoveredEntry&) { return std::string("{}"); },
          [](const ParkedEntry& e) { return fmt::format(R"({{"reason":{}}})", json_quoted(e.reason)); },
          [](const EndedEntry& e) { return ended_json(e.ended); },
          [](const BegunEntry& e) {
            return fmt::format(R"({{"call":{},"since_us":{},"until_us":{},"result":{}}})", e.call, e.since_us,
                               e.until_us, e.result);
          },
          [](const ResumedEntry& e) {
            return fmt::format(R"({{"from":{},{}{}"at_us":{},"by":{}}})", e.from,
                               e.call ? fmt::format(R"("call":{},)", *e.call) : "",
                               e.in_doubt ? R"("in_doubt":true,)" : "", e.at_us, json_quoted(e.by));
          },
          [](const CancelledEntry& e) {
            return fmt::format(R"({{"by":{},"reason":{}}})", json_quoted(e.by), json_quoted(e.reason));
          },
      },
      entry);
}

Result<Entry> decode_entry(EntryKind kind, std::string_view payload) {
  Reader reader(kind, payload);
  Entry entry = read_entry(kind, reader);
  return reader.finish(std::move(entry));
}

}  // namespace flow
