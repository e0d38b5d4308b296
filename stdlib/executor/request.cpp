#include "stdlib/executor/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/executor/form.hpp"
#include "stdlib/executor/overlay.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/mail/mime.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestBody = 32u << 20;
constexpr std::size_t kLongestAnswer = 50u << 20;  // what the hunting API gives at most

TemplateScope scope_of_call(const CallText& call) {
  return {.arguments = &call.arguments,
          .settings = &call.access.settings,
          .connector = call.connector.name,
          .call_key = call.key,
          .base = base_of(call.connector, call.access)};
}

Result<JsonValue> revealed(const Template& node, const CallText& call, Redaction& redaction) {
  JsonValue value = evaluate(node, scope_of_call(call));
  const auto remembering = [&](const std::string& name) -> Result<std::string> {
    if (!call.access.secret) return error("no secrets are configured, and the call needs `" + name + "`");
    Result<std::string> secret = call.access.secret(name);
    if (secret) redaction.add(*secret);
    return secret;
  };
  FLOW_TRY_STATUS(reveal(value, remembering));
  return value;
}

Result<std::string> query_text(const CallText& call, Redaction& redaction) {
  std::string query;
  for (const auto& [name, node] : call.route.query) {
    FLOW_TRY(const JsonValue value, revealed(node, call, redaction));
    if (value.is_null()) continue;
    // A list is the parameter once for each element.
    const bool is_list = value.kind == JsonValue::Kind::List;
    const std::span<const JsonValue> values = is_list ? std::span(value.items) : std::span(&value, 1);
    // `$filter` keeps its dollar sign: that is how the APIs' own pages and logs write it.
    const std::string plain =
        percent_encoded(name[0] == '$' ? std::string_view(name).substr(1) : std::string_view(name));
    for (const JsonValue& one : values)
      query += (query.empty() ? "?" : "&") + std::string(name[0] == '$' ? "$" : "") + plain + "=" +
               percent_encoded(text_of(one));
  }
  return query;
}

std::vector<std::string> addresses(const JsonValue* value) {
  std::vector<std::string> out;
  if (value == nullptr || value->is_null()) return out;
  if (value->kind != JsonValue::Kind::List) return {text_of(*value)};
  for (const JsonValue& item : value->items) out.push_back(text_of(item));
  return out;
}

std::string member_text(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.member(name);
  return value == nullptr ? std::string() : text_of(*value);
}

Result<std::vector<MailAttachment>> attachments(const JsonValue* value) {
  std::vector<MailAttachment> out;
  if (value == nullptr || value->kind != JsonValue::Kind::List) return out;
  for (const JsonValue& item : value->items) {
    const std::string name = member_text(item, "name");
    std::optional<std::string> bytes = bytes_of_base64(member_text(item, "content"));
    if (!bytes) return error("the content of attachment `" + printable(name) + "` is no Base64");
    out.push_back({name, member_text(item, "contentType"), std::move(*bytes)});
  }
  return out;
}

std::string size_text(std::uint64_t bytes) {
  return fmt::format("{}.{} MB", bytes / 1'000'000, bytes / 100'000 % 10);
}

Status check_size(const CallText& call, std::size_t bytes) {
  const std::uint64_t most = call.route.most_bytes;
  if (most == 0 || bytes <= most) return {};
  return error(fmt::format(
      "it is {} long with all that it carries, and {} takes {} at most", size_text(bytes),
      call.route.name.empty() ? call.connector.name : "route `" + call.route.name + "`", size_text(most)));
}

}  // namespace

TemplateScope scope_of(const CallText& call) {
  return scope_of_call(call);
}

