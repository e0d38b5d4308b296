// Graph's drafts: made, given attachments (large ones in pieces, to an address that is the credential), sent
// or deleted. A draft that is sent lies in Sent Items, under its id only if it was made with an immutable
// one.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/graph_data.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kSessionUs = 3'600'000'000;
constexpr std::int64_t kLargestAttachment = 150'000'000, kLargestPiece = 4 << 20;
constexpr std::size_t kLargestMessage = 35'000'000;

HttpAnswer no_mailbox(State& state, const std::string& id) {
  return graph_error(state, 404, "ErrorInvalidUser", "The requested user '" + id + "' is invalid.");
}
HttpAnswer no_item(State& state) {
  return graph_error(state, 404, "ErrorItemNotFound", "The specified object was not found in the store.");
}

// Null when the mailbox of the path has no draft of this id.
Draft* find_draft(State& state, const Call& call) {
  const auto found = mail_doubles(state).drafts.find(call.captured.at(1));
  if (found == mail_doubles(state).drafts.end() || found->second.mailbox != lower_ascii(call.id))
    return nullptr;
  return &found->second;
}
Mail* find_sent(State& state, const Call& call) {
  for (Mail& mail : state.mails)
    if (mail.mailbox == lower_ascii(call.id) && mail.message["id"].text() == call.captured.at(1))
      return &mail;
  return nullptr;
}

HttpAnswer create_draft(State& state, const Call& call) {
  if (!is_mailbox(call.id)) return no_mailbox(state, call.id);
  const auto body = parse_json(call.question.body);
  if (!body) return graph_error(state, 400, "RequestBodyRead", body.error().message);
  if (auto refusal = refused_message(state, *body, true)) return *refusal;
  auto& drafts = mail_doubles(state).drafts;
  if (drafts.size() >= kMostDrafts)
    return graph_error(state, 507, "ErrorQuotaExceeded", "The mailbox is full: there are 10000 drafts.");
  Draft draft{
      .mailbox = lower_ascii(call.id), .message = *body, .stored = stored_message(state, call.id, *body)};
  draft.stored.set("isDraft", true).set("parentFolderId", "drafts").set("sentDateTime", nullptr);
  const std::string prefer(call.question.header("Prefer"));
  draft.has_immutable_id = lower_ascii(prefer).find("immutableid") != std::string::npos;
  const Json shown = draft.stored;
  drafts[std::string(shown["id"].text())] = std::move(draft);
  return json_answer(201, shown);
}

HttpAnswer get_message(State& state, const Call& call) {
  if (const Draft* draft = find_draft(state, call)) return json_answer(200, draft->stored);
  if (const Mail* sent = find_sent(state, call)) return json_answer(200, sent->message);
  return no_item(state);
}

HttpAnswer delete_message(State& state, const Call& call) {
  if (find_draft(state, call) != nullptr)
    mail_doubles(state).drafts.erase(call.captured.at(1));
  else if (Mail* sent = find_sent(state, call))
    sent->message = Json();
  else
    return no_item(state);
  return empty_answer();
}

HttpAnswer send_draft(State& state, const Call& call) {
  Draft* const draft = find_draft(state, call);
  if (draft == nullptr)
    return find_sent(state, call) == nullptr
               ? no_item(state)
               : graph_error(state, 400, "ErrorInvalidOperation", "The message was sent: it is no draft.");
  if (auto refusal = refused_message(state, draft->message, false)) return *refusal;
  Mail mail;
  mail.via = "graph";
  mail.mailbox = draft->mailbox;
  mail.message = draft->stored;
  const std::string now = format_ticks(state.now_us()).substr(0, 19) + "Z";
  mail.message.set("isDraft", false).set("parentFolderId", "sentitems");
  mail.message.set("sentDateTime", now).set("receivedDateTime", now);
  if (!draft->has_immutable_id) mail.message.set("id", "AAMk" + hex_digits(*state.random, 60));
  mail.json = shown_mail(state, call.id, draft->message, draft->stored);
  mail.json.set("savedToSentItems", true).set("draft", call.captured.at(1));
  store_mail(state, std::move(mail));
  mail_doubles(state).drafts.erase(call.captured.at(1));
  return accepted_mail(state);
}

