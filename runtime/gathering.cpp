// Digests: mail.digest(). The first call in a window begins a run, of the flow that the compiler made, and
// every call sends that run a message with its line; both are in the commit of the call's answer. The run
// sleeps until the window is over, takes the messages, and sends one mail, as any run does. So nothing that
// happens to whoever called, or to this process, loses a line or sends it twice.
//
// Which window is open is a key of flow.once(): it says until when. It is given back in the commit that takes
// the lines; a line that comes after that opens the next window, whatever the clock says then.
#include <fmt/format.h>

#include <algorithm>

#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

constexpr std::int64_t kShortestUs = 1'000'000;
constexpr std::int64_t kLongestUs = 7 * std::int64_t{86'400} * 1'000'000;
constexpr std::size_t kLongestLine = 2000;  // so a thousand of them fit into a mail
constexpr const char* kLine = "line";       // the name of the messages

Fault refused(std::string why) {
  return {.kind = FaultKind::BadRequest, .message = std::move(why)};
}

std::string text_member(std::string_view json, std::string_view name) {
  const auto member = json_member(json, name);
  return member ? json_string(*member).value_or("") : "";
}

// `2026-10-13 09:15:04Z`
std::string moment(std::int64_t time_us) {
  std::string text = format_time_us(time_us).substr(0, 19);
  std::ranges::replace(text, 'T', ' ');
  return text + "Z";
}

// The recipients, each once and in order: who is told the same belongs together, and nobody else is told.
std::vector<std::string> recipients_of(std::string_view arguments) {
  std::vector<std::string> all;
  const auto to = json_member(arguments, "to");
  if (!to) return all;
  if (auto list = json_elements(*to)) {
    for (const std::string& each : *list) all.push_back(json_string(each).value_or(""));
  } else {
    all.push_back(json_string(*to).value_or(""));
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string one_line(std::string_view text) {
  std::string line = printable(text);
  if (line.size() <= kLongestLine) return line;
  return std::string(beginning_of(line, kLongestLine)) + "…";
}

}  // namespace

// ---- Adding a line

Outcome Runtime::Loop::add_to_digest(const Run& run, std::uint32_t number) {
  const std::string& arguments = run.waiting(number)->call.arguments;
  const auto within_us = parse_duration_us(text_member(arguments, "within"));
  if (!within_us || *within_us < kShortestUs || *within_us > kLongestUs)
    return refused("mail.digest gathers for a second at least and for 7 days at most");
  const std::vector<std::string> people = recipients_of(arguments);
  if (people.empty()) return refused("mail.digest names nobody in `to`");
  const auto index = digest_flow_of(*run.module());
  if (!index) return refused("the module does not say how a digest is sent");
  DigestLine line{
      .sender = Subscriber{run.row().tenant, std::string(kDigestFlow), run.row().module, run.module(), *index,
                           run.settings(), nullptr},
      .key = {},
      .to = {},
      .subject = text_member(arguments, "subject"),
      .text = fmt::format("{}  {}", moment(clock_.now_us()), one_line(text_member(arguments, "line"))),
      .within_us = *within_us,
      .from = run.row().id,
      .call_key = run.call_key(number)};
  for (const std::string& each : people) line.to += (line.to.empty() ? "" : ",") + json_quoted(each);
  line.to = "[" + line.to + "]";
  const auto key = json_member(arguments, "key");
  const auto said = key ? json_string(*key) : std::nullopt;
  line.key = sha256_hex(lower_ascii(line.to) + (said ? "key " + *said : "subject " + line.subject));
  follow_up([this, line = std::make_shared<DigestLine>(std::move(line))] { return gather(*line); });
  return Returned{"null"};
}

// With what is written in this turn.
Result<std::int64_t> Runtime::Loop::window_until(const std::string& tenant, const std::string& key) {
  const auto last = std::find_if(batch_.once.rbegin(), batch_.once.rend(), [&](const OnceRow& row) {
    return row.tenant == tenant && row.flow == kDigestFlow && row.key == key;
  });
  if (last != batch_.once.rend()) return last->until_us;
  return store_.once_until(tenant, kDigestFlow, key);
}

void Runtime::Loop::set_window(const std::string& tenant, const std::string& key, std::int64_t until_us) {
  batch_.once.push_back({.tenant = tenant,
                         .flow = std::string(kDigestFlow),
                         .key = key,
                         .taken_us = clock_.now_us(),
                         .until_us = until_us});
}

// False when the run takes no more: it is over, or has as many as a mail holds.
Result<bool> Runtime::Loop::keep_line(const DigestLine& line, const std::string& run) {
  FLOW_TRY(const MessageReply reply, keep_message({.run = run,
                                                   .name = kLine,
                                                   .payload = json_quoted(line.text),
                                                   .key = line.call_key,
                                                   .from = line.from}));
  return reply.how == MessageReply::How::Kept || reply.how == MessageReply::How::Known;
}

Status Runtime::Loop::gather(DigestLine& line) {
  const std::string& tenant = line.sender.tenant;
  const std::int64_t now_us = clock_.now_us();
  Beginning beginning{.trigger = std::string(kDigestTrigger), .key = {}, .event = {}};
  FLOW_TRY(const std::int64_t open_us, window_until(tenant, line.key));
  if (open_us > now_us) {
    beginning.key = fmt::format("{}/{}", line.key, open_us);
    FLOW_TRY(const auto known, run_of(line.sender, beginning));
    if (known) {
      FLOW_TRY(const bool is_kept, keep_line(line, *known));
      if (is_kept) return {};
    }
  }
  std::int64_t until_us = now_us + line.within_us;
  for (;; ++until_us) {  // a window that was closed early may have had the same end
    beginning.key = fmt::format("{}/{}", line.key, until_us);
    FLOW_TRY(const auto known, run_of(line.sender, beginning));
    if (!known) break;
  }
  const std::string event = fmt::format("{{\"to\":{},\"subject\":{},\"until\":{}}}", line.to,
                                        json_quoted(line.subject), json_quoted(format_time_us(until_us)));
  beginning.event = event;
  FLOW_TRY(const Begun begun, begin_run(line.sender, beginning));
  set_window(tenant, line.key, until_us);
  FLOW_TRY(const bool is_kept, keep_line(line, begun.run));
  if (!is_kept)
    health(HealthEvent::Kind::PersonNotTold, tenant, line.from,
           "a line of a digest was lost: the run that sends it had ended");
  return {};
}

// ---- Sending

// flow.digestEnd(): comes here when the run begins, when the window is over, and when it is taken up.
void Runtime::Loop::rest_on_digest(Run& run, std::uint32_t number) {
  const std::int64_t now_us = clock_.now_us();
  const auto until_us = parse_time_us(text_member(run.waiting(number)->call.arguments, "until"));
  const bool is_digest_run = run.row().trigger == kDigestTrigger;
  if (!run.waiting(number)->in_doubt) run.note_attempt(number, now_us, until_us.value_or(0));
  if (!until_us || !is_digest_run)
    return run.answer(number, refused("only what sends a digest waits for its end"), false, now_us);
  if (*until_us > now_us) return rest_until_due(run, number, now_us);
  const Result<std::string> text = take_lines(run, number);
  if (!text) return fail_store(text.error());
  const std::string key = run.row().key.substr(0, run.row().key.find('/'));
  set_window(run.row().tenant, key, 0);
  run.answer(number, Returned{json_quoted(*text)}, false, now_us);
}

Result<std::string> Runtime::Loop::take_lines(const Run& run, std::uint32_t number) {
  std::string text;
  const auto take = [&](const MessageRow& message) {
    batch_.taken.push_back({.run = message.run, .number = message.number, .call = number});
    text += json_string(message.payload).value_or("") + "\n";
  };
  for (std::uint32_t after = 0;;) {  // nobody else takes messages of this run
    FLOW_TRY(const auto message, store_.next_message(run.row().id, kLine, after));
    if (!message) break;
    after = message->number;
    take(*message);
  }
  for (const MessageRow& message : batch_.messages)
    if (message.run == run.row().id && message.name == kLine) take(message);
  return text.empty() ? std::string("nothing was said") : text;
}

}  // namespace flow
