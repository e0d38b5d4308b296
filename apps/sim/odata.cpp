#include "apps/sim/odata.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {

namespace {

using Node = Filter::Node;
constexpr std::size_t kLongestFilter = 8'000;
constexpr int kDeepestFilter = 64;
constexpr std::size_t kMostTerms = 500;

struct Token {
  enum class Kind : std::uint8_t { End, Word, Text, Open, Close, Comma, Colon, Bad };
  Kind kind = Kind::End;
  std::string text;
  std::size_t at = 0;
};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '/' || c == '@' || c == '+';
}

// A colon belongs to a word only inside a time, as in 2026-11-20T08:14:22Z.
bool continues_word(std::string_view text, std::size_t i) {
  if (is_word_char(text[i])) return true;
  const auto is_digit = [&](std::size_t at) {
    return at < text.size() && text[at] >= '0' && text[at] <= '9';
  };
  return text[i] == ':' && i > 0 && is_digit(i - 1) && is_digit(i + 1);
}

std::vector<Token> tokens_of(std::string_view text) {
  using Kind = Token::Kind;
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    const char c = text[i];
    if (c == ' ' || c == '\t') {
      ++i;
    } else if (c == '(' || c == ')' || c == ',' || c == ':') {
      tokens.push_back({c == '('   ? Kind::Open
                        : c == ')' ? Kind::Close
                        : c == ',' ? Kind::Comma
                                   : Kind::Colon,
                        std::string(1, c), i++});
    } else if (c == '\'') {
      std::string value;
      for (++i; i < text.size() && (text[i] != '\'' || text.substr(i, 2) == "''"); ++i) {
        if (text[i] == '\'') ++i;
        value += text[i];
      }
      tokens.push_back({i < text.size() ? Kind::Text : Kind::Bad, std::move(value), start});
      ++i;
    } else if (is_word_char(c)) {
      while (i < text.size() && continues_word(text, i)) ++i;
      tokens.push_back({Kind::Word, std::string(text.substr(start, i - start)), start});
    } else {
      tokens.push_back({Kind::Bad, std::string(1, c), i++});
    }
  }
  tokens.push_back({Kind::End, "", text.size()});
  return tokens;
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Json> number_of(std::string_view text, PropertyKind kind) {
  if (kind == PropertyKind::Number) {
    const auto whole = read_number<std::int64_t>(text);
    return whole ? std::optional(Json(*whole)) : std::nullopt;
  }
  const auto real = read_number<double>(text);
  return real && std::isfinite(*real) ? std::optional(Json(*real)) : std::nullopt;
}

class Parser {
 public:
  Parser(std::string_view text, const std::vector<Property>& properties)
      : tokens_(tokens_of(text)), properties_(properties) {}

  Result<std::uint32_t> parse(std::vector<Node>& nodes) {
    nodes_ = &nodes;
    auto root = either(0);
    if (!root) return root;
    if (here().kind != Token::Kind::End) return wrong("the end");
    return root;
  }

 private:
  using Id = Result<std::uint32_t>;

  const Token& here() const { return tokens_[at_]; }
  bool is_word(std::string_view word) const {
    return here().kind == Token::Kind::Word && here().text == word;
  }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  bool take(Token::Kind kind) {
    if (here().kind != kind) return false;
    ++at_;
    return true;
  }
  tl::unexpected<Error> wrong(std::string_view wanted) const {
    return error("Syntax error at position " + std::to_string(here().at) + " in $filter: expected " +
                 std::string(wanted) + " but found `" +
                 (here().kind == Token::Kind::End ? "the end" : here().text) + "`.");
  }
  Id add(Node node) {
    if (nodes_->size() >= kMostTerms) return error("The $filter has more than 500 terms.");
    nodes_->push_back(std::move(node));
    return static_cast<std::uint32_t>(nodes_->size() - 1);
  }

  Id chain(int depth, std::string_view word, Node::Kind kind, Id (Parser::*part)(int)) {
    auto left = (this->*part)(depth);
    while (left && take_word(word)) {
      auto right = (this->*part)(depth);
      if (!right) return right;
      Node node;
      node.kind = kind;
      node.left = *left;
      node.right = *right;
      left = add(std::move(node));
    }
    return left;
  }
  Id either(int depth) { return chain(depth, "or", Node::Kind::Or, &Parser::both); }
  Id both(int depth) { return chain(depth, "and", Node::Kind::And, &Parser::term); }