// What an attachment adds to a draft: it is part of the message from then on.
void attach(Draft& draft, Json attachment, std::size_t bytes) {
  Json all = draft.message["attachments"].is_list() ? draft.message["attachments"] : Json::list();
  all.add(std::move(attachment));
  draft.message.set("attachments", std::move(all));
  draft.stored.set("hasAttachments", true);
  draft.attached_bytes += bytes;
}

HttpAnswer add_attachment(State& state, const Call& call) {
  Draft* const draft = find_draft(state, call);
  if (draft == nullptr) return no_item(state);
  const auto body = parse_json(call.question.body);
  if (!body || !(*body)["name"].is_text() || !base64_decoded((*body)["contentBytes"].text()))
    return graph_error(state, 400, "RequestBodyRead", "An attachment needs 'name' and 'contentBytes'.");
  attach(*draft, *body, (*body)["contentBytes"].text().size() / 4 * 3);
  Json shown = *body;
  shown.set("id", "AAMk" + hex_digits(*state.random, 60));
  return json_answer(201, shown);
}

HttpAnswer open_upload(State& state, const Call& call) {
  const Draft* const draft = find_draft(state, call);
  if (draft == nullptr) return no_item(state);
  const auto body = parse_json(call.question.body);
  const Json& item = body ? (*body)["AttachmentItem"] : Json();
  const Json& size = item["size"];
  if (item["attachmentType"].text() != "file" || item["name"].text().empty() || !size.is_int())
    return graph_error(state, 400, "RequestBodyRead",
                       "'AttachmentItem' needs 'attachmentType' file, 'name' and 'size'.");
  if (size.integer() < 1 || size.integer() > kLargestAttachment ||
      draft->attached_bytes + static_cast<std::size_t>(size.integer()) > kLargestMessage)
    return graph_error(state, 413, "ErrorMessageSizeExceeded",
                       "The message exceeds the maximum supported size.");
  MailDoubles& own = mail_doubles(state);
  const std::string secret = hex_digits(*state.random, 40);
  const std::int64_t ends_us = state.now_us() + kSessionUs;
  own.uploads[secret] = {.draft = call.captured.at(1),
                         .name = std::string(item["name"].text()),
                         .content_type = std::string(item["contentType"].text()),
                         .size = size.integer(),
                         .expires_us = ends_us};
  own.upload_order.push_back(secret);
  if (own.upload_order.size() > kMostUploads) {
    own.uploads.erase(own.upload_order.front());
    own.upload_order.pop_front();
  }
  return json_answer(201, Json::object({{"uploadUrl", own_url(call) + "/uploads/" + secret},
                                        {"expirationDateTime", format_ticks(ends_us)},
                                        {"nextExpectedRanges", Json::texts({"0-"})}}));
}

// `bytes 0-99/1000`
struct Range {
  std::int64_t from = 0, to = 0, of = 0;
};
std::optional<Range> parse_range(std::string_view text) {
  Range range;
  if (!text.starts_with("bytes ")) return std::nullopt;
  const char* at = text.data() + 6;
  const char* const end = text.data() + text.size();
  for (const auto& [into, after] : {std::pair(&range.from, '-'), {&range.to, '/'}, {&range.of, '\0'}}) {
    const auto read = std::from_chars(at, end, *into);
    if (read.ec != std::errc() || (after == '\0' ? read.ptr != end : read.ptr == end || *read.ptr != after))
      return std::nullopt;
    at = read.ptr + (after == '\0' ? 0 : 1);
  }
  return range;
}

AttachmentUpload* find_upload(State& state, const Call& call) {
  const auto found = mail_doubles(state).uploads.find(call.id);
  const bool is_open =
      found != mail_doubles(state).uploads.end() && found->second.expires_us > state.now_us();
  return is_open ? &found->second : nullptr;
}
HttpAnswer no_upload(State& state) {
  return graph_error(state, 404, "ErrorUploadSessionNotFound", "The upload session was not found.");
}

