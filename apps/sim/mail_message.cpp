#include "apps/sim/mail_message.hpp"

#include <algorithm>
#include <optional>

#include "apps/sim/url.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr int kDeepestPart = 8;

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

// `=C3=A9`; soft line breaks vanish. In a header word `_` is a space.
std::string quoted_printable_decoded(std::string_view text, bool is_word) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_word && text[i] == '_') {
      out += ' ';
    } else if (text[i] == '=' && text.substr(i + 1, 2) == "\r\n") {
      i += 2;
    } else if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
               hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string from_charset(std::string bytes, std::string_view charset) {
  if (!equals_ignoring_case(charset, "iso-8859-1") && !equals_ignoring_case(charset, "windows-1252"))
    return bytes;
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

struct Word {
  std::string text;
  std::size_t length = 0;
};

// The encoded word at the start of `text`.
std::optional<Word> encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?')
    return std::nullopt;
  const std::size_t end = text.find("?=", charset_end + 3);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view payload = text.substr(charset_end + 3, end - charset_end - 3);
  const char encoding = text[charset_end + 1];
  std::optional<std::string> bytes;
  if (encoding == 'B' || encoding == 'b') bytes = base64_decoded(payload);
  if (encoding == 'Q' || encoding == 'q') bytes = quoted_printable_decoded(payload, true);
  if (!bytes) return std::nullopt;
  return Word{from_charset(std::move(*bytes), text.substr(2, charset_end - 2)), end + 2};
}

struct Part {
  std::vector<std::pair<std::string, std::string>> headers;  // unfolded, not decoded
  std::string_view body;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (equals_ignoring_case(key, name)) return value;
    return {};
  }
};

Part split_part(std::string_view text) {
  Part part;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view content = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (content.empty()) break;
    if ((content[0] == ' ' || content[0] == '\t') && !part.headers.empty()) {
      part.headers.back().second += " " + std::string(trimmed(content));
    } else if (const std::size_t colon = content.find(':'); colon != std::string_view::npos) {
      part.headers.emplace_back(content.substr(0, colon), trimmed(content.substr(colon + 1)));
    }
  }
  part.body = text;
  return part;
}

// Value of `name=` in `text/plain; charset="utf-8"`.
std::string parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos; at = header.find(';', at + 1)) {
    const std::string_view rest = trimmed(header.substr(at + 1));
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(rest.substr(0, equals)), name))
      continue;
    const std::string_view value = rest.substr(equals + 1);
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(trimmed(value.substr(0, value.find(';'))));
  }
  return {};
}

// The same of what RFC 2231 wrote as `filename*=utf-8''r%C3%A9sum%C3%A9.csv`.
std::string file_name(std::string_view disposition) {
  const std::string extended = parameter(disposition, "filename*");
  const std::size_t charset_end = extended.find('\'');
  const std::size_t begin =
      charset_end == std::string::npos ? charset_end : extended.find('\'', charset_end + 1);
  if (begin == std::string::npos) return decode_words(parameter(disposition, "filename"));
  std::string out;
  for (std::size_t i = begin + 1; i < extended.size(); ++i) {
    const bool is_hex = extended[i] == '%' && i + 2 < extended.size() && hex_value(extended[i + 1]) >= 0 &&
                        hex_value(extended[i + 2]) >= 0;
    out += is_hex ? static_cast<char>(hex_value(extended[i + 1]) * 16 + hex_value(extended[i + 2]))
                  : extended[i];
    if (is_hex) i += 2;
  }
  return from_charset(std::move(out), std::string_view(extended).substr(0, charset_end));
}

std::string decoded_body(const Part& part, std::string_view type) {
  const std::string_view encoding = part.header("Content-Transfer-Encoding");
  std::string body(part.body);
  if (equals_ignoring_case(encoding, "quoted-printable")) body = quoted_printable_decoded(part.body, false);
  if (equals_ignoring_case(encoding, "base64")) body = base64_decoded(trimmed(part.body)).value_or(body);
  return from_charset(std::move(body), parameter(type, "charset"));
}