  Id term(int depth) {
    if (depth >= kDeepestFilter) return error("The $filter is nested more than 64 levels deep.");
    if (take_word("not")) {
      const auto inner = term(depth + 1);
      if (!inner) return inner;
      Node node;
      node.kind = Node::Kind::Not;
      node.left = *inner;
      return add(std::move(node));
    }
    if (take(Token::Kind::Open)) {
      const auto inner = either(depth + 1);
      if (!inner) return inner;
      if (!take(Token::Kind::Close)) return wrong("`)`");
      return inner;
    }
    if (here().kind != Token::Kind::Word) return wrong("a property");
    if (tokens_[at_ + 1].kind == Token::Kind::Open) return call(depth);
    return comparison();
  }

  Id call(int depth) {
    const std::string name = here().text;
    if (name.ends_with("/any")) return any(depth, name.substr(0, name.size() - 4));
    Node node;
    if (name == "startswith")
      node.kind = Node::Kind::StartsWith;
    else if (name == "endswith")
      node.kind = Node::Kind::EndsWith;
    else if (name == "contains")
      node.kind = Node::Kind::Contains;
    else
      return error("An unknown function with name '" + name + "' was found in $filter.");
    at_ += 2;
    FLOW_TRY(const Property property, this->property());
    if (property.kind != PropertyKind::Text && property.kind != PropertyKind::Enum)
      return error("The function '" + name + "' needs a text, and '" + property.name + "' is none.");
    node.property = property_path_;
    if (!take(Token::Kind::Comma)) return wrong("`,`");
    if (here().kind != Token::Kind::Text) return wrong("a text in single quotes");
    node.values.emplace_back(tokens_[at_++].text);
    if (!take(Token::Kind::Close)) return wrong("`)`");
    return add(std::move(node));
  }

  Id any(int depth, const std::string& collection) {
    if (!variable_.empty()) return error("any() inside any() is not supported.");
    const Property* found = find(collection);
    if (found == nullptr) return unknown(collection);
    if (found->kind != PropertyKind::Texts && found->kind != PropertyKind::Objects)
      return error("'" + collection + "' is no collection.");
    Node node;
    node.kind = Node::Kind::Any;
    node.property = collection;
    at_ += 2;
    if (here().kind != Token::Kind::Word) return wrong("a name for the element");
    variable_ = tokens_[at_++].text;
    variable_has_members_ = found->kind == PropertyKind::Objects;
    if (!take(Token::Kind::Colon)) return wrong("`:`");
    const auto inner = either(depth + 1);
    variable_.clear();
    if (!inner) return inner;
    if (!take(Token::Kind::Close)) return wrong("`)`");
    node.left = *inner;
    return add(std::move(node));
  }

  Id comparison() {
    FLOW_TRY(const Property property, this->property());
    if (property.kind == PropertyKind::Texts || property.kind == PropertyKind::Objects)
      return error("'" + property.name + "' is a collection: use " + property.name + "/any(x: x eq '…').");
    Node node;
    node.kind = Node::Kind::Compare;
    node.property = property_path_;
    node.property_kind = property.kind;
    if (take_word("in")) return membership(std::move(node), property);
    static constexpr std::string_view kOps[] = {"eq", "ne", "gt", "ge", "lt", "le"};
    const auto* op =
        std::ranges::find(kOps, here().kind == Token::Kind::Word ? std::string_view(here().text) : "");
    if (op == std::end(kOps)) return wrong("an operator");
    node.op = static_cast<Node::Op>(op - kOps);
    ++at_;
    FLOW_TRY(Json value, literal(property));
    if (value.is_null() && node.op != Node::Op::Eq && node.op != Node::Op::Ne)
      return error("null can only be compared with eq and ne.");
    node.values.push_back(std::move(value));
    return add(std::move(node));
  }

  Id membership(Node node, const Property& property) {
    node.kind = Node::Kind::In;
    if (!take(Token::Kind::Open)) return wrong("`(`");
    do {
      if (node.values.size() >= kMostTerms) return error("The $filter has more than 500 terms.");
      FLOW_TRY(Json value, literal(property));
      node.values.push_back(std::move(value));
    } while (take(Token::Kind::Comma));
    if (!take(Token::Kind::Close)) return wrong("`)`");
    return add(std::move(node));
  }

