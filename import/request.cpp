#include "import/request.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "import/constants.hpp"

namespace flow::importer {
namespace {

// What may stand in a path as it is (RFC 3986); the rest is percent-encoded.
bool is_path_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=:@/%").find(c) != std::string_view::npos;
}

std::string path_text(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += is_path_char(c) ? std::string(1, c) : percent_encoded(std::string_view(&c, 1));
  return out;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_query_name(std::string_view name) {
  return !name.empty() && name.size() < 200 &&
         std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

bool RequestTranslation::translate(DeclaredOperation& into) {
  type_name_ = pascal_case(into.name);
  collect();
  if (!path(into)) return false;
  for (Input& one : inputs_)
    if (!input(one, into)) return false;
  if (!body(into)) return false;
  into.parameters = parameters_.all();
  return true;
}

// Those of the path's item, and of the operation in their place.
void RequestTranslation::collect() {
  for (const Place& list : {source_.item["parameters"], source_.at["parameters"]}) {
    for (std::size_t i = 0; list.is_list() && i < list.size(); ++i) {
      const Place at = references_.follow(list.item(i));
      if (!at.is_object()) {
        if (at) findings_.loss(at, "this is no parameter");
        continue;
      }
      Input found{.at = at,
                  .schema = at,
                  .in = lower_ascii(at["in"].text()),
                  .wire = std::string(at["name"].scalar())};
      if (at["schema"]) {
        found.schema = at["schema"];
      } else if (at["content"].is_object() && at["content"].size() > 0) {
        found.schema = at["content"].item(0)["schema"];
        findings_.note(at, "its value is sent as JSON");
      }
      const auto same = std::ranges::find_if(
          inputs_, [&](const Input& known) { return known.in == found.in && known.wire == found.wire; });
      if (same == inputs_.end())
        inputs_.push_back(std::move(found));
      else
        *same = std::move(found);
    }
  }
}

// The text that fills `{name}` of the path: a hole with its parameter, or a constant.
std::string RequestTranslation::hole(std::string_view name, const std::string& part) {
  while (!name.empty() && std::string_view("+#./;?&").find(name[0]) != std::string_view::npos)
    name.remove_prefix(1);
  while (name.ends_with('*')) name.remove_suffix(1);
  if (const auto known = holes_.find(std::string(name)); known != holes_.end()) return known->second;
  auto found =
      std::ranges::find_if(inputs_, [&](const Input& one) { return one.in == "path" && one.wire == name; });
  if (found == inputs_.end())
    found = std::ranges::find_if(
        inputs_, [&](const Input& one) { return one.in == "path" && equals_ignoring_case(one.wire, name); });
  std::string text;
  if (found == inputs_.end()) {
    findings_.note(source_.at, fmt::format("the path has `{}`, of which nothing more is said: it is a String",
                                           printable(part)));
    text = "{" + parameters_.add_plain(name, "String", "", "") + "}";
  } else {
    found->is_used = true;
    if (found->at["x-ms-url-encoding"].text() == "double")
      findings_.note(
          found->at,
          "the API wants it percent-encoded twice, and it is once: what needs no encoding is the same");
    const PlacedParameter placed = parameters_.add({.wire = found->wire,
                                                    .at = found->at,
                                                    .schema = found->schema,
                                                    .is_required = true,
                                                    .type_name = found->wire});
    if (placed.is_constant) {
      Place value = found->schema["default"];
      if (!value) value = found->at["default"];
      text = escaped(percent_encoded(value.scalar()));
    } else {
      text = "{" + in_list(*found, placed) + "}";
    }
  }
  holes_.emplace(std::string(name), text);
  return text;
}

// A text of the document with its `{name}` filled.
std::string RequestTranslation::filled(std::string_view text, bool is_path) {
  std::string out;
  const auto plain = [&](std::string_view piece) {
    out += escaped(is_path ? path_text(piece) : std::string(piece));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find('{', at);
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos || close == open + 1) {
      const std::size_t end = close == std::string_view::npos ? text.size() : close + 1;
      plain(text.substr(at, end - at));
      at = end;
      continue;
    }
    plain(text.substr(at, open - at));
    out += hole(text.substr(open + 1, close - open - 1), std::string(text.substr(open, close - open + 1)));
    at = close + 1;
  }
  return out;
}

bool RequestTranslation::path(DeclaredOperation& into) {
  std::string_view text = source_.path;
  const std::size_t end = text.find('#');
  text = text.substr(0, end);
  // A `?` within braces is RFC 6570's, as in `{?page}`.
  std::size_t query = text.find('?');
  if (query != std::string_view::npos && query > 0 && text[query - 1] == '{') query = std::string_view::npos;
  into.path = filled(text.substr(0, query), true);
  if (!into.path.starts_with('/')) into.path.insert(0, "/");
  if (query != std::string_view::npos) fixed_query(text.substr(query + 1), into);
  for (Input& one : inputs_) {
    if (one.in != "path" || one.is_used) continue;
    one.is_used = true;
    findings_.note(one.at, fmt::format("the path has no `{{{}}}`", printable(one.wire)));
  }
  return true;
}

// What a path says behind its question mark: `?api-version=1&mode={mode}`.
void RequestTranslation::fixed_query(std::string_view query, DeclaredOperation& into) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name =
        percent_decoded(pair.substr(0, equals)).value_or(std::string(pair.substr(0, equals)));
    if (!is_query_name(name) || name.find('{') != std::string::npos) {
      if (!pair.empty())
        findings_.loss(source_.at, fmt::format("`{}` of the path is left out", printable(pair)));
      continue;
    }
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    into.query.emplace_back(name,
                            "\"" + filled(percent_decoded(value).value_or(std::string(value)), false) + "\"");
  }
}

