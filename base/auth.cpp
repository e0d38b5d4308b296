#include "base/auth.hpp"

#include <algorithm>

namespace flow {
namespace {

struct Word {
  Auth::Kind kind;
  std::string_view text;
};
constexpr Word kWords[] = {{Auth::Kind::None, "none"},     {Auth::Kind::Entra, "entra"},
                           {Auth::Kind::Key, "key"},       {Auth::Kind::Basic, "basic"},
                           {Auth::Kind::Bearer, "bearer"}, {Auth::Kind::OAuth2, "oauth2"},
                           {Auth::Kind::Url, "url"}};

// RFC 9110: what the name of a header may consist of.
bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string_view auth_name(Auth::Kind kind) {
  return std::ranges::find(kWords, kind, &Word::kind)->text;
}

std::optional<Auth::Kind> auth_named(std::string_view word) {
  const auto found = std::ranges::find(kWords, word, &Word::text);
  return found == std::end(kWords) ? std::nullopt : std::optional(found->kind);
}

std::string auth_problem(const Auth& auth) {
  for (const std::string* text : {&auth.scope, &auth.token, &auth.header, &auth.prefix, &auth.query})
    if (!is_plain(*text)) return "only printable ASCII can be sent";
  if (auth.kind == Auth::Kind::Entra && auth.scope.empty())
    return "`auth entra` needs the scope of its token: `scope: \"https://api.example.com/.default\"`";
  if (auth.kind == Auth::Kind::OAuth2 && !auth.token.starts_with("https://") && !auth.token.starts_with('/'))
    return "`auth oauth2` needs where tokens are given: `token: \"https://…\"`, or a path as `\"/token\"`";
  if (auth.kind != Auth::Kind::Key) return {};
  if (auth.header.empty() == auth.query.empty())
    return "`auth key` needs one of `header: \"X-Api-Key\"` and `query: \"api_key\"`";
  if (auth.query.empty() && !is_header_name(auth.header)) return "a header's name has no such characters";
  if (auth.header.empty() && !auth.prefix.empty()) return "`prefix` goes with `header`";
  return {};
}

}  // namespace flow