  const Property* find(std::string_view name) const {
    const auto found = std::ranges::find(properties_, name, &Property::name);
    return found != properties_.end() ? &*found : nullptr;
  }
  tl::unexpected<Error> unknown(const std::string& name) const {
    std::vector<std::string> names;
    for (const Property& property : properties_) names.push_back(property.name);
    const auto near = nearest_name(name, names);
    return error("The property '" + name + "' cannot be used in $filter or $orderby." +
                 (near ? " Did you mean '" + *near + "'?" : ""));
  }

  // The property at this place; property_path_ is where its value stands in an entity or element.
  Result<Property> property() {
    if (here().kind != Token::Kind::Word) return wrong("a property");
    const std::string name = tokens_[at_++].text;
    if (!variable_.empty()) {
      if (!variable_has_members_ && name == variable_)
        property_path_ = "";
      else if (variable_has_members_ && name.starts_with(variable_ + "/"))
        property_path_ = name.substr(variable_.size() + 1);
      else
        return error("Inside any() only '" + variable_ + "' can be used, not '" + name + "'.");
      return Property{name, PropertyKind::Text};
    }
    const Property* found = find(name);
    if (found == nullptr) return unknown(name);
    property_path_ = name;
    return *found;
  }

  Result<Json> literal(const Property& property) {
    const Token token = here();
    if (token.kind != Token::Kind::Text && token.kind != Token::Kind::Word) return wrong("a value");
    ++at_;
    const bool is_quoted = token.kind == Token::Kind::Text;
    if (!is_quoted && token.text == "null") return Json();
    const auto mismatch = [&](std::string_view wanted) {
      return error("'" + property.name + "' is compared with " + std::string(wanted) + ", not with " +
                   (is_quoted ? "'" + token.text + "'" : token.text) + ".");
    };
    switch (property.kind) {
      case PropertyKind::Time: {
        const auto ticks = is_quoted ? std::nullopt : parse_ticks(token.text);
        if (!ticks) return mismatch("a time without quotes");
        return Json(*ticks);
      }
      case PropertyKind::Number:
      case PropertyKind::Decimal: {
        const auto value = number_of(token.text, property.kind);
        if (is_quoted || !value) return mismatch("a number");
        return *value;
      }
      case PropertyKind::Bool:
        if (is_quoted || (token.text != "true" && token.text != "false")) return mismatch("true or false");
        return Json(token.text == "true");
      case PropertyKind::Enum:
        if (!is_quoted) return mismatch("a text in single quotes");
        if (!property.values.empty() && std::ranges::none_of(property.values, [&](const std::string& value) {
              return equals_ignoring_case(value, token.text);
            }))
          return error("'" + token.text + "' is no value of '" + property.name + "'.");
        return Json(token.text);
      case PropertyKind::Text:
      case PropertyKind::Texts:
      case PropertyKind::Objects:
        if (!is_quoted) return mismatch("a text in single quotes");
        return Json(token.text);
    }
    return mismatch("a value");
  }

  std::vector<Token> tokens_;
  const std::vector<Property>& properties_;
  std::vector<Node>* nodes_ = nullptr;
  std::size_t at_ = 0;
  std::string variable_;
  bool variable_has_members_ = false;
  std::string property_path_;
};

// -1, 0, 1; nothing when one of the two is null or of another kind.
std::optional<int> order_of(const Json& value, const Json& literal, PropertyKind kind) {
  const auto sign = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
  if (value.is_null() || literal.is_null()) return std::nullopt;
  if (kind == PropertyKind::Time) {
    const auto ticks = parse_ticks(value.text());
    if (!ticks) return std::nullopt;
    return sign(*ticks, literal.integer());
  }
  if (kind == PropertyKind::Bool) {
    if (!value.is_bool() || !literal.is_bool()) return std::nullopt;
    return sign(value.boolean(), literal.boolean());
  }
  if (kind == PropertyKind::Number || kind == PropertyKind::Decimal) {
    if (!value.is_number()) return std::nullopt;
    return sign(value.number(), literal.number());
  }
  if (!value.is_text()) return std::nullopt;
  if (kind == PropertyKind::Enum) return sign(lower_ascii(value.text()), lower_ascii(literal.text()));
  return sign(value.text(), literal.text());
}

