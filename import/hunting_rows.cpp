#include "import/hunting_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "compiler/syntax/literal.hpp"
#include "import/names.hpp"
#include "import/read.hpp"

namespace flow::importer {
namespace {

constexpr std::size_t kMostColumns = 1000;

struct TypeWord {
  std::string_view api, type;
};
// In lower case, without `System.`. What is not here is read as Json.
constexpr TypeWord kTypes[] = {
    {"string", "String"}, {"guid", "String"},  {"timespan", "String"}, {"datetime", "Time"},
    {"int", "Int"},       {"int32", "Int"},    {"long", "Int"},        {"int64", "Int"},
    {"real", "Float"},    {"double", "Float"}, {"decimal", "Float"},   {"bool", "Bool"},
    {"boolean", "Bool"},
};

std::string_view type_of(const std::string& api) {
  std::string word = lower_ascii(api);
  if (word.starts_with("system.")) word.erase(0, 7);
  const auto found = std::ranges::find(kTypes, word, &TypeWord::api);
  return found == std::end(kTypes) ? "Json" : found->type;
}

bool is_within(const Tree& tree, NodeId inner, NodeId outer) {
  return tree.span(outer).begin <= tree.span(inner).begin && tree.span(inner).end <= tree.span(outer).end;
}

std::string owner_of(const Tree& tree, NodeId query, const std::vector<NodeId>& declared) {
  for (const NodeId node : declared)
    if (is_within(tree, query, node) && !tree.kids(node).empty() &&
        tree.kind(tree.kid(node, 0)) == NodeKind::Ident)
      return std::string(tree.text(tree.kid(node, 0)));
  return {};
}

std::string record_text(const HuntRows& rows, const std::string& name, const std::string& file) {
  std::string out = fmt::format("\n/// A row of the query at line {} of {}.\nrecord {} {{\n", rows.query.line,
                                printable(file), name);
  Names names;
  for (const HuntColumn& column : rows.columns) {
    const bool is_plain = is_word(column.name);
    const std::string field = names.take(is_plain ? column.name : camel_case(column.name), "column");
    out += fmt::format("    {}: {}?", field, type_of(column.type));
    if (field != column.name) out += fmt::format(" from {}", importer::quoted(column.name));
    out += ",\n";
  }
  return out + "}\n";
}

}  // namespace

std::vector<HuntQuery> hunt_queries(const Tree& tree) {
  std::vector<NodeId> declared, tests, literals;
  for (NodeId node = 0; node < tree.nodes.size(); ++node) {
    const NodeKind kind = tree.kind(node);
    if (kind == NodeKind::Flow || kind == NodeKind::Function) declared.push_back(node);
    if (kind == NodeKind::Test) tests.push_back(node);
    if (kind == NodeKind::Kql) literals.push_back(node);
  }
  std::ranges::sort(literals, {}, [&](NodeId node) { return tree.span(node).begin; });
  std::vector<HuntQuery> queries;
  for (const NodeId node : literals) {
    if (std::ranges::any_of(tests, [&](NodeId test) { return is_within(tree, node, test); })) continue;
    Diagnostics ignored;  // of escapes: the compiler says them
    HuntQuery query{.text = {},
                    .line = tree.source->position(tree.span(node).begin).line,
                    .owner = owner_of(tree, node, declared),
                    .has_holes = false};
    for (const NodeId kid : tree.kids(node)) {
      if (tree.kind(kid) == NodeKind::TextPiece)
        query.text += decode_piece(tree, kid, ignored);
      else if (tree.kind(kid) == NodeKind::Text || tree.kind(kid) == NodeKind::TextBlock)
        query.has_holes = query.has_holes || has_holes(tree, kid),
        query.text += plain_text(tree, kid, ignored);
      else
        query.has_holes = true;
    }
    if (query.has_holes) query.text.clear();
    if (query.has_holes || std::ranges::find(queries, query.text, &HuntQuery::text) == queries.end())
      queries.push_back(std::move(query));
  }
  return queries;
}

// On a line of its own, as the last one may be a comment.
std::string probe_of(const std::string& query) {
  const std::size_t end = query.find_last_not_of("; \t\r\n");
  return query.substr(0, end == std::string::npos ? 0 : end + 1) + "\n| take 0";
}

Result<std::vector<HuntColumn>> hunt_columns(std::string_view json) {
  Findings ignored;
  const Result<Document> document = read_json(json, ignored);
  const Place list = document ? Place::root_of(*document) : Place();
  if (!list.is_list() || list.size() == 0) return error("the answer names no columns");
  if (list.size() > kMostColumns)
    return error(fmt::format("the query has more than {} columns", kMostColumns));
  std::vector<HuntColumn> columns;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Place column = list.item(i);
    HuntColumn read;
    for (std::size_t j = 0; column.is_object() && j < column.size(); ++j) {
      if (equals_ignoring_case(column.name(j), "name")) read.name = column.item(j).text();
      if (equals_ignoring_case(column.name(j), "type")) read.type = column.item(j).text();
    }
    if (read.name.empty()) return error("the answer has a column without a name");
    columns.push_back(std::move(read));
  }
  return columns;
}

Result<std::string> rows_text(const std::vector<HuntRows>& rows, const std::string& file) {
  std::string text = fmt::format(
      "{}\n// What a column may lack is null. A type that is known better, as MachineId, is\n"
      "// given by a record of your own.\n",
      kRowsMark);
  const std::string shown = std::filesystem::path(file).filename().string();
  Names names;
  for (const HuntRows& each : rows) {
    const std::string owner =
        each.query.owner.empty() ? std::filesystem::path(file).stem().string() : each.query.owner;
    text += record_text(each, names.take(pascal_case(owner) + "Row", "Row"), shown);
  }
  const auto source = std::make_shared<const SourceFile>("rows", text);
  Diagnostics diagnostics;
  const Tree tree = parse(source, 0, diagnostics);
  if (diagnostics.has_errors())
    return error("the columns make no record: " + diagnostics.all().front().message);
  return format(tree);
}

}  // namespace flow::importer
