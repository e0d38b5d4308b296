#include "stdlib/executor/form.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/executor/template.hpp"

namespace flow {
namespace {

struct Part {
  std::string name;
  std::optional<std::string> file_name;
  std::string content;
};

// A name within the quotes of a header, as browsers write it: what would end the text is percent-encoded.
std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"')
      out += "%22";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else
      out += c;
  }
  return out + "\"";
}

Result<Part> part_of(const std::string& name, const JsonValue& value) {
  if (value.kind != JsonValue::Kind::Object) return Part{name, std::nullopt, text_of(value)};
  const JsonValue* const file_name = value.member("name");
  const JsonValue* const content = value.member("content");
  if (file_name == nullptr || content == nullptr || !file_name->is_text() || !content->is_text())
    return error("the part `" + name + "` of the form is no file: a file has a name and a content");
  auto bytes = bytes_of_base64(content->text);
  if (!bytes) return error("the content of the file in `" + name + "` is no Base64");
  return Part{name, file_name->text, std::move(*bytes)};
}

std::string boundary_for(const std::vector<Part>& parts) {
  for (std::uint64_t number = 0;; ++number) {
    std::string boundary = "flow-part-" + std::to_string(number);
    const auto holds_it = [&](const Part& part) { return part.content.find(boundary) != std::string::npos; };
    if (std::ranges::none_of(parts, holds_it)) return boundary;
  }
}

}  // namespace

std::string form_body(const JsonValue& fields) {
  std::string out;
  const auto add = [&](const std::string& name, const JsonValue& value) {
    out += (out.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(text_of(value));
  };
  for (std::size_t i = 0; i < fields.names.size(); ++i) {
    if (fields.items[i].kind != JsonValue::Kind::List) {
      add(fields.names[i], fields.items[i]);
      continue;
    }
    for (const JsonValue& item : fields.items[i].items) add(fields.names[i], item);
  }
  return out;
}

Result<Multipart> multipart_body(const JsonValue& fields) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < fields.names.size(); ++i) {
    FLOW_TRY(Part part, part_of(fields.names[i], fields.items[i]));
    parts.push_back(std::move(part));
  }
  const std::string boundary = boundary_for(parts);
  std::string body;
  for (const Part& part : parts) {
    body += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quoted_name(part.name);
    if (part.file_name)
      body += "; filename=" + quoted_name(*part.file_name) + "\r\nContent-Type: application/octet-stream";
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  body += "--" + boundary + "--\r\n";
  return Multipart{"multipart/form-data; boundary=" + boundary, std::move(body)};
}

}  // namespace flow