bool equal(const Json& value, const Json& literal, PropertyKind kind) {
  if (value.is_null() || literal.is_null()) return value.is_null() && literal.is_null();
  return order_of(value, literal, kind) == 0;
}

bool compares(const Node& node, const Json& value) {
  const Json& literal = node.values[0];
  if (node.op == Node::Op::Eq) return equal(value, literal, node.property_kind);
  if (node.op == Node::Op::Ne) return !equal(value, literal, node.property_kind);
  const auto order = order_of(value, literal, node.property_kind);
  if (!order) return false;
  switch (node.op) {
    case Node::Op::Gt: return *order > 0;
    case Node::Op::Ge: return *order >= 0;
    case Node::Op::Lt: return *order < 0;
    case Node::Op::Le: return *order <= 0;
    case Node::Op::Eq:
    case Node::Op::Ne: break;
  }
  return false;
}

bool matches(const std::vector<Node>& nodes, std::uint32_t id, const Json& entity) {
  const Node& node = nodes[id];
  const Json& value = node.property.empty() ? entity : entity[node.property];
  const std::string_view text = value.text();
  switch (node.kind) {
    case Node::Kind::Always: return true;
    case Node::Kind::And: return matches(nodes, node.left, entity) && matches(nodes, node.right, entity);
    case Node::Kind::Or: return matches(nodes, node.left, entity) || matches(nodes, node.right, entity);
    case Node::Kind::Not: return !matches(nodes, node.left, entity);
    case Node::Kind::Compare: return compares(node, value);
    case Node::Kind::In:
      return std::ranges::any_of(node.values,
                                 [&](const Json& v) { return equal(value, v, node.property_kind); });
    case Node::Kind::StartsWith: return value.is_text() && text.starts_with(node.values[0].text());
    case Node::Kind::EndsWith: return value.is_text() && text.ends_with(node.values[0].text());
    case Node::Kind::Contains:
      return text.find(node.values[0].text()) != std::string_view::npos && value.is_text();
    case Node::Kind::Any:
      return std::ranges::any_of(value.items(),
                                 [&](const Json& item) { return matches(nodes, node.left, item); });
  }
  return false;
}

struct Query {
  std::optional<Filter> filter;
  std::optional<std::size_t> top;
  std::size_t skip = 0;
  bool wants_count = false;
  bool expands = false;
  std::vector<std::string> select;
  struct Order {
    Property property;
    bool descending = false;
  };
  std::vector<Order> order;
};

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
  }
  return parts;
}

Result<std::size_t> whole_number(std::string_view name, std::string_view text) {
  std::size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return error("Invalid value '" + std::string(text) + "' for " + std::string(name) + " query option.");
  return value;
}

Status read_order(const EntitySet& set, std::string_view text, Query& query) {
  for (const std::string& part : split_list(text)) {
    const std::size_t space = part.find(' ');
    const std::string name = part.substr(0, space);
    const std::string direction = space == std::string::npos ? "asc" : part.substr(space + 1);
    const auto found = std::ranges::find(set.properties, name, &Property::name);
    if (found == set.properties.end() || found->kind == PropertyKind::Texts ||
        found->kind == PropertyKind::Objects)
      return error("The property '" + name + "' cannot be used in $filter or $orderby.");
    if (direction != "asc" && direction != "desc")
      return error("$orderby wants asc or desc, not '" + direction + "'.");
    query.order.push_back({*found, direction == "desc"});
  }
  return {};
}

Status read_option(const EntitySet& set, const std::string& name, const std::string& value, Query& query) {
  if (name == "$filter") {
    FLOW_TRY(query.filter, Filter::parse(value, set.properties));
  } else if (name == "$top") {
    FLOW_TRY(query.top, whole_number(name, value));
    if (*query.top > set.most)
      return error("The limit of '" + std::to_string(set.most) + "' for $top has been exceeded.");
  } else if (name == "$skip") {
    FLOW_TRY(query.skip, whole_number(name, value));
  } else if (name == "$count") {
    if (value != "true" && value != "false") return error("$count wants true or false, not '" + value + "'.");
    query.wants_count = value == "true";
  } else if (name == "$expand") {
    // What stands in parentheses narrows the expansion; it is accepted and not applied.
    if (set.expandable.empty() || value.substr(0, value.find('(')) != set.expandable)
      return error("The property '" + value + "' cannot be expanded.");
    query.expands = true;
  } else if (name == "$select") {
    query.select = split_list(value);
  } else if (name == "$orderby") {
    return read_order(set, value, query);
  } else if (name.starts_with("$")) {
    return error("The query option '" + name + "' is not supported.");
  }
  return {};
}

