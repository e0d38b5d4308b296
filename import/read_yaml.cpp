// YAML to a Document; the one place that knows libyaml. An alias becomes another reference to the node it
// names, never a copy: a document of a kilobyte that would unfold to gigabytes stays a kilobyte. Plain
// scalars mean what YAML 1.2's core schema says: `no` and `on` are texts.
#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "import/read.hpp"

namespace flow::importer {
namespace {

using Node = Document::Node;

// The next event of the parser, which frees it.
class Event {
 public:
  explicit Event(yaml_parser_t& parser) : is_there_(yaml_parser_parse(&parser, &event_) != 0) {}
  ~Event() {
    if (is_there_) yaml_event_delete(&event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  bool is_there() const { return is_there_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
  bool is_there_;
};

std::string_view text_of(const yaml_char_t* text, std::size_t length) {
  return {reinterpret_cast<const char*>(text), length};
}

std::string_view anchor_of(const yaml_char_t* anchor) {
  return anchor == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(anchor));
}

bool is_number(std::string_view text) {
  const std::string_view digits = text.substr(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0);
  if (digits.empty() || !(digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'))) return false;
  double value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return failed == std::errc() && end == digits.data() + digits.size();
}

Node plain_scalar(std::string_view text) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
  };
  if (is_one_of({"", "~", "null", "Null", "NULL"})) return {};
  if (is_one_of({"true", "True", "TRUE"})) return {.kind = Document::Kind::Bool, .truth = true};
  if (is_one_of({"false", "False", "FALSE"})) return {.kind = Document::Kind::Bool};
  return {.kind = is_number(text) ? Document::Kind::Number : Document::Kind::Text, .text = std::string(text)};
}

class YamlReader {
 public:
  YamlReader(std::string_view text, Findings& findings) : findings_(findings) {
    FLOW_CHECK(yaml_parser_initialize(&parser_) != 0, "no memory for the YAML parser");
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~YamlReader() { yaml_parser_delete(&parser_); }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  Result<Document> read() {
    for (;;) {
      const Event event(parser_);
      if (!event.is_there()) return error(problem());
      switch ((*event).type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT: break;
        case YAML_STREAM_END_EVENT:
        case YAML_NO_EVENT: return error("it is empty");
        default: {
          FLOW_TRY(document_.root, node(*event, "", 0));
          report_more();
          return std::move(document_);
        }
      }
    }
  }

 private:
  std::string problem() const {
    return fmt::format("line {}, column {}: {}", parser_.problem_mark.line + 1,
                       parser_.problem_mark.column + 1,
                       parser_.problem == nullptr ? "it cannot be read" : parser_.problem);
  }

  static std::string at(const yaml_event_t& event, std::string_view what) {
    return fmt::format("line {}: {}", event.start_mark.line + 1, what);
  }

  // Anything behind the first document of a stream.
  void report_more() {
    const Event end(parser_);
    if (!end.is_there()) return;
    const Event next(parser_);
    if (next.is_there() && (*next).type == YAML_DOCUMENT_START_EVENT)
      findings_.add("", "more documents stand behind the first one", true);
  }

  Result<DocumentNode> node(const yaml_event_t& event, const std::string& pointer, int depth) {
    if (depth > kDeepestDocument)
      return error(at(event, fmt::format("it is nested deeper than {} levels", kDeepestDocument)));
    if (document_.size() >= kMostNodes) return error(at(event, "it has too many parts"));
    switch (event.type) {
      case YAML_ALIAS_EVENT: {
        const auto known = anchors_.find(anchor_of(event.data.alias.anchor));
        if (known != anchors_.end()) return known->second;
        return error(
            at(event, fmt::format("nothing before it is named `{}`", anchor_of(event.data.alias.anchor))));
      }
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event.data.scalar;
        const std::string_view text = text_of(scalar.value, scalar.length);
        const DocumentNode made =
            document_.add(scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr
                              ? plain_scalar(text)
                              : Node{.kind = Document::Kind::Text, .text = std::string(text)});
        return named(anchor_of(scalar.anchor), made);
      }
      case YAML_SEQUENCE_START_EVENT:
        return list(std::string(anchor_of(event.data.sequence_start.anchor)), pointer, depth);
      case YAML_MAPPING_START_EVENT:
        return object(std::string(anchor_of(event.data.mapping_start.anchor)), pointer, depth);
      default: return error(at(event, "it cannot be read"));
    }
  }

  DocumentNode named(std::string_view anchor, DocumentNode node) {
    if (!anchor.empty()) anchors_.insert_or_assign(std::string(anchor), node);
    return node;
  }

  Result<DocumentNode> list(const std::string& anchor, const std::string& pointer, int depth) {
    Node made{.kind = Document::Kind::List};
    for (;;) {
      const Event event(parser_);
      if (!event.is_there()) return error(problem());
      if ((*event).type == YAML_SEQUENCE_END_EVENT) return named(anchor, document_.add(std::move(made)));
      FLOW_TRY(const DocumentNode item,
               node(*event, pointer + "/" + std::to_string(made.items.size()), depth + 1));
      made.items.push_back(item);
    }
  }

  Result<DocumentNode> object(const std::string& anchor, const std::string& pointer, int depth) {
    Node made{.kind = Document::Kind::Object};
    std::set<std::string> seen;
    std::vector<DocumentNode> merged;
    for (;;) {
      std::string name;
      {
        const Event event(parser_);
        if (!event.is_there()) return error(problem());
        if ((*event).type == YAML_MAPPING_END_EVENT) break;
        FLOW_TRY(const DocumentNode key, node(*event, pointer, depth + 1));
        const Node& of = document_[key];
        if (of.kind == Document::Kind::List || of.kind == Document::Kind::Object)
          return error(at(*event, "the name of a member is a list or an object"));
        // As it is written, whatever a scalar of this spelling would mean as a value.
        name = (*event).type == YAML_SCALAR_EVENT
                   ? std::string(text_of((*event).data.scalar.value, (*event).data.scalar.length))
                   : of.text;
      }
      const Event event(parser_);
      if (!event.is_there()) return error(problem());
      const std::string place = pointer + "/" + pointer_part(name);
      FLOW_TRY(const DocumentNode value, node(*event, place, depth + 1));
      if (name == "<<") {
        merged.push_back(value);
        continue;
      }
      if (!seen.insert(name).second)
        findings_.add(place, "this member stands there twice; the last one counts", false);
      made.names.push_back(std::move(name));
      made.items.push_back(value);
    }
    for (const DocumentNode from : merged) FLOW_TRY_STATUS(merge(made, seen, from, depth));
    return named(anchor, document_.add(std::move(made)));
  }

  // `<<: *base`: members that are not there yet.
  Status merge(Node& into, std::set<std::string>& seen, DocumentNode from, int depth) {
    if (depth > kDeepestDocument) return error("members are merged too deeply");
    const Node& source = document_[from];
    merged_ += source.items.size() + 1;
    if (merged_ > kMostNodes) return error("too many members are merged");
    if (source.kind == Document::Kind::List)
      for (const DocumentNode item : source.items) FLOW_TRY_STATUS(merge(into, seen, item, depth + 1));
    if (source.kind != Document::Kind::Object) return {};
    for (std::size_t i = 0; i < source.names.size(); ++i) {
      if (!seen.insert(source.names[i]).second) continue;
      into.names.push_back(source.names[i]);
      into.items.push_back(source.items[i]);
    }
    return {};
  }

  yaml_parser_t parser_{};
  Findings& findings_;
  Document document_;
  std::map<std::string, DocumentNode, std::less<>> anchors_;
  std::size_t merged_ = 0;
};

}  // namespace

Result<Document> read_yaml(std::string_view text, Findings& findings) {
  return YamlReader(text, findings).read();
}

}  // namespace flow::importer
