// A query as written: statements, pipelines, operators, expressions. Names are not looked up here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/sim/kql/value.hpp"

namespace flow::kql {

struct Pipeline;

struct Expr {
  enum class Kind : std::uint8_t {
    Literal,
    Name,    // a column or a let; also `$left`
    Star,    // `*`, also `Device*` with the beginning in `text`
    Member,  // args[0].text
    Index,   // args[0][args[1]]
    Call,    // text(args…)
    Unary,   // `-`
    Binary,  // text is the operator: `==`, `has`, `and`
    Among,   // text is in, !in, in~, has_any, …; args[0], then the list, or `query`
    Between,
    NotBetween,
    Table,  // toscalar's pipeline
  };
  Kind kind = Kind::Literal;
  std::size_t at = 0;
  std::size_t depth = 1;  // of the tree below
  std::string text;
  Value value;
  Type type = Type::Text;
  std::vector<Expr> args;
  std::shared_ptr<const Pipeline> query;
};

struct NamedExpr {
  std::string name;  // empty: none is given
  Expr expr;
  std::string type;  // of mv-expand's `to typeof(…)` and of columns of datatable
};

struct SortKey {
  Expr expr;
  bool is_descending = true;
  bool nulls_first = false;
};

// One step of a pipeline. What an operator has no use for stays empty.
struct Operator {
  std::string
      name;  // `where`, `project-away`, …; of a source: `table`, `union`, `print`, `datatable`, `range`
  std::size_t at = 0;
  std::map<std::string, std::string> options;  // kind=, withsource=, isfuzzy=, limit
  std::vector<NamedExpr> items;
  std::vector<NamedExpr> by;
  std::vector<SortKey> order;
  std::vector<std::shared_ptr<const Pipeline>> tables;
};

struct Pipeline {
  std::vector<Operator> operators;  // the first is a source
};

struct Let {
  std::string name;
  std::size_t at = 0;
  Expr value;
  std::shared_ptr<const Pipeline> table;  // a table, when set
  bool is_function = false;
  std::vector<NamedExpr> parameters;  // of a function: name, type, and the default of the last `defaults`
  std::size_t defaults = 0;
};

struct Query {
  std::vector<Let> lets;
  std::shared_ptr<const Pipeline> main;
};

}  // namespace flow::kql
