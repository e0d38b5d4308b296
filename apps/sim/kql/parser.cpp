#include "apps/sim/kql/parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/kql/token_reader.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

using PipelinePointer = std::shared_ptr<const Pipeline>;

constexpr std::string_view kSources[] = {"union", "print", "datatable", "range"};

class PipelineParser {
 public:
  explicit PipelineParser(TokenReader& reader) : r_(reader) {}

  Result<PipelinePointer> parse() {
    auto pipeline = std::make_shared<Pipeline>();
    FLOW_TRY(Operator source, parse_source());
    pipeline->operators.push_back(std::move(source));
    while (r_.take_mark("|")) {
      FLOW_TRY(Operator next, parse_operator());
      pipeline->operators.push_back(std::move(next));
    }
    return pipeline;
  }

 private:
  Result<Operator> start(std::string name, std::size_t at) {
    FLOW_TRY_STATUS(r_.count_operator(at));
    Operator op;
    op.name = std::move(name);
    op.at = at;
    return op;
  }

  Result<Operator> parse_source() {
    const Token token = r_.peek();
    if (token.is(".")) return r_.wrong(token, "control commands are not allowed");
    if (token.is("(")) {
      FLOW_TRY(Operator op, start("subquery", token.at));
      FLOW_TRY(PipelinePointer inner, parse_inside());
      op.tables.push_back(std::move(inner));
      return op;
    }
    if (token.kind != Token::Kind::Name) return r_.unexpected("the name of a table");
    if (token.text == "materialize" && r_.peek(1).is("(")) {
      r_.take();
      return parse_source();
    }
    const bool is_word = r_.peek(1).kind == Token::Kind::Name || token.text == "datatable" ||
                         token.text == "print" || token.text == "union";
    if (is_word && std::ranges::find(kSources, std::string_view(token.text)) != std::end(kSources))
      return parse_operator();
    if (r_.peek(1).is("(")) {
      FLOW_TRY(Operator op, start("invoke", token.at));
      FLOW_TRY_STATUS(parse_expr(op));
      return op;
    }
    FLOW_TRY(Operator op, start("table", token.at));
    FLOW_TRY(NamedExpr name, parse_pattern());
    op.items.push_back(std::move(name));
    return op;
  }

  // ( pipeline )
  Result<PipelinePointer> parse_inside() {
    FLOW_TRY_STATUS(r_.enter());
    FLOW_TRY_STATUS(r_.expect("("));
    FLOW_TRY(PipelinePointer inner, parse());
    FLOW_TRY_STATUS(r_.expect(")"));
    r_.leave();
    return inner;
  }

  // `Name`, `Device*`, `*`
  Result<NamedExpr> parse_pattern() {
    NamedExpr named;
    named.expr.kind = Expr::Kind::Name;
    named.expr.at = r_.peek().at;
    if (r_.take_mark("*")) {
      named.expr.text.assign(1, '*');
      return named;
    }
    FLOW_TRY(named.expr.text, r_.expect_name("a name"));
    if (r_.peek().is("*") && r_.peek().at == named.expr.at + named.expr.text.size()) {
      r_.take();
      named.expr.text += '*';
    }
    return named;
  }

  // `project-away` is three words for the lexer.
  std::string operator_name() {
    std::string name = r_.take().text;
    const bool is_first = name == "project" || name == "mv" || name == "make" || name == "top" ||
                          name == "partition" || name == "graph" || name == "parse";
    while (is_first && r_.peek().is("-") && r_.is_adjacent(1) && r_.peek(1).kind == Token::Kind::Name) {
      r_.take();
      name.append("-").append(r_.take().text);
    }
    return name;
  }