std::vector<std::string_view> parts_of(std::string_view body, const std::string& boundary) {
  std::vector<std::string_view> parts;
  const std::string mark = "--" + boundary;
  std::size_t start = body.find(mark);
  while (start != std::string_view::npos && boundary.size() > 0) {
    start += mark.size();
    if (body.substr(start, 2) == "--") break;
    start = body.find('\n', start);
    if (start == std::string_view::npos) break;
    const std::size_t end = body.find(mark, ++start);
    if (end == std::string_view::npos) break;
    std::string_view part = body.substr(start, end - start);
    if (part.ends_with("\r\n")) part.remove_suffix(2);
    parts.push_back(part);
    start = end;
  }
  return parts;
}

void read_part(const Part& part, MailMessage& mail, int depth) {
  const std::string type(part.header("Content-Type").empty() ? "text/plain" : part.header("Content-Type"));
  const std::string kind = lower_ascii(trimmed(type.substr(0, type.find(';'))));
  if (kind.starts_with("multipart/")) {
    if (depth >= kDeepestPart) return;
    for (const std::string_view inner : parts_of(part.body, parameter(type, "boundary")))
      read_part(split_part(inner), mail, depth + 1);
    return;
  }
  const std::string_view disposition = part.header("Content-Disposition");
  const std::string file = file_name(disposition);
  if (!file.empty() || disposition.starts_with("attachment"))
    mail.attachments.push_back(file);
  else if (kind == "text/plain" && mail.text.empty())
    mail.text = decoded_body(part, type);
  else if (kind == "text/html" && mail.html.empty())
    mail.html = decoded_body(part, type);
}

}  // namespace

std::string_view MailMessage::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equals_ignoring_case(key, name)) return value;
  return {};
}

std::string decode_words(std::string_view text) {
  std::string out;
  bool was_word = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t blanks = std::min(text.find_first_not_of(" \t", i), text.size()) - i;
    // Blanks between two encoded words belong to neither.
    if (const auto word = encoded_word(text.substr(i + (was_word ? blanks : 0)))) {
      out += word->text;
      i += word->length + (was_word ? blanks : 0);
      was_word = true;
      continue;
    }
    if (text[i] != ' ' && text[i] != '\t') was_word = false;
    out += text[i++];
  }
  return out;
}

std::vector<std::string> addresses_in(std::string_view header) {
  std::vector<std::string> addresses;
  std::string current, bracketed;
  bool is_quoted = false, is_bracketed = false;
  const auto finish = [&] {
    const std::string address(trimmed(bracketed.empty() ? current : bracketed));
    if (!address.empty()) addresses.push_back(address);
    current.clear();
    bracketed.clear();
  };
  bool is_escaped = false;
  for (const char c : header) {
    if (std::exchange(is_escaped, false)) continue;
    if (is_quoted && c == '\\')
      is_escaped = true;
    else if (c == '"')
      is_quoted = !is_quoted;
    else if (is_quoted)
      continue;
    else if (c == '<')
      is_bracketed = true;
    else if (c == '>')
      is_bracketed = false;
    else if (c == ',' && !is_bracketed)
      finish();
    else
      (is_bracketed ? bracketed : current) += c;
  }
  finish();
  return addresses;
}

MailMessage parse_mail(std::string_view message) {
  MailMessage mail;
  mail.bytes = message.size();
  const Part root = split_part(message);
  for (const auto& [name, value] : root.headers) mail.headers.emplace_back(name, decode_words(value));
  mail.subject = std::string(mail.header("Subject"));
  mail.message_id = std::string(mail.header("Message-ID"));
  const auto from = addresses_in(root.header("From"));
  if (!from.empty()) mail.from = from[0];
  mail.to = addresses_in(root.header("To"));
  mail.cc = addresses_in(root.header("Cc"));
  read_part(root, mail, 0);
  return mail;
}

}  // namespace flow::sim