// A list in one value: separated as the document says.
std::string RequestTranslation::in_list(const Input& input, const PlacedParameter& placed) {
  if (placed.is_constant || !placed.type.name.starts_with("List<")) return placed.expression;
  const std::string_view format = input.at["collectionFormat"].text(), style = input.at["style"].text();
  const bool is_v3 = input.at["schema"] || !style.empty();
  const Place explode = input.at["explode"];
  const bool is_repeated =
      format == "multi" ||
      (is_v3 && input.in == "query" && (style.empty() || style == "form") && (!explode || explode.is_true()));
  if (is_repeated && input.in == "query") return placed.expression;
  std::string_view by = ",";
  if (format == "ssv" || style == "spaceDelimited") by = " ";
  if (format == "pipes" || style == "pipeDelimited") by = "|";
  if (format == "tsv") by = "\t";
  return fmt::format("{}.join({})", placed.expression, quoted(by));
}

bool RequestTranslation::input(Input& input, DeclaredOperation& into) {
  if (input.is_used || input.in == "body" || input.in == "formdata") return true;
  const bool is_required = input.at["required"].is_true();
  if (input.in == "path") return true;
  const std::string low = lower_ascii(input.wire);
  if (auth_.carries.contains({input.in, low})) {
    findings_.note(input.at, "the connector's credential brings it");
    return true;
  }
  if (input.in == "cookie") {
    findings_.loss(input.at, fmt::format("the cookie `{}` cannot be sent", printable(input.wire)));
    return !is_required;
  }
  const bool is_header = input.in == "header";
  if (!is_header && input.in != "query") {
    findings_.loss(input.at, fmt::format("there is no place `{}` for a parameter", printable(input.in)));
    return !is_required;
  }
  if (is_header && (low == "content-type" || low == "accept" || low == "content-length" || low == "host")) {
    findings_.note(input.at, fmt::format("`{}` is set for each request", printable(input.wire)));
    return true;
  }
  if (is_header ? !is_header_name(input.wire) : !is_query_name(input.wire)) {
    findings_.loss(input.at, fmt::format("`{}` is no name of a {}", printable(input.wire),
                                         is_header ? "header" : "parameter"));
    return !is_required;
  }
  if (input.at["style"].text() == "deepObject") {
    findings_.loss(input.at, "an object cannot be spread over several parameters of the address");
    return !is_required;
  }
  const PlacedParameter placed = parameters_.add({.wire = input.wire,
                                                  .at = input.at,
                                                  .schema = input.schema,
                                                  .is_required = is_required,
                                                  .may_be_secret = true,
                                                  .type_name = input.wire});
  DeclaredEntries& entries = is_header ? into.headers : into.query;
  std::erase_if(entries, [&](const auto& entry) { return entry.first == input.wire; });
  entries.emplace_back(input.wire, in_list(input, placed));
  return true;
}

}  // namespace flow::importer
