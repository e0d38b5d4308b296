// Schemas to types of the language. Records are named once, by the definition they come from or the place
// where they stand, and filled in later, so that schemas may refer to each other as they like.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/declaration.hpp"
#include "import/names.hpp"
#include "import/references.hpp"

namespace flow::importer {

// What a value of a schema is.
struct SchemaType {
  std::string name;  // without the `?` of what may be null
  bool is_nullable = false;
  std::string doc;                  // what the type alone cannot say: `One of: a, b.`
  std::vector<std::string> values;  // of an enum
};

// A member of an object schema, through all its `allOf`.
struct SchemaMember {
  Place schema;
  std::string wire;
  bool is_required = false;
};

class Types {
 public:
  // All types begin with `prefix`, so that they are like no other connector's.
  Types(std::string prefix, References& references, Findings& findings)
      : prefix_(std::move(prefix)), references_(references), findings_(findings) {}

  // `wanted` names a record or an enum that stands in place, as `GetIssueResult`.
  SchemaType of(const Place& schema, const std::string& wanted);

  // The members of what is an object with known members; empty for all else. For bodies, whose members
  // become parameters.
  std::vector<SchemaMember> members(const Place& schema);

  // What title and description of a schema say; nothing when they only say its name again.
  std::string doc_of(const Place& schema, std::string_view name = {});

  // Fills the records that were named; after the last of().
  void finish();

  std::vector<DeclaredRecord> records;
  std::vector<DeclaredEnum> enums;

 private:
  struct Named {
    Place schema;
    std::size_t record;
  };
  struct Gathered {
    std::vector<SchemaMember> members;
    std::map<std::string, std::size_t, std::less<>> by_wire;
    std::set<std::string, std::less<>> required;
    std::set<DocumentNode> visited;
    Place additional;  // the schema of further members
    bool is_object = true;
  };

  SchemaType resolved(const Place& schema, const std::string& wanted, const Place& origin);
  SchemaType choice(const Place& schema, const Place& variants, const std::string& wanted);
  SchemaType text(const Place& schema, const std::string& wanted);
  SchemaType object(const Place& schema, const std::string& wanted);
  SchemaType enumeration(const Place& schema, const Place& values, const std::string& wanted);
  SchemaType json(const Place& schema, std::string reason);
  void gather(const Place& schema, Gathered& into, int depth);
  std::string name_for(const Place& schema, const std::string& wanted);
  void fill(const Named& named);
  void break_circles();

  std::string prefix_;
  References& references_;
  Findings& findings_;
  Names names_;
  std::map<DocumentNode, std::string> record_of_;
  std::map<DocumentNode, SchemaType> enum_of_;
  std::map<std::string, std::string> enum_by_values_;
  std::deque<Named> waiting_;
  int depth_ = 0;
};

}  // namespace flow::importer