  Result<Operator> parse_operator() {
    using Parse = Status (PipelineParser::*)(Operator&);
    static constexpr struct {
      std::string_view name, is;
      Parse parse;
    } kOperators[] = {
        {"where", "where", &PipelineParser::parse_expr},
        {"filter", "where", &PipelineParser::parse_expr},
        {"project", "project", &PipelineParser::parse_items},
        {"extend", "extend", &PipelineParser::parse_items},
        {"print", "print", &PipelineParser::parse_items},
        {"project-away", "project-away", &PipelineParser::parse_patterns},
        {"project-keep", "project-keep", &PipelineParser::parse_patterns},
        {"project-reorder", "project-reorder", &PipelineParser::parse_patterns},
        {"project-rename", "project-rename", &PipelineParser::parse_items},
        {"summarize", "summarize", &PipelineParser::parse_summarize},
        {"distinct", "distinct", &PipelineParser::parse_items},
        {"top", "top", &PipelineParser::parse_top},
        {"take", "take", &PipelineParser::parse_expr},
        {"limit", "take", &PipelineParser::parse_expr},
        {"sort", "sort", &PipelineParser::parse_sort},
        {"order", "sort", &PipelineParser::parse_sort},
        {"count", "count", &PipelineParser::parse_nothing},
        {"getschema", "getschema", &PipelineParser::parse_nothing},
        {"serialize", "serialize", &PipelineParser::parse_nothing},
        {"join", "join", &PipelineParser::parse_join},
        {"lookup", "lookup", &PipelineParser::parse_join},
        {"parse", "parse", &PipelineParser::parse_parse},
        {"parse-where", "parse-where", &PipelineParser::parse_parse},
        {"union", "union", &PipelineParser::parse_union},
        {"mv-expand", "mv-expand", &PipelineParser::parse_mv_expand},
        {"datatable", "datatable", &PipelineParser::parse_datatable},
        {"range", "range", &PipelineParser::parse_range},
    };
    const Token token = r_.peek();
    if (token.kind != Token::Kind::Name) return r_.unexpected("an operator");
    const std::string name = operator_name();
    std::vector<std::string> names;
    for (const auto& known : kOperators) {
      names.emplace_back(known.name);
      if (known.name != name) continue;
      FLOW_TRY(Operator op, start(std::string(known.is), token.at));
      FLOW_TRY_STATUS((this->*known.parse)(op));
      return op;
    }
    const auto near = nearest_name(name, names);
    return r_.wrong(token, near ? fmt::format("did you mean '{}'?", *near)
                                : fmt::format("the operator '{}' is not supported", name));
  }

  Status parse_nothing(Operator&) { return {}; }

  Status parse_expr(Operator& op) {
    FLOW_TRY(Expr expr, parse_expression(r_));
    op.items.push_back({{}, std::move(expr), {}});
    return {};
  }

  Status parse_items(Operator& op) { return parse_list(op.items); }

  Status parse_list(std::vector<NamedExpr>& items) {
    do {
      FLOW_TRY(NamedExpr item, parse_named(r_));
      items.push_back(std::move(item));
    } while (r_.take_mark(","));
    return {};
  }

  Status parse_patterns(Operator& op) {
    do {
      FLOW_TRY(NamedExpr item, parse_pattern());
      op.items.push_back(std::move(item));
      if (op.name == "project-reorder") static_cast<void>(r_.take_name("asc") || r_.take_name("desc"));
    } while (r_.take_mark(","));
    return {};
  }

  Status parse_summarize(Operator& op) {
    read_options(op);
    if (!r_.peek().is_name("by")) FLOW_TRY_STATUS(parse_list(op.items));
    if (r_.take_name("by")) FLOW_TRY_STATUS(parse_list(op.by));
    return {};
  }

  Status parse_top(Operator& op) {
    FLOW_TRY_STATUS(parse_expr(op));
    if (!r_.take_name("by")) return r_.unexpected("'by'");
    return parse_key(op);
  }

  Status parse_sort(Operator& op) {
    read_options(op);
    if (!r_.take_name("by")) return r_.unexpected("'by'");
    do {
      FLOW_TRY_STATUS(parse_key(op));
    } while (r_.take_mark(","));
    return {};
  }

  Status parse_key(Operator& op) {
    SortKey key;
    FLOW_TRY(key.expr, parse_expression(r_));
    if (r_.take_name("asc"))
      key.is_descending = false;
    else
      r_.take_name("desc");
    key.nulls_first = !key.is_descending;
    if (r_.take_name("nulls")) {
      key.nulls_first = r_.peek().is_name("first");
      if (!r_.take_name("first") && !r_.take_name("last")) return r_.unexpected("'first' or 'last'");
    }
    op.order.push_back(std::move(key));
    return {};
  }

  // kind=inner, hint.strategy=broadcast, withsource=Name
  void read_options(Operator& op) {
    while (r_.peek().kind == Token::Kind::Name) {
      std::size_t length = 1;
      std::string name = r_.peek().text;
      while (r_.peek(length).is(".") && r_.peek(length + 1).kind == Token::Kind::Name) {
        name.append(".").append(r_.peek(length + 1).text);
        length += 2;
      }
      const bool is_option = name == "kind" || name == "withsource" || name == "isfuzzy" || name == "flags" ||
                             name.starts_with("hint.");
      if (!is_option || !r_.peek(length).is("=")) return;
      for (std::size_t i = 0; i <= length; ++i) r_.take();
      const Token value = r_.take();
      op.options[name] = value.kind == Token::Kind::Literal ? to_text(value.value) : value.text;
    }
  }

