// Gmail's API: a mail is sent as the RFC 5322 message that it is, base64url in JSON or as it stands, and
// found again by its Message-ID. Quota: 60 sends a minute and user.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/error_shapes.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/mail_message.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kSendsAMinute = 60;
constexpr std::size_t kLargestMessage = 35'000'000, kMostRecipients = 500, kMostFound = 100;
constexpr std::string_view kMaySend[] = {
    "https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/gmail.modify", "https://mail.google.com/"};
constexpr std::string_view kMaySearch[] = {"https://www.googleapis.com/auth/gmail.modify",
                                           "https://www.googleapis.com/auth/gmail.readonly",
                                           "https://mail.google.com/"};

// Who sends: the user of the token, named by `me` or by the address. Otherwise `refusal` says why not.
std::string mailbox_of(State& state, const Call& call, std::span<const std::string_view> scopes,
                       HttpAnswer& refusal) {
  const std::string_view header = call.question.header("Authorization");
  const auto token =
      header.starts_with("Bearer ") ? state.tokens.find(std::string(header.substr(7))) : state.tokens.end();
  const bool is_good = token != state.tokens.end() && token->second.audience == Audience::Google &&
                       token->second.expires_us > state.now_us();
  if (!is_good) {
    refusal = google_error(401, "authError", "Request had invalid authentication credentials.");
    return {};
  }
  const std::vector<std::string>& granted = token->second.roles;
  if (std::ranges::none_of(scopes,
                           [&](std::string_view scope) { return std::ranges::count(granted, scope) > 0; })) {
    refusal = google_error(403, "insufficientPermissions", "Request had insufficient authentication scopes.");
    return {};
  }
  if (call.id != "me" && !equals_ignoring_case(call.id, token->second.user)) {
    refusal = google_error(403, "forbidden", "Delegation denied for " + token->second.user);
    return {};
  }
  if (token->second.user.empty())
    refusal = google_error(400, "failedPrecondition", "Precondition check failed.");
  return token->second.user;
}

Json header_list(const MailMessage& message) {
  Json headers = Json::list();
  for (const auto& [name, value] : message.headers)
    if (!equals_ignoring_case(name, "Bcc")) headers.add(Json::object({{"name", name}, {"value", value}}));
  return headers;
}

HttpAnswer send_message(State& state, const std::string& user, std::string_view raw) {
  if (raw.size() > kLargestMessage)
    return google_error(413, "uploadTooLarge", "The message is larger than 35 MB.");
  const MailMessage message = parse_mail(raw);
  const std::vector<std::string> hidden = addresses_in(message.header("Bcc"));
  const std::size_t recipients = message.to.size() + message.cc.size() + hidden.size();
  if (recipients == 0) return google_error(400, "invalidArgument", "Recipient address required");
  if (recipients > kMostRecipients)
    return google_error(400, "invalidArgument", "There are too many recipients.");
  if (const std::int64_t wait = over_rate(state, "gmail.send " + user, 60, kSendsAMinute); wait > 0)
    return google_error(429, "userRateLimitExceeded",
                        "User-rate limit exceeded.  Retry after " +
                            format_ticks(state.now_us() + wait * 1'000'000).substr(0, 23) + "Z");
  const std::string id = hex_digits(*state.random, 16);
  // Neither the user nor one of its aliases: the user's address takes its place.
  const std::string from = lower_ascii(message.from);
  const bool may_be_from = from == lower_ascii(user) || mail_doubles(state).gmail_aliases.contains(from);
  Mail mail;
  mail.via = "gmail";
  mail.json = Json::object({{"via", "gmail"}, {"time", format_ticks(state.now_us())}, {"id", id}});
  mail.json.set("mailbox", lower_ascii(user)).set("from", may_be_from ? message.from : user);
  mail.json.set("to", Json::texts(message.to))
      .set("cc", Json::texts(message.cc))
      .set("bcc", Json::texts(hidden));
  mail.json.set("subject", message.subject).set("messageId", message.message_id);
  mail.json.set("text", message.text).set("html", message.html);
  mail.json.set("attachments", Json::texts(message.attachments)).set("headers", header_list(message));
  mail.json.set("bytes", message.bytes);
  store_mail(state, std::move(mail));
  return json_answer(200, Json::object({{"id", id}, {"threadId", id}, {"labelIds", Json::texts({"SENT"})}}));
}