HttpAnswer shown_upload(const AttachmentUpload& upload) {
  return json_answer(
      200, Json::object({{"expirationDateTime", format_ticks(upload.expires_us)},
                         {"nextExpectedRanges", Json::texts({std::to_string(upload.received) + "-"})}}));
}

HttpAnswer put_piece(State& state, const Call& call) {
  AttachmentUpload* const upload = find_upload(state, call);
  if (upload == nullptr) return no_upload(state);
  // The address is the credential; whoever sends a token along gives it to another host.
  if (!call.question.header("Authorization").empty())
    return graph_error(state, 401, "InvalidAuthenticationToken", "The request must carry no Authorization.");
  const auto range = parse_range(call.question.header("Content-Range"));
  const auto length = static_cast<std::int64_t>(call.question.body.size());
  if (!range || range->of != upload->size || range->to >= upload->size || range->from < 0 ||
      range->to - range->from + 1 != length || length > kLargestPiece)
    return graph_error(state, 400, "ErrorInvalidContentRange", "The Content-Range does not fit the piece.");
  if (range->from != upload->received)
    return graph_error(state, 416, "ErrorInvalidContentRange", "Pieces must come in order.");
  upload->received += length;
  if (upload->received < upload->size) return shown_upload(*upload);
  const auto draft = mail_doubles(state).drafts.find(upload->draft);
  if (draft == mail_doubles(state).drafts.end()) return no_item(state);
  attach(draft->second, Json::object({{"name", upload->name}, {"contentType", upload->content_type}}),
         static_cast<std::size_t>(upload->size));
  mail_doubles(state).uploads.erase(call.id);
  HttpAnswer answer = empty_answer(201);
  answer.headers.emplace_back("Location",
                              own_url(call) + "/v1.0/attachments/" + hex_digits(*state.random, 20));
  return answer;
}

HttpAnswer show_upload(State& state, const Call& call) {
  const AttachmentUpload* const upload = find_upload(state, call);
  return upload == nullptr ? no_upload(state) : shown_upload(*upload);
}

HttpAnswer end_upload(State& state, const Call& call) {
  if (find_upload(state, call) == nullptr) return no_upload(state);
  mail_doubles(state).uploads.erase(call.id);
  return empty_answer();
}

constexpr char kWrite[] = "Mail.ReadWrite";
constexpr SimOperation kDraftsOperations[] = {
    {"graph.createDraft", "POST", "/v1.0/users/{id}/messages", Audience::Graph, kWrite, 0, 0, create_draft},
    {"graph.getMessage", "GET", "/v1.0/users/{id}/messages/{message}", Audience::Graph,
     "Mail.ReadBasic.All,Mail.Read,Mail.ReadWrite", 0, 0, get_message},
    {"graph.deleteMessage", "DELETE", "/v1.0/users/{id}/messages/{message}", Audience::Graph, kWrite, 0, 0,
     delete_message},
    // Which of the two is enough to send what is there already, the documentation leaves open.
    {"graph.sendDraft", "POST", "/v1.0/users/{id}/messages/{message}/send", Audience::Graph,
     "Mail.Send,Mail.ReadWrite", 0, 0, send_draft},
    {"graph.addAttachment", "POST", "/v1.0/users/{id}/messages/{message}/attachments", Audience::Graph,
     kWrite, 0, 0, add_attachment},
    {"graph.openUpload", "POST", "/v1.0/users/{id}/messages/{message}/attachments/createUploadSession",
     Audience::Graph, kWrite, 0, 0, open_upload},
    {"graph.uploadPiece", "PUT", "/uploads/{id}", Audience::None, "", 0, 0, put_piece},
    {"graph.uploadState", "GET", "/uploads/{id}", Audience::None, "", 0, 0, show_upload},
    {"graph.endUpload", "DELETE", "/uploads/{id}", Audience::None, "", 0, 0, end_upload},
};

}  // namespace

std::span<const SimOperation> draft_operations() {
  return kDraftsOperations;
}

}  // namespace flow::sim