  // What a join or union is with: a name, a pattern, or a pipeline in parentheses.
  Result<PipelinePointer> parse_table() {
    if (r_.peek().is("(")) return parse_inside();
    auto pipeline = std::make_shared<Pipeline>();
    FLOW_TRY(Operator op, start("table", r_.peek().at));
    FLOW_TRY(NamedExpr name, parse_pattern());
    op.items.push_back(std::move(name));
    pipeline->operators.push_back(std::move(op));
    return pipeline;
  }

  Status parse_join(Operator& op) {
    read_options(op);
    FLOW_TRY(PipelinePointer right, parse_table());
    op.tables.push_back(std::move(right));
    if (!r_.take_name("on")) return r_.unexpected("'on' and the columns that must be equal");
    return parse_list(op.by);
  }

  Status parse_union(Operator& op) {
    read_options(op);
    do {
      FLOW_TRY(PipelinePointer table, parse_table());
      op.tables.push_back(std::move(table));
    } while (r_.take_mark(","));
    return {};
  }

  Status parse_mv_expand(Operator& op) {
    read_options(op);
    do {
      FLOW_TRY(NamedExpr item, parse_named(r_));
      if (r_.take_name("to")) {
        if (!r_.take_name("typeof")) return r_.unexpected("'typeof'");
        FLOW_TRY_STATUS(r_.expect("("));
        FLOW_TRY(item.type, r_.expect_name("a type"));
        FLOW_TRY_STATUS(r_.expect(")"));
      }
      op.items.push_back(std::move(item));
    } while (r_.take_mark(","));
    if (!r_.take_name("limit")) return {};
    const Token limit = r_.take();
    if (limit.kind != Token::Kind::Literal || limit.type != Type::Long)
      return r_.wrong(limit, "expected a number");
    op.options["limit"] = to_text(limit.value);
    return {};
  }

  // kind=simple Text with * "…" Name:type "…" *
  Status parse_parse(Operator& op) {
    read_options(op);
    FLOW_TRY_STATUS(parse_expr(op));
    if (!r_.take_name("with")) return r_.unexpected("'with'");
    while (r_.peek().is("*") || r_.peek().kind == Token::Kind::Literal ||
           r_.peek().kind == Token::Kind::Name) {
      const Token token = r_.take();
      NamedExpr part;
      part.expr.at = token.at;
      if (token.kind == Token::Kind::Literal) {
        if (token.type != Type::Text || token.value.text().empty())
          return r_.wrong(token, "a pattern has texts, names of columns and '*'");
        part.expr.value = token.value;
      } else if (token.kind == Token::Kind::Name) {
        part.name = token.text;
        part.type = "string";
        if (r_.take_mark(":")) {
          FLOW_TRY(part.type, r_.expect_name("a type"));
        }
      } else {
        part.expr.kind = Expr::Kind::Star;
      }
      op.by.push_back(std::move(part));
    }
    return op.by.empty() ? r_.unexpected("a pattern") : Status();
  }

  // (Name: type, …) [value, …]
  Status parse_datatable(Operator& op) {
    FLOW_TRY_STATUS(r_.expect("("));
    do {
      NamedExpr column;
      column.expr.at = r_.peek().at;
      FLOW_TRY(column.name, r_.expect_name("the name of a column"));
      FLOW_TRY_STATUS(r_.expect(":"));
      FLOW_TRY(column.type, r_.expect_name("a type"));
      op.by.push_back(std::move(column));
    } while (r_.take_mark(","));
    FLOW_TRY_STATUS(r_.expect(")"));
    FLOW_TRY_STATUS(r_.expect("["));
    while (!r_.peek().is("]")) {
      FLOW_TRY_STATUS(parse_expr(op));
      if (!r_.take_mark(",")) break;
    }
    return r_.expect("]");
  }

  // Name from low to high step width
  Status parse_range(Operator& op) {
    NamedExpr column;
    FLOW_TRY(column.name, r_.expect_name("the name of a column"));
    op.by.push_back(std::move(column));
    for (const std::string_view word : {"from", "to", "step"}) {
      if (!r_.take_name(word)) return r_.unexpected(fmt::format("'{}'", word));
      FLOW_TRY_STATUS(parse_expr(op));
    }
    return {};
  }

  TokenReader& r_;
};

class QueryParser {
 public:
  explicit QueryParser(TokenReader& reader) : r_(reader) {}

