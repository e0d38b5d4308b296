#include "stdlib/executor/second_requests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::string_view kSize = "size";

JsonValue with_result(const JsonValue& arguments, const JsonValue& answer) {
  JsonValue all = arguments;
  all.names.insert(all.names.begin(), "result");
  all.items.insert(all.items.begin(), answer);
  return all;
}

void set_member(JsonValue& object, std::string_view name, JsonValue value) {
  const auto found = std::ranges::find(object.names, name);
  if (found == object.names.end()) {
    object.names.emplace_back(name);
    object.items.push_back(std::move(value));
  } else {
    object.items[static_cast<std::size_t>(found - object.names.begin())] = std::move(value);
  }
}

Result<HttpRequest> request_to(const CallText& call, const JsonValue& answer, const std::string& method,
                               const Template& path, const JsonValue* item) {
  const JsonValue arguments = with_result(call.arguments, answer);
  TemplateScope scope = scope_of(call);
  scope.arguments = &arguments;
  scope.item = item;
  FLOW_TRY(const std::string text, evaluate_path(path, scope));
  return HttpRequest{.method = method,
                     .url = base_of(call.connector, call.access) + text,
                     .headers = {{"Accept", "application/json"}},
                     .max_response_bytes = 1u << 20};
}

}  // namespace

Result<SplitArguments> split_large(const JsonValue& arguments, const Upload& upload) {
  SplitArguments split{.rest = arguments, .large = {}};
  const auto list = std::ranges::find(split.rest.names, upload.list);
  if (list == split.rest.names.end()) return split;
  JsonValue& items = split.rest.items[static_cast<std::size_t>(list - split.rest.names.begin())];
  if (items.kind != JsonValue::Kind::List) return split;
  std::vector<JsonValue> small;
  for (JsonValue& item : items.items) {
    const JsonValue* const content = item.member(upload.content);
    const std::string_view text = content == nullptr ? std::string_view() : std::string_view(content->text);
    if (text.size() / 4 * 3 <= upload.from_bytes) {
      small.push_back(std::move(item));
      continue;
    }
    std::optional<std::string> bytes = bytes_of_base64(text);
    if (!bytes) return error("`" + upload.list + "` has an item whose `" + upload.content + "` is no Base64");
    set_member(item, upload.content, {});
    set_member(item, kSize, JsonValue::of_number(std::to_string(bytes->size())));
    split.large.push_back({std::move(item), std::move(*bytes)});
  }
  items.items = std::move(small);
  return split;
}

bool is_unfinished(const FollowUp& then, const JsonValue& answer) {
  if (then.when.empty()) return true;
  const JsonValue* const said = answer.member(then.when);
  return said == nullptr || said->kind != JsonValue::Kind::Bool || said->truth;
}

bool is_question(const FollowUp& then) {
  return then.method == "GET";
}

Progress progress_in(std::string_view body, const std::string& member) {
  const auto answer = parse_json(body);
  const JsonValue* const state = answer ? answer->member(member) : nullptr;
  if (state == nullptr || !state->is_text()) return {};
  const bool is_good = equals_ignoring_case(state->text, "Succeeded");
  const bool is_bad = equals_ignoring_case(state->text, "Failed") ||
                      equals_ignoring_case(state->text, "Canceled") ||
                      equals_ignoring_case(state->text, "Cancelled");
  return {.state = state->text, .is_over = is_good || is_bad, .is_good = is_good};
}

Result<HttpRequest> follow_up_request(const CallText& call, const JsonValue& answer, Redaction& redaction) {
  const FollowUp& then = *call.route.then;
  FLOW_TRY(HttpRequest request, request_to(call, answer, then.method, then.path, nullptr));
  FLOW_TRY(request.headers, header_list(call, redaction));
  return request;
}

Result<HttpRequest> upload_request(const CallText& call, const JsonValue& answer, const LargePart& part) {
  const Upload& upload = *call.route.upload;
  FLOW_TRY(HttpRequest request, request_to(call, answer, "POST", upload.path, &part.item));
  const JsonValue arguments = with_result(call.arguments, answer);
  TemplateScope scope = scope_of(call);
  scope.arguments = &arguments;
  scope.item = &part.item;
  request.body = to_json(evaluate(upload.body, scope));
  request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

Result<HttpRequest> discard_request(const CallText& call, const JsonValue& answer) {
  return request_to(call, answer, "DELETE", call.route.upload->discard, nullptr);
}

Result<std::string> upload_address(const CallText& call, const HttpResponse& answer, Redaction& redaction) {
  const auto body = parse_json(answer.body);
  const JsonValue* const address = body ? body->member("uploadUrl") : nullptr;
  if (address == nullptr || !address->is_text()) return error("the answer names no address for the upload");
  redaction.add(address->text);
  const bool is_clean = std::ranges::none_of(
      address->text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  if (!is_clean || (!address->text.starts_with("https://") &&
                    !address->text.starts_with(base_of(call.connector, call.access) + "/")))
    return error("the address for the upload is not one of HTTPS");
  return address->text;
}

HttpRequest piece_request(const std::string& address, const std::string& bytes, std::size_t from) {
  const std::size_t end = std::min(bytes.size(), from + kPieceBytes);
  HttpRequest request{.method = "PUT", .url = address, .max_response_bytes = 1u << 20};
  request.headers = {
      {"Content-Type", "application/octet-stream"},
      {"Content-Range", fmt::format("bytes {}-{}/{}", from, end - 1, bytes.size())},
  };
  request.body = bytes.substr(from, end - from);
  return request;
}

}  // namespace flow
