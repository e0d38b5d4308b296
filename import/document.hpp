// A document as it was read, JSON or YAML alike: a tree of nodes, and places in it that know their JSON
// pointer (RFC 6901), so that whatever cannot be translated can be said by place. Parts may be shared, as
// YAML's aliases share them; there are no circles.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flow::importer {

using DocumentNode = std::uint32_t;

class Document {
 public:
  enum class Kind : std::uint8_t { Null, Bool, Number, Text, List, Object };
  struct Node {
    Kind kind = Kind::Null;
    bool truth = false;
    std::string text;                 // Text: decoded. Number: as it is written
    std::vector<DocumentNode> items;  // List: its elements. Object: the members' values
    std::vector<std::string> names;   // Object: the members' names
  };

  DocumentNode add(Node node);
  const Node& operator[](DocumentNode id) const { return nodes_[id]; }
  Node& operator[](DocumentNode id) { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }

  DocumentNode root = 0;

 private:
  std::vector<Node> nodes_;
};

// A node and where it stands; or nothing, of which all members are nothing as well. The Document must outlive
// it.
class Place {
 public:
  Place() = default;
  Place(const Document& document, DocumentNode node, std::string pointer)
      : document_(&document), node_(node), pointer_(std::move(pointer)) {}
  static Place root_of(const Document& document) { return {document, document.root, ""}; }

  explicit operator bool() const { return document_ != nullptr; }
  DocumentNode node() const { return node_; }
  const std::string& pointer() const { return pointer_; }
  Document::Kind kind() const;  // of nothing: Null
  bool is_object() const { return kind() == Document::Kind::Object; }
  bool is_list() const { return kind() == Document::Kind::List; }
  bool is_text() const { return kind() == Document::Kind::Text; }
  bool is_true() const;  // `true`, also as a text

  std::size_t size() const;
  Place operator[](std::string_view name) const;  // of several members with one name the last
  Place item(std::size_t index) const;
  std::string_view name(std::size_t index) const;  // of a member
  std::string_view text() const;                   // of a text; of anything else empty
  std::string_view scalar() const;                 // of a text, a number or a truth value
  // The last part of the pointer, unescaped: `Pet` of `#/definitions/Pet`.
  std::string last_name() const;

 private:
  const Document* document_ = nullptr;
  DocumentNode node_ = 0;
  std::string pointer_;
};

std::string pointer_part(std::string_view name);  // with ~ and / escaped

// What the reader or the translation has to say of a place.
struct Finding {
  std::string pointer;
  std::string reason;    // starts lower case, no full stop
  bool is_loss = false;  // something that the document can do and the declaration cannot
};

// Collects what cannot be translated, each thing once, and no more than anybody reads.
class Findings {
 public:
  void loss(const Place& place, std::string reason) { add(place.pointer(), std::move(reason), true); }
  void note(const Place& place, std::string reason) { add(place.pointer(), std::move(reason), false); }
  void add(std::string pointer, std::string reason, bool is_loss);

  const std::vector<Finding>& all() const { return all_; }
  // The number of losses so far: the operations that brought more are partly translated.
  std::size_t losses() const { return losses_; }

 private:
  std::vector<Finding> all_;
  std::set<std::string> seen_;
  std::size_t losses_ = 0;
};

}  // namespace flow::importer