  Result<Query> parse() {
    Query query;
    while (true) {
      while (r_.take_mark(";")) {
      }
      if (r_.peek().kind == Token::Kind::End) break;
      if (query.main) return r_.unexpected("the end: a query has one tabular statement");
      FLOW_TRY_STATUS(parse_statement(query));
      if (r_.peek().kind != Token::Kind::End && !r_.peek().is(";"))
        return r_.unexpected("'|', ';' or the end of the query");
    }
    if (!query.main) return r_.unexpected("a tabular statement");
    return query;
  }

 private:
  Status parse_statement(Query& query) {
    for (const std::string_view word : {"set", "declare", "alias", "restrict"})
      if (r_.peek().is_name(word) && r_.peek(1).kind == Token::Kind::Name)
        return r_.wrong(r_.peek(), fmt::format("the statement '{}' is not supported", word));
    if (!r_.peek().is_name("let")) {
      FLOW_TRY(query.main, parse_pipeline(r_));
      return {};
    }
    r_.take();
    Let let;
    let.at = r_.peek().at;
    FLOW_TRY(let.name, r_.expect_name("a name"));
    FLOW_TRY_STATUS(r_.expect("="));
    if (is_function()) {
      FLOW_TRY_STATUS(parse_function(let));
    } else if (is_table()) {
      FLOW_TRY(let.table, parse_pipeline(r_));
    } else {
      FLOW_TRY(let.value, parse_expression(r_));
    }
    query.lets.push_back(std::move(let));
    return {};
  }

  // Looks ahead to the statement's end.
  bool is_function() const {
    if (!r_.peek().is("(")) return false;
    for (std::size_t i = 0; r_.peek(i).kind != Token::Kind::End && !r_.peek(i).is(";"); ++i)
      if (r_.peek(i).is(")") && r_.peek(i + 1).is("{")) return true;
    return false;
  }

  // (name: type = default, …) { one expression, or one table }
  Status parse_function(Let& let) {
    let.is_function = true;
    FLOW_TRY_STATUS(r_.expect("("));
    while (!r_.peek().is(")")) {
      NamedExpr parameter;
      parameter.expr.at = r_.peek().at;
      FLOW_TRY(parameter.name, r_.expect_name("the name of a parameter"));
      FLOW_TRY_STATUS(r_.expect(":"));
      if (r_.peek().is("(")) return r_.wrong(r_.peek(), "parameters that are tables are not supported");
      FLOW_TRY(parameter.type, r_.expect_name("a type"));
      if (r_.take_mark("=")) {
        FLOW_TRY(parameter.expr, parse_expression(r_));
        ++let.defaults;
      } else if (let.defaults > 0) {
        return r_.unexpected("a default, as the parameter before has one");
      }
      let.parameters.push_back(std::move(parameter));
      if (!r_.take_mark(",")) break;
    }
    FLOW_TRY_STATUS(r_.expect(")"));
    FLOW_TRY_STATUS(r_.expect("{"));
    if (r_.peek().is_name("let")) return r_.wrong(r_.peek(), "'let' within a function is not supported");
    if (is_table()) {
      FLOW_TRY(let.table, parse_pipeline(r_));
    } else {
      FLOW_TRY(let.value, parse_expression(r_));
    }
    r_.take_mark(";");
    return r_.expect("}");
  }

  // A bar that is no part of an argument, or a word that begins a table.
  bool is_table() const {
    const Token& first = r_.peek();
    if (first.is_name("materialize") || first.is_name("datatable")) return true;
    const bool is_word = first.kind == Token::Kind::Name && r_.peek(1).kind == Token::Kind::Name;
    if (is_word && std::ranges::find(kSources, std::string_view(first.text)) != std::end(kSources))
      return true;
    std::size_t depth = 0, outer = 0;
    while (r_.peek(outer).is("(")) ++outer;  // of parentheses around all of it
    for (std::size_t i = 0; r_.peek(i).kind != Token::Kind::End && !r_.peek(i).is(";"); ++i) {
      if (r_.peek(i).is("(")) ++depth;
      if (r_.peek(i).is(")") && depth > 0) --depth;
      if (depth < outer) outer = depth;
      if (r_.peek(i).is("|") && depth <= outer) return true;
    }
    return false;
  }

  TokenReader& r_;
};

}  // namespace

Result<PipelinePointer> parse_pipeline(TokenReader& reader) {
  FLOW_TRY_STATUS(reader.enter());
  auto pipeline = PipelineParser(reader).parse();
  reader.leave();
  return pipeline;
}

Result<Query> parse_query(std::string_view query) {
  FLOW_TRY(std::vector<Token> tokens, read_tokens(query));
  TokenReader reader(query, std::move(tokens));
  return QueryParser(reader).parse();
}

}  // namespace flow::kql