HttpAnswer send_raw(State& state, const Call& call) {
  HttpAnswer refusal;
  const std::string user = mailbox_of(state, call, kMaySend, refusal);
  if (user.empty()) return refusal;
  const auto body = parse_json(call.question.body);
  const std::string_view raw = body ? (*body)["raw"].text() : "";
  if (raw.empty())
    return google_error(400, "invalidArgument",
                        "'raw' RFC822 payload message string or uploading message via "
                        "/upload/* URL required");
  if (raw.find_first_of("+/") != std::string_view::npos || !base64_decoded(raw))
    return google_error(400, "invalidArgument",
                        "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed");
  return send_message(state, user, *base64_decoded(raw));
}

HttpAnswer send_upload(State& state, const Call& call) {
  HttpAnswer refusal;
  const std::string user = mailbox_of(state, call, kMaySend, refusal);
  if (user.empty()) return refusal;
  if (call.target.parameter("uploadType").value_or("") != "media")
    return google_error(400, "badRequest",
                        "Upload of this kind is not known here: 'uploadType' must be media.");
  if (!lower_ascii(call.question.header("Content-Type")).starts_with("message/rfc822"))
    return google_error(400, "badContent",
                        "Media type is not supported. Valid media types: [message/rfc822]");
  return send_message(state, user, call.question.body);
}

// `q` knows `rfc822msgid:ID` alone.
HttpAnswer list_messages_of(State& state, const Call& call) {
  HttpAnswer refusal;
  const std::string user = mailbox_of(state, call, kMaySearch, refusal);
  if (user.empty()) return refusal;
  constexpr std::string_view kById = "rfc822msgid:";
  std::string wanted = call.target.parameter("q").value_or("");
  if (!wanted.empty() && !wanted.starts_with(kById))
    return google_error(400, "invalidArgument", "Of 'q' only rfc822msgid: is known here.");
  wanted.erase(0, std::min(wanted.size(), kById.size()));
  if (wanted.starts_with('<') && wanted.ends_with('>')) wanted = wanted.substr(1, wanted.size() - 2);
  Json found = Json::list();
  for (auto mail = state.mails.rbegin(); mail != state.mails.rend() && found.items().size() < kMostFound;
       ++mail) {
    if (mail->via != "gmail" || mail->json["mailbox"].text() != lower_ascii(user)) continue;
    if (!wanted.empty() && mail->json["messageId"].text() != "<" + wanted + ">") continue;
    found.add(Json::object({{"id", mail->json["id"]}, {"threadId", mail->json["id"]}}));
  }
  const std::size_t count = found.items().size();
  Json body = Json::object();
  if (count > 0) body.set("messages", std::move(found));
  return json_answer(200, body.set("resultSizeEstimate", count));
}

constexpr SimOperation kGmailOperations[] = {
    {"google.token", "POST", "/token", Audience::None, "", 0, 0, google_token},
    {"gmail.send", "POST", "/gmail/v1/users/{id}/messages/send", Audience::None, "", 0, 0, send_raw},
    {"gmail.upload", "POST", "/upload/gmail/v1/users/{id}/messages/send", Audience::None, "", 0, 0,
     send_upload},
    {"gmail.messages", "GET", "/gmail/v1/users/{id}/messages", Audience::None, "", 0, 0, list_messages_of},
};

}  // namespace

std::span<const SimOperation> gmail_operations() {
  return kGmailOperations;
}

}  // namespace flow::sim
