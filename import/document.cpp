#include "import/document.hpp"

#include <algorithm>

namespace flow::importer {

using Kind = Document::Kind;

DocumentNode Document::add(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<DocumentNode>(nodes_.size() - 1);
}

Kind Place::kind() const {
  return document_ == nullptr ? Kind::Null : (*document_)[node_].kind;
}

bool Place::is_true() const {
  if (kind() == Kind::Bool) return (*document_)[node_].truth;
  return text() == "true" || text() == "True";
}

std::size_t Place::size() const {
  return document_ == nullptr ? 0 : (*document_)[node_].items.size();
}

Place Place::operator[](std::string_view name) const {
  if (!is_object()) return {};
  const auto& names = (*document_)[node_].names;
  const auto found = std::find(names.rbegin(), names.rend(), name);
  if (found == names.rend()) return {};
  return item(static_cast<std::size_t>(names.rend() - found) - 1);
}

Place Place::item(std::size_t index) const {
  const Document::Node& node = (*document_)[node_];
  return {
      *document_, node.items[index],
      pointer_ + "/" + (node.kind == Kind::Object ? pointer_part(node.names[index]) : std::to_string(index))};
}

std::string_view Place::name(std::size_t index) const {
  return (*document_)[node_].names[index];
}

std::string_view Place::text() const {
  return kind() == Kind::Text ? std::string_view((*document_)[node_].text) : std::string_view();
}

std::string_view Place::scalar() const {
  switch (kind()) {
    case Kind::Bool: return (*document_)[node_].truth ? "true" : "false";
    case Kind::Number:
    case Kind::Text: return (*document_)[node_].text;
    default: return {};
  }
}

std::string Place::last_name() const {
  std::string out;
  const std::string_view part = std::string_view(pointer_).substr(pointer_.rfind('/') + 1);
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool is_escape = part[i] == '~' && i + 1 < part.size();
    out += !is_escape ? part[i] : part[++i] == '1' ? '/' : '~';
  }
  return out;
}

std::string pointer_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

void Findings::add(std::string pointer, std::string reason, bool is_loss) {
  if (is_loss) ++losses_;
  if (!seen_.insert(pointer + '\n' + reason).second) return;
  all_.push_back({.pointer = std::move(pointer), .reason = std::move(reason), .is_loss = is_loss});
}

}  // namespace flow::importer
