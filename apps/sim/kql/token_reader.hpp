// Steps through the words of a query, with the limits and the errors that all of the parser shares.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/kql/lexer.hpp"
#include "apps/sim/kql/syntax.hpp"

namespace flow::kql {

class TokenReader {
 public:
  TokenReader(std::string_view query, std::vector<Token> tokens)
      : query_(query), tokens_(std::move(tokens)) {}

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool take_mark(std::string_view mark) { return peek().is(mark) && (take(), true); }
  bool take_name(std::string_view name) { return peek().is_name(name) && (take(), true); }
  // Whether the token `ahead` begins where the one before it ends.
  bool is_adjacent(std::size_t ahead) const { return peek(ahead).at == peek(ahead - 1).end; }

  tl::unexpected<Error> wrong(const Token& token, const std::string& message) const;
  tl::unexpected<Error> unexpected(std::string_view wanted) const;  // speaks of the next token
  Status expect(std::string_view mark);
  Result<std::string> expect_name(std::string_view what);

  // Counts what is built; an Error when it is too much.
  Status count_expression(Expr& expr);
  Status count_operator(std::size_t at);
  Status enter();  // one parenthesis or subquery deeper
  void leave() { --depth_; }

 private:
  std::string_view query_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0, expressions_ = 0, operators_ = 0, depth_ = 0;
};

// Subqueries stand in expressions, expressions in operators.
Result<Expr> parse_expression(TokenReader& reader);
Result<std::shared_ptr<const Pipeline>> parse_pipeline(TokenReader& reader);
// `name = expression`, or an expression alone.
Result<NamedExpr> parse_named(TokenReader& reader);

}  // namespace flow::kql
