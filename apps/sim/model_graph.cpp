// Mail through Graph: sendMail in its JSON and MIME forms, and the search that finds what is in a mailbox:
// what was saved to Sent Items, and the drafts of double_drafts.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

const EntitySet& message_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{"https://graph.microsoft.com/v1.0/$metadata#users/messages",
                              {{"id", Kind::Text},
                               {"subject", Kind::Text},
                               {"internetMessageId", Kind::Text},
                               {"sentDateTime", Kind::Time},
                               {"receivedDateTime", Kind::Time},
                               {"importance", Kind::Enum, {"low", "normal", "high"}},
                               {"isDraft", Kind::Bool},
                               {"singleValueExtendedProperties", Kind::Objects}},
                              "singleValueExtendedProperties",
                              1'000,
                              "https://graph.microsoft.com/v1.0/me/messages"};
  return kSet;
}

struct Refused {
  std::string code, message;
};

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" \t\r\n<>,;\"") == std::string_view::npos && text.find('@', at + 1) == text.npos;
}

std::optional<Refused> wrong_recipients(const Json& message, bool is_draft) {
  std::size_t count = 0;
  for (const char* name : {"toRecipients", "ccRecipients", "bccRecipients"}) {
    const Json& list = message[name];
    if (!list.is_null() && !list.is_list())
      return Refused{"RequestBodyRead", fmt::format("'{}' must be a list.", name)};
    for (const Json& recipient : list.items()) {
      if (!is_address(recipient["emailAddress"]["address"].text()))
        return Refused{"ErrorInvalidRecipients", "At least one recipient is not valid."};
      ++count;
    }
  }
  if (count == 0 && !is_draft)
    return Refused{"ErrorInvalidRecipients", "At least one recipient is required."};
  if (count > 500) return Refused{"ErrorInvalidRecipients", "There are more than 500 recipients."};
  return std::nullopt;
}

std::optional<Refused> wrong_names(const Json& message) {
  static const std::vector<std::string> kKnown{"subject",
                                               "body",
                                               "toRecipients",
                                               "ccRecipients",
                                               "bccRecipients",
                                               "replyTo",
                                               "from",
                                               "sender",
                                               "importance",
                                               "internetMessageHeaders",
                                               "attachments",
                                               "singleValueExtendedProperties",
                                               "categories",
                                               "flag",
                                               "isDeliveryReceiptRequested",
                                               "isReadReceiptRequested",
                                               "internetMessageId"};
  for (const Member& member : message.members())
    if (std::ranges::find(kKnown, member.name) == kKnown.end())
      return Refused{"RequestBodyRead",
                     "The property '" + member.name + "' does not exist on type 'message'."};
  return std::nullopt;
}

std::optional<Refused> wrong_content(const Json& message) {
  const Json& body = message["body"];
  const std::string_view type = body["contentType"].text();
  const bool is_known_type =
      type.empty() || equals_ignoring_case(type, "text") || equals_ignoring_case(type, "html");
  if (!is_known_type) return Refused{"RequestBodyRead", "'body.contentType' must be Text or HTML."};
  if (!body.is_null() && !body["content"].is_text() && !body["content"].is_null())
    return Refused{"RequestBodyRead", "'body.content' must be a text."};
  if (!message["subject"].is_null() && !message["subject"].is_text())
    return Refused{"RequestBodyRead", "'subject' must be a text."};
  const std::string importance = lower_ascii(message["importance"].text());
  if (!importance.empty() && importance != "low" && importance != "normal" && importance != "high")
    return Refused{"RequestBodyRead", "'importance' must be low, normal or high."};
  for (const Json& header : message["internetMessageHeaders"].items())
    if (!lower_ascii(header["name"].text()).starts_with("x-"))
      return Refused{"InvalidInternetMessageHeader", "The internet message header name '" +
                                                         std::string(header["name"].text()) +
                                                         "' should start with 'x-'."};
  for (const Json& property : message["singleValueExtendedProperties"].items())
    if (!property["id"].is_text() || !property["value"].is_text())
      return Refused{"RequestBodyRead", "An extended property needs 'id' and 'value'."};
  return std::nullopt;
}

