#include "apps/sim/multipart.hpp"

#include <optional>

#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostParts = 100;

// The value of `key` in a header such as `form-data; name="file"; filename="a.ps1"`; empty when it is absent.
std::string parameter_of(std::string_view header, std::string_view key) {
  while (!header.empty()) {
    const std::size_t semicolon = header.find(';');
    std::string_view part = header.substr(0, semicolon);
    header.remove_prefix(semicolon == std::string_view::npos ? header.size() : semicolon + 1);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(part.substr(0, equals), key)) continue;
    std::string_view value = part.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

std::string disposition_of(std::string_view headers) {
  while (!headers.empty()) {
    const std::size_t end = headers.find("\r\n");
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), "Content-Disposition"))
      return std::string(line.substr(colon + 1));
  }
  return {};
}

}  // namespace

Result<std::vector<FormPart>> read_multipart(std::string_view content_type, std::string_view body) {
  if (!lower_ascii(content_type).starts_with("multipart/form-data"))
    return error("The body must be multipart/form-data.");
  const std::string boundary = parameter_of(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return error("The Content-Type has no boundary.");
  const std::string delimiter = "--" + boundary;
  if (!body.starts_with(delimiter)) return error("The body does not begin with its boundary.");
  body.remove_prefix(delimiter.size());
  std::vector<FormPart> parts;
  while (!body.starts_with("--")) {
    const std::size_t empty_line = body.find("\r\n\r\n");
    if (!body.starts_with("\r\n") || empty_line == 0 || empty_line == std::string_view::npos)
      return error("A part of the body has no header.");
    if (parts.size() == kMostParts) return error("The body has more than 100 parts.");
    const std::string disposition = disposition_of(body.substr(2, empty_line - 2));
    body.remove_prefix(empty_line + 4);
    const std::size_t end = body.find("\r\n" + delimiter);
    if (end == std::string_view::npos) return error("A part of the body is not ended by the boundary.");
    FormPart part{parameter_of(disposition, "name"), parameter_of(disposition, "filename"),
                  std::string(body.substr(0, end))};
    if (part.name.empty()) return error("A part of the body has no name.");
    parts.push_back(std::move(part));
    body.remove_prefix(end + 2 + delimiter.size());
  }
  return parts;
}

}  // namespace flow::sim