Result<HttpHeaders> header_list(const CallText& call, Redaction& redaction) {
  HttpHeaders headers{{"Accept", "application/json"}};
  for (const auto& declared : call.route.headers) {
    const std::string& name = declared.first;
    FLOW_TRY(const JsonValue value, revealed(declared.second, call, redaction));
    if (value.is_null()) continue;
    std::string text = text_of(value);
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      return error("the value of header `" + name + "` holds a control character");
    std::erase_if(headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
    headers.emplace_back(name, std::move(text));
  }
  return headers;
}

Status check_allowed(const CallText& call) {
  for (const AllowRule& rule : call.route.allowed) {
    const JsonValue* const said = call.arguments.member(rule.parameter);
    if (said == nullptr || said->is_null()) continue;
    const auto setting = [&](const std::string& name) {
      const auto found = call.access.settings.find(call.connector.name + "." + name);
      return found == call.access.settings.end() ? std::string() : found->second;
    };
    const std::string wanted = lower_ascii(text_of(*said));
    if (wanted == lower_ascii(setting(rule.one))) continue;
    const std::string many = " " + lower_ascii(setting(rule.many)) + " ";
    if (wanted.find(' ') == std::string::npos && many.find(" " + wanted + " ") != std::string::npos) continue;
    return error(fmt::format("`{}` may not be `{}`: the configuration does not list it in `{}`",
                             rule.parameter, printable(text_of(*said)), rule.many));
  }
  return {};
}

void Redaction::add(std::string secret) {
  constexpr std::size_t kShortest = 4;  // what is shorter would tear holes into every text
  if (secret.size() >= kShortest) secrets_.push_back(std::move(secret));
}

std::string Redaction::cleaned(std::string text) const {
  for (const std::string& secret : secrets_) {
    text = without_secret(std::move(text), secret);
    if (const std::string encoded = percent_encoded(secret); encoded != secret)
      text = without_secret(std::move(text), encoded);
  }
  return text;
}

Outcome Redaction::cleaned(Outcome outcome) const {
  if (auto* returned = std::get_if<Returned>(&outcome)) {
    returned->json = cleaned(std::move(returned->json));
  } else {
    auto& fault = std::get<Fault>(outcome);
    fault.message = cleaned(std::move(fault.message));
    fault.code = cleaned(std::move(fault.code));
  }
  return outcome;
}

Result<const Route*> chosen_route(const Operation& operation, const TenantAccess& access) {
  if (operation.routes.empty()) return error(operation.full_name() + " has no route");
  for (const std::string& key : {operation.full_name(), operation.connector}) {
    const auto configured = access.routes.find(key);
    if (configured == access.routes.end()) continue;
    const auto found = std::ranges::find(operation.routes, configured->second, &Route::name);
    if (found != operation.routes.end()) return &*found;
    if (operation.routes.size() > 1)
      return error("the configuration chooses route `" + configured->second + "` for " + key + ", which " +
                   operation.full_name() + " does not have");
  }
  return &operation.routes.front();
}

std::string base_of(const Connector& connector, const TenantAccess& access) {
  const auto configured = access.bases.find(connector.name);
  std::string base = configured == access.bases.end() ? connector.base : configured->second;
  while (base.ends_with('/')) base.pop_back();
  return base;
}

Result<HttpRequest> http_request(const CallText& call, Redaction& redaction) {
  const bool is_secret = call.connector.auth.kind == Auth::Kind::Url;
  const std::string base = is_secret ? std::string() : base_of(call.connector, call.access);
  if (base.empty() && !is_secret)
    return error("the configuration has no address of connector `" + call.connector.name + "`: `base`");
  FLOW_TRY(const std::string path, evaluate_path(call.route.path, scope_of_call(call)));
  FLOW_TRY(const std::string query, query_text(call, redaction));
  FLOW_TRY(HttpHeaders headers, header_list(call, redaction));
  HttpRequest request{.method = call.route.method,
                      .url = base + path + query,
                      .headers = std::move(headers),
                      .max_response_bytes = kLongestAnswer};
  if (call.route.is_mail) {
    FLOW_TRY(const MailMessage mail, mail_message(call, redaction));
    FLOW_TRY(WrittenMail written, write_mail(mail, true));
    request.body = std::move(written.bytes);
    request.headers.emplace_back("Content-Type", "message/rfc822");
    FLOW_TRY_STATUS(check_size(call, request.body.size()));
  } else if (call.route.body && !is_change(call.route)) {
    FLOW_TRY(const JsonValue body, revealed(*call.route.body, call, redaction));
    if (body.is_null()) return request;  // a body that need not be there
    std::string type = "application/json";
    switch (call.route.body_form) {
      case BodyForm::Json: request.body = to_json(body); break;
      case BodyForm::Form:
        request.body = form_body(body);
        type = "application/x-www-form-urlencoded";
        break;
      case BodyForm::Multipart: {
        FLOW_TRY(Multipart form, multipart_body(body));
        request.body = std::move(form.body);
        type = std::move(form.content_type);
        break;
      }
      case BodyForm::Text:
        request.body = text_of(body);
        type = call.route.content_type;
        break;
      case BodyForm::Bytes: {
        auto bytes = bytes_of_base64(text_of(body));
        if (!bytes) return error("the body is no Base64");
        request.body = std::move(*bytes);
        type = call.route.content_type;
        break;
      }
    }
    request.headers.emplace_back("Content-Type", std::move(type));
    FLOW_TRY_STATUS(check_size(call, request.body.size()));
    if (request.body.size() > kLongestBody) return error("the request's body is longer than 32 MiB");
  }
  return request;
}

Result<HttpRequest> change_request(const CallText& call, const JsonValue& answer, Redaction& redaction) {
  FLOW_TRY(const std::string path, evaluate_path(call.route.then->path, scope_of_call(call)));
  FLOW_TRY(const std::string query, query_text(call, redaction));
  FLOW_TRY(HttpHeaders headers, header_list(call, redaction));
  FLOW_TRY(const JsonValue body, revealed(*call.route.body, call, redaction));
  HttpRequest request{.method = call.route.then->method,
                      .url = base_of(call.connector, call.access) + path + query,
                      .headers = std::move(headers),
                      .body = to_json(laid_over(answer, body)),
                      .max_response_bytes = kLongestAnswer};
  request.headers.emplace_back("Content-Type", "application/json");
  FLOW_TRY_STATUS(check_size(call, request.body.size()));
  if (request.body.size() > kLongestBody) return error("the request's body is longer than 32 MiB");
  return request;
}

Result<MailMessage> mail_message(const CallText& call, Redaction& redaction) {
  if (!call.route.body) return error(call.operation.full_name() + " declares no mail");
  FLOW_TRY(const JsonValue body, revealed(*call.route.body, call, redaction));
  MailMessage mail{.from = member_text(body, "from"),
                   .to = addresses(body.member("to")),
                   .cc = addresses(body.member("cc")),
                   .subject = member_text(body, "subject"),
                   .text = member_text(body, "text"),
                   .html = member_text(body, "html"),
                   .importance = member_text(body, "importance"),
                   .key = std::string(call.key)};
  const std::string setting = call.connector.name + ".sender";
  if (mail.from.empty())
    if (const auto found = call.access.settings.find(setting); found != call.access.settings.end())
      mail.from = found->second;
  mail.id = member_text(body, "id");
  mail.bcc = addresses(body.member("bcc"));
  mail.reply_to = addresses(body.member("replyTo"));
  mail.date_us = call.now_us;
  FLOW_TRY(mail.attachments, attachments(body.member("attachments")));
  if (mail.from.empty()) return error("setting `" + setting + "` is missing, and the mail names no sender");
  return mail;
}

}  // namespace flow