std::optional<Refused> wrong_message(const Json& message, bool is_draft) {
  if (!message.is_object()) return Refused{"ErrorInvalidRequest", "The parameter 'message' is missing."};
  if (auto refused = wrong_names(message)) return refused;
  if (auto refused = wrong_recipients(message, is_draft)) return refused;
  return wrong_content(message);
}

Json addresses(const Json& recipients) {
  Json list = Json::list();
  for (const Json& recipient : recipients.items()) list.add(recipient["emailAddress"]["address"]);
  return list;
}

Json attachment_names(const Json& attachments) {
  Json list = Json::list();
  for (const Json& attachment : attachments.items()) list.add(attachment["name"]);
  return list;
}

// The MIME form carries the same message as base64 of an RFC 5322 text.
Json message_from_mime(const MailMessage& mail) {
  const auto recipients = [](const std::vector<std::string>& list) {
    Json json = Json::list();
    for (const std::string& address : list)
      json.add(Json::object({{"emailAddress", Json::object({{"address", address}})}}));
    return json;
  };
  Json message = Json::object({{"subject", mail.subject}});
  const bool is_html = !mail.html.empty();
  message.set("body", Json::object({{"contentType", is_html ? "HTML" : "Text"},
                                    {"content", is_html ? mail.html : mail.text}}));
  message.set("toRecipients", recipients(mail.to)).set("ccRecipients", recipients(mail.cc));
  message.set("bccRecipients", recipients(addresses_in(mail.header("Bcc"))));
  if (!mail.message_id.empty()) message.set("internetMessageId", mail.message_id);
  Json headers = Json::list();
  for (const auto& [name, value] : mail.headers)
    if (lower_ascii(name).starts_with("x-")) headers.add(Json::object({{"name", name}, {"value", value}}));
  return message.set("internetMessageHeaders", std::move(headers));
}

HttpAnswer accept_mail(State& state, const std::string& mailbox, const Json& message, bool is_saved) {
  if (auto refusal = refused_message(state, message, false)) return *refusal;
  Mail mail;
  mail.via = "graph";
  mail.mailbox = lower_ascii(mailbox);
  Json stored = stored_message(state, mailbox, message);
  mail.json = shown_mail(state, mailbox, message, stored);
  mail.json.set("savedToSentItems", is_saved);
  if (is_saved) mail.message = std::move(stored);
  store_mail(state, std::move(mail));
  return accepted_mail(state);
}

}  // namespace

bool is_mailbox(std::string_view id) {
  return is_address(id) || (id.size() == 36 && id[8] == '-' && id[23] == '-');
}

std::optional<HttpAnswer> refused_message(State& state, const Json& message, bool is_draft) {
  const auto refused = wrong_message(message, is_draft);
  if (!refused) return std::nullopt;
  return graph_error(state, 400, refused->code, refused->message);
}

HttpAnswer accepted_mail(State& state) {
  HttpAnswer answer;
  answer.status = 202;
  answer.content_type.clear();
  answer.headers.emplace_back("request-id", guid(*state.random));
  return answer;
}

Json stored_message(State& state, const std::string& mailbox, const Json& message) {
  const std::string now = format_ticks(state.now_us()).substr(0, 19) + "Z";
  const Json sender =
      Json::object({{"emailAddress", Json::object({{"address", mailbox}, {"name", mailbox}})}});
  Json stored = Json::object({{"id", "AAMk" + hex_digits(*state.random, 60)}});
  const Json& given_id = message["internetMessageId"];
  stored.set("internetMessageId",
             given_id.is_text() ? given_id : Json("<" + hex_digits(*state.random, 32) + "@example.com>"));
  stored.set("subject", message["subject"]).set("isDraft", false).set("isRead", true);
  stored.set("sentDateTime", now).set("receivedDateTime", now).set("parentFolderId", "sentitems");
  stored.set("importance", message["importance"].is_text() ? Json(lower_ascii(message["importance"].text()))
                                                           : Json("normal"));
  stored.set("hasAttachments", !message["attachments"].items().empty());
  stored.set("bodyPreview", message["body"]["content"].text().substr(0, 255)).set("body", message["body"]);
  stored.set("from", message["from"].is_object() ? message["from"] : sender).set("sender", sender);
  for (const char* name : {"toRecipients", "ccRecipients", "bccRecipients", "replyTo",
                           "internetMessageHeaders", "singleValueExtendedProperties"})
    stored.set(name, message[name].is_list() ? message[name] : Json::list());
  return stored;
}

