// E-mail of Azure Communication Services: a request is signed by the resource's access key or brings a token,
// is accepted with 202, and has ended well or badly some time later, which is asked for at the address in
// Operation-Location. An operation whose id the client has chosen is carried out once.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/error_shapes.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"

namespace flow::sim {
namespace {

// The resource's access key, in Base64: as long as real ones.
constexpr std::string_view kAccessKey =
    "c2ltLWFjY2Vzcy1rZXktb2YtdGhlLXByZXRlbmQtdGVuYW50LXdoaWNoLWlzLW5vLXNlY3JldC1hdC1hbGwh";
constexpr std::int64_t kMinuteLimit = 30, kHourLimit = 100, kMostSkewUs = 900'000'000;
constexpr std::size_t kMostOperations = 10'000;  // the oldest goes
constexpr std::size_t kLargestRequest = 10'000'000, kMostRecipients = 50;

HttpAnswer wrong(int status, std::string_view code, std::string_view message) {
  return azure_error(status, code, message);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), &length, EVP_sha256(), nullptr);
  return base64_of({reinterpret_cast<const char*>(hash.data()), length});
}

std::string signature_of(std::string_view text) {
  const std::string key = base64_decoded(kAccessKey).value_or("");
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &length);
  return base64_of({reinterpret_cast<const char*>(mac.data()), length});
}

// Time, hash of the body, and the signature over the request's line, time, host and hash.
std::optional<HttpAnswer> refused_signature(const State& state, const HttpQuestion& question) {
  constexpr std::string_view kForm =
      "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=";
  const auto refuse = [](std::string_view why) {
    return wrong(401, "Denied", "Denied by the resource provider: " + std::string(why));
  };
  const std::string_view header = question.header("Authorization");
  if (!header.starts_with(kForm))
    return refuse("the signature must cover x-ms-date, host and x-ms-content-sha256.");
  const std::string date(question.header("x-ms-date"));
  const auto sent_us = parse_http_date_us(date);
  if (!sent_us) return refuse("x-ms-date is no date.");
  // Of the caller's clock, which goes as fast as ours, not as the tenant's.
  const std::int64_t now_us = state.clock->now_us();
  if (*sent_us > now_us + kMostSkewUs || *sent_us < now_us - kMostSkewUs)
    return refuse("x-ms-date is more than 15 minutes away.");
  const std::string hash(question.header("x-ms-content-sha256"));
  if (hash != sha256(question.body)) return refuse("x-ms-content-sha256 is not that of the body.");
  const std::string text =
      fmt::format("{}\n{}\n{};{};{}", question.method, question.target, date, question.header("Host"), hash);
  if (header.substr(kForm.size()) != signature_of(text)) return refuse("the signature is another.");
  return std::nullopt;
}

std::optional<HttpAnswer> refused(State& state, const Call& call) {
  const std::string_view header = call.question.header("Authorization");
  if (header.empty()) return wrong(401, "Denied", "Denied by the resource provider: no credential.");
  if (header.starts_with("Bearer ")) {
    const auto token = state.tokens.find(std::string(header.substr(7)));
    const bool is_good = token != state.tokens.end() && token->second.audience == Audience::Communication &&
                         token->second.expires_us > state.now_us();
    if (!is_good) return wrong(401, "Denied", "Denied by the resource provider: the token is not good here.");
  } else if (auto refusal = refused_signature(state, call.question)) {
    return refusal;
  }
  if (call.target.parameter("api-version").value_or("").empty())
    return wrong(400, "InvalidApiVersionParameter", "The api-version is missing.");
  return std::nullopt;
}

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f') ||
                        (text[i] >= 'A' && text[i] <= 'F');
    if (is_dash ? text[i] != '-' : !is_hex) return false;
  }
  return true;
}

// Empty when the mail is right.
std::string wrong_mail(const Json& mail) {
  static const std::vector<std::string> kKnown{"senderAddress",
                                               "content",
                                               "recipients",
                                               "replyTo",
                                               "attachments",
                                               "headers",
                                               "userEngagementTrackingDisabled"};
  if (!mail.is_object()) return "The request body is no JSON object.";
  for (const Member& member : mail.members())
    if (std::ranges::find(kKnown, member.name) == kKnown.end()) return "'" + member.name + "' is not known.";
  if (mail["senderAddress"].text().find('@') == std::string_view::npos)
    return "'senderAddress' is no address.";
  const Json& content = mail["content"];
  if (!content["subject"].is_text()) return "'content.subject' is missing.";
  if (!content["plainText"].is_text() && !content["html"].is_text())
    return "'content' needs 'plainText' or 'html'.";
  std::size_t count = 0;
  for (const char* name : {"to", "cc", "bcc"})
    for (const Json& recipient : mail["recipients"][name].items()) {
      if (recipient["address"].text().find('@') == std::string_view::npos)
        return std::string("'recipients.") + name + "' holds what is no address.";
      ++count;
    }
  if (count == 0) return "There are no recipients.";
  if (count > kMostRecipients) return "There are more than 50 recipients.";
  for (const Json& attachment : mail["attachments"].items())
    if (attachment["name"].text().empty() || attachment["contentType"].text().empty() ||
        !base64_decoded(attachment["contentInBase64"].text()))
      return "An attachment needs 'name', 'contentType' and 'contentInBase64'.";
  for (const Member& header : mail["headers"].members())
    if (!header.value.is_text()) return "'headers' must have texts.";
  return "";
}

Json addresses(const Json& recipients) {
  Json list = Json::list();
  for (const Json& each : recipients.items()) list.add(each["address"]);
  return list;
}

