#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/kql/token_reader.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

constexpr std::size_t kMostExpressions = 10'000;
constexpr std::size_t kMostOperators = 500;
constexpr std::size_t kDeepest = 50;
constexpr std::size_t kTallest = 200;  // a tree of operators without parentheses

constexpr std::string_view kTextOperators[] = {
    "has",          "!has",          "has_cs",        "!has_cs",        "hasprefix",    "!hasprefix",
    "hasprefix_cs", "!hasprefix_cs", "hassuffix",     "!hassuffix",     "hassuffix_cs", "!hassuffix_cs",
    "contains",     "!contains",     "contains_cs",   "!contains_cs",   "startswith",   "!startswith",
    "endswith",     "!endswith",     "startswith_cs", "!startswith_cs", "endswith_cs",  "!endswith_cs"};
constexpr std::string_view kAmong[] = {"in", "!in", "in~", "!in~", "has_any", "has_all", "!has_any"};
constexpr std::string_view kComparisons[] = {"==", "!=", "<>", "=~", "!~", "<", "<=", ">", ">="};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

Expr make(Expr::Kind kind, std::size_t at, std::string text = {}) {
  Expr expr;
  expr.kind = kind;
  expr.at = at;
  expr.text = std::move(text);
  return expr;
}

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenReader& reader) : r_(reader) {}

  Result<Expr> parse() {
    FLOW_TRY_STATUS(r_.enter());
    auto expr = parse_chain("or");
    r_.leave();
    return expr;
  }

 private:
  Result<Expr> finish(Expr expr) {
    FLOW_TRY_STATUS(r_.count_expression(expr));
    return expr;
  }

  // `a or b or c` is one node, however many there are.
  Result<Expr> parse_chain(std::string_view word) {
    const auto next = [&] { return word == "or" ? parse_chain("and") : parse_comparison(); };
    FLOW_TRY(Expr first, next());
    if (!r_.peek().is_name(word)) return first;
    Expr chain = make(Expr::Kind::Binary, r_.peek().at, std::string(word));
    chain.args.push_back(std::move(first));
    while (r_.take_name(word)) {
      FLOW_TRY(Expr operand, next());
      chain.args.push_back(std::move(operand));
    }
    return finish(std::move(chain));
  }

  Result<Expr> parse_comparison() {
    FLOW_TRY(Expr left, parse_sum());
    const Token token = r_.peek();
    if (token.kind == Token::Kind::Name && is_one_of(token.text, kAmong)) return parse_among(std::move(left));
    if (token.is_name("between") || token.is_name("!between")) return parse_between(std::move(left));
    std::string name = token.text;
    const bool is_regex = token.is_name("matches") && r_.peek(1).is_name("regex");
    const bool is_text = token.kind == Token::Kind::Name && is_one_of(token.text, kTextOperators);
    const bool is_mark = token.kind == Token::Kind::Mark && is_one_of(token.text, kComparisons);
    if (!is_regex && !is_text && !is_mark) return left;
    r_.take();
    if (is_regex) r_.take(), name = "matches regex";
    if (name == "<>") name = "!=";
    Expr binary = make(Expr::Kind::Binary, token.at, name);
    FLOW_TRY(Expr right, parse_sum());
    binary.args.push_back(std::move(left));
    binary.args.push_back(std::move(right));
    return finish(std::move(binary));
  }

  Result<Expr> parse_among(Expr left) {
    const Token token = r_.take();
    Expr among = make(Expr::Kind::Among, token.at, token.text);
    among.args.push_back(std::move(left));
    FLOW_TRY_STATUS(r_.expect("("));
    if (begins_subquery()) {
      FLOW_TRY(among.query, parse_pipeline(r_));
    } else {
      do {
        FLOW_TRY(Expr item, parse());
        among.args.push_back(std::move(item));
      } while (r_.take_mark(","));
    }
    FLOW_TRY_STATUS(r_.expect(")"));
    return finish(std::move(among));
  }

  // `in (Table | …)`: a name, then a bar.
  bool begins_subquery() const { return r_.peek().kind == Token::Kind::Name && r_.peek(1).is("|"); }

  Result<Expr> parse_between(Expr left) {
    const Token token = r_.take();
    Expr between =
        make(token.text == "between" ? Expr::Kind::Between : Expr::Kind::NotBetween, token.at, token.text);
    between.args.push_back(std::move(left));
    FLOW_TRY_STATUS(r_.expect("("));
    FLOW_TRY(Expr low, parse());
    FLOW_TRY_STATUS(r_.expect(".."));
    FLOW_TRY(Expr high, parse());
    FLOW_TRY_STATUS(r_.expect(")"));
    between.args.push_back(std::move(low));
    between.args.push_back(std::move(high));
    return finish(std::move(between));
  }

  Result<Expr> parse_sum() {
    FLOW_TRY(Expr left, parse_product());
    while (r_.peek().is("+") || r_.peek().is("-")) {
      const Token token = r_.take();
      FLOW_TRY(Expr right, parse_product());
      FLOW_TRY(left, joined(token, std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_product() {
    FLOW_TRY(Expr left, parse_unary());
    while (r_.peek().is("*") || r_.peek().is("/") || r_.peek().is("%")) {
      const Token token = r_.take();
      FLOW_TRY(Expr right, parse_unary());
      FLOW_TRY(left, joined(token, std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> joined(const Token& token, Expr left, Expr right) {
    Expr binary = make(Expr::Kind::Binary, token.at, token.text);
    binary.args.push_back(std::move(left));
    binary.args.push_back(std::move(right));
    return finish(std::move(binary));
  }

  Result<Expr> parse_unary() {
    if (r_.take_mark("+")) return parse_postfix();
    if (!r_.peek().is("-")) return parse_postfix();
    Expr unary = make(Expr::Kind::Unary, r_.take().at, "-");
    FLOW_TRY(Expr operand, parse_postfix());
    unary.args.push_back(std::move(operand));
    return finish(std::move(unary));
  }

  Result<Expr> parse_postfix() {
    FLOW_TRY(Expr expr, parse_primary());
    while (r_.peek().is(".") || r_.peek().is("[")) {
      const Token token = r_.take();
      if (token.is(".")) {
        FLOW_TRY(const std::string name, r_.expect_name("the name of a member"));
        Expr member = make(Expr::Kind::Member, token.at, name);
        member.args.push_back(std::move(expr));
        FLOW_TRY(expr, finish(std::move(member)));
      } else {
        Expr index = make(Expr::Kind::Index, token.at);
        FLOW_TRY(Expr key, parse());
        FLOW_TRY_STATUS(r_.expect("]"));
        index.args.push_back(std::move(expr));
        index.args.push_back(std::move(key));
        FLOW_TRY(expr, finish(std::move(index)));
      }
    }
    return expr;
  }

  Result<Expr> parse_primary() {
    const Token token = r_.peek();
    if (token.kind == Token::Kind::Literal) {
      r_.take();
      Expr literal = make(Expr::Kind::Literal, token.at);
      literal.value = token.value;
      literal.type = token.type;
      return finish(std::move(literal));
    }
    if (token.is("(")) {
      r_.take();
      FLOW_TRY(Expr inner, parse());
      FLOW_TRY_STATUS(r_.expect(")"));
      return inner;
    }
    if (token.is("*")) {
      r_.take();
      return finish(make(Expr::Kind::Star, token.at, "*"));
    }
    // ['a name with blanks']
    if (token.is("[") && r_.peek(1).kind == Token::Kind::Literal && r_.peek(2).is("]")) {
      r_.take();
      Expr name = make(Expr::Kind::Name, token.at, std::string(r_.take().value.text()));
      r_.take();
      return finish(std::move(name));
    }
    if (token.kind != Token::Kind::Name) return r_.unexpected("an expression");
    r_.take();
    if (r_.peek().is("(")) return parse_call(token);
    if (token.text == "true" || token.text == "false") {
      Expr literal = make(Expr::Kind::Literal, token.at);
      literal.value = token.text == "true";
      literal.type = Type::Bool;
      return finish(std::move(literal));
    }
    return finish(make(Expr::Kind::Name, token.at, token.text));
  }

  Result<Expr> parse_call(const Token& name) {
    FLOW_TRY_STATUS(r_.expect("("));
    if (name.text == "toscalar") {
      Expr table = make(Expr::Kind::Table, name.at);
      FLOW_TRY(table.query, parse_pipeline(r_));
      FLOW_TRY_STATUS(r_.expect(")"));
      return finish(std::move(table));
    }
    Expr call = make(Expr::Kind::Call, name.at, name.text);
    if (!r_.peek().is(")")) {
      do {
        FLOW_TRY(NamedExpr argument, parse_named(r_));  // pack('a', 1) has none, but some write names
        if (!argument.name.empty()) return r_.wrong(name, "arguments of '" + name.text + "' have no names");
        call.args.push_back(std::move(argument.expr));
      } while (r_.take_mark(","));
    }
    FLOW_TRY_STATUS(r_.expect(")"));
    // int(null)
    const auto type = type_named(call.text);
    if (type && call.args.size() == 1 && call.args[0].kind == Expr::Kind::Name &&
        call.args[0].text == "null") {
      call.kind = Expr::Kind::Literal;
      call.type = *type;
      call.args.clear();
    }
    return finish(std::move(call));
  }

  TokenReader& r_;
};

}  // namespace

tl::unexpected<Error> TokenReader::wrong(const Token& token, const std::string& message) const {
  const std::string found =
      token.kind == Token::Kind::End
          ? "the end"
          : "'" + printable(query_.substr(token.at, token.end - token.at).substr(0, 40)) + "'";
  return error(fmt::format("Query could not be parsed at {} on line {}: {}", found,
                           place_of(query_, token.at), message));
}

tl::unexpected<Error> TokenReader::unexpected(std::string_view wanted) const {
  return wrong(peek(), fmt::format("expected {}", wanted));
}

Status TokenReader::expect(std::string_view mark) {
  if (take_mark(mark)) return {};
  return unexpected(fmt::format("'{}'", mark));
}

Result<std::string> TokenReader::expect_name(std::string_view what) {
  if (peek().kind == Token::Kind::Name) return take().text;
  // ['a name with blanks']
  if (peek().is("[") && peek(1).kind == Token::Kind::Literal && peek(1).type == Type::Text &&
      peek(2).is("]")) {
    take();
    std::string name(take().value.text());
    take();
    return name;
  }
  return unexpected(what);
}

Status TokenReader::count_expression(Expr& expr) {
  for (const Expr& arg : expr.args) expr.depth = std::max(expr.depth, arg.depth + 1);
  if (expr.depth > kTallest)
    return error(fmt::format("The query is too complex on line {}: an expression is more than {} deep.",
                             place_of(query_, expr.at), kTallest));
  if (++expressions_ > kMostExpressions)
    return error(fmt::format("The query is too complex: it has more than {} expressions.", kMostExpressions));
  return {};
}

Status TokenReader::count_operator(std::size_t at) {
  if (++operators_ <= kMostOperators) return {};
  return error(fmt::format("The query is too complex on line {}: it has more than {} operators.",
                           place_of(query_, at), kMostOperators));
}

Status TokenReader::enter() {
  if (++depth_ <= kDeepest) return {};
  return error(fmt::format("The query is too complex on line {}: it is more than {} parentheses deep.",
                           place_of(query_, peek().at), kDeepest));
}

Result<Expr> parse_expression(TokenReader& reader) {
  return ExpressionParser(reader).parse();
}

Result<NamedExpr> parse_named(TokenReader& reader) {
  NamedExpr named;
  const bool is_named = (reader.peek().kind == Token::Kind::Name && reader.peek(1).is("=")) ||
                        (reader.peek().is("[") && reader.peek(2).is("]") && reader.peek(3).is("="));
  if (is_named) {
    FLOW_TRY(named.name, reader.expect_name("a name"));
    reader.take();
  }
  FLOW_TRY(named.expr, parse_expression(reader));
  return named;
}

}  // namespace flow::kql