Json shown_mail(State& state, const std::string& mailbox, const Json& message, const Json& stored) {
  const bool is_html = equals_ignoring_case(message["body"]["contentType"].text(), "html");
  const Json& from = message["from"]["emailAddress"]["address"];
  Json view = Json::object({{"via", "graph"}, {"time", format_ticks(state.now_us())}});
  view.set("from", from.is_text() ? from : Json(mailbox)).set("to", addresses(message["toRecipients"]));
  view.set("cc", addresses(message["ccRecipients"])).set("bcc", addresses(message["bccRecipients"]));
  view.set("subject", message["subject"]).set("messageId", stored["internetMessageId"]);
  view.set("text", is_html ? Json("") : message["body"]["content"]);
  view.set("html", is_html ? message["body"]["content"] : Json(""));
  view.set("importance", stored["importance"]).set("attachments", attachment_names(message["attachments"]));
  view.set("headers", stored["internetMessageHeaders"]);
  return view.set("singleValueExtendedProperties", stored["singleValueExtendedProperties"]);
}

HttpAnswer send_mail(State& state, const Call& call) {
  if (!is_mailbox(call.id))
    return graph_error(state, 404, "ErrorInvalidUser", "The requested user '" + call.id + "' is invalid.");
  if (lower_ascii(call.question.header("Content-Type")).starts_with("text/plain")) {
    const auto mime = base64_decoded(call.question.body);
    if (!mime)
      return graph_error(state, 400, "ErrorMimeContentInvalidBase64String",
                         "The MIME content is not valid base64.");
    return accept_mail(state, call.id, message_from_mime(parse_mail(*mime)), true);
  }
  const auto body = parse_json(call.question.body);
  if (!body) return graph_error(state, 400, "RequestBodyRead", body.error().message);
  for (const Member& member : body->members())
    if (!equals_ignoring_case(member.name, "message") &&
        !equals_ignoring_case(member.name, "saveToSentItems"))
      return graph_error(state, 400, "RequestBodyRead", "The parameter '" + member.name + "' is not known.");
  const Json& message = body->find("message") != nullptr ? (*body)["message"] : (*body)["Message"];
  const Json* saved = body->find("saveToSentItems");
  if (saved == nullptr) saved = body->find("SaveToSentItems");
  if (saved != nullptr && !saved->is_bool())
    return graph_error(state, 400, "RequestBodyRead", "'saveToSentItems' must be true or false.");
  return accept_mail(state, call.id, message, saved == nullptr || saved->boolean());
}

HttpAnswer list_messages(State& state, const Call& call) {
  if (!is_mailbox(call.id))
    return graph_error(state, 404, "ErrorInvalidUser", "The requested user '" + call.id + "' is invalid.");
  const std::string mailbox = lower_ascii(call.id);
  std::vector<const Json*> messages;
  for (const auto& [id, draft] : mail_doubles(state).drafts)
    if (draft.mailbox == mailbox) messages.push_back(&draft.stored);
  for (auto mail = state.mails.rbegin(); mail != state.mails.rend(); ++mail)
    if (mail->mailbox == mailbox && !mail->message.is_null()) messages.push_back(&mail->message);
  const std::string selected = call.target.parameter("$select").value_or("");
  const bool has_headers = selected.find("internetMessageHeaders") != std::string::npos;
  // Extended properties are shown when expanded, headers when selected.
  const auto show = [&](const Json& message, bool expanded) {
    Json shown = Json::object();
    for (const Member& member : message.members()) {
      if (member.name == "singleValueExtendedProperties" && !expanded) continue;
      if (member.name == "internetMessageHeaders" && !has_headers) continue;
      shown.set(member.name, member.value);
    }
    return shown;
  };
  const auto body = query_entities(message_set(), call.target.query, messages, show);
  if (!body) return graph_error(state, 400, "BadRequest", body.error().message);
  return json_answer(200, *body);
}

void store_mail(State& state, Mail mail) {
  ++state.mail_counts[mail.via];
  state.mails.push_back(std::move(mail));
  if (state.mails.size() > kMostMails) state.mails.pop_front();
}

}  // namespace flow::sim
