// Declarations to a Library. They are read in three rounds, so that order and file do not matter: names of
// connectors and types, then fields and signatures, then what refers to operations (lookups, polling,
// triggers).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/resolve/library.hpp"
#include "compiler/resolve/template.hpp"

namespace flow {

class LibraryBuilder {
 public:
  LibraryBuilder(Library base, std::span<const Tree> trees, Diagnostics& diagnostics)
      : trees_(trees), diagnostics_(diagnostics), library_(std::move(base)) {}

  Library build();

 private:
  struct Pending {  // clauses that name other operations
    const Tree* tree;
    NodeId node;
    std::uint32_t operation;
    std::uint32_t route;
  };

  template <class Fn>
  void each_connector(const Tree& tree, Fn fn) {
    for (const NodeId kid : tree.kids(tree.root))
      if (tree.kind(kid) == NodeKind::Connector && !repeated_.contains({&tree, kid})) fn(kid);
  }

  static std::string name_of(const Tree& tree, NodeId node);
  std::string constant(const Tree& tree, NodeId clause);
  void report(const Tree& tree, NodeId node, Code code, std::string message);
  void unknown(const Tree& tree, NodeId node, Code code, std::string message,
               const std::vector<std::string>& known);

  template <class Items, class Name>
  static std::vector<std::string> names_of(const Items& items, Name name) {
    std::vector<std::string> names;
    for (const auto& item : items) names.push_back(std::invoke(name, item));
    return names;
  }

  std::uint32_t connector_index(const Tree& tree, NodeId name);

  // ---- Round one
  void declare_names(const Tree& tree, NodeId node);
  static bool says_where(const Tree& tree, NodeId connector);
  void declare_type_of(const Tree& tree, NodeId node);
  Auth auth_of(const Tree& tree, NodeId node);
  void declare_type(const Tree& tree, NodeId node, TypeId id);
  void declare_enum(const Tree& tree, NodeId node);
  void declare_types_of_functions(const Tree& tree);

  // ---- Round two
  void declare_functions(const Tree& tree);
  void declare_members(const Tree& tree, NodeId node);
  TypeId type_of(const Tree& tree, NodeId node);
  bool has_key_beside_text(TypeId id) const;
  void declare_fields(const Tree& tree, NodeId node);
  Quota quota_of(const Tree& tree, NodeId node, std::string group);
  void declare_operation(const Tree& tree, NodeId connector, NodeId node, const Quota* quota);
  void register_operation(const Tree& tree, NodeId node, Operation operation);
  void declare_parameter(const Tree& tree, NodeId node, Operation& operation);
  bool clause(const Tree& tree, NodeId node, Operation& operation, Route& plain, std::uint32_t index);
  void retires(const Tree& tree, NodeId node, Operation& operation);
  void check_parameter(const Tree& tree, NodeId clause, const Operation& operation);
  std::vector<std::pair<std::string, Template>> entries(TemplateScope& scope, NodeId node);
  bool route_clause(const Tree& tree, NodeId node, const Operation& operation, Route& route,
                    std::uint32_t index, std::uint32_t number);
  bool body(TemplateScope& scope, NodeId node, const Operation& operation, Route& route);
  bool entries_body(TemplateScope& scope, NodeId node, BodyForm form, Route& route);
  Paging paging_of(const Tree& tree, NodeId node, const Operation& operation);
  Upload upload_of(const Tree& tree, NodeId node, const Operation& operation);
  ErrorRule error_rule(const Tree& tree, NodeId node);
  static std::vector<std::string> fault_names();

  // ---- Round three
  void resolve_references(const Pending& pending);
  Several several_of(const Tree& tree, NodeId node, const Operation& one, const Operation& list,
                     Template arguments);
  void check_final_value(const Tree& tree, NodeId field, NodeId value, TypeId type);
  std::string wire_name(const Tree& tree, NodeId name, TypeId type);
  void declare_trigger(const Tree& tree, const std::string& connector, NodeId node);
  void trigger_clause(const Tree& tree, NodeId node, Trigger& trigger);
  void entity_clause(const Tree& tree, NodeId node, Trigger& trigger);

  std::span<const Tree> trees_;
  Diagnostics& diagnostics_;
  Library library_;
  std::vector<Pending> pending_;
  std::set<std::string, std::less<>> located_;  // connectors of which an address or a credential is declared
  std::set<std::pair<const Tree*, NodeId>> repeated_;  // … a second time: left out
  std::map<std::string, Quota, std::less<>> quotas_;   // by connector, what its operations have by default
  std::map<std::pair<const Tree*, NodeId>, TypeId> records_;  // by declaration: two may have one name
};

}  // namespace flow