Json shown_mail_of(State& state, const std::string& id, const Json& mail) {
  Json view = Json::object({{"via", "acs"}, {"time", format_ticks(state.now_us())}, {"operation", id}});
  view.set("from", mail["senderAddress"]);
  for (const char* name : {"to", "cc", "bcc"}) view.set(name, addresses(mail["recipients"][name]));
  view.set("replyTo", addresses(mail["replyTo"]));
  const Json& content = mail["content"];
  view.set("subject", content["subject"]).set("messageId", "<" + id + "@azurecomm.net>");
  view.set("text", content["plainText"].is_text() ? content["plainText"] : Json(""));
  view.set("html", content["html"].is_text() ? content["html"] : Json(""));
  Json names = Json::list(), headers = Json::list();
  for (const Json& attachment : mail["attachments"].items()) names.add(attachment["name"]);
  for (const Member& header : mail["headers"].members())
    headers.add(Json::object({{"name", header.name}, {"value", header.value}}));
  return view.set("attachments", std::move(names)).set("headers", std::move(headers));
}

MailOutcome next_outcome(MailDoubles& own) {
  if (own.outcomes.empty()) return {.status = "Succeeded", .code = {}, .message = {}};
  MailOutcome outcome = own.outcomes.front();
  if (--own.outcomes.front().times == 0) own.outcomes.pop_front();
  return outcome;
}

MailOperation new_operation(State& state, const std::string& id, const Json& mail) {
  const MailOutcome outcome = next_outcome(mail_doubles(state));
  const double seconds = outcome.seconds < 0 ? state.options.action_seconds : outcome.seconds;
  MailOperation made{.id = id,
                     .ends_us = state.now_us() + static_cast<std::int64_t>(seconds * 1e6),
                     .outcome = outcome.status};
  if (outcome.status == "Failed")
    made.error =
        Json::object({{"code", outcome.code.empty() ? "EmailDropped" : outcome.code},
                      {"message", outcome.message.empty() ? "All recipients are on the suppression list."
                                                          : outcome.message},
                      {"target", nullptr},
                      {"details", Json::list()},
                      {"additionalInfo", Json::list()}});
  made.mail = shown_mail_of(state, id, mail);
  return made;
}

MailOperation* find_operation_of(State& state, std::string_view id) {
  auto& operations = mail_doubles(state).operations;
  const auto found = std::ranges::find_if(
      operations, [&](const MailOperation& each) { return equals_ignoring_case(each.id, id); });
  return found == operations.end() ? nullptr : &*found;
}

Json status_of(const MailOperation& operation) {
  const bool has_failed = operation.status == "Failed";
  return Json::object(
      {{"id", operation.id}, {"status", operation.status}, {"error", has_failed ? operation.error : Json()}});
}

HttpAnswer accepted(const Call& call, const MailOperation& operation) {
  HttpAnswer answer = json_answer(202, status_of(operation));
  answer.headers.emplace_back(
      "Operation-Location", fmt::format("{}/emails/operations/{}?api-version={}", own_url(call), operation.id,
                                        call.target.parameter("api-version").value_or("")));
  answer.headers.emplace_back("retry-after", "30");
  return answer;
}

HttpAnswer send_email(State& state, const Call& call) {
  if (auto refusal = refused(state, call)) return *refusal;
  if (call.question.body.size() > kLargestRequest)
    return wrong(413, "RequestEntityTooLarge", "The request is larger than 10 MB.");
  const auto mail = parse_json(call.question.body);
  if (const std::string problem = wrong_mail(mail ? *mail : Json()); !problem.empty())
    return wrong(400, "BadRequest", problem);
  std::string id(call.question.header("Operation-Id"));
  if (!id.empty() && !is_guid(id)) return wrong(400, "BadRequest", "'Operation-Id' is no GUID.");
  if (const MailOperation* known = id.empty() ? nullptr : find_operation_of(state, id))
    return accepted(call, *known);
  std::int64_t wait = over_rate(state, "acs.send a minute", 60, kMinuteLimit);
  if (wait == 0) wait = over_rate(state, "acs.send an hour", 3600, kHourLimit);
  if (wait > 0)
    return throttled(wrong(429, "TooManyRequests", "The sending limit of the domain is reached."),
                     state.client_seconds(wait));
  if (id.empty()) id = guid(*state.random);
  auto& operations = mail_doubles(state).operations;
  operations.push_back(new_operation(state, id, *mail));
  if (operations.size() > kMostOperations) operations.pop_front();
  return accepted(call, operations.back());
}

HttpAnswer get_operation(State& state, const Call& call) {
  if (auto refusal = refused(state, call)) return *refusal;
  const MailOperation* const operation = find_operation_of(state, call.id);
  if (operation == nullptr) return wrong(404, "OperationNotFound", "There is no operation of this id.");
  HttpAnswer answer = json_answer(200, status_of(*operation));
  if (operation->status == "Running") answer.headers.emplace_back("retry-after", "30");
  return answer;
}

constexpr SimOperation kAcsOperations[] = {
    {"acs.send", "POST", "/emails:send", Audience::None, "", 0, 0, send_email},
    {"acs.operation", "GET", "/emails/operations/{id}", Audience::None, "", 0, 0, get_operation},
};

}  // namespace

void advance_mail_operations(State& state) {
  if (state.mail_doubles == nullptr) return;
  for (MailOperation& operation : state.mail_doubles->operations) {
    if (operation.status != "Running" || operation.ends_us > state.now_us()) continue;
    operation.status = operation.outcome;
    if (operation.status == "Succeeded")
      store_mail(state, {.via = "acs", .json = operation.mail, .mailbox = {}, .message = {}});
  }
}

std::span<const SimOperation> acs_operations() {
  return kAcsOperations;
}

}  // namespace flow::sim
