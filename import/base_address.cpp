#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "import/address.hpp"

namespace flow::importer {
namespace {

bool is_address(std::string_view text) {
  return text.size() <= 500 && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>';
         });
}

// `{region}` becomes the variable's default, where there is one.
std::string with_defaults(std::string url, const Place& variables) {
  for (std::size_t i = 0; variables.is_object() && i < variables.size(); ++i) {
    const std::string hole = "{" + std::string(variables.name(i)) + "}";
    const std::string value(variables.item(i)["default"].scalar());
    if (value.empty() || value.find('{') != std::string::npos) continue;
    for (std::size_t at = 0; (at = url.find(hole, at)) != std::string::npos; at += value.size())
      url.replace(at, hole.size(), value);
  }
  return url;
}

std::string swagger_base(const Place& root) {
  std::string host(root["host"].text());
  const Place template_of_host = root["x-ms-parameterized-host"];
  if (host.empty()) host = template_of_host["hostTemplate"].text();
  if (host.empty()) return {};
  std::string scheme = "https";
  const Place schemes = root["schemes"];
  bool has_https = schemes.size() == 0;
  for (std::size_t i = 0; schemes.is_list() && i < schemes.size(); ++i)
    has_https = has_https || equals_ignoring_case(schemes.item(i).text(), "https") ||
                equals_ignoring_case(schemes.item(i).text(), "wss");
  if (!has_https) scheme = "http";
  if (const std::size_t at = host.find("://"); at != std::string::npos) {
    scheme = lower_ascii(host.substr(0, at)) == "http" ? "http" : "https";
    host = host.substr(at + 3);
  }
  while (host.ends_with('/')) host.pop_back();
  std::string path(root["basePath"].text());
  if (!path.empty() && !path.starts_with('/')) path = "/" + path;
  return scheme + "://" + host + path;
}

}  // namespace

std::string base_of(const Place& root, Findings& findings) {
  std::string url;
  Place where = root["host"];
  const Place servers = root["servers"];
  if (servers.is_list()) {
    for (std::size_t i = 0; i < servers.size(); ++i) {
      const std::string one =
          with_defaults(std::string(servers.item(i)["url"].text()), servers.item(i)["variables"]);
      const bool is_absolute = one.starts_with("https://") || one.starts_with("http://");
      const bool is_better = url.empty() || (one.starts_with("https://") && !url.starts_with("https://"));
      if (!is_absolute || !is_better) continue;
      url = one;
      where = servers.item(i);
    }
    if (!where) where = servers;
  } else {
    url = swagger_base(root);
  }
  if (!where) where = root;
  url = url.substr(0, url.find_first_of("?#"));
  while (url.ends_with('/')) url.pop_back();
  if (url.empty() || url.ends_with(":"))
    findings.note(
        where,
        "the document does not say where the API is: set `base` of the connector in the configuration");
  else if (url.find_first_of("{}") != std::string::npos)
    findings.note(where, fmt::format("each customer has an address of their own, as `{}`: set `base` of the "
                                     "connector in the configuration",
                                     printable(url)));
  else if (!is_address(url))
    findings.note(where, "its address is none: set `base` of the connector in the configuration");
  else {
    if (url.starts_with("http://")) findings.note(where, "requests to it are not encrypted");
    return url;
  }
  return {};
}

}  // namespace flow::importer