Result<Query> read_query(const EntitySet& set, const Pairs& pairs) {
  Query query;
  for (const auto& [name, value] : pairs) FLOW_TRY_STATUS(read_option(set, name, value, query));
  return query;
}

// A value in a form in which order_of() takes it for the right-hand side.
Json comparable(const Json& value, PropertyKind kind) {
  if (kind != PropertyKind::Time || !value.is_text()) return value;
  const auto ticks = parse_ticks(value.text());
  return ticks ? Json(*ticks) : Json();
}

// Nulls come first when ascending.
bool comes_before(const Query::Order& order, const Json& a, const Json& b, bool& is_equal) {
  const Json& left = a[order.property.name];
  const Json& right = b[order.property.name];
  int sign = static_cast<int>(!left.is_null()) - static_cast<int>(!right.is_null());
  if (sign == 0)
    sign = order_of(left, comparable(right, order.property.kind), order.property.kind).value_or(0);
  is_equal = sign == 0;
  return order.descending ? sign > 0 : sign < 0;
}

void sort_entities(const Query& query, std::vector<const Json*>& entities) {
  if (query.order.empty()) return;
  std::ranges::stable_sort(entities, [&](const Json* a, const Json* b) {
    for (const Query::Order& order : query.order) {
      bool is_equal = false;
      const bool before = comes_before(order, *a, *b, is_equal);
      if (!is_equal) return before;
    }
    return false;
  });
}

Json selected(const Json& entity, const std::vector<std::string>& names) {
  if (names.empty()) return entity;
  Json json = Json::object();
  for (const Member& member : entity.members())
    if (std::ranges::find(names, member.name) != names.end()) json.set(member.name, member.value);
  return json;
}

std::string next_link(const EntitySet& set, const Pairs& query, std::size_t skip) {
  std::string link = set.base_url + "?";
  for (const auto& [name, value] : query)
    if (name != "$skip") link += percent_encoded(name) + "=" + percent_encoded(value) + "&";
  return link + "%24skip=" + std::to_string(skip);
}

std::vector<const Json*> filtered(const Query& query, const std::vector<const Json*>& entities) {
  if (!query.filter) return entities;
  std::vector<const Json*> found;
  for (const Json* entity : entities)
    if (query.filter->matches(*entity)) found.push_back(entity);
  return found;
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text, const std::vector<Property>& properties) {
  if (text.size() > kLongestFilter) return error("The $filter is longer than 8000 characters.");
  Filter filter;
  Parser parser(text, properties);
  FLOW_TRY(filter.root_, parser.parse(filter.nodes_));
  return filter;
}

bool Filter::matches(const Json& entity) const {
  return sim::matches(nodes_, root_, entity);
}

Result<Json> query_entities(const EntitySet& set, const Pairs& pairs,
                            const std::vector<const Json*>& entities,
                            const std::function<Json(const Json&, bool expanded)>& show) {
  FLOW_TRY(const Query query, read_query(set, pairs));
  std::vector<const Json*> found = filtered(query, entities);
  sort_entities(query, found);
  const std::size_t first = std::min(query.skip, found.size());
  const std::size_t last =
      first + std::min(query.top.value_or(set.page != 0 ? set.page : set.most), found.size() - first);
  Json::List page;
  for (std::size_t i = first; i < last; ++i)
    page.push_back(selected(show(*found[i], query.expands), query.select));
  Json body = Json::object({{"@odata.context", set.context}});
  if (query.wants_count) body.set("@odata.count", found.size());
  body.set("value", std::move(page));
  if (!query.top && last < found.size()) body.set("@odata.nextLink", next_link(set, pairs, last));
  return body;
}

Result<std::size_t> count_entities(const EntitySet& set, const Pairs& pairs,
                                   const std::vector<const Json*>& entities) {
  FLOW_TRY(const Query query, read_query(set, pairs));
  return filtered(query, entities).size();
}

}  // namespace flow::sim
