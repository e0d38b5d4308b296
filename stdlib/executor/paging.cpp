#include "stdlib/executor/paging.hpp"

#include <utility>

#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/http/url.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

bool is_same_origin(const Url& a, const Url& b) {
  return a.is_https == b.is_https && a.host == b.host && a.port == b.port;
}

// Links were seen with what a URL must not hold, as the blanks of a filter.
std::string with_encoded(std::string_view link) {
  std::string out;
  for (const char c : link) {
    const bool may_stand =
        c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
    out += may_stand ? std::string(1, c) : percent_encoded(std::string_view(&c, 1));
  }
  return out;
}

// The link of an answer to its next page.
Result<std::optional<std::string>> link_in(const HttpResponse& response, const std::string& member,
                                           const std::string& first_url) {
  FLOW_TRY(const std::string json, json_part(response.body, member));
  FLOW_TRY(const JsonValue link, parse_json(json));
  if (link.is_null() || (link.is_text() && link.text.empty())) return std::optional<std::string>();
  if (!link.is_text()) return error("the link to its next page is no text");
  std::string target = with_encoded(link.text);
  const Result<Url> next = parse_url(target), first = parse_url(first_url);
  if (!next) return error("the link to its next page is no URL: " + next.error().message);
  if (!first || !is_same_origin(*next, *first))
    return error("the link to its next page leads to another host, " + excerpt(next->host_header(), 100) +
                 ", which gets no credential");
  return std::optional<std::string>(std::move(target));
}

}  // namespace

Result<std::optional<std::string>> Pages::add(const std::string& list_json, const HttpResponse& response,
                                              const Paging& paging, const std::string& url) {
  if (count_++ == 0) first_url_ = url;
  if (list_json != "null") {
    if (!list_json.starts_with('[')) return error("a page of the list is no list");
    is_too_large_ = elements_.size() + list_json.size() > kLongestJson;
    if (is_too_large_) return error("the list is longer than 64 MiB");
    const std::string_view elements = std::string_view(list_json).substr(1, list_json.size() - 2);
    if (!elements.empty() && !elements_.empty()) elements_ += ',';
    elements_ += elements;
  }
  std::optional<std::string> next;
  if (paging.kind == Paging::Kind::Link) {
    FLOW_TRY(next, link_in(response, paging.name, first_url_));
  } else {
    FLOW_TRY(const JsonValue page, parse_json(list_json));
    if (page.items.size() >= paging.page_size) {
      const std::uint64_t skip = std::uint64_t{count_} * paging.page_size;
      next = first_url_ + (first_url_.find('?') == std::string::npos ? "?" : "&") + paging.name + "=" +
             std::to_string(skip);
    }
  }
  is_too_large_ = next && count_ >= paging.limit;
  if (is_too_large_)
    return error("the list has more than the " + std::to_string(paging.limit) +
                 " pages that are read at most; ask for less, as by a narrower filter");
  return next;
}

}  // namespace flow
